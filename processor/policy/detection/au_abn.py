"""Australian business numbers, by the Australian Business Register (A New Tax System Act 1999).

Eleven digits, shown 2-3-3-3. With 1 taken from the first digit, the sum with the weights 10, 1, 3, 5 … 19 is
divisible by 89 (Australian Business Register, Format of the ABN). Of a sole trader it is personal data.
"""

from __future__ import annotations

import re
from operator import mul
from typing import TYPE_CHECKING

from processor.policy.detection.recognizer import CERTAIN, LIKELY, POSSIBLE, Recognizer
from processor.policy.detection.scan import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.detection.scan import Scan

CONTEXT = ("abn", "australian business", "business number", "gst", "tax invoice", "pty ltd")
WEIGHTS = (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)

_FORM = re.compile(
    r"(?<![0-9A-Za-z+])(?<![0-9][-./])"
    r"[1-9][0-9]([ -]?)[0-9]{3}\1[0-9]{3}\1[0-9]{3}"
    r"(?![0-9A-Za-z]|[-./][0-9])"
)


def is_valid(number: str) -> bool:
    """Whether the check digits are right."""
    total: int = sum(map(mul, WEIGHTS, map(int, number)))
    return (total - WEIGHTS[0]) % 89 == 0


def _find(scan: Scan) -> Iterator[Span]:
    """Grouped as on an invoice it is likely; eleven bare digits, of which one in 89 is right, take a word."""
    for start, end in scan.stretches:
        for match in _FORM.finditer(scan.text, start, end + 2):
            if is_valid("".join(filter(str.isdigit, match[0]))):
                bare = LIKELY if match[1] else POSSIBLE
                score = CERTAIN if scan.has_near(CONTEXT, *match.span()) else bare
                yield Span("au_abn", *match.span(), score)


RECOGNIZER = Recognizer(
    entity="au_abn",
    digits=(11, 11),
    context=CONTEXT,
    find=_find,
    # The Australian Taxation Office's own.
    examples=("51 824 753 556", "51824753556", "51-824-753-556"),
    counterexamples=(
        "51 824 753 557",
        "15 824 753 556",
        "01 824 753 556",
        "51 824 753 55",
        "51 824 753 5560",
    ),
)
