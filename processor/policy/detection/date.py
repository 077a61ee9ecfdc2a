"""Dates of the calendar, day by day: ISO 8601, the numeric forms of most countries, months by name.

Everything is looked for around a year of four digits, 1900 to 2099: it is rare enough to make the rest free.
Numbers may be day and month in either order, but some order of them must be a day of the calendar. Months are
known by the names and abbreviations of eight languages (Unicode CLDR), and by 年月日 and 년월일.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from processor.policy.detection.recognizer import LIKELY, Recognizer
from processor.policy.detection.scan import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.detection.scan import Scan

BEFORE_YEAR_CHARACTERS = 24  # `30 de septiembre de ` has 20

_ENGLISH = """
    january february march april may june july august september october november december
    jan feb mar apr may jun jul aug sep oct nov dec
    jan feb mar apr may june july aug sept oct nov dec
"""
# In plain signs, as the text is folded: twelve a line.
_MONTHS = f"""{_ENGLISH}
    januar februar marz april mai juni juli august september oktober november dezember
    janner feber maerz apr mai juni juli aug sept okt nov dez
    jan feb mrz apr mai jun jul aug sep okt nov dez
    janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre
    janv fevr mars avr mai juin juil aout sept oct nov dec
    enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
    ene feb mar abr may jun jul ago set oct nov dic
    gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre
    gen feb mar apr mag giu lug ago set ott nov dic
    stycznia lutego marca kwietnia maja czerwca lipca sierpnia wrzesnia pazdziernika listopada grudnia
    sty lut mar kwi maj cze lip sie wrz paz lis gru
    janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro
    januari februari maart april mei juni juli augustus september oktober november december
    jan feb mrt apr mei jun jul aug sep okt nov dec
    jan fev mar abr mai jun jul ago set out nov dez
"""


def _by_name(names: str) -> dict[str, int]:
    return {name: index % 12 + 1 for index, name in enumerate(names.split())}


MONTHS = _by_name(_MONTHS)
ENGLISH_MONTHS = _by_name(_ENGLISH)
"""Only English puts the month first."""

_YEAR = re.compile(r"(?<![0-9])(?:19|20)[0-9]{2}(?![0-9])")
_ENDS = re.compile(r"(?![0-9A-Za-z]|[-./][0-9])")
_BEGINS = re.compile(r"(?<![0-9A-Za-z])(?<![0-9][-./])")

# Behind the year. An ISO time may follow a T.
_NUMBERS_AFTER = re.compile(r"([-/.])([0-9]{1,2})\1([0-9]{1,2})(?![0-9A-SU-Za-z]|[-./][0-9])")
# Signs of scripts without case fold to ~; three of them around such numbers are those of a date.
_SIGNS_AFTER = re.compile(r" ?~ ?([0-9]{1,2}) ?~ ?([0-9]{1,2}) ?~")
# Before it.
_NUMBERS = re.compile(r"(?<![0-9A-Za-z])(?<![0-9][-./])([0-9]{1,2})([-/.]) ?([0-9]{1,2})\2 ?\Z")
_DAY_MONTH = re.compile(
    r"(?<![0-9A-Za-z])(?<![0-9][-./,])([0-9]{1,2})(?:st|nd|rd|th|er|o)?[ ./-]{0,2}(?:de |of )?"
    r"([A-Za-z]{3,12})[ .,/-]{0,2}(?:de |del |of )?\Z"
)
_MONTH_DAY = re.compile(r"(?<![0-9A-Za-z])([A-Za-z]{3,9})[ .-]{1,2}([0-9]{1,2})(?:st|nd|rd|th)?[ ,-]{1,2}\Z")


def dates(scan: Scan) -> Iterator[tuple[int, int]]:
    """Where the dates are, in order."""
    text = scan.text
    for begin, end in scan.stretches:
        # Two signs more: what follows a year tells whether it is one.
        for match in _YEAR.finditer(text, begin, min(end + 2, len(text))):
            found = _year_first(text, match) or _year_last(text, match)
            if found:
                yield found


def _year_first(text: str, year: re.Match[str]) -> tuple[int, int] | None:
    if not _BEGINS.match(text, year.start()):
        return None
    numbers = _NUMBERS_AFTER.match(text, year.end())
    if numbers and is_day(year[0], numbers[2], numbers[3]):
        return year.start(), numbers.end()
    signs = _SIGNS_AFTER.match(text, year.end())
    if signs and is_day(year[0], signs[1], signs[2]):
        return year.start(), signs.end()
    return None


def _year_last(text: str, year: re.Match[str]) -> tuple[int, int] | None:
    start, end = year.span()
    if not _ENDS.match(text, end):
        return None
    window = max(0, start - BEFORE_YEAR_CHARACTERS), start
    numbers = _NUMBERS.search(text, *window)
    if numbers:
        one, other = numbers[1], numbers[3]
        is_one = is_day(year[0], one, other) or is_day(year[0], other, one)
        return (numbers.start(), end) if is_one else None
    named = _DAY_MONTH.search(text, *window)
    if named and is_day(year[0], MONTHS.get(named[2].lower(), 0), named[1]):
        return named.start(), end
    named = _MONTH_DAY.search(text, *window)
    if named and is_day(year[0], ENGLISH_MONTHS.get(named[1].lower(), 0), named[2]):
        return named.start(), end
    return None


def is_day(year: str, month: str | int, day: str) -> bool:
    """Whether the calendar has it."""
    try:
        dt.date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _find(scan: Scan) -> Iterator[Span]:
    """What `dates` finds."""
    for start, end in dates(scan):
        yield Span("date", start, end, LIKELY)


RECOGNIZER = Recognizer(
    entity="date",
    digits=(4, 8),  # of the stretch with the year: `31 December 2026` has no more in one
    find=_find,
    examples=(
        "2026-12-31",
        "2026/1/2",
        "12/31/2026",
        "31/12/2026",
        "31.12.2026",
        "1. 2. 2026",
        "31 Dec 2026",
        "31-Dec-2026",
        "31st of December, 2026",
        "December 31, 2026",
        "Dec. 31st, 2026",
        "5. März 2026",
        "1er août 2026",
        "30 de septiembre de 2026",
        "29 febbraio 2024",
        "7 października 2026",
        "1º de março de 2026",
        "2026年12月31日",
        "2026년 1월 2일",
    ),
    counterexamples=(
        "2026-13-01",
        "2026-02-30",
        "29.02.2026",
        "13/13/2026",
        "32 Dec 2026",
        "31 June 2026",
        "1/2/3026",
        "2026",
        "December 2026",
        "31 apples 2026",
        "1.2.2026.3",
        "2026-12-31-7",
        "12/31-2026",
    ),
)
