"""US social security numbers: without the areas, groups and serials that the SSA never assigns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from processor.policy.detection.recognizer import CERTAIN, LIKELY, Recognizer
from processor.policy.detection.scan import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.detection.scan import Scan

CONTEXT = (
    "ssn",
    "my social is",
    "my social:",
    "social is",
    "social no",
    "social number",
    "social security",
    "social-security",
    "ss#",
    "ss #",
    "soc sec",
    "tin",
    "taxpayer",
)

# Area 000, 666 and 900 to 999, group 00 and serial 0000 are never assigned (SSA, RM 10201.035).
_NUMBER = re.compile(
    r"[0-9](?<![0-9A-Za-z].)(?<![0-9][-.].)(?<!9)"
    r"[0-9]{2}(?<!000)(?<!666)([ .-]?)(?!00)[0-9]{2}\1(?!0000)[0-9]{4}"
    r"(?![0-9A-Za-z]|[-.][0-9])"
)


def _find(scan: Scan) -> Iterator[Span]:
    """Numbers written 3-2-4; nine bare digits only where a word says so."""
    for start, end in scan.stretches:
        for match in _NUMBER.finditer(scan.text, start, end):
            if scan.has_near(CONTEXT, *match.span()):
                yield Span("ssn", *match.span(), CERTAIN)
            elif match[1]:
                yield Span("ssn", *match.span(), LIKELY)


RECOGNIZER = Recognizer(
    entity="ssn",
    digits=(9, 9),
    context=CONTEXT,
    find=_find,
    # 078-05-1120 was printed on a card in wallets, and is known from that.
    examples=("123-45-6789", "123 45 6789", "078-05-1120", "123456789"),
    counterexamples=(
        "000-12-3456",
        "666-12-3456",
        "912-34-5678",
        "123-00-4567",
        "123-45-0000",
        "1234-56-7890",
    ),
)
