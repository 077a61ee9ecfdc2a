"""What format-preserving encryption costs, in µs per value, beside FF1 step by step as the standard has it.

python -m tests.benchmarks.fpe [--json]

Absolute times are this machine's and drift; the ratio, measured in the same run, is what to compare.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from timeit import repeat
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB
from rich.console import Console
from rich.table import Table

from processor.crypto.ff1 import DECIMAL, FF1, TextCipher
from processor.crypto.pan import PanCipher, luhn_remainder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

VALUES = 200
ROUNDS = 40
KEY = bytes(range(32))
TWEAK = b"card:customers"
BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"


def straightforward(
    key: bytes, radix: int, tweak: bytes, numerals: Sequence[int], *, decrypt: bool = False
) -> list[int]:
    """FF1 by the steps of SP 800-38G, algorithms 7 and 8, nothing kept from one round or value to the next.

    Written from the standard and apart from the code under test: it is the reference for its tests too.
    """
    n, t = len(numerals), len(tweak)
    u = n // 2
    v = n - u
    a, b = list(numerals[:u]), list(numerals[u:])
    bits = 0
    while 2**bits < radix**v:
        bits += 1
    number_bytes = -(-bits // 8)
    d = 4 * -(-number_bytes // 4) + 4
    p = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([10, u % 256])
    p += n.to_bytes(4, "big") + t.to_bytes(4, "big")
    for i in reversed(range(10)) if decrypt else range(10):
        q = tweak + bytes((-t - number_bytes - 1) % 16) + bytes([i])
        q += _num(a if decrypt else b, radix).to_bytes(number_bytes, "big")
        r = Cipher(AES(key), CBC(bytes(16))).encryptor().update(p + q)[-16:]
        s = r
        for j in range(1, -(-d // 16)):
            block = bytes(x ^ y for x, y in zip(r, j.to_bytes(16, "big"), strict=True))
            s += Cipher(AES(key), ECB()).encryptor().update(block)  # noqa: S305  single blocks, as the standard has it
        y = int.from_bytes(s[:d], "big")
        m = v if i % 2 else u
        if decrypt:
            a, b = _str((_num(b, radix) - y) % radix**m, radix, m), a
        else:
            a, b = b, _str((_num(a, radix) + y) % radix**m, radix, m)
    return a + b


def _num(numerals: Sequence[int], radix: int) -> int:
    number = 0
    for numeral in numerals:
        number = number * radix + numeral
    return number


def _str(number: int, radix: int, length: int) -> list[int]:
    numerals: list[int] = []
    for _ in range(length):
        number, numeral = divmod(number, radix)
        numerals.insert(0, numeral)
    return numerals


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of value."""

    us: float
    straightforward_us: float


def us_per_value(work: Callable[[str], object], values: Sequence[str]) -> float:
    """The best of some rounds over the values: what is above it is the machine's noise."""
    return min(repeat(lambda: [work(value) for value in values], number=1, repeat=ROUNDS)) / len(values) * 1e6


def slow(alphabet: str) -> Callable[[str], str]:
    """The straightforward encryption of a text of an alphabet."""

    def encrypt(text: str) -> str:
        numerals = [alphabet.index(character) for character in text]
        return "".join(alphabet[value] for value in straightforward(KEY, len(alphabet), TWEAK, numerals))

    return encrypt


def numbers() -> list[str]:
    """Card numbers of 16 digits, of one BIN."""
    bodies = (f"411111{at * 7_654_321 % 10**9:09d}" for at in range(VALUES))
    return [body + str(-luhn_remainder(body + "0") % 10) for body in bodies]


def measure() -> dict[str, Row]:
    """µs per value by kind: ours, and FF1 step by step on the same value."""
    cards, pans = numbers(), PanCipher(KEY, "card", 6, 4)
    tokens = [pans.encrypt(card) for card in cards]
    codes = [slow(BASE36)(f"{card}abc") for card in cards]
    long = [card * 16 for card in cards[:20]]
    digits, base36 = TextCipher(KEY, DECIMAL, TWEAK), TextCipher(KEY, BASE36, TWEAK)
    ff1 = FF1(KEY, 10)

    ours: dict[str, tuple[Callable[[str], object], Callable[[str], object], Sequence[str]]] = {
        "16 digits": (digits.encrypt, slow(DECIMAL), cards),
        "16 digits, decrypt": (digits.decrypt, slow(DECIMAL), cards),
        "16 digits, a tweak of their own": (
            lambda text: ff1.permutation(16, text[:6].encode()).encrypt(int(text)),
            slow(DECIMAL),
            cards,
        ),
        "19 of 36 letters and digits": (base36.encrypt, slow(BASE36), codes),
        "256 digits": (digits.encrypt, slow(DECIMAL), long),
        "card number to token, 6 + 4 kept": (pans.encrypt, slow(DECIMAL), cards),
        "token to card number": (pans.decrypt, slow(DECIMAL), tokens),
    }
    return {
        kind: Row(us_per_value(work, values), us_per_value(usual, values))
        for kind, (work, usual, values) in ours.items()
    }


def main() -> None:
    """Measure and print."""
    rows = measure()
    if "--json" in sys.argv[1:]:
        sys.stdout.write(json.dumps({kind: asdict(row) for kind, row in rows.items()}) + "\n")
        return
    table = Table(title="µs per value, best of several rounds")
    for heading in ("", "ours", "FF1 step by step", "times faster"):
        table.add_column(heading, justify="right" if heading else "left")
    for kind, row in rows.items():
        table.add_row(
            kind, f"{row.us:.1f}", f"{row.straightforward_us:.1f}", f"{row.straightforward_us / row.us:.1f}"
        )
    Console().print(table)


if __name__ == "__main__":
    main()
