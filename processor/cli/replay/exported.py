"""A table's export as a source: its items become records as the stream would have given them, or nearly so.

Pure but for the reading of lines. Formats, DYNAMODB_JSON of a full and of an incremental export:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

from __future__ import annotations

import hmac
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from processor.cli.replay.sending import Parcel
from processor.errors import TidegateError

if TYPE_CHECKING:
    from collections.abc import Mapping

MICROS: Final = 1_000_000
SHARES: Final = 16
"""The records of an hour are in so many lanes of the ledger, so that none has too much to look through."""
DIGITS: Final = 26  # of a sequence number, behind ten of the second

CAVEATS: Final = (
    "An export does not have the ids of the stream: what the stream delivered comes out a second time.",
    "It has the last version of an item in its time only: what was overwritten in between is not in it.",
    "It does not have the order of changes within a second, nor who made them: expired items are removals.",
    "A full export has no time of writing and no removals: all its items are insertions at --written-at.",
)


class NoChange(TidegateError):  # noqa: N818  an outcome with a name
    """A line of a file is no item of an export, or says too little of a change."""


@dataclass(frozen=True, slots=True)
class Written:
    """One item of an export."""

    kind: str
    """INSERT, MODIFY or REMOVE."""
    micros: int
    """When it was written, microseconds since 1970."""
    keys: dict[str, Any]
    new: dict[str, Any] | None
    old: dict[str, Any] | None

    @property
    def time(self) -> float:
        """Epoch seconds."""
        return self.micros / MICROS


@dataclass(frozen=True, slots=True)
class Full:
    """What a full export does not say."""

    written_at: float
    """Epoch seconds."""
    keys: tuple[str, ...]
    """The names of the table's key attributes."""


def read(line: bytes, full: Full | None) -> Written:
    """The item in a line.

    Raises:
        NoChange: with the reason, which holds no value.
    """
    try:
        entry = json.loads(line)
    except ValueError:
        ion = (
            "; it looks like Ion: export in DYNAMODB_JSON" if line.startswith((b"$ion", b"\xe0\x01")) else ""
        )
        raise NoChange("not a line of JSON" + ion) from None
    match entry:
        case {"Metadata": {"WriteTimestampMicros": {"N": str(micros)}}, "Keys": dict(keys)} if re.fullmatch(
            r"[0-9]{1,17}", micros, re.ASCII
        ):
            return _incremental(entry, int(micros), keys)
        case {"Item": dict(item)}:
            return _full(item, full)
        case _:
            raise NoChange("neither an item of a full export nor one of an incremental export")


def _incremental(entry: Mapping[str, Any], micros: int, keys: dict[str, Any]) -> Written:
    new, old = entry.get("NewImage"), entry.get("OldImage")
    if new is None and old is None:
        # Removed, and either written in the same time too, or exported without old images.
        raise NoChange("a removal without the item's old image: export with NEW_AND_OLD_IMAGES")
    kind = "REMOVE" if new is None else "INSERT" if old is None else "MODIFY"
    return Written(kind, micros, keys, new, old)


def _full(item: dict[str, Any], full: Full | None) -> Written:
    if full is None:
        raise NoChange("of a full export, which needs --written-at and --key")
    if missing := [name for name in full.keys if name not in item]:
        raise NoChange(f"lacks the key attribute {missing[0]}")
    keys = {name: item[name] for name in full.keys}
    return Written("INSERT", int(full.written_at * MICROS), keys, item, None)


def record_of(written: Written, stream_arn: str, secret: bytes) -> dict[str, Any]:
    """The record that stands for an item: the same from every export that has it, for who has the secret.

    Args:
        written: the item.
        stream_arn: of the table's stream.
        secret: the ids are digests of the item's key, which may be personal data: without a secret, who sees
            events could try whose they are.
    """
    table = stream_arn.rpartition("/stream/")[0]
    about = [table, written.keys, written.micros, written.kind]
    named = json.dumps(about, sort_keys=True, separators=(",", ":")).encode()
    digest = hmac.digest(secret, named, sha256)
    second = written.micros // MICROS
    images = {"Keys": written.keys, "NewImage": written.new, "OldImage": written.old}
    hour = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H")
    return {
        "eventID": f"export-{digest[:16].hex()}",
        "eventName": written.kind,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": stream_arn.split(":")[3],
        "dynamodb": {
            "ApproximateCreationDateTime": second,
            **{name: image for name, image in images.items() if image is not None},
            "SequenceNumber": f"{second}{int.from_bytes(digest[16:]) % 10**DIGITS:0{DIGITS}}",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        # Streams of their own, so that the ledger of the real one is neither asked nor burdened.
        "eventSourceARN": f"{table}/stream/export-{hour}-{digest[0] % SHARES:x}",
    }


def parcel_of(record: dict[str, Any]) -> Parcel:
    """The record, ready to be sent."""
    text = json.dumps(record, separators=(",", ":"))
    sequence = int(record["dynamodb"]["SequenceNumber"])
    return Parcel(text, record["eventSourceARN"], sequence, record["eventID"])
