"""US individual taxpayer identification numbers, which the IRS gives to people who cannot have an SSN.

Nine digits that begin with 9; the fourth and fifth are 50 to 65, 70 to 88, 90 to 92 or 94 to 99 (IRS,
Internal Revenue Manual 3.21.263; 93 is for children in adoption, the rest for the agency itself). No check
digit.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from processor.policy.detection.recognizer import CERTAIN, LIKELY, Recognizer
from processor.policy.detection.scan import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.detection.scan import Scan

CONTEXT = ("itin", "individual taxpayer", "taxpayer id", "taxpayer number", "tax id", "tin", "w-7", "irs")

_FORM = re.compile(
    r"(?<![0-9A-Za-z+])(?<![0-9][-./])"
    r"9[0-9]{2}([ .-]?)(?:5[0-9]|6[0-5]|7[0-9]|8[0-8]|9[0-24-9])\1[0-9]{4}"
    r"(?![0-9A-Za-z]|[-./][0-9])"
)


def _find(scan: Scan) -> Iterator[Span]:
    """Written 3-2-4 little else has the form; one in twenty of nine bare digits has, so those take a word."""
    for start, end in scan.stretches:
        for match in _FORM.finditer(scan.text, start, end + 2):
            is_grouped, is_near = bool(match[1]), scan.has_near(CONTEXT, *match.span())
            if is_grouped or is_near:
                yield Span("us_itin", *match.span(), CERTAIN if is_grouped and is_near else LIKELY)


RECOGNIZER = Recognizer(
    entity="us_itin",
    digits=(9, 9),
    context=CONTEXT,
    find=_find,
    examples=("900-70-0000", "999-88-9999", "912 50 1234", "900700000"),
    counterexamples=(
        "900-93-0000",
        "912-66-1234",
        "912-89-1234",
        "812-70-1234",
        "900-70-000",
        "900-70-00001",
    ),
)
