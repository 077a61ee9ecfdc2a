"""An object of the quarantine, read and opened: what the gate sealed there, or a word on why it is not that.

AWS calls: kms:Decrypt on the data key, with the encryption context of the quarantine.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from threading import Lock
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from processor.aws import calling
from processor.cli.replay.sending import Parcel
from processor.errors import Poison, TidegateError
from processor.ledger import lane_of
from processor.quarantine import PURPOSE, SCHEMA
from processor.sources import sequence_of, table_of

BODY_BYTES_MAX: Final = 16_000_000  # of one object: a record of Lambda's is at most 6 MB
DATA_KEYS_MAX: Final = 1_000  # kept in memory, so that KMS is asked once for each
KEY: Final = re.compile(
    r"quarantine/[^/]+/dt=(?P<day>\d{4}-\d{2}-\d{2}|unknown)/"
    r"(?P<lane>[0-9a-f]{8})-(?P<sequence>[0-9]{1,128}|nameless)-(?P<digest>[0-9a-f]{16})\.json",
    re.ASCII,
)
STREAM: Final = "/stream/"
"""In the ARN of a stream, behind that of its table."""
SEALED: Final = ("data_key", "nonce", "ciphertext")
PARTS: Final = frozenset({"schema", "policy", "sequence", "reason", "path", *SEALED})


class Unreadable(TidegateError):  # noqa: N818  an outcome with a name
    """An object is not what the gate wrote, or cannot be opened."""


@dataclass(frozen=True, slots=True)
class Held:
    """An object of the quarantine, as a listing shows it."""

    key: str
    written: float
    """When it was put there, epoch seconds."""
    day: str
    """Of the change; of the writing where the change does not say."""
    lane: str
    """The short name of the stream that the record says it is from."""
    sequence: str
    """Empty for a record without one."""
    digest: str
    """Of the record."""

    @classmethod
    def named(cls, key: str, written: float) -> Held | None:
        """What a key says; None if it is none of the gate's."""
        parts = KEY.fullmatch(key)
        if parts is None:
            return None
        day, sequence = parts["day"], parts["sequence"]
        if day == "unknown":
            day = datetime.fromtimestamp(written, UTC).strftime("%Y-%m-%d")
        sequence = sequence if sequence.isdecimal() else ""
        return cls(key, written, day, parts["lane"], sequence, parts["digest"])

    @property
    def order(self) -> tuple[str, int, str]:
        """By which objects are sorted: those of a stream together, in its order."""
        return self.lane, int(self.sequence or -1), self.key


class Opener:
    """Opens what the quarantine of one policy has of one table, from several threads."""

    def __init__(self, kms: Any, data_key_arn: str, policy: str, table: str) -> None:
        self._kms, self._data_key_arn, self._policy, self._table = kms, data_key_arn, policy, table
        self._keys: dict[str, bytes] = {}
        self._lock = Lock()

    def document(self, body: bytes, held: Held) -> dict[str, str]:
        """The object, its record still sealed.

        Raises:
            Unreadable: it is not as the gate writes them.
        """
        try:
            document = json.loads(body) if len(body) <= BODY_BYTES_MAX else None
        except ValueError:
            document = None
        if not isinstance(document, dict) or document.keys() != PARTS:
            raise Unreadable("altered: it does not have the parts that the gate writes")
        if not all(isinstance(part, str) for part in document.values()):
            raise Unreadable("altered: its parts are not of the types that the gate writes")
        if document["schema"] != SCHEMA:
            raise Unreadable("of another schema: another version of the gate wrote it")
        if (document["policy"], document["sequence"]) != (self._policy, held.sequence):
            raise Unreadable("altered: it was written to another place")
        return document

    def parcel(self, document: dict[str, str], held: Held) -> Parcel:
        """The record, ready to be sent.

        Raises:
            Unreadable: it does not open, or is not the one that belongs there.
            Transient: KMS does not open it now, or not for this caller.
        """
        raw = self._opened(document)
        if blake2b(raw, digest_size=8).hexdigest() != held.digest:
            raise Unreadable("altered: another record is in it")
        try:
            record = json.loads(raw)
            text = json.dumps(record, separators=(",", ":"), allow_nan=False)
        except ValueError:
            raise Unreadable("its record is no JSON that Lambda takes") from None
        try:
            sequence = sequence_of(record)
        except Poison:
            sequence = ""
        if (sequence, lane_of(record)) != (held.sequence, held.lane):
            raise Unreadable("altered: its record has another name")
        arn = str(record.get("eventSourceARN") if isinstance(record, dict) else None)
        if table_of(record) not in {"", self._table.rpartition("/")[2]} or (
            STREAM in arn and arn.partition(STREAM)[0] != self._table
        ):
            # Of two streams with one policy, or of a stream that had this policy before: not to be let out by
            # a policy that was not made for it.
            raise Unreadable("of another table than the function's: name the stream of that table")
        return Parcel(text, arn, int(sequence or -1), held.key)

    def _opened(self, document: dict[str, str]) -> bytes:
        about = {name: part for name, part in document.items() if name not in SEALED}
        try:
            nonce, ciphertext = b64decode(document["nonce"]), b64decode(document["ciphertext"])
            cipher = AESGCM(self._data_key(document["data_key"]))
            return cipher.decrypt(nonce, ciphertext, json.dumps(about, sort_keys=True).encode())
        except (InvalidTag, ValueError):
            raise Unreadable("altered: it does not open with its data key") from None

    def _data_key(self, sealed: str) -> bytes:
        with self._lock:
            if sealed not in self._keys:
                blob = b64decode(sealed)
                context = {"purpose": PURPOSE, "policy": self._policy}
                with calling("kms:Decrypt for quarantine"):
                    opened = self._kms.decrypt(
                        CiphertextBlob=blob, EncryptionContext=context, KeyId=self._data_key_arn
                    )
                if len(self._keys) >= DATA_KEYS_MAX:
                    self._keys.clear()
                self._keys[sealed] = opened["Plaintext"]
            return self._keys[sealed]
