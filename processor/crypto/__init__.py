"""Keys and tokens from bytes given: deterministic, authenticated, versioned. No AWS, no clock."""

from __future__ import annotations

from processor.crypto.envelope import DataKey, open_sealed
from processor.crypto.keyring import KeyRing
from processor.crypto.tokens import InvalidToken, TokenCipher
from processor.crypto.typed import from_plaintext, to_plaintext

__all__ = [
    "DataKey",
    "InvalidToken",
    "KeyRing",
    "TokenCipher",
    "from_plaintext",
    "open_sealed",
    "to_plaintext",
]
