"""US social security numbers: without the areas, groups and serials that the SSA never assigns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from processor.policy.detection.scan import Scan, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTEXT_CHARACTERS = 40  # before a bare number, where a word must say what it is

# Area 000, 666 and 900 to 999, group 00 and serial 0000 are never assigned (SSA, RM 10201.035).
_NUMBER = re.compile(
    r"(?<![0-9A-Za-z])(?<![0-9][-.])"
    r"(?!000|666|9)[0-9]{3}([ .-]?)(?!00)[0-9]{2}\1(?!0000)[0-9]{4}"
    r"(?![0-9A-Za-z]|[-.][0-9])"
)
_CONTEXT = re.compile(r"\bssn\b|social[ -]?security|\bss#", re.IGNORECASE)


def find(scan: Scan) -> Iterator[Span]:
    """Numbers written 3-2-4; nine bare digits only where a word says so."""
    text = scan.text
    for start, end in scan.clusters:
        for match in _NUMBER.finditer(text, start, end):
            if match[1]:
                yield Span("ssn", match.start(), match.end(), 0.85)
            elif _CONTEXT.search(text, max(0, match.start() - CONTEXT_CHARACTERS), match.start()):
                yield Span("ssn", match.start(), match.end(), 0.7)
