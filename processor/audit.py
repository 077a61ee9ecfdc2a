"""The audit trail: one manifest for each object of events, saying what was done to what is in it.

AWS calls: s3:PutObject under `manifests/<policy>/`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from processor.sinks import put_once

if TYPE_CHECKING:
    from collections.abc import Mapping

    from processor.sinks import Stored

SCHEMA: Final = "tidegate.manifest/1"


class Audit:
    """The manifests. Each is created once; finding it there already is as good."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3, self._bucket = s3, bucket

    def describe(self, stored: Stored, summary: Mapping[str, Any]) -> None:
        """Write the manifest of an object that is there; `summary` says what was done to its events.

        Raises:
            Transient: it may be there or not; the next delivery sees to it.
        """
        manifest = {
            "schema": SCHEMA,
            "object": {
                "bucket": stored.bucket,
                "key": stored.key,
                "version_id": stored.version_id,
                "bytes": stored.size,
                "sha256": stored.sha256,
            },
            **summary,
        }
        body = json.dumps(manifest, separators=(",", ":")).encode() + b"\n"
        put_once(self._s3, self._bucket, manifest_key(stored.key), body, ContentType="application/json")


def manifest_key(object_key: str) -> str:
    """Where the manifest of an object is: `manifests/<policy>/dt=…/<name>.json`."""
    _, policy, day, _, name = object_key.split("/")
    return f"manifests/{policy}/{day}/{name.removesuffix('.jsonl.gz')}.json"
