"""Filter criteria of an event source mapping: which records reach the function.

Patterns: https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
For DynamoDB: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html

A pattern that is not understood is an error: taken for a match it would send too much, taken for none it
would lose records without a word.
"""

from __future__ import annotations

import json
import operator
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from processor.errors import TidegateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Test: TypeAlias = "Callable[[Any], bool]"

ABSENT: Final = object()
"""What a pattern meets where the record has nothing."""

COMPARISONS: Final = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def wanted(patterns: Iterable[str]) -> Test:
    """The test whether a record matches any of these patterns; without patterns every record does.

    Raises:
        TidegateError: a pattern that is not JSON, or has a rule that Lambda does not know.
    """
    tests = [_tree(_parsed(pattern), "") for pattern in patterns]
    return _any(tests) if tests else lambda _record: True


def _parsed(pattern: str) -> dict[str, Any]:
    try:
        tree = json.loads(pattern)
    except ValueError as error:
        raise TidegateError(f"A filter is not JSON: {error}") from None
    if not isinstance(tree, dict) or not tree:
        raise TidegateError("A filter must be a JSON object with at least one field.")
    return tree


def _tree(pattern: dict[str, Any], path: str) -> Test:
    fields: list[tuple[str, Test]] = []
    groups: list[Test] = []
    for name, below in pattern.items():
        here = f"{path}.{name}".lstrip(".")
        if name == "$or":
            groups.append(_any([_tree(choice, path) for choice in _objects(below, here)]))
        elif isinstance(below, dict) and below:
            fields.append((name, _tree(below, here)))
        elif isinstance(below, list) and below:
            fields.append((name, _leaf(below, here)))
        else:
            raise TidegateError(
                f"Filter, at {here}: expected a list of values and rules, or a map of fields."
            )

    def matches(record: Any) -> bool:
        found = record if isinstance(record, dict) else {}
        below = all(test(found.get(name, ABSENT)) for name, test in fields)
        return below and all(group(found) for group in groups)

    return matches


def _objects(choices: Any, path: str) -> list[dict[str, Any]]:
    if not isinstance(choices, list) or not choices or not all(isinstance(one, dict) for one in choices):
        raise TidegateError(f"Filter, at {path}: expected a list of patterns.")
    return choices


def _leaf(rules: list[Any], path: str) -> Test:
    """Any of the rules holds for the value; for a list, for any of its items."""
    holds = _any([_rule(rule, path) for rule in rules])

    def matches(value: Any) -> bool:
        return any(map(holds, value)) if isinstance(value, list) and value else holds(value)

    return matches


def _rule(rule: Any, path: str) -> Test:
    if not isinstance(rule, dict):
        return _equals(rule, path)
    if len(rule) == 1:
        ((name, argument),) = rule.items()
        if make := _RULES.get(name):
            return make(argument, path)
    raise TidegateError(
        f"Filter, at {path}: unknown rule {', '.join(rule) or '(empty)'}; there are {', '.join(_RULES)}."
    )


def _equals(expected: Any, path: str) -> Test:
    if isinstance(expected, list):
        raise TidegateError(f"Filter, at {path}: a list within the list of values.")
    # To Python True is 1 and 1.0 is 1; to JSON only the latter is so.
    boolean = isinstance(expected, bool)
    return lambda value: isinstance(value, bool) == boolean and bool(value == expected)


def _prefix(argument: Any, path: str) -> Test:
    start = _text(argument, path)
    return lambda value: isinstance(value, str) and value.startswith(start)


def _suffix(argument: Any, path: str) -> Test:
    end = _text(argument, path)
    return lambda value: isinstance(value, str) and value.endswith(end)


def _ignoring_case(argument: Any, path: str) -> Test:
    folded = _text(argument, path).casefold()
    return lambda value: isinstance(value, str) and value.casefold() == folded


def _exists(argument: Any, path: str) -> Test:
    if not isinstance(argument, bool):
        raise TidegateError(f"Filter, at {path}: exists takes true or false.")
    # Only leaves exist for Lambda: a map, as every DynamoDB attribute is one, does not.
    return lambda value: (value is not ABSENT and not isinstance(value, dict)) == argument


def _anything_but(argument: Any, path: str) -> Test:
    banned = _leaf(argument if isinstance(argument, list) else [argument], path)
    return lambda value: value is not ABSENT and not isinstance(value, dict) and not banned(value)


def _numeric(argument: Any, path: str) -> Test:
    if path.endswith(".N"):
        raise TidegateError(
            f"Filter, at {path}: DynamoDB writes numbers as text, so that numeric never matches."
        )
    pairs = list(zip(argument[::2], argument[1::2], strict=False)) if isinstance(argument, list) else []
    if not pairs or len(argument) % 2 or not all(s in COMPARISONS and _is_number(n) for s, n in pairs):
        raise TidegateError(
            f'Filter, at {path}: numeric takes comparisons and numbers, as in [">", 0, "<=", 5].'
        )
    return lambda value: _is_number(value) and all(COMPARISONS[sign](value, number) for sign, number in pairs)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(argument: Any, path: str) -> str:
    if not isinstance(argument, str):
        raise TidegateError(f"Filter, at {path}: expected a text.")
    return argument


def _any(tests: list[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda value: any(test(value) for test in tests)


_RULES: Final[dict[str, Callable[[Any, str], Test]]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _ignoring_case,
    "exists": _exists,
    "anything-but": _anything_but,
    "numeric": _numeric,
}
