"""Aadhaar, the number that the Unique Identification Authority gives to every resident of India.

Twelve digits, shown 4-4-4: the first is 2 to 9, the last Verhoeff's check digit, and a number is never the
same read backwards (UIDAI, A UID Numbering Scheme; Aadhaar Act 2016).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stdnum.in_ import aadhaar

from processor.policy.detection.recognizer import CERTAIN, LIKELY, POSSIBLE, Recognizer
from processor.policy.detection.scan import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.detection.scan import Scan

CONTEXT = ("aadhaar", "aadhar", "adhaar", "adhar", "uidai", "uid", "आधार")

# With four more digits on either side it is a card number, an IBAN's middle or a virtual ID.
_FORM = re.compile(
    r"(?<![0-9A-Za-z])(?<![0-9][-./])"
    r"(?:[2-9][0-9]{11}|(?<![0-9] )[2-9][0-9]{3}([ -])[0-9]{4}\1[0-9]{4}(?! [0-9]))"
    r"(?![0-9A-Za-z]|[-./][0-9])"
)


def _find(scan: Scan) -> Iterator[Span]:
    """Grouped 4-4-4 it is likely; twelve bare digits, of which one in ten is right, take a word."""
    for start, end in scan.stretches:
        for match in _FORM.finditer(scan.text, start, end + 2):
            if aadhaar.is_valid(match[0]):
                bare = LIKELY if match[1] else POSSIBLE
                score = CERTAIN if scan.has_near(CONTEXT, *match.span()) else bare
                yield Span("in_aadhaar", *match.span(), score)


RECOGNIZER = Recognizer(
    entity="in_aadhaar",
    digits=(12, 12),
    context=CONTEXT,
    find=_find,
    examples=("2341 2341 2346", "234123412346", "2341-2341-2346"),
    counterexamples=(
        "2341 2341 2347",
        "1341 2341 2346",
        "2222 2222 2222",
        "2341 2341 234",
        "2341 2341 2346 1234",
    ),
)
