"""Telephone numbers: international (E.164), North American, and national ones with a trunk 0 (Europe's)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from processor.policy.detection.recognizer import CERTAIN, LIKELY, Recognizer
from processor.policy.detection.scan import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.detection.scan import Scan

DIGITS_MIN, DIGITS_MAX = 8, 15  # of an international number, country code included (E.164)

# Digits after the country code, where the plan is closed enough to say: it tells where the number ends.
NATIONAL_DIGITS = {
    "1": (10, 10),
    "33": (9, 9),
    "34": (9, 9),
    "44": (9, 10),
    "49": (6, 11),
    "61": (9, 9),
    "91": (10, 10),
}

# Assigned country codes (ITU-T E.164 list); no code is the beginning of another.
_COUNTRY = re.compile(
    r"1|7|2(?:[07]|1[1-368]|[2346][0-9]|5[0-8]|9[0179])|3(?:[0-469]|[57][0-9]|8[0-35-79])|4(?:[013-9]|2[013])"
    r"|5(?:[1-8]|[09][0-9])|6(?:[0-6]|7[02-9]|8[0-9]|9[0-2])|8(?:[1246]|0[08]|5[02356]|7[0-9]|8[0-36-8])"
    r"|9(?:[0-58]|[679][0-9])"
)
_INTERNATIONAL = re.compile(r"(?<![0-9A-Za-z+])(?:\+|00)(?=[ .(-]{0,2}[1-9])")
_GROUP = re.compile(r"(\(0\))|[0-9]+")

# 212-555-0123, (212) 555-0123, 1.212.555.0123, 2125550123
_NORTH_AMERICAN = re.compile(
    r"(?<![0-9A-Za-z+])(?<![0-9][-.])(?:1[ .-]{0,2})?"
    r"(?:\([2-9][0-9]{2}\)[ .-]{0,2}[0-9]{3}[ .-]{1,2}|[2-9][0-9]{2}([ .-])[0-9]{3}\1"
    r"|(?P<bare>[2-9][0-9]{2}[2-9][0-9]{2}))"
    r"[0-9]{4}(?![0-9A-Za-z]|[-.][0-9])"
)
# 020 7946 0958, (030) 901820, 01 23 45 67 89, 07700900123; not 01.02.2026 10:30
_TRUNK = re.compile(
    r"(?<![0-9A-Za-z+])(?<![0-9][-./])(?![0-9]{1,2}([./-])[0-9]{1,2}\1(?:19|20)[0-9]{2}(?![0-9]))"
    r"\(?0[1-9](?:[ ./()-]{0,2}[0-9]){7,10}(?![0-9A-Za-z])"
)
_EXTENSION = re.compile(r",? ?(?:x|ext\.?) ?[0-9]{1,6}(?![0-9A-Za-z])", re.IGNORECASE)
_SEPARATED = re.compile(r"[ ./()-]")


def _find(scan: Scan) -> Iterator[Span]:
    """Look at each group of digits, with the + or parenthesis before it."""
    text = scan.text
    for begin, end in scan.stretches:
        # The separators of a cluster stand between digits; a number may begin with signs before the first.
        start = begin - 1 if begin and text[begin - 1] in "+(" else begin
        if start and text[start - 1] == "+":
            start -= 1
        for match in _INTERNATIONAL.finditer(text, start, end):
            stop = _international_end(text, match.end(), end)
            if stop:
                yield Span("phone", match.start(), _with_extension(text, stop), CERTAIN)
        for match in _NORTH_AMERICAN.finditer(text, start, end):
            yield Span("phone", match.start(), _with_extension(text, match.end()), LIKELY)
        for match in _TRUNK.finditer(text, start, end):
            score = LIKELY
            yield Span("phone", match.start(), _with_extension(text, match.end()), score)


def _international_end(text: str, start: int, end: int) -> int:
    """Where the number ends whose country code begins at `start`: after its last whole group; 0 if none."""
    digits, stop = "", 0
    least, most = DIGITS_MIN, DIGITS_MAX
    for group in _GROUP.finditer(text, start, end):
        if group[1]:  # +44 (0)20: the 0 is for callers from inside
            continue
        digits += group[0][: DIGITS_MAX + 1]
        if not stop and len(digits) <= DIGITS_MAX:
            country = _COUNTRY.match(digits)
            if country and country[0] in NATIONAL_DIGITS:
                least, most = (len(country[0]) + count for count in NATIONAL_DIGITS[country[0]])
            elif not country and len(digits) >= 3:  # noqa: PLR2004  the longest country code
                return 0
        if len(digits) > most:
            break
        if len(digits) >= least:
            stop = group.end()
    return stop


def _with_extension(text: str, end: int) -> int:
    match = _EXTENSION.match(text, end)
    return match.end() if match else end


RECOGNIZER = Recognizer(
    entity="phone",
    digits=(8, 15),
    find=_find,
    examples=("+1 212 555 0123",),
    counterexamples=("12345",),
)
