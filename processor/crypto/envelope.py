"""Envelope encryption of single values: AES-256-GCM (NIST SP 800-38D) under a data key that travels wrapped.

Whoever may unwrap the data key (with KMS: `kms:Decrypt` under its encryption context) opens the values; the
gate itself cannot, once it has forgotten the key.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from processor.crypto.tokens import TOKEN_CHARACTERS_MAX, InvalidToken, person_key

if TYPE_CHECKING:
    from collections.abc import Callable

PREFIX: Final = "enc"
PARTS: Final = 3
NONCE_BYTES: Final = 12
SEALS_MAX: Final = 2**30
"""Values under one data key: below the 2^32 that SP 800-38D, 8.3 allows for nonces that are not counted."""


class DataKey:
    """A key of 32 bytes, and the same wrapped for whoever is to open what it seals."""

    __slots__ = ("_key", "_prefix", "_sealer")

    def __init__(self, plaintext: bytes, wrapped: bytes) -> None:
        self._key, self._sealer = plaintext, _Sealer(plaintext)
        self._prefix = f"{PREFIX}.{urlsafe_b64encode(wrapped).decode().rstrip('=')}."

    def __repr__(self) -> str:
        return "DataKey(…)"  # never the bytes

    def __reduce__(self) -> str:
        raise TypeError("a data key is not for pickling")

    def seal(self, plaintext: bytes, associated: bytes, secret: bytes = b"") -> str:
        """`enc.<wrapped key>.<nonce and ciphertext>`, bound to where it stands by the associated data.

        With a person's secret, under a key that the data key and the secret give.
        """
        sealer = _Sealer(person_key(self._key, secret)) if secret else self._sealer
        return self._prefix + urlsafe_b64encode(sealer.seal(plaintext, associated)).decode().rstrip("=")


class _Sealer:
    """AES-GCM under one key, with nonces that are a MAC over value and place.

    A record that is delivered twice gives the same text, the same value elsewhere another. The nonce stands
    in the clear: made with a key of fewer secrets than the ciphertext, it would tell what that hides.
    """

    __slots__ = ("_cipher", "_nonce_key")

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._nonce_key = hmac.digest(key, b"tidegate/nonce/v1", "sha256")

    def seal(self, plaintext: bytes, associated: bytes) -> bytes:
        """The nonce, then the ciphertext with its tag."""
        framed = len(associated).to_bytes(8, "big") + associated + plaintext
        nonce = hmac.digest(self._nonce_key, framed, "sha256")[:NONCE_BYTES]
        return nonce + self._cipher.encrypt(nonce, plaintext, associated)


def open_sealed(text: str, unwrap: Callable[[bytes], bytes], associated: bytes, secret: bytes = b"") -> bytes:
    """The plaintext of what `DataKey.seal` gave, after `unwrap` has made the data key of its wrapped form.

    Raises:
        InvalidToken: altered, from another place, or no such text. What `unwrap` raises passes.
    """
    parts = text.split(".") if len(text) <= TOKEN_CHARACTERS_MAX else []
    if len(parts) != PARTS or parts[0] != PREFIX:
        raise InvalidToken
    try:
        wrapped, sealed = (urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in parts[1:])
        key = unwrap(wrapped)
        cipher = AESGCM(person_key(key, secret) if secret else key)
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], associated)
    except (ValueError, InvalidTag):
        raise InvalidToken from None
