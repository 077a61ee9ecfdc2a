"""`when:`, the condition under which a rule acts: `country == "DE" and status in ["open", "held"]`.

Tests on fields beside the one that the rule is for, joined by `and`; no arithmetic, no functions, no `or` (a
second case says that). Comparing is exact and of one type: the text "1" is not the number 1. A field that is
not there passes no test, so a record that lacks it falls through to the last case, which has no condition.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from processor.policy import paths

if TYPE_CHECKING:
    from collections.abc import Mapping

CONDITION_CHARACTERS_MAX: Final = 500
TESTS_MAX: Final = 8
LIKE: Final = 'write it like country == "DE", or status in ["open", "held"]'

_LITERAL: Final = r'(?:"[^"\\]*"|-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?|true|false)'
_TEST: Final = re.compile(
    rf"""(?P<path>[^\s=!"]+(?:"[^"]*"\])?)\s+
    (?:(?P<compare>==|!=)\s+(?P<one>{_LITERAL})
     | (?P<among>in|not\ in)\s+\[\s*(?P<many>{_LITERAL}(?:\s*,\s*{_LITERAL})*)\s*\])""",
    re.VERBOSE,
)
_AND: Final = re.compile(r"\s+and\s+")
_ONE: Final = re.compile(_LITERAL)


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison: `field` is a path from the map that the rule's value is in."""

    field: paths.Path
    among: frozenset[tuple[str, Any] | None]
    wanted: bool
    """Whether the field has to be among the values, or must not be."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What has to hold, all of it. `text` is as the policy writes it."""

    text: str
    tests: tuple[Test, ...]

    def holds(self, siblings: Mapping[str, Any]) -> bool:
        """Whether it does for the map that the rule's value is in."""
        for test in self.tests:
            value: Any = siblings
            for name in test.field:
                value = value.get(name) if isinstance(value, dict) else None
            typed = _typed(value)
            if typed is None or (typed in test.among) is not test.wanted:
                return False
        return True

    @property
    def reads(self) -> tuple[str, ...]:
        """The fields that it looks at, relative to the map that the rule's value is in."""
        return tuple(paths.render(test.field) for test in self.tests)


def parse_condition(text: str) -> Condition:
    """The condition that a text writes.

    Raises:
        ValueError: with words for the author of the policy.
    """
    if len(text) > CONDITION_CHARACTERS_MAX:
        raise ValueError(f"a condition has at most {CONDITION_CHARACTERS_MAX} characters")
    tests, position = [], 0
    while True:
        match = _TEST.match(text, position)
        if match is None:
            raise ValueError(f"unreadable from {text[position : position + 40]!r}: {LIKE}")
        tests.append(_test(match))
        position = match.end()
        if position == len(text):
            break
        joint = _AND.match(text, position)
        if joint is None or len(tests) == TESTS_MAX:
            raise ValueError(f"after a test comes the end, or `and` and another, {TESTS_MAX} at most")
        position = joint.end()
    return Condition(text, tuple(tests))


def _test(match: re.Match[str]) -> Test:
    field = paths.parse(match["path"])
    if not paths.is_literal(field):
        raise ValueError(f"{match['path']} is not one field: a condition has no *")
    literals = _ONE.findall(match["one"] or match["many"])
    values = frozenset(_typed(json.loads(literal, parse_float=Decimal)) for literal in literals)
    return Test(field, values, wanted=match["compare"] == "==" or match["among"] == "in")


def _typed(value: Any) -> tuple[str, Any] | None:
    """A value beside its type, because to Python `True` is 1; None for what is no text, number or boolean."""
    if isinstance(value, bool):
        return "boolean", value
    if isinstance(value, int | Decimal):
        return "number", value
    return ("text", value) if isinstance(value, str) else None
