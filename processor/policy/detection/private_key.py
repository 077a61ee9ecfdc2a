"""Private keys in PEM (RFC 7468; OpenSSH's and PGP's blocks have its form): from BEGIN to END."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from processor.policy.detection.recognizer import CERTAIN, Recognizer
from processor.policy.detection.scan import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.detection.scan import Scan

BLOCK_CHARACTERS_MAX = 16_384  # an RSA key of 16,384 bits has 12,800

_BEGIN = re.compile(r"-----BEGIN (?:[A-Z0-9]{2,10} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")


def _find(scan: Scan) -> Iterator[Span]:
    """A block that is cut off is taken as far as one may reach: its beginning is the key's."""
    text, end = scan.text, 0
    for begin in _BEGIN.finditer(text):
        if begin.start() < end:
            continue
        stop = min(len(text), begin.end() + BLOCK_CHARACTERS_MAX)
        close = _END.search(text, begin.end(), stop)
        end = close.end() if close else stop
        yield Span("private_key", begin.start(), end, CERTAIN)


_DASHES = "-" * 5  # kept apart, so that this file holds nothing that a scanner takes for a key

RECOGNIZER = Recognizer(
    entity="private_key",
    needs=("-----begin",),
    find=_find,
    examples=tuple(
        f"{_DASHES}BEGIN {kind}PRIVATE KEY{block}{_DASHES}\nMC4CAQAwBQYDK2Vw\n{_DASHES}END {kind}PRIVATE KEY{block}{_DASHES}"
        for kind, block in (("", ""), ("RSA ", ""), ("EC ", ""), ("OPENSSH ", ""), ("PGP ", " BLOCK"))
    ),
    counterexamples=(
        f"{_DASHES}BEGIN PUBLIC KEY{_DASHES}\nMCowBQYDK2VwAyEA\n{_DASHES}END PUBLIC KEY{_DASHES}",
        f"{_DASHES}BEGIN CERTIFICATE{_DASHES}",
        "BEGIN PRIVATE KEY",
    ),
)
