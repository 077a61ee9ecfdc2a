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
DEDUPLICATED = "MessageDeduplicationId"
DEDUPLICATED_S = 300.0


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
    """Topics; FIFO ones by their names. `landed` is told of every message that got through.

    https://docs.aws.amazon.com/sns/latest/dg/fifo-message-dedup.html
    """

    def __init__(
        self,
        landed: Callable[[dict[str, Any]], None] = lambda _: None,
        clock: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._landed, self._clock = landed, clock
        self._taken: dict[tuple[str, str], float] = {}

    def publish_batch(self, **call: Any) -> dict[str, Any]:
        entries, topic = call["PublishBatchRequestEntries"], call["TopicArn"]
        names = [entry["Id"] for entry in entries]
        if not entries:
            raise refusal("EmptyBatchRequest", "PublishBatch", call)
        if len(entries) > ENTRIES_MAX:
            raise refusal("TooManyEntriesInBatchRequest", "PublishBatch", call)
        if len(set(names)) != len(names):
            raise refusal("BatchEntryIdsNotDistinct", "PublishBatch", call)
        if topic.endswith(".fifo") and not all("MessageGroupId" in entry for entry in entries):
            raise refusal("InvalidParameter", "PublishBatch", call)
        if sum(_size(entry) for entry in entries) > BYTES_MAX:
            raise refusal("BatchRequestTooLong", "PublishBatch", call)
        wrong = [entry for entry in entries if topic.endswith(".fifo") is not (DEDUPLICATED in entry)]
        for entry in entries:
            if entry not in wrong and self._is_new(topic, entry):
                self._landed(entry)
        return {
            "Successful": [{"Id": one["Id"], "MessageId": one["Id"]} for one in entries if one not in wrong],
            "Failed": [{"Id": one["Id"], "Code": "InvalidParameter", "SenderFault": True} for one in wrong],
        }

    def _is_new(self, topic: str, entry: dict[str, Any]) -> bool:
        """Whether a FIFO topic has had no such message for five minutes; others it forgets."""
        if not topic.endswith(".fifo"):
            return True
        name, now = (topic, entry[DEDUPLICATED]), self._clock()
        is_new = now - self._taken.get(name, -DEDUPLICATED_S) >= DEDUPLICATED_S
        if is_new:
            self._taken[name] = now
        return is_new


def _size(entry: dict[str, Any]) -> int:
    attributes = entry.get("MessageAttributes", {})
    about = "".join(f"{name}{''.join(attribute.values())}" for name, attribute in attributes.items())
    return len(entry["Message"].encode()) + len(about.encode())
