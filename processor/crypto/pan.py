"""Tokens of card numbers: reversible, as long, BIN and last digits kept, and never themselves a card number.

A token that passes Luhn's check could be somebody's card. Ours never passes, so no system and no recogniser,
our own guard's included, takes one for a number. Among the numbers that share the kept digits:

1. Turn the first free digit up by one. Luhn gives each digit a value of its own, so one changed digit always
   changes the remainder: every valid number becomes an invalid one, and no two the same.
2. Apply FF1 over all free digits until the result is invalid (cycle walking: Black and Rogaway, CT-RSA 2002).
   From an invalid number to the next invalid one on its cycle is a permutation of the invalid numbers, undone
   by the same walk with decryption. Nine in ten are invalid: 1.11 applications on average, and the walk ends
   at the latest where it started.

To walk from the valid number itself, without the first step, would not be injective: where one valid number
lies on another's way, both arrive at the same token (tried: 90,145 tokens of 100,000 numbers).

Numbers with too few free digits are refused: FF1 wants a domain of 1,000,000 (SP 800-38G Rev. 1, 5.1), so six
digits. With 6 + 4 kept that leaves 16 digits and longer (for the 15 of American Express keep 5 + 4 or 6 + 3),
with 8 + 2 the same, with 8 + 4 only 18 and 19. PCI DSS 4.0, 3.4.1, lets no more be seen than the BIN (at most
8 digits: ISO/IEC 7812-1) and the last four.

What no cipher changes: because of the check digit, only a tenth of what the free digits could be is a card
number, 100,000 behind the 6 + 4 of 16. Who may have tokens made of numbers of their choice can list them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from processor.crypto.ff1 import FF1, Permutation, length_floor

if TYPE_CHECKING:
    from collections.abc import Callable

PAN_DIGITS_MIN, PAN_DIGITS_MAX = 12, 19  # ISO/IEC 7812-1 ends at 19; nobody issues shorter ones
KEEP_FIRST_MAX: Final = 8
KEEP_LAST_MAX: Final = 4
FREE_DIGITS_MIN: Final = length_floor(10)

_PLAIN: Final = bytes.maketrans(b"0123456789", bytes(range(10)))
_DOUBLED: Final = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))


def luhn_remainder(digits: str) -> int:
    """0 where the last of the ASCII digits is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    octets = digits.encode()
    return (sum(octets[::-2].translate(_PLAIN)) + sum(octets[-2::-2].translate(_DOUBLED))) % 10


def free_digits(length: int, keep_first: int, keep_last: int) -> int:
    """The digits that are encrypted in a number of this length; under `FREE_DIGITS_MIN` it is refused."""
    return max(length - keep_first - keep_last, 0)


def refused_lengths(keep_first: int, keep_last: int) -> tuple[int, ...]:
    """The lengths of card numbers that cannot be encrypted with so many digits kept."""
    return tuple(
        length
        for length in range(PAN_DIGITS_MIN, PAN_DIGITS_MAX + 1)
        if free_digits(length, keep_first, keep_last) < FREE_DIGITS_MIN
    )


class PanCipher:
    """Tokens of card numbers and the numbers of tokens, in one domain. Digits only: no separators.

    Args:
        key: 16, 24 or 32 bytes.
        domain: equal numbers of two domains have unlike tokens.
        keep_first: leading digits to keep, up to 8.
        keep_last: trailing digits to keep, up to 4.

    Raises:
        ValueError: a programmer's or a policy's error: more to keep than PCI DSS lets be seen.
    """

    __slots__ = ("_domain", "_ff1", "_keep_first", "_keep_last")

    def __init__(self, key: bytes, domain: str, keep_first: int = 6, keep_last: int = 4) -> None:
        if not (0 <= keep_first <= KEEP_FIRST_MAX and 0 <= keep_last <= KEEP_LAST_MAX):
            raise ValueError(
                f"at most the first {KEEP_FIRST_MAX} and the last {KEEP_LAST_MAX} digits are kept"
            )
        self._ff1 = FF1(key, 10)
        self._domain = domain
        self._keep_first = keep_first
        self._keep_last = keep_last

    def __repr__(self) -> str:
        return "PanCipher(…)"  # never the key

    def encrypt(self, number: str) -> str:
        """The token of a card number.

        Raises:
            ValueError: not digits alone, a length that leaves too few free, or no check digit at the end (a
                token has none). The message never holds the number.
        """
        self._check(number)
        if luhn_remainder(number):
            raise ValueError("not a card number: its last digit is not its check digit")
        return self._walk(self._turn(number, 1), Permutation.encrypt)

    def decrypt(self, token: str) -> str:
        """The card number of a token.

        Raises:
            ValueError: no token of this key, domain and kept digits. FF1 has no tag, so one in nine of those
                that are none opens to a number that was never sealed.
        """
        self._check(token)
        if luhn_remainder(token):
            number = self._turn(self._walk(token, Permutation.decrypt), -1)
            if not luhn_remainder(number):
                return number
        raise ValueError("not a token of a card number under this key")

    def _check(self, digits: str) -> None:
        if not (digits.isascii() and digits.isdigit()):
            raise ValueError("not a card number: more than digits")
        length = len(digits)
        if not PAN_DIGITS_MIN <= length <= PAN_DIGITS_MAX:
            raise ValueError(f"not a card number: {PAN_DIGITS_MIN} to {PAN_DIGITS_MAX} digits")
        if free_digits(length, self._keep_first, self._keep_last) < FREE_DIGITS_MIN:
            raise ValueError(f"too few digits are left to encrypt: at least {FREE_DIGITS_MIN}")

    def _turn(self, digits: str, by: int) -> str:
        """The first free digit turned up or down by one, as on a counter's wheel."""
        at = self._keep_first
        return f"{digits[:at]}{(int(digits[at]) + by) % 10}{digits[at + 1 :]}"

    def _walk(self, digits: str, step: Callable[[Permutation, int], int]) -> str:
        """From an invalid number to the next on its cycle that is invalid, the kept digits as they are."""
        start, end = self._keep_first, len(digits) - self._keep_last
        first, free, last = digits[:start], int(digits[start:end]), digits[end:]
        # Kept digits in the tweak (SP 800-38G, appendix C): equal free digits of two BINs have unlike tokens.
        permutation = self._ff1.permutation(end - start, f"{self._domain}:{first}:{last}".encode())
        while True:  # ends: the cycle comes back to where it started, and that is invalid
            free = step(permutation, free)
            walked = f"{first}{free:0{end - start}d}{last}"
            if luhn_remainder(walked):
                return walked
