"""Dates of birth: a date, and right before or behind it a word that says so, in ten languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from processor.policy.detection.date import DIGITS_MAX, DIGITS_MIN, dates
from processor.policy.detection.recognizer import CERTAIN, Recognizer
from processor.policy.detection.scan import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.detection.scan import Scan

BEFORE = (
    *("born", "dob", "d.o.b", "birth", "birthday", "birthdate", "date of birth"),
    *("geb", "geboren", "geboren am", "geburtsdatum", "geburtstag"),
    *("ne le", "nee le", "naissance", "anniversaire"),
    *("nacido", "nacida", "nacimiento", "nac", "nato", "nata", "nascita", "nascido", "nascida", "nascimento", "nasc"),
    *("ur", "urodzony", "urodzona", "urodzenia", "urodziny", "geboortedatum"),
    *("生年月日", "誕生日", "出生日期", "出生年月", "出生于", "生于", "生日", "出生", "생년월일", "जन्म", "जन्मतिथि"),
)  # fmt: skip
BEHIND = ("生まれ", "出生", "生", "생", "dob", "born", "date of birth")
BEHIND_CHARACTERS = 6
IN_PARENTHESES_CHARACTERS = 16


def _find(scan: Scan) -> Iterator[Span]:
    """A word tells the next date only: `born 1.2.1980, customer since 3.4.2020`."""
    since = 0
    for start, end in sorted(dates(scan)):
        if scan.has_near(BEFORE, start, end, after=0, since=since) or _is_named_behind(scan, start, end):
            yield Span("birth_date", start, end, CERTAIN)
        since = end


def _is_named_behind(scan: Scan, start: int, end: int) -> bool:
    after = IN_PARENTHESES_CHARACTERS if scan.text.startswith(" (", end) else BEHIND_CHARACTERS
    words = BEHIND if after == IN_PARENTHESES_CHARACTERS else BEHIND[:4]
    return scan.has_near(words, start, end, after=after, since=start)


RECOGNIZER = Recognizer(
    entity="birth_date",
    digits=(DIGITS_MIN, DIGITS_MAX),
    needs=(*BEFORE, *BEHIND),
    context=BEFORE,
    find=_find,
    examples=("1980-02-29", "4 July 1976", "01.04.1955", "12/31/1999", "1990年5月12日"),
    counterexamples=("2026", "31.02", "1980-13-32"),
)
