"""The search: from a choice of recognisers, the one function that finds them all in a text.

Its cost goes with the text, hardly with the number of recognisers. One pass finds the stretches around digits;
the lengths of their groups of digits say which recognisers can match there at all (few can: a social security
number has nine digits), and that is remembered by shape. What has no digits is looked for only where a literal
or a hint of it is in the text.
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
    Places = list[tuple[int, int]]

LEFT_CHARACTERS, RIGHT_CHARACTERS = 16, 8  # what a number may have before its first and after its last digit
SHAPES_MAX = 4_096  # remembered: groupings of digits repeat themselves, but an adversary's do not
GROUPS_MAX = 12  # of which all sums are tried; a stretch of more of them may hold anything

_NO_SEPARATORS = dict.fromkeys(code for code in range(128) if not chr(code).isalnum())
_SHAPE = bytes(ord("0") if chr(code).isdigit() else ord(" ") for code in range(128)) * 2
_runs = re.compile(rb"0+").findall
_start = itemgetter(1)


def search(recognizers: Sequence[Recognizer], least: float) -> Callable[[str], list[Span]]:
    """What finds these entities, sure at least so much, in order and without overlap."""
    finds = [(one, one.find or _by_pattern(one, least)) for one in recognizers]
    in_stretches = _in_stretches([(one.digits, find) for one, find in finds if one.digits[0]])
    elsewhere = _elsewhere([(one, find) for one, find in finds if not one.digits[0]])
    needs = {find: one.needs for one, find in finds if one.digits[0] and one.needs}
    # Where a form alone is not sure enough and no word of the context is there, there is nothing to look for.
    takes_word = {find: one.context for one, find in finds if one.pattern and (one.bare or 0.0) < least}

    def found(text: str) -> list[Span]:
        folded, offsets = (text, None) if text.isascii() else fold(text)
        places_of = in_stretches(folded)
        others = elsewhere(folded)
        if not places_of and not others:
            return []
        scan = Scan(without_uuids(folded), [(0, len(folded))], "" if text.isascii() else text, offsets)
        spans: list[Span] = []
        for find in others:
            spans += find(scan)
        for some, places in places_of.items():
            scan.stretches = places
            for find in some:
                if (find in takes_word and not scan.has_word(takes_word[find])) or (
                    find in needs and not scan.has_literal(needs[find])
                ):
                    continue
                spans += find(scan)
        return _settled(spans, least, offsets)

    return found


def _by_pattern(recognizer: Recognizer, least: float) -> Find:
    """What tries the pattern on each stretch, then the check digits, then the words around."""
    entity, valid, words = recognizer.entity, recognizer.valid, recognizer.context
    bare, near = recognizer.bare or 0.0, recognizer.near
    look = re.compile(recognizer.pattern).search
    left, right = (LEFT_CHARACTERS, RIGHT_CHARACTERS) if recognizer.digits[0] else (0, 0)

    def find(scan: Scan) -> list[Span]:
        text = scan.text
        spans: list[Span] = []
        for start, end in scan.stretches:
            # Past the edge of what is searched nothing was looked at: a match that ends there may go on.
            stop = min(end + right, len(text))
            edge = stop if stop < len(text) else stop + 1
            match = look(text, max(0, start - left), stop)
            while match and match.start() < end:
                first, last = match.span()
                if start < last < edge and (
                    valid is None or valid(match[0].translate(_NO_SEPARATORS).upper())
                ):
                    score = near if words and scan.has_near(words, first, last) else bare
                    spans.append(Span(entity, first, last, score))
                match = look(text, last, stop)
        return spans

    return find


def _in_stretches(
    by_digits: Sequence[tuple[tuple[int, int], Find]],
) -> Callable[[str], dict[tuple[Find, ...], Places]]:
    """What says who has to look at which stretches: a number takes whole groups of digits in a row."""
    if not by_digits:
        return lambda _: {}
    holds_one, stretches = stretches_of(min(digits[0] for digits, _ in by_digits))
    known: dict[bytes, tuple[Find, ...]] = {}

    def fitting(shape: bytes) -> tuple[Find, ...]:
        lengths = [len(run) for run in _runs(shape)]
        sums = _sums(lengths)
        fit = tuple(find for (low, high), find in by_digits if any(low <= total <= high for total in sums))
        if len(known) < SHAPES_MAX and len(lengths) <= GROUPS_MAX:
            known[shape] = fit
        return fit

    def in_stretches(folded: str) -> dict[tuple[Find, ...], Places]:
        places_of: dict[tuple[Find, ...], Places] = {}
        if holds_one(folded):
            folded = without_uuids(folded)
            shapes = folded.encode().translate(_SHAPE)
            for match in stretches(folded):
                place = start, end = match.span()
                shape = shapes[start:end]
                fit = known.get(shape)
                if fit is None:
                    fit = fitting(shape)
                if fit in places_of:
                    places_of[fit].append(place)
                elif fit:
                    places_of[fit] = [place]
        return places_of

    return in_stretches


def _sums(lengths: Sequence[int]) -> Iterable[int]:
    """How many digits each row of whole groups has."""
    if len(lengths) > GROUPS_MAX:
        return range(1, sum(lengths) + 1)
    ends = range(1, len(lengths) + 1)
    return {sum(lengths[first:last]) for last in ends for first in range(last)}


def _elsewhere(recognizers: Sequence[tuple[Recognizer, Find]]) -> Callable[[str], list[Find]]:
    """What says who has to look at a text as a whole."""
    literals = [(literal, find) for one, find in recognizers for literal in one.needs]
    hints = [(re.compile(one.hint).search, find) for one, find in recognizers if one.hint]
    always = [find for one, find in recognizers if not one.needs and not one.hint]
    is_cased = any(literal != literal.upper() for literal, _ in literals)

    def elsewhere(folded: str) -> list[Find]:
        lower = folded.lower() if is_cased else folded
        asked = always.copy()
        for literal, find in literals:
            if literal in lower and find not in asked:
                asked.append(find)
        for hinted, find in hints:
            if hinted(folded):
                asked.append(find)
        return asked

    return elsewhere


def _settled(spans: list[Span], least: float, offsets: list[int] | None) -> list[Span]:
    """What is sure enough, apart, and where it is in the text that was given."""
    spans = [span for span in spans if span[3] >= least]
    if len(spans) > 1:
        spans = _apart(spans)
    if offsets is None:
        return spans
    return [span._replace(start=offsets[span.start], end=offsets[span.end - 1] + 1) for span in spans]


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
