"""Passports of any country: the document's number, and the two lines for machines (ICAO Doc 9303, part 4).

A number has up to nine letters and digits and no check digit, so it takes a word to tell. The forms are those
of most countries: one to three letters and six to eight digits, eight or nine digits, France's 12AB34567, and
nine signs of those that Germany uses. The lines for machines hold name, number and birth date in 44 signs
each, and the check digit over all of them; a misread one is still what little else looks like.
"""

from __future__ import annotations

import re
from operator import mul
from typing import TYPE_CHECKING

from processor.policy.detection.recognizer import CERTAIN, LIKELY, Recognizer
from processor.policy.detection.scan import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.detection.scan import Scan

CONTEXT = (
    "passport",
    "travel document",
    "passeport",
    "reisepass",
    "reisepassnummer",
    "passnummer",
    "pass-nr",
    "pasaporte",
    "passaporto",
    "passaporte",
    "paszport",
    "paszportu",
    "护照",
    "護照",
    "旅券",
    "パスポート",
    "여권",
    "पासपोर्ट",
)
FILLER = "<<"
SIGNS_MAX = 9  # of a number
WEIGHTS = (7, 3, 1) * 13

_NUMBER = re.compile(
    r"(?<![0-9A-Za-z+])(?<![0-9][-./])(?:"
    r"(?:[A-Z]{1,2} ?|[A-Za-z]{1,3})[0-9]{6,8}[A-Za-z]?"
    r"|[0-9]{2}[A-Za-z]{2}[0-9]{5}"
    r"|[0-9]{2} [0-9]{7}"
    r"|[0-9]{8,9}"
    r"|(?i:[CFGHJKLMNPRTVWXYZ](?=(?:[A-Z]{0,4}[0-9]){2})[0-9CFGHJKLMNPRTVWXYZ]{8})"
    r")(?![0-9A-Za-z]|[-./][0-9])"
)
_ZONE = re.compile(
    r"(?<![0-9A-Za-z<])(?:P[A-Z<]{43}[ \r\n]{1,2})?"
    r"(?P<line>[0-9A-Z<]{9}[0-9][A-Z<]{3}[0-9]{7}[FMX<][0-9]{7}[0-9A-Z<]{15}[0-9])(?![0-9A-Za-z<])"
)


def _find(scan: Scan) -> Iterator[Span]:
    """The lines for machines wherever they are; a number beside a word."""
    if FILLER in scan.text:
        for zone in _ZONE.finditer(scan.text):
            yield Span("passport", *zone.span(), CERTAIN if is_valid(zone["line"]) else LIKELY)
    for start, end in scan.stretches:
        for number in _NUMBER.finditer(scan.text, max(0, start - SIGNS_MAX), end + SIGNS_MAX):
            if len(number[0].replace(" ", "")) <= SIGNS_MAX and scan.has_near(CONTEXT, *number.span()):
                yield Span("passport", *number.span(), LIKELY)


def is_valid(line: str) -> bool:
    """Whether the check digit over the second line is right: letters count from 10, fillers 0."""
    checked = line[:10] + line[13:20] + line[21:43]
    total: int = sum(map(mul, WEIGHTS, (int(sign, 36) for sign in checked.replace("<", "0"))))
    return total % 10 == int(line[-1])


RECOGNIZER = Recognizer(
    entity="passport",
    digits=(2, 44),
    needs=(*CONTEXT, FILLER),
    context=CONTEXT,
    find=_find,
    near=LIKELY,
    examples=(
        "C01X00T47",
        "123456789",
        "A1234567",
        "AB123456",
        "AAA123456",
        "12AB34567",
        "AA1234567",
        # ICAO's specimen, of Utopia.
        "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
    ),
    counterexamples=(
        "12345",
        "1234567890",
        "ABCDEFGHI",
        "A123",
        "1234-56789",
        "ABCD12345",
        "INC44838016",
        "YV-433200",
    ),
)
