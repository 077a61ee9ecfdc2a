"""What tokens and pseudonyms cost, in µs per value, beside their cipher alone: a domain's and a person's.

python -m tests.benchmarks.tokens [--json]

Absolute times are this machine's and drift; the ratio, measured in the same run, is what to compare.
"""

from __future__ import annotations

import hmac
import json
import sys
from timeit import repeat
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from rich.console import Console
from rich.table import Table

from processor.crypto import KeyRing

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS, ROUNDS = 2_000, 20
ROOT, SECRET = bytes(range(64)), b"s" * 32
PLAINTEXT = b"sann.example@example.com"


def measured() -> dict[str, float]:
    """µs per call of each, the best of many rounds."""
    ring = KeyRing({1: ROOT})
    cipher, pseudonym, siv = ring.tokens("email", "identifier"), ring.pseudonyms("email"), AESSIV(ROOT)
    associated = [b"tidegate.token/2", b"email", b"identifier", b"1", b"domain"]
    of_domain, of_person = cipher.seal(PLAINTEXT), cipher.seal(PLAINTEXT, SECRET)
    calls: dict[str, Callable[[], object]] = {
        "AES-SIV alone": lambda: siv.encrypt(PLAINTEXT, associated),
        "token of a domain": lambda: cipher.seal(PLAINTEXT),
        "token of a person": lambda: cipher.seal(PLAINTEXT, SECRET),
        "opening a domain's": lambda: cipher.open(of_domain),
        "opening a person's": lambda: cipher.open(of_person, SECRET),
        "HMAC-SHA-256 alone": lambda: hmac.digest(ROOT, PLAINTEXT, "sha256"),
        "pseudonym of a domain": lambda: pseudonym(PLAINTEXT),
        "pseudonym of a person": lambda: pseudonym(PLAINTEXT, SECRET),
    }
    best: dict[str, float] = {}
    for name, call in calls.items():
        best[name] = min(repeat(call, number=CALLS, repeat=ROUNDS)) / CALLS * 1e6
    return best


def main() -> None:
    """Print the table, or the same as JSON."""
    found = measured()
    if "--json" in sys.argv:
        print(json.dumps({name: round(us, 2) for name, us in found.items()}))  # noqa: T201  the result
        return
    table = Table(title="Tokens and pseudonyms: µs per value, and times their primitive alone")
    for column in ("", "µs", "ratio"):
        table.add_column(column, justify="right" if column else "left")
    for name, us in found.items():
        floor = found["HMAC-SHA-256 alone" if "HMAC" in name or "pseudonym" in name else "AES-SIV alone"]
        table.add_row(name, f"{us:.1f}", f"{us / floor:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
