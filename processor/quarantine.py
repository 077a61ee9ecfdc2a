"""Where records go that cannot pass: encrypted, with the reason and without a value in the clear.

AWS calls: kms:GenerateDataKey on the data key, s3:PutObject under `quarantine/<policy>/`.
"""

from __future__ import annotations

import json
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from os import urandom
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from processor.aws import calling
from processor.sinks import put_once

if TYPE_CHECKING:
    from collections.abc import Collection

SCHEMA: Final = "tidegate.quarantine/1"
PURPOSE: Final = "tidegate.quarantine"
"""The `purpose` of the KMS encryption context: the role may make data keys for this and nothing else."""
NONCE_BYTES: Final = 12
UPLOADS: Final = 8  # at a time: a batch that is all poison must not run into the timeout


@dataclass(frozen=True, slots=True)
class Poisoned:
    """A raw record that cannot pass. Neither `reason` nor `path` holds a value of it."""

    record: Any
    lane: str
    """Of the stream that it says it is from."""
    sequence: str
    """Empty where even that is malformed."""
    event_id: str
    """Empty where it has none."""
    reason: str
    path: str


class Quarantine:
    """The quarantine of one policy: one object per record, created once however often it is delivered."""

    def __init__(self, *, s3: Any, kms: Any, bucket: str, data_key_arn: str, policy: str) -> None:
        self._s3, self._kms = s3, kms
        self._bucket, self._data_key_arn, self._policy = bucket, data_key_arn, policy

    def keep(self, poisoned: Collection[Poisoned]) -> int:
        """Write what is not there yet; how many records that were.

        Raises:
            Transient: some may have been written and will be found there when the batch comes again.
        """
        if not poisoned:
            return 0
        seal = self._sealer()

        def write(one: Poisoned) -> bool:
            raw = json.dumps(one.record, separators=(",", ":"), sort_keys=True).encode()
            key = f"quarantine/{self._policy}/dt={_date(one.record)}/{one.lane}-{_name(one, raw)}.json"
            return put_once(self._s3, self._bucket, key, seal(one, raw)) is not None

        with ThreadPoolExecutor(min(UPLOADS, len(poisoned))) as pool:
            return sum(pool.map(write, poisoned))

    def _sealer(self) -> Any:
        """The function that seals records under one fresh data key (envelope encryption, AES-256-GCM)."""
        context = {"purpose": PURPOSE, "policy": self._policy}
        with calling("kms:GenerateDataKey for quarantine"):
            data_key = self._kms.generate_data_key(
                KeyId=self._data_key_arn, KeySpec="AES_256", EncryptionContext=context
            )
        cipher = AESGCM(data_key["Plaintext"])
        sealed_key = b64encode(data_key["CiphertextBlob"]).decode()

        def seal(one: Poisoned, raw: bytes) -> bytes:
            about = {"schema": SCHEMA, "policy": self._policy, "sequence": one.sequence}
            about |= {"reason": one.reason, "path": one.path}
            nonce = urandom(NONCE_BYTES)
            # What stands in the clear is authenticated with the record: a reason cannot be exchanged.
            ciphertext = cipher.encrypt(nonce, raw, json.dumps(about, sort_keys=True).encode())
            sealed = {
                "data_key": sealed_key,
                "nonce": b64encode(nonce).decode(),
                "ciphertext": b64encode(ciphertext).decode(),
            }
            return json.dumps(about | sealed).encode() + b"\n"

        return seal


def _date(record: Any) -> str:
    """The day of the change, `unknown` where the record does not say: the same on every delivery.

    Of Kinesis it is the day on which it arrived there.
    """
    try:
        time = (
            record["kinesis"]["approximateArrivalTimestamp"]
            if "kinesis" in record
            else record["dynamodb"]["ApproximateCreationDateTime"]
        )
        return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d")
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return "unknown"


def _name(one: Poisoned, raw: bytes) -> str:
    """The same on every delivery, and another for another record, whatever both say that they are."""
    return f"{one.sequence or 'nameless'}-{blake2b(raw, digest_size=8).hexdigest()}"
