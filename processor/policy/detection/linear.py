"""Which regular expressions may run over every record: those that match in one way only, in bounded steps.

`re` backtracks: a pattern that can match the same text in two ways may try all the ways, twice as many with
each sign. So a pattern is taken apart into the tree that `re` itself builds, and it is accepted only if the
each sign. So a pattern is taken apart into the tree that `re` itself builds, and accepted only if the
deterministic expression) and every repetition is bounded. Then a start costs at most twice the length of the
longest match. Most patterns that are refused have an equal that is accepted; the message says how to get it.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from re import _constants as ops  # type: ignore[attr-defined]  # what re builds; there is no public face to it
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

PATTERN_CHARACTERS_MAX = 300
REPEAT_MAX = 64
WIDTH_MAX = 256  # characters of the longest match: what a start costs, about

ASCII = frozenset(range(128))  # what folded text is made of
_NONE: frozenset[int] = frozenset()
_CATEGORIES = {
    ops.CATEGORY_DIGIT: frozenset(code for code in ASCII if chr(code).isdigit()),
    ops.CATEGORY_WORD: frozenset(code for code in ASCII if chr(code).isalnum() or chr(code) == "_"),
    ops.CATEGORY_SPACE: frozenset(code for code in ASCII if chr(code).isspace()),
}
_CATEGORIES |= {
    ops.CATEGORY_NOT_DIGIT: ASCII - _CATEGORIES[ops.CATEGORY_DIGIT],
    ops.CATEGORY_NOT_WORD: ASCII - _CATEGORIES[ops.CATEGORY_WORD],
    ops.CATEGORY_NOT_SPACE: ASCII - _CATEGORIES[ops.CATEGORY_SPACE],
}
_LOOKS = "it looks ahead or behind: leave that out, findings never begin or end within a word anyway"
_REFUSED = {
    ops.ASSERT: _LOOKS,
    ops.ASSERT_NOT: _LOOKS,
    ops.GROUPREF: "it refers back to a group: write the alternatives out",
    ops.GROUPREF_EXISTS: "it depends on whether a group matched: write the alternatives out",
    ops.ATOMIC_GROUP: "it has an atomic group: leave out the ?>, nothing here is tried twice",
    ops.POSSESSIVE_REPEAT: "it has a possessive repetition: leave out the +, nothing here is tried twice",
}


class _RefusedError(Exception):
    """Says in words why."""


class _Part(NamedTuple):
    """What a part of a pattern can begin with, and whether it can be empty."""

    first: frozenset[int]
    is_optional: bool


def pattern_problem(pattern: str) -> str | None:
    """Why a pattern is refused, in words that say how to mend it; None if it is accepted."""
    try:
        tree = _tree(pattern)
        _Walk(ignores_case=bool(tree.state.flags & re.IGNORECASE)).sequence(tree, _NONE)
    except _RefusedError as refused:
        return str(refused)
    least, most = tree.getwidth()
    if not least:
        return "it matches the empty text: at least one sign has to be there"
    if most > WIDTH_MAX:
        return f"it can match {most} characters, and {WIDTH_MAX} are the most: bound its repetitions closer"
    return None


def _tree(pattern: str) -> Any:
    """What `re` makes of a pattern."""
    if len(pattern) > PATTERN_CHARACTERS_MAX:
        raise _RefusedError(f"it is longer than {PATTERN_CHARACTERS_MAX} characters")
    if not pattern.isascii():
        raise _RefusedError(
            "it has signs beyond ASCII, and the text that it meets has none: write e where é is"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tree = parser.parse(pattern)
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError, Warning) as mistake:
        raise _RefusedError(f"it is no regular expression: {mistake}") from None
    if tree.state.flags & ~(re.UNICODE | re.IGNORECASE):
        raise _RefusedError("it sets flags: only (?i) at its beginning is understood")
    return tree


@dataclass(frozen=True, slots=True)
class _Walk:
    """A walk over the tree from its end, knowing at each part what may come after it."""

    ignores_case: bool

    def sequence(self, items: Any, after: frozenset[int]) -> _Part:
        """What a row of parts can begin with."""
        first, is_optional = _NONE, True
        for op, given in reversed(list(items)):
            part = self.part(op, given, first | after if is_optional else first)
            first = part.first | first if part.is_optional else part.first
            is_optional = is_optional and part.is_optional
        return _Part(first, is_optional)

    def part(self, op: Any, given: Any, after: frozenset[int]) -> _Part:
        """What one node can begin with."""
        if op in _REFUSED:
            raise _RefusedError(_REFUSED[op])
        if op in {ops.MAX_REPEAT, ops.MIN_REPEAT}:
            low, high, body = given
            return self.repeat(low, high, body, after)
        if op is ops.BRANCH:
            return self.branch([list(alternative) for alternative in given[1]], after)
        if op is ops.SUBPATTERN:
            _, added, removed, inner = given
            if added or removed:
                raise _RefusedError("it sets flags within a group: only (?i) at its beginning is understood")
            return self.sequence(inner, after)
        if op is ops.AT:
            return _Part(_NONE, is_optional=True)
        return _Part(self.signs(op, given), is_optional=False)

    def repeat(self, low: int, high: int, body: Any, after: frozenset[int]) -> _Part:
        """Whether the next sign tells if there is one more of it."""
        if high is ops.MAXREPEAT:
            raise _RefusedError(
                f"a repetition has no bound: write {{1,{REPEAT_MAX}}} for + and {{0,{REPEAT_MAX}}} for *"
            )
        if high > REPEAT_MAX:
            raise _RefusedError(f"it repeats something up to {high} times, and {REPEAT_MAX} are the most")
        once = self.sequence(body, _NONE)
        if once.is_optional:
            raise _RefusedError("it repeats something that may be empty: let one sign of it have to be there")
        if low < high and (both := once.first & after):
            raise _RefusedError(
                f"after a repetition, {_shown(both)} may belong to it or to what follows: "
                "say exactly how often, as in {4}, or put a sign between that neither of them has"
            )
        self.sequence(body, after | once.first if high > 1 else after)
        return _Part(once.first, is_optional=low == 0)

    def branch(self, alternatives: list[list[Any]], after: frozenset[int]) -> _Part:
        """Alternatives: one sign has to tell them apart, once what they share in front is passed."""
        seen, first, is_optional = _NONE, _NONE, False
        for head, rests in _by_head(alternatives):
            if len(rests) > 1:
                part = _Part(self.signs(*head), is_optional=False)
                self.branch(rests, after)
            else:
                part = self.sequence([head, *rests[0]] if head else [], after)
            if part.is_optional and is_optional:
                raise _RefusedError("two alternatives may be empty: let one of them have a sign")
            begins = part.first | after if part.is_optional else part.first
            if both := begins & seen:
                raise _RefusedError(
                    f"two alternatives may go on with {_shown(both)}: take out in front what they share, "
                    "as in [0-9]{2}(?:[0-9]{2})? for [0-9]{2}|[0-9]{4}"
                )
            seen, first, is_optional = seen | begins, first | part.first, is_optional or part.is_optional
        return _Part(first, is_optional)

    def signs(self, op: Any, given: Any) -> frozenset[int]:
        """The signs that one place of a pattern takes."""
        if op is ops.IN:
            found = frozenset(code for one in given if one[0] is not ops.NEGATE for code in self.signs(*one))
            return ASCII - found if given[0][0] is ops.NEGATE else found
        if op is ops.LITERAL:
            return self.cased({given})
        if op is ops.NOT_LITERAL:
            return ASCII - self.cased({given})
        if op is ops.RANGE:
            return self.cased(set(range(given[0], given[1] + 1)))
        if op is ops.CATEGORY:
            return _CATEGORIES[given]
        if op is ops.ANY:
            return ASCII - {ord("\n")}
        raise _RefusedError("it has a part that is not understood here")

    def cased(self, codes: set[int]) -> frozenset[int]:
        """The same in both cases, where the pattern does not tell them apart."""
        if self.ignores_case:
            codes = codes | {ord(sign) for code in codes for sign in (chr(code).lower(), chr(code).upper())}
        return frozenset(codes & ASCII)


def _by_head(alternatives: list[list[Any]]) -> list[tuple[Any, list[list[Any]]]]:
    """Alternatives by the sign they begin with, as `EMP` and `ENG` do: each with what follows it."""
    found: list[tuple[Any, list[list[Any]]]] = []
    places: dict[int, int] = {}
    for alternative in alternatives:
        head, rest = (alternative[0], alternative[1:]) if alternative else (None, [])
        if head and head[0] is ops.LITERAL:
            if head[1] in places:
                found[places[head[1]]][1].append(rest)
                continue
            places[head[1]] = len(found)
        found.append((head, [rest]))
    return found


def _shown(codes: frozenset[int]) -> str:
    return repr(chr(min(codes)))
