"""Dates as people and programs write them: ISO 8601, day or month first, the month's name in eight languages.

A date alone is nobody's; beside other fields it tells who (HIPAA Safe Harbor, 45 CFR 164.514(b)(2)(i)(C), counts
every date of a person's life but its year). A year alone, or a month of a year, is not taken.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from processor.policy.detection.recognizer import LIKELY, Recognizer
from processor.policy.detection.scan import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.detection.scan import Scan

DIGITS_MIN, DIGITS_MAX = 4, 8  # `May 4, 2026` has its day elsewhere
LEFT_CHARACTERS, RIGHT_CHARACTERS = 26, 8  # `12 de septiembre de ` before a year; month and day after it
MONTHS_MAX, DAYS_MAX = 12, 31

_EDGE = r"(?<![0-9A-Za-z])(?<![0-9][-./:,])"
_END = r"(?![0-9A-SU-Za-z]|[-./:][0-9])"  # a T may follow, and the time
_YEAR = r"(?:19|20)[0-9]{2}"

# 2026-11-23, 2026/1/5; 2026年1月5日, whose signs folding makes ~
_YEAR_FIRST = re.compile(
    rf"{_EDGE}{_YEAR}([-./~])([0-9]{{1,2}})\1([0-9]{{1,2}})(?:(?<=~..)~|(?<=~.)~)?{_END}"
)
# 23.11.2026, 11/23/2026
_YEAR_LAST = re.compile(rf"{_EDGE}([0-9]{{1,2}})([-./])([0-9]{{1,2}})\2{_YEAR}{_END}")

# By how they begin, in plain signs: English, German, French, Spanish, Italian, Portuguese, Polish, Dutch.
_MONTH = (
    r"(?:jan|ene|gen|sty|feb|fev|lut|mar|mrt|apr|avr|abr|kwi|may|mai|mag|maj|mei|jun|jui|giu|cze|jul|lug|lip"
    r"|aug|aou|ago|sie|sep|set|wrz|oct|okt|ott|out|paz|nov|lis|dec|dez|dic|gru)[a-z]{0,9}\.?"
)
_NAMED = re.compile(
    rf"(?<![0-9A-Za-z])(?:[0-3]?[0-9](?:st|nd|rd|th|er|\.)?[ -]{{0,2}}(?:de |of )?{_MONTH},?[ -]{{0,2}}(?:de |del )?"
    rf"|{_MONTH} [0-3]?[0-9](?:st|nd|rd|th)?,? ){_YEAR}(?![0-9A-Za-z])",
    re.IGNORECASE,
)


def dates(scan: Scan) -> Iterator[tuple[int, int]]:
    """Where the dates are."""
    text = scan.text
    for start, end in scan.stretches:
        stop = min(len(text), end + RIGHT_CHARACTERS)
        for match in _YEAR_FIRST.finditer(text, start, stop):
            if _is_day(match[3], match[2]):
                yield match.span()
        for match in _YEAR_LAST.finditer(text, start, stop):
            if _is_day(match[1], match[3]) or _is_day(match[3], match[1]):
                yield match.span()
        for match in _NAMED.finditer(text, max(0, start - LEFT_CHARACTERS), stop):
            if start < match.end() <= end:
                yield match.span()


def _is_day(day: str, month: str) -> bool:
    return 1 <= int(day) <= DAYS_MAX and 1 <= int(month) <= MONTHS_MAX


def _find(scan: Scan) -> Iterator[Span]:
    for start, end in dates(scan):
        yield Span("date", start, end, LIKELY)


RECOGNIZER = Recognizer(
    entity="date",
    digits=(DIGITS_MIN, DIGITS_MAX),
    find=_find,
    examples=(
        "2026-11-23",
        "2026/1/5",
        "2026年11月3日",
        "23.11.2026",
        "12/31/2026",
        "31-12-2026",
        "31 Dec 2026",
        "December 31st, 2026",
        "31. Dezember 2026",
        "12 de septiembre de 2026",
        "1er août 2026",
        "3 października 2026",
    ),
    counterexamples=("2026-13-32", "1.2.3", "2026", "32.13.2026", "11/23", "1.1.2026.4", "Mark 2026"),
)
