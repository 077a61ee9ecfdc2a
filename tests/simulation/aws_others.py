"""KMS and SNS in memory, as far as the gate uses them."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from tests.simulation.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

ENTRIES_MAX = 10
BYTES_MAX = 256 * 1024


class KMS:
    """Keys by ARN. Nobody but this class sees the plaintext of a data key twice."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self.roots: dict[str, bytes] = {}
        self.data_keys: dict[bytes, tuple[bytes, dict[str, str]]] = {}
        """By wrapped form: the key, and the context under which it was made."""

    def generate_mac(self, **call: Any) -> dict[str, Any]:
        assert call["MacAlgorithm"] == "HMAC_SHA_512"
        root = self.roots.setdefault(call["KeyId"], hmac.digest(b"root", call["KeyId"].encode(), "sha512"))
        return {"Mac": hmac.digest(root, call["Message"], "sha512")}

    def generate_data_key(self, **call: Any) -> dict[str, Any]:
        assert call["KeySpec"] == "AES_256"
        plaintext, wrapped = self._chance.randbytes(32), b"wrapped" + self._chance.randbytes(16)
        self.data_keys[wrapped] = plaintext, dict(call["EncryptionContext"])
        return {"Plaintext": plaintext, "CiphertextBlob": wrapped}

    def secrets(self) -> list[bytes]:
        """All that must never be seen outside."""
        macs = [hmac.digest(root, b"tidegate token root/v1", "sha512") for root in self.roots.values()]
        return [*macs, *self.roots.values(), *(key for key, _ in self.data_keys.values())]


class SNS:
    """A topic. `landed` is told of every message that got through."""

    def __init__(self, landed: Callable[[dict[str, Any]], None] = lambda _: None) -> None:
        self.published: list[dict[str, Any]] = []
        self._landed = landed

    def publish_batch(self, **call: Any) -> dict[str, Any]:
        entries = call["PublishBatchRequestEntries"]
        names = [entry["Id"] for entry in entries]
        size = sum(len(entry["Message"].encode()) for entry in entries)
        if not 1 <= len(entries) <= ENTRIES_MAX or len(set(names)) != len(names) or size > BYTES_MAX:
            raise refusal("InvalidParameter", "PublishBatch", call)
        for entry in entries:
            self.published.append(entry)
            self._landed(entry)
        return {"Successful": [{"Id": name, "MessageId": name} for name in names], "Failed": []}
