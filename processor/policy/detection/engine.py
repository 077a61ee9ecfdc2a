"""The search: from a choice of recognisers, the one function that finds them all in a text.

Its cost goes with the text, hardly with the number of recognisers. One pass finds the stretches around
digits; the lengths of their groups of digits say which recognisers can match there at all (few can: a social
security number has nine digits), and that is remembered by shape. What has no digits is looked for only where
a literal or a hint of it is in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING

from processor.policy.detection.recognizer import CERTAIN
from processor.policy.detection.scan import (
    UUID_HYPHENS,
    Scan,
    Span,
    fold,
    has_digits,
    stretches,
    without_uuids,
)
from processor.policy.detection.words import Index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from processor.policy.detection.recognizer import Recognizer

    Find = Callable[[Scan], Iterable[Span]]
    Places = list[tuple[int, int]]

LEFT_CHARACTERS, RIGHT_CHARACTERS = 16, 8  # what a number may have before its first and after its last digit
SHAPES_MAX = 4_096  # remembered: groupings of digits repeat themselves, but an adversary's do not
LONG_DIGITS = 12  # by chance a shorter number has the check digits of another
SHAPE_CHARACTERS_MAX = 64
OPENING = ("+", "(")  # a telephone number
GROUPS_MAX = 12  # of which all sums are tried; a stretch of more of them may hold anything

_NO_SEPARATORS = dict.fromkeys(code for code in range(128) if not chr(code).isalnum())
_SHAPE = (
    bytes(ord("0" if chr(code).isdigit() else "a" if chr(code).isalpha() else " ") for code in range(128)) * 2
)
_runs = re.compile(rb"0+").findall
_start = itemgetter(1)
_first, _anyway = attrgetter("first"), attrgetter("anyway")


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """Who may find something in a stretch of some shape. Shapes that fit the same share one."""

    first: tuple[Find, ...]
    """Numbers so long that nothing else is looked for where one of them is certain."""
    anyway: tuple[Find, ...]
    if_meant: tuple[Find, ...]
    """Those that take a word, which may not be in the text."""


def search(recognizers: Sequence[Recognizer], least: float) -> Callable[[str], list[Span]]:
    """What finds these entities, sure at least so much, in order and without overlap."""
    finds = [(one, one.find or _by_pattern(one)) for one in recognizers]
    by_digits = [(one, find) for one, find in finds if one.digits[0]]
    elsewhere = _elsewhere([(one, find) for one, find in finds if not one.digits[0]])
    has_stretch, in_stretches = _in_stretches(by_digits, least)
    settled = _settling(recognizers, least)

    def found(text: str) -> list[Span]:
        folded, offsets = (text, None) if text.isascii() else fold(text)
        original = "" if folded is text else text
        if folded.count("-") >= UUID_HYPHENS:
            folded = without_uuids(folded)
        others, is_numeric = elsewhere(folded), has_stretch(folded)
        if not others and not is_numeric:
            return []
        scan = Scan(folded, [(0, len(folded))], original, offsets)
        spans: list[Span] = []
        for find in others:
            spans += find(scan)
        if is_numeric:
            in_stretches(scan, spans)
        return settled(spans, offsets) if spans else spans

    return found


def _takes_word(recognizer: Recognizer, least: float) -> bool:
    """Whether its form alone is not sure enough: without its words in the text there is nothing to find."""
    return bool(recognizer.pattern) and (recognizer.bare or 0.0) < least


def _meant(recognizers: Sequence[tuple[Recognizer, Find]]) -> Callable[[str], set[Find]]:
    """What says whose literals or, of those that have none, whose words are in a text in lower case."""
    index = Index((find, one.context) for one, find in recognizers if not one.needs)
    literals = [(literal, find) for one, find in recognizers for literal in one.needs]

    def meant(lower: str) -> set[Find]:
        found = index.present(lower)
        for literal, find in literals:
            if literal in lower:
                found.add(find)
        return found

    return meant


def _by_pattern(recognizer: Recognizer) -> Find:
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
    recognizers: Sequence[tuple[Recognizer, Find]], least: float
) -> tuple[Callable[[str], object], Callable[[Scan, list[Span]], None]]:
    """What says whether a text has stretches, and what adds their findings to those made elsewhere."""
    if not recognizers:
        return (lambda _: None), (lambda *_: None)
    digits_min = min(one.digits[0] for one, _ in recognizers)
    has_long = any(one.digits[0] >= LONG_DIGITS for one, _ in recognizers)
    fitting, meant = _fitting(recognizers, least), _meant(recognizers)

    def in_stretches(scan: Scan, spans: list[Span]) -> None:
        shapes = scan.text.encode().translate(_SHAPE)
        places = [match.span() for match in stretches(scan.text)]
        places_of: dict[_Fit, Places] = {}
        for start, end in _open(scan.text, places, spans) if spans else places:
            if end - start >= digits_min:
                fit = fitting(shapes[start - 1 if start else 0 : end + 1])  # with what touches it
                if fit is not None:
                    places_of.setdefault(fit, []).append((start, end))
        first = _ask(scan, places_of, _first) if has_long else []
        if first:
            spans += first
            places_of = {fit: _open(scan.text, places, first) for fit, places in places_of.items()}
        spans += _ask(scan, places_of, _anyway)
        if any(fit.if_meant for fit in places_of):
            named = meant(f"{scan.text}|{scan.original}".lower())
            if named:
                spans += _ask(scan, places_of, lambda fit: [find for find in fit.if_meant if find in named])

    return has_digits(digits_min), in_stretches


def _ask(scan: Scan, places_of: dict[_Fit, Places], who: Callable[[_Fit], Iterable[Find]]) -> list[Span]:
    """What is found by some of those who fit, each asked once: some look at the text around these again."""
    asked: dict[Find, Places] = {}
    for fit, places in places_of.items():
        for find in who(fit):
            asked[find] = asked[find] + places if find in asked else places
    spans: list[Span] = []
    for find, places in asked.items():
        scan.stretches = places
        spans += find(scan)
    return spans


def _open(text: str, places: Places, spans: Iterable[Span]) -> Places:
    """The stretches that nothing certain covers: what else were found in one would give way to it.

    A sign before the first digit that a number may begin with has to be covered, too. One walk along both,
    which are many in some texts.
    """
    covers = sorted((span.start, span.end) for span in spans if span.score >= CERTAIN)
    found: Places = []
    at, reach = 0, 0
    for start, end in places:
        begin = start - 1 if text[start - 1 : start] in OPENING else start
        while at < len(covers) and covers[at][0] <= begin:
            reach = max(reach, covers[at][1])
            at += 1
        if end > reach:
            found.append((start, end))
    return found


def _fitting(recognizers: Sequence[tuple[Recognizer, Find]], least: float) -> Callable[[bytes], _Fit | None]:
    """What says who fits a shape: a number takes whole groups of digits in a row."""
    known: dict[bytes, _Fit | None] = {}
    fits: dict[tuple[Find, ...], _Fit | None] = {(): None}

    def fitting(shape: bytes) -> _Fit | None:
        if shape in known:
            return known[shape]
        lengths = [len(run) for run in _runs(shape)]
        sums, is_glued = _sums(lengths), b"a0" in shape or b"0a" in shape
        fit = [
            (one, find)
            for one, find in recognizers
            if (is_glued or not one.glued) and any(one.digits[0] <= total <= one.digits[1] for total in sums)
        ]
        key = tuple(find for _, find in fit)
        if key not in fits:
            first = [
                find for one, find in fit if one.digits[0] >= LONG_DIGITS and not _takes_word(one, least)
            ]
            rest = [(one, find) for one, find in fit if find not in first]
            if_meant = tuple(find for one, find in rest if one.needs or _takes_word(one, least))
            anyway = tuple(find for one, find in rest if find not in if_meant)
            fits[key] = _Fit(tuple(first), anyway, if_meant)
        if len(known) < SHAPES_MAX and len(shape) <= SHAPE_CHARACTERS_MAX:
            known[shape] = fits[key]
        return fits[key]

    return fitting


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


def _settling(
    recognizers: Sequence[Recognizer], least: float
) -> Callable[[list[Span], list[int] | None], list[Span]]:
    """What keeps the spans that are sure enough apart, and says where they are in the text given."""
    places = {one.entity: place for place, one in enumerate(recognizers)}

    def weight(span: Span) -> tuple[int, float, int]:
        return span.end - span.start, span.score, -places[span.entity]

    def apart(spans: list[Span]) -> list[Span]:
        """Where spans overlap, the longer has it, then the surer, then the earlier of the recognisers.

        It grows over what sticks out of the other: half a card number beside a telephone number is still half
        a card number.
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
                kept[-1] = max(last, span, key=weight)._replace(start=last.start, end=end)
        return kept

    def settled(spans: list[Span], offsets: list[int] | None) -> list[Span]:
        spans = [span for span in spans if span.score >= least]
        if len(spans) > 1:
            spans = apart(spans)
        if offsets is None:
            return spans
        return [span._replace(start=offsets[span.start], end=offsets[span.end - 1] + 1) for span in spans]

    return settled
