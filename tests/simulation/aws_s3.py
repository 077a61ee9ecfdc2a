"""S3 in memory: objects with versions, conditional writes, checksums.

What it answers is held to moto's answers by test_world_contract.py.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import TYPE_CHECKING, Any

from tests.simulation.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Object:
    """A version of an object."""

    body: bytes
    metadata: dict[str, str]
    version_id: str
    born: int
    """The how-manieth of all writes it was."""

    @property
    def checksum(self) -> str:
        return b64encode(sha256(self.body).digest()).decode()


class S3:
    """Buckets, all of them versioned. `landed` is told of every write that got through."""

    def __init__(self, landed: Callable[[str, str, Object | None, Object], None] = lambda *_: None) -> None:
        self.objects: dict[tuple[str, str], Object] = {}
        self._landed, self._writes = landed, 0

    def put_object(self, **call: Any) -> dict[str, Any]:
        place = call["Bucket"], call["Key"]
        before = self.objects.get(place)
        if call.get("IfNoneMatch") == "*" and before is not None:
            raise refusal("PreconditionFailed", "PutObject", call)
        body = bytes(call["Body"])
        self._writes += 1
        one = Object(body, dict(call.get("Metadata", {})), f"v{self._writes}", self._writes)
        if call.get("ChecksumSHA256", one.checksum) != one.checksum:
            raise refusal("BadDigest", "PutObject", call)
        self.objects[place] = one
        self._landed(*place, before, one)
        return {"VersionId": one.version_id, "ChecksumSHA256": one.checksum}

    def head_object(self, **call: Any) -> dict[str, Any]:
        one = self.objects.get((call["Bucket"], call["Key"]))
        if one is None:
            raise refusal("404", "HeadObject", call)
        answer = {"ContentLength": len(one.body), "Metadata": dict(one.metadata), "VersionId": one.version_id}
        return answer | ({"ChecksumSHA256": one.checksum} if call.get("ChecksumMode") == "ENABLED" else {})

    def get_object(self, **call: Any) -> dict[str, Any]:
        one = self.objects.get((call["Bucket"], call["Key"]))
        if one is None:
            raise refusal("NoSuchKey", "GetObject", call)
        return {"Body": BytesIO(one.body), "Metadata": dict(one.metadata), "VersionId": one.version_id}

    def within(self, bucket: str, prefix: str = "") -> dict[str, Object]:
        """The objects of a bucket whose keys begin so."""
        return {
            key: one for (name, key), one in self.objects.items() if name == bucket and key.startswith(prefix)
        }
