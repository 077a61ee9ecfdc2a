"""Keys and tokens from bytes given: deterministic, authenticated, versioned. No AWS, no clock."""

from __future__ import annotations

from processor.crypto.envelope import DataKey, open_sealed
from processor.crypto.ff1 import DOMAIN_MIN, TextCipher, domain_size, length_floor
from processor.crypto.keyring import KeyRing
from processor.crypto.pan import PanCipher, free_digits, refused_lengths
from processor.crypto.tokens import InvalidToken, TokenCipher
from processor.crypto.typed import from_plaintext, to_plaintext

__all__ = [
    "DOMAIN_MIN",
    "DataKey",
    "InvalidToken",
    "KeyRing",
    "PanCipher",
    "TextCipher",
    "TokenCipher",
    "domain_size",
    "free_digits",
    "from_plaintext",
    "length_floor",
    "open_sealed",
    "refused_lengths",
    "to_plaintext",
]
