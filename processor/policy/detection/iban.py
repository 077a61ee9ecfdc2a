"""International bank account numbers (ISO 13616): length by country, check digits by mod 97."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from processor.policy.detection.recognizer import CERTAIN, Recognizer
from processor.policy.detection.scan import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.detection.scan import Scan

# Characters by country: SWIFT's IBAN registry, release 99 (December 2024).
LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27,
    "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28,
    "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23,
    "GL": 18, "GR": 27, "GT": 28, "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26,
    "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21,
    "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28,
    "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22,
    "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25,
    "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}  # fmt: skip

# Begins with the digit and looks behind it for the country: `re` then skips from digit to digit.
_CHECK_DIGITS = re.compile(
    r"[0-9](?<=[A-Za-z]{2}.)(?:(?<=(?<![0-9A-Za-z])...)|(?<=IBAN...)|(?<=iban...))[0-9]"
)
_NUMBERS = {ord(letter): str(int(letter, 36)) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_NO_SEPARATORS = dict.fromkeys(map(ord, " \n.-"))


@lru_cache(maxsize=len(LENGTHS))
def _of_length(length: int) -> re.Pattern[str]:
    """Numbers of so many characters, apart from what is around them. Most programs meet a few lengths."""
    rest = rf"(?:[ \n.-]?[0-9A-Za-z]){{{length - 4}}}"
    return re.compile(rf"[A-Za-z]{{2}}[0-9]{{2}}{rest}(?![0-9A-Za-z])")


def _find(scan: Scan) -> Iterator[Span]:
    """Take as many characters as the country's numbers have: a start costs at most 66 characters."""
    text = scan.text
    for digits in _CHECK_DIGITS.finditer(text):
        start = digits.start() - 2
        length = LENGTHS.get(text[start : start + 2].upper())
        match = _of_length(length).match(text, start) if length else None
        if match and is_valid(match[0]):
            yield Span("iban", match.start(), match.end(), CERTAIN)


def is_valid(written: str) -> bool:
    """Whether the check digits of an IBAN, with or without separators, are right (ISO 7064, MOD 97-10)."""
    plain = written.translate(_NO_SEPARATORS).upper()
    return int((plain[4:] + plain[:4]).translate(_NUMBERS)) % 97 == 1


RECOGNIZER = Recognizer(
    entity="iban",
    hint=r"[0-9](?<=[A-Za-z]{2}.)[0-9]",
    find=_find,
    # The registry's own, and one without bank letters, one of the shortest.
    examples=(
        "DE89370400440532013000",
        "GB82 WEST 1234 5698 7654 32",
        "de89 3704 0044 0532 0130 00",
        "NO93-8601-1117-947",
        "SA26 89DP CMT1 KVCZ H7EE XLI2",
        "MT84MALT011000012345MTLCAST001S",
    ),
    counterexamples=("DE88370400440532013000", "DE8937040044053201300", "ZZ89370400440532013000"),
)
