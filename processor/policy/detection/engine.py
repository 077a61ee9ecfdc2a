"""The search: from a choice of recognisers, the one function that finds them all in a text.

Its cost goes with the text, hardly with the number of recognisers. One pass finds the stretches around digits;
the lengths of a stretch's groups of digits say which recognisers can match there at all (few can: a social
security number has nine digits), and that is remembered by shape. What has no digit in it is looked for only
where a literal that it needs is in the text.
"""

from __future__ import annotations

import re
from operator import itemgetter
from typing import TYPE_CHECKING

from processor.policy.detection.scan import Scan, Span, fold, stretches_of, without_uuids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from processor.policy.detection.recognizer import Recognizer

    Find = Callable[[Scan], Iterable[Span]]

LEFT_CHARACTERS, RIGHT_CHARACTERS = 16, 8  # what a number may have before its first and after its last digit
SHAPES_MAX = 4_096  # remembered: groupings of digits repeat themselves, but an adversary's do not
GROUPS_MAX = 12  # of which all sums are tried; a stretch of more of them may hold anything

_NO_SEPARATORS = dict.fromkeys(code for code in range(128) if not chr(code).isalnum())
_runs = re.compile(r"[0-9]+").findall
_start = itemgetter(1)


def search(recognizers: Sequence[Recognizer], least: float) -> Callable[[str], list[Span]]:
    """What finds these entities, sure at least so much, in order and without overlap."""
    finds = [(one, one.find or _by_pattern(one, least)) for one in recognizers]
    by_digits = [(one.digits, find) for one, find in finds if one.digits[0]]
    by_literal = tuple((literal, find) for one, find in finds if not one.digits[0] for literal in one.needs)
    by_hint = tuple((re.compile(one.hint).search, find) for one, find in finds if one.hint)
    always = tuple(find for one, find in finds if not one.digits[0] and not one.needs and not one.hint)
    needs = {find: needs for one, find in finds if one.digits[0] and (needs := _needs(one, least))}
    is_cased = bool(needs) or any(literal != literal.upper() for literal, _ in by_literal)
    fitting = _fitting(by_digits)
    holds_stretch, stretches = stretches_of(min((digits[0] for digits, _ in by_digits), default=1))

    def found(text: str) -> list[Span]:
        if text.isascii():
            folded, offsets, original = text, None, ""
        else:
            folded, offsets = fold(text)
            original = text
        asked: dict[Find, list[tuple[int, int]]] = {}
        if holds_stretch(folded):
            folded = without_uuids(folded)
            for match in stretches(folded):
                for find in fitting(match[0]):
                    asked.setdefault(find, []).append(match.span())
        lower = f"{folded}|{original}".lower() if is_cased else folded
        for literal, find in by_literal:
            if literal in lower:
                asked[find] = [(0, len(folded))]
        for hinted, find in by_hint:
            if hinted(folded):
                asked[find] = [(0, len(folded))]
        for find in always:
            asked[find] = [(0, len(folded))]
        if not asked:
            return []
        scan = Scan(folded, (), original, offsets)
        spans: list[Span] = []
        for find, places in asked.items():
            if find not in needs or any(word in lower for word in needs[find]):
                scan.stretches = places
                spans += find(scan)
        spans = [span for span in spans if span.score >= least]
        if len(spans) > 1:
            spans = _apart(spans)
        return spans if offsets is None else [_moved(span, offsets) for span in spans]

    return found


def _needs(recognizer: Recognizer, least: float) -> tuple[str, ...]:
    """What has to be in a text for a finding to count: a literal, or a word of the context."""
    if recognizer.needs or recognizer.find or (recognizer.bare or 0.0) >= least:
        return recognizer.needs
    return recognizer.context


def _by_pattern(recognizer: Recognizer, least: float) -> Find:
    """What tries the pattern on each stretch, then the check digits, then the words around."""
    entity, valid, words = recognizer.entity, recognizer.valid, recognizer.context
    bare, near = recognizer.bare or 0.0, recognizer.near
    search = re.compile(recognizer.pattern).search
    left, right = (LEFT_CHARACTERS, RIGHT_CHARACTERS) if recognizer.digits[0] else (0, 0)

    def find(scan: Scan) -> list[Span]:
        text = scan.text
        spans: list[Span] = []
        for start, end in scan.stretches:
            stop = min(end + right, len(text))
            match = search(text, max(0, start - left), stop)
            while match and match.start() < end:
                first, last = match.span()
                # At the edge of what is searched, its neighbour was not looked at.
                if (
                    last > start
                    and (last < stop or stop == len(text) or not right)
                    and (valid is None or valid(match[0].translate(_NO_SEPARATORS).upper()))
                ):
                    score = near if words and scan.has_near(words, first, last) else bare
                    if score >= least and last > first:
                        spans.append(Span(entity, first, last, score))
                match = search(text, max(last, first + 1), stop)
        return spans

    return find


def _fitting(by_digits: Sequence[tuple[tuple[int, int], Find]]) -> Callable[[str], tuple[Find, ...]]:
    """What says of a stretch who may find something in it: a number takes whole groups of digits in a row."""
    shapes: dict[tuple[int, ...], tuple[Find, ...]] = {}

    def fitting(stretch: str) -> tuple[Find, ...]:
        shape = tuple(map(len, _runs(stretch)))
        found = shapes.get(shape)
        if found is None:
            sums = _sums(shape)
            found = tuple(
                find for (low, high), find in by_digits if any(low <= total <= high for total in sums)
            )
            if len(shapes) < SHAPES_MAX and len(shape) <= GROUPS_MAX:
                shapes[shape] = found
        return found

    return fitting


def _sums(shape: tuple[int, ...]) -> Iterable[int]:
    """How many digits each row of whole groups has."""
    if len(shape) > GROUPS_MAX:
        return range(1, sum(shape) + 1)
    return {
        sum(shape[first:last]) for first in range(len(shape)) for last in range(first + 1, len(shape) + 1)
    }


def _apart(spans: list[Span]) -> list[Span]:
    """Where spans overlap, the longer has it, then the surer; it grows over what sticks out of the other.

    Growing, because half a card number beside a telephone number is still half a card number.
    """
    spans.sort(key=_start)
    kept: list[Span] = []
    end = -1
    for span in spans:
        if span.start >= end:
            kept.append(span)
            end = span.end
        else:
            last = kept[-1]
            end = max(end, span.end)
            best = span if _weight(span) > _weight(last) else last
            kept[-1] = best._replace(start=last.start, end=end)
    return kept


def _weight(span: Span) -> tuple[int, float]:
    return span.end - span.start, span.score


def _moved(span: Span, offsets: list[int]) -> Span:
    return span._replace(start=offsets[span.start], end=offsets[span.end - 1] + 1)
