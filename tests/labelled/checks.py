"""Check digits, computed from the specifications and not by the code under test.

So each can find the other's faults.
"""

from __future__ import annotations

from itertools import cycle

# Verhoeff, "Error Detecting Decimal Codes" (1969): multiplication in the dihedral group, and its permutation.
_DIHEDRAL = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_PERMUTED = (
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def luhn(body: str) -> str:
    """The digit that follows `body` (ISO/IEC 7812-1, annex B)."""
    total = 0
    for digit, factor in zip(reversed(body), cycle((2, 1)), strict=False):
        total += sum(divmod(int(digit) * factor, 10))
    return str(-total % 10)


def verhoeff(body: str) -> str:
    """The digit that follows `body`."""
    state = "0"
    for place, digit in enumerate(reversed(body), 1):
        state = _DIHEDRAL[int(state)][int(_PERMUTED[place % 8][int(digit)])]
    return str(_DIHEDRAL[int(state)].index("0"))


def weighted(digits: str, weights: tuple[int, ...]) -> int:
    """The sum of each digit times its weight."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))


def mod_97(country: str, bban: str) -> str:
    """The two check digits of an IBAN (ISO 13616, by ISO/IEC 7064 mod 97-10)."""
    return f"{98 - int(''.join(str(int(sign, 36)) for sign in f'{bban}{country}00')) % 97:02}"


def ean(body: str) -> str:
    """The digit that follows twelve of an EAN-13 or ISBN-13."""
    return str(-weighted(body, (1, 3) * 6) % 10)
