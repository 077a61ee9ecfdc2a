"""Payment card numbers: issuer ranges (ISO/IEC 7812), Luhn's check digit, the usual groupings."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING

from processor.policy.detection.recognizer import CERTAIN, LIKELY, POSSIBLE, Recognizer
from processor.policy.detection.scan import Span, groups, is_apart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.detection.scan import Scan

DIGITS_MIN, DIGITS_MAX = 12, 19
GAP_MAX = 2  # separators between two groups
USUAL_DIGITS = frozenset({14, 15, 16, 19})
"""Of the cards in use. Articles (EAN) and references have the rest as often: those take a word."""

CONTEXT = (
    *(
        "card",
        "cc",
        "pan",
        "visa",
        "mastercard",
        "maestro",
        "amex",
        "discover",
        "diners",
        "jcb",
        "credit",
        "debit",
    ),
    *(
        "karte",
        "kartennummer",
        "kreditkarte",
        "kreditkartennummer",
        "carte",
        "carte bancaire",
        "tarjeta",
        "carta",
    ),
    *(
        "cartao",
        "karta",
        "karty",
        "karte nr",
        "kaart",
        "カード",
        "卡号",
        "银行卡",
        "信用卡",
        "储蓄卡",
        "कार्ड",
    ),
)

# First six digits from, to; lengths. Networks' public ranges as of 2026; sorted, without overlap.
ISSUERS: tuple[tuple[int, int, frozenset[int]], ...] = (
    (220000, 220499, frozenset({16, 17, 18, 19})),  # Mir
    (222100, 272099, frozenset({16})),  # Mastercard
    (300000, 305999, frozenset({14, 16, 17, 18, 19})),  # Diners Club
    (309500, 309599, frozenset({14, 16, 17, 18, 19})),
    (340000, 349999, frozenset({15})),  # American Express
    (352800, 358999, frozenset({16, 17, 18, 19})),  # JCB
    (360000, 369999, frozenset({14, 15, 16, 17, 18, 19})),  # Diners Club
    (370000, 379999, frozenset({15})),  # American Express
    (380000, 399999, frozenset({14, 16, 17, 18, 19})),
    (400000, 499999, frozenset({13, 16, 18, 19})),  # Visa
    (500000, 509999, frozenset(range(12, 20))),  # Maestro, Elo, Verve
    (510000, 559999, frozenset({16})),  # Mastercard
    (560000, 589999, frozenset(range(12, 20))),  # Maestro
    (600000, 609999, frozenset(range(12, 20))),  # Discover, RuPay, Maestro
    (620000, 629999, frozenset({16, 17, 18, 19})),  # UnionPay
    (630000, 639999, frozenset(range(12, 20))),  # Maestro
    (640000, 659999, frozenset({16, 17, 18, 19})),  # Discover
    (670000, 679999, frozenset(range(12, 20))),  # Maestro
    (810000, 829999, frozenset({16})),  # UnionPay, RuPay
)
_GAP = re.compile(rf"[ \t\n\-./_]{{1,{GAP_MAX}}}")
_FROM = [low for low, _, _ in ISSUERS]
_DOUBLED = {digit: sum(map(int, str(2 * int(digit)))) for digit in "0123456789"}


def _find(scan: Scan) -> Iterator[Span]:
    """Try each run of whole groups of digits that is as long as a card number."""
    text = scan.text
    for start, end in scan.stretches:
        places, first = groups(text, start, end), 0
        while first < len(places):
            found = _longest(text, places, first)
            if found is None:
                first += 1
                continue
            last, score = found
            span = Span("card", places[first][0], places[last][1], score)
            if scan.has_near(CONTEXT, span.start, span.end):
                span = span._replace(score=CERTAIN)
            yield span
            first = last + 1


def _longest(text: str, places: list[tuple[int, int]], first: int) -> tuple[int, float] | None:
    """Index of the last group of the longest card number that begins with group `first`, and its score."""
    digits, found = "", None
    for last in range(first, min(len(places), first + DIGITS_MAX)):
        begin, stop = places[last]
        gap = text[places[last - 1][1] : begin] if last > first else ""
        if gap and not _GAP.fullmatch(gap):
            break
        digits += text[begin:stop] if stop - begin <= DIGITS_MAX else "0" * (DIGITS_MAX + 1)
        if len(digits) > DIGITS_MAX:
            break
        if len(digits) >= DIGITS_MIN and is_issued(digits) and luhn(digits):
            score = _grouping(text, places[first : last + 1])
            if score and is_apart(text, places[first][0], stop) and not _goes_on(text, places, first, last):
                found = last, score if len(digits) in USUAL_DIGITS else POSSIBLE
    return found


def _goes_on(text: str, places: list[tuple[int, int]], first: int, last: int) -> bool:
    """Whether three groups of four are followed by a fourth: a card's number, but a wrong one."""
    if last - first != 2 or last + 1 == len(places):  # noqa: PLR2004
        return False
    (begin, stop), (after, end) = places[last], places[last + 1]
    return end - after == stop - begin and text[stop:after] == text[places[first][1] : places[first + 1][0]]


def _grouping(text: str, places: list[tuple[int, int]]) -> float:
    """How usual the grouping is: 0 for one that lists of other numbers have."""
    sizes = [stop - begin for begin, stop in places]
    if len(sizes) == 1 or sizes in ([4, 6, 5], [4, 6, 4]) or (set(sizes[:-1]) == {4} and sizes[-1] <= 4):  # noqa: PLR2004
        return CERTAIN
    gaps = {text[a[1] : b[0]] for a, b in pairwise(places)}
    if min(sizes) >= 3 or (len(gaps) == 1 and len(set(sizes)) == 1):  # noqa: PLR2004  three digits: not a day, not cents
        return LIKELY
    return 0.0


def is_issued(digits: str) -> bool:
    """Whether a network issues numbers that begin so and are so long."""
    prefix = int(digits[:6])
    low, high, lengths = ISSUERS[bisect_right(_FROM, prefix) - 1]
    return low <= prefix <= high and len(digits) in lengths


def luhn(digits: str) -> bool:
    """Whether the check digit is right (ISO/IEC 7812-1, annex B)."""
    return (sum(map(int, digits[::-2])) + sum(map(_DOUBLED.__getitem__, digits[-2::-2]))) % 10 == 0


RECOGNIZER = Recognizer(
    entity="card",
    digits=(DIGITS_MIN, DIGITS_MAX),
    context=CONTEXT,
    find=_find,
    # The networks' own test numbers.
    examples=(
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "3782 822463 10005",
        "378282246310005",
        "5555555555554444",
        "4222222222222",
    ),
    counterexamples=(
        "4111111111111112",
        "1234567812345670",
        "a4111111111111111b2c3d4e5f",
        "41111111-1111-1111-1111-111111111111",
    ),
)
