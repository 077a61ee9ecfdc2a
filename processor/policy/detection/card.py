"""Payment card numbers: issuer ranges (ISO/IEC 7812), Luhn's check digit, the usual groupings."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from processor.policy.detection.recognizer import CERTAIN, LIKELY, POSSIBLE, Recognizer
from processor.policy.detection.scan import Span, groups, is_apart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.detection.scan import Scan

DIGITS_MIN, DIGITS_MAX = 12, 19
GAP_MAX, SEPARATORS = 2, " \t\n-./_"  # between two groups
GROUP = 4
AMEX_DINERS = ([4, 6, 5], [4, 6, 4])
THREE = 3  # digits of a group that is no day and no cents
USUAL_DIGITS = frozenset({14, 15, 16, 19})
"""Of the cards in use. Articles (EAN) and references have the rest as often: those take a word."""

CONTEXT = (
    *("card", "cc", "pan", "visa", "mastercard", "maestro", "amex", "discover", "diners", "jcb", "credit"),
    *("debit", "karte", "kartennummer", "kreditkarte", "kreditkartennummer", "carte", "tarjeta", "carta"),
    *("cartao", "karta", "karty", "kaart", "カード", "卡号", "银行卡", "信用卡", "储蓄卡", "कार्ड"),
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
_FROM = [low for low, _, _ in ISSUERS]
_FIRST_DIGITS = frozenset(str(number)[0] for low, high, _ in ISSUERS for number in (low, high))
_NONE: frozenset[int] = frozenset()

# What each digit counts, and what the sum of the digits of its double is; a sum over octets costs a tenth of
# one over signs.
_ONCE = bytes(max(0, code - ord("0")) % 10 for code in range(256))
_TWICE = bytes(sum(divmod(2 * digit, 10)) for digit in _ONCE)


def _find(scan: Scan) -> Iterator[Span]:
    """Try each row of whole groups of digits that is as long as a card number."""
    for start, end in scan.stretches:
        row, first = _Row(scan.text, groups(scan.text, start, end)), 0
        while first < len(row.places):
            found = row.longest(first)
            if found is None:
                first += 1
                continue
            last, score = found
            begin, stop = row.places[first][0], row.places[last][1]
            if score < CERTAIN and scan.has_near(CONTEXT, begin, stop):
                score = CERTAIN
            yield Span("card", begin, stop, score)
            first = last + 1


class _Row:
    """Groups of digits that stand one behind the other."""

    __slots__ = ("digits", "gaps", "places", "starts", "text")

    def __init__(self, text: str, places: list[tuple[int, int]]) -> None:
        self.text, self.places = text, places
        runs = [text[begin:stop] for begin, stop in places]
        self.digits = "".join(runs)
        self.starts = list(accumulate(map(len, runs), initial=0))
        """Where in the digits each group begins; then where the last one ends."""
        self.gaps = [text[before[1] : after[0]] for before, after in pairwise(places)]

    def longest(self, first: int) -> tuple[int, float] | None:
        """Index of the last group of the longest card number from group `first` on, and its score."""
        digits, starts = self.digits, self.starts
        start = starts[first]
        lengths = lengths_issued(digits[start : start + 6]) if digits[start] in _FIRST_DIGITS else _NONE
        found = None
        for last in range(first, len(self.places) if lengths else first):
            if last > first and not _may_separate(self.gaps[last - 1]):
                break
            stop = starts[last + 1]
            if stop - start > DIGITS_MAX:
                break
            if stop - start in lengths and luhn(digits[start:stop]) and (score := self._score(first, last)):
                found = last, score if stop - start in USUAL_DIGITS else POSSIBLE
        return found

    def _score(self, first: int, last: int) -> float:
        """How usual the grouping is: 0 for one that lists of other numbers have."""
        sizes = [stop - begin for begin, stop in self.places[first : last + 1]]
        if not self._stands_alone(first, last, sizes):
            return 0.0
        if len(sizes) == 1 or sizes in AMEX_DINERS or (set(sizes[:-1]) == {GROUP} and sizes[-1] <= GROUP):
            return CERTAIN
        if min(sizes) >= THREE or len(set(sizes)) == len(set(self.gaps[first:last])) == 1:
            return LIKELY
        return 0.0

    def _stands_alone(self, first: int, last: int, sizes: list[int]) -> bool:
        """Whether it is no part of a hash, nor three groups of four before a fourth: a card with an error."""
        if sizes == [GROUP] * 3 and last + 1 < len(self.places):
            begin, stop = self.places[last + 1]
            if stop - begin == GROUP and self.gaps[last] == self.gaps[first]:
                return False
        return is_apart(self.text, self.places[first][0], self.places[last][1])


def _may_separate(gap: str) -> bool:
    return len(gap) <= GAP_MAX and not gap.strip(SEPARATORS)


def lengths_issued(prefix: str) -> frozenset[int]:
    """How long the numbers are that a network issues with these first six digits; empty if none does."""
    number = int(prefix.ljust(6, "0"))
    low, high, lengths = ISSUERS[bisect_right(_FROM, number) - 1]
    return lengths if low <= number <= high else _NONE


def luhn(digits: str) -> bool:
    """Whether the check digit is right (ISO/IEC 7812-1, annex B)."""
    octets = digits.encode()
    return (sum(octets[::-2].translate(_ONCE)) + sum(octets[-2::-2].translate(_TWICE))) % 10 == 0


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
