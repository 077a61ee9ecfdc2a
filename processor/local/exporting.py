"""A full export of a table as DynamoDB writes it: manifests, their checksums, and data files.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b, md5
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

PARTS: Final = 2  # data files: DynamoDB writes at least one for each of the table's partitions
NAME_DIGITS: Final = 26


@dataclass(frozen=True, slots=True)
class Layout:
    """What of an export has to be known to write it."""

    export: str
    """Its id, as 01793491200000-a1b2c3d4."""
    table_arn: str
    exported_at: float
    """Epoch seconds."""
    bucket: str
    prefix: str = ""

    @property
    def folder(self) -> str:
        """Where it is in the bucket."""
        return f"{self.prefix}/AWSDynamoDB/{self.export}" if self.prefix else f"AWSDynamoDB/{self.export}"

    def files(self, items: Sequence[dict[str, Any]], parts: int = PARTS) -> dict[str, bytes]:
        """The objects of the export by their keys, with items in DynamoDB's JSON; the summary comes last.

        The etags are those of an upload in one part, as S3 makes them without KMS.
        """
        made: dict[str, bytes] = {}
        lines = []
        for at in range(parts):
            share = items[at::parts]
            text = "".join(json.dumps({"Item": item}, separators=(",", ":")) + "\n" for item in share)
            body = gzip.compress(text.encode(), mtime=0)
            key = f"{self.folder}/data/{self._name(at)}.json.gz"
            made[key] = body
            lines.append(
                {
                    "itemCount": len(share),
                    "md5Checksum": checksum(body),
                    "etag": md5(body, usedforsecurity=False).hexdigest(),
                    "dataFileS3Key": key,
                }
            )
        manifest = "".join(json.dumps(line) + "\n" for line in lines).encode()
        for name, content in (("files", manifest), ("summary", self._summary(len(items)))):
            made[f"{self.folder}/manifest-{name}.checksum"] = checksum(content).encode()
            made[f"{self.folder}/manifest-{name}.json"] = content
        return made

    def _name(self, at: int) -> str:
        digest = blake2b(f"{self.export}/{at}".encode()).hexdigest()
        return digest[:NAME_DIGITS]

    def _summary(self, items: int) -> bytes:
        moment = datetime.fromtimestamp(self.exported_at, UTC).isoformat(timespec="milliseconds")
        moment = moment.replace("+00:00", "Z")
        return json.dumps(
            {
                "version": "2020-06-30",
                "exportArn": f"{self.table_arn}/export/{self.export}",
                "startTime": moment,
                "endTime": moment,
                "tableArn": self.table_arn,
                "tableId": "00000000-0000-0000-0000-000000000000",
                "exportTime": moment,
                "s3Bucket": self.bucket,
                "s3Prefix": self.prefix or None,
                "s3SseAlgorithm": "KMS",
                "s3SseKmsKeyId": None,
                "manifestFilesS3Key": f"{self.folder}/manifest-files.json",
                "billedSizeBytes": 0,
                "itemCount": items,
                "outputFormat": "DYNAMODB_JSON",
                "exportType": "FULL_EXPORT",
            }
        ).encode()


def checksum(content: bytes) -> str:
    """MD5 in base64, as the manifests have it."""
    return b64encode(md5(content, usedforsecurity=False).digest()).decode()
