"""Dates of birth: a date, and a word that says so.

The word stands before it, or behind it: in parentheses, and in Japanese, Chinese and Korean. What `date`
finds is found here with such a word, and surer, so that the finer name has it. Beside the word a year of two
digits will do, and eight digits in a row.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from processor.policy.detection.date import dates, is_day
from processor.policy.detection.recognizer import CERTAIN, Recognizer
from processor.policy.detection.scan import BEFORE_CHARACTERS, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.detection.scan import Scan

CONTEXT = (
    *("born", "dob", "d.o.b", "birth date", "date of birth", "birth", "birthdate", "birthday"),
    *("geb", "geboren", "geborene", "geborener", "geburtsdatum", "geburtstag", "geboortedatum"),
    *("ne le", "nee le", "ne(e) le", "naissance", "anniversaire"),
    *("nacido", "nacida", "nacio", "nacimiento", "nac"),
    *("nato", "nata", "nascita"),
    *("urodzony", "urodzona", "urodzenia", "urodzin", "ur."),
    *("nascido", "nascida", "nasceu", "nascimento", "nasc"),
    *("生年月日", "誕生日", "出生", "生日", "생년월일", "생일", "जन्म"),
)
NEEDS = (
    *("born", "dob", "d.o.b", "birth", "geb", "ne le", "nee le", "ne(e)", "naissance", "annivers", "nac"),
    *("nato", "nata", "nasc", "urodz", "ur.", "生", "생", "태어", "जन्म"),
)
"""What each of those words has in it."""
PARENTHESES_CHARACTERS = 20
YEARS_SHORT = ("19", "20")

_ANY = "|".join(map(re.escape, CONTEXT))
_WORD = re.compile(rf".*(?<![a-z])(?:{_ANY})(?![a-z])", re.DOTALL)
# A word is said of the next date only: `born 5.3.1985, customer since 1.2.2020`.
_ANOTHER = re.compile(
    r"(?<![0-9])(?:19|20)[0-9]{2}(?:[0-9]{4})?(?![0-9])|[0-9]([-/.])[0-9]{1,2}\1[0-9]{2}(?![0-9])"
)
_IN_PARENTHESES = re.compile(rf" ?\((?:{_ANY})\)")
# `生` begins many other words, such as `生效`, to take effect.
_BEHIND = re.compile(r" ?(?:生まれ|出生|生(?![\u4E00-\u9FFF])|출생|태어|생(?![\uAC00-\uD7A3]))")
_SHORT = re.compile(
    r"(?<![0-9A-Za-z])(?<![0-9][-./])(?:"
    r"(?P<one>[0-9]{1,2})(?P<sign>[-/.])(?P<other>[0-9]{1,2})(?P=sign)(?P<year>[0-9]{2})"
    r"|(?P<whole>(?:19|20)[0-9]{2})(?P<month>[01][0-9])(?P<day>[0-3][0-9])"
    r")(?![0-9A-Za-z]|[-./][0-9])"
)


def _find(scan: Scan) -> Iterator[Span]:
    """The dates that a word says it of."""
    for start, end in {*dates(scan), *_short(scan)}:
        if _is_birth(scan, start, end):
            yield Span("birth_date", start, end, CERTAIN)


def _short(scan: Scan) -> Iterator[tuple[int, int]]:
    text = scan.text
    for begin, stop in scan.stretches:
        for match in _SHORT.finditer(text, begin, min(stop + 2, len(text))):
            if match["whole"]:
                is_one = is_day(match["whole"], match["month"], match["day"])
            else:
                one, other = match["one"], match["other"]
                is_one = any(
                    is_day(century + match["year"], *order)
                    for century in YEARS_SHORT
                    for order in ((one, other), (other, one))
                )
            if is_one:
                yield match.span()


def _is_birth(scan: Scan, start: int, end: int) -> bool:
    """Whether a word says so, in the plain text or, of other scripts, in the original."""
    if _is_said(scan.text, start) or _IN_PARENTHESES.match(
        scan.text[end : end + PARENTHESES_CHARACTERS].lower()
    ):
        return True
    if not scan.original:
        return False
    if scan.offsets:
        start, end = scan.offsets[start], scan.offsets[end - 1] + 1
    return _is_said(scan.original, start) or _BEHIND.match(scan.original, end) is not None


def _is_said(text: str, start: int) -> bool:
    """Whether one of the words stands before, and no other date between."""
    before = text[max(0, start - BEFORE_CHARACTERS) : start].lower()
    word = _WORD.match(before)
    return word is not None and _ANOTHER.search(before, word.end()) is None


RECOGNIZER = Recognizer(
    entity="birth_date",
    digits=(4, 8),
    needs=NEEDS,
    context=CONTEXT,
    find=_find,
    examples=(
        "1985-03-05",
        "03/05/1985",
        "5.3.1985",
        "5 March 1985",
        "Mar 5, 1985",
        "5 de marzo de 1985",
        "3/5/85",
        "05.03.85",
        "19850305",
        "1985年3月5日",
    ),
    counterexamples=("1985-13-05", "31.02.1985", "1985", "40/40/85", "19851305", "3/5/85/7", "5 apples 1985"),
)
