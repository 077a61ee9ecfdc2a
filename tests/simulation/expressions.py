"""DynamoDB's expressions, as far as the gate writes them: conditions, filters, updates.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Item = Mapping[str, Any]
    Operand = Callable[[Item, Mapping[str, Any]], Any]
    Condition = Callable[[Item, Mapping[str, Any]], bool]

TOKEN = re.compile(r"\s*(<=|>=|<>|[=<>(),+-]|[:#]?[\w.]+)")
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
CLAUSE = re.compile(r"\b(SET|REMOVE|ADD|DELETE)\b")


def holds(expression: str, item: Item, values: Mapping[str, Any], names: Mapping[str, str]) -> bool:
    """Whether a condition holds of an item; of none, which is an empty one, too."""
    return _condition(_named(expression, names))(item, values)


def updated(
    expression: str, item: Item, values: Mapping[str, Any], names: Mapping[str, str]
) -> dict[str, Any]:
    """The item after an update."""
    pieces = CLAUSE.split(_named(expression, names))[1:]
    after = dict(item)
    for clause, body in zip(pieces[::2], pieces[1::2], strict=True):
        parser = _Parser(body)
        while True:
            name = parser.take()
            if clause == "SET":
                assert parser.take() == "="
                after[name] = parser.operand()(item, values)
            elif clause == "ADD":
                after[name] = _added(item.get(name), values[parser.take()])
            else:
                assert clause == "REMOVE"
                after.pop(name, None)
            if parser.peek() != ",":
                break
            parser.take()
        assert parser.peek() is None, f"not understood: {expression}"
    return after


def _added(before: Mapping[str, Any] | None, more: Mapping[str, Any]) -> dict[str, Any]:
    """A number with another added, or a set with members added."""
    ((kind, value),) = more.items()
    there = before[kind] if before else None
    if kind == "N":
        return {"N": str(Decimal(there or 0) + Decimal(value))}
    return {kind: sorted({*(there or ()), *value})}


def _named(expression: str, names: Mapping[str, str]) -> str:
    return re.sub(r"#\w+", lambda found: names[found[0]], expression) if names else expression


@lru_cache(256)
def _condition(expression: str) -> Condition:
    parser = _Parser(expression)
    condition = parser.either()
    assert parser.peek() is None, f"not understood: {expression}"
    return condition


def _compare(how: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    """Of two typed values; what is not there, or is of another type, compares as false."""
    if left is None or right is None or left.keys() != right.keys():
        return False
    ((kind, a),), ((_, b),) = left.items(), right.items()
    return how(Decimal(a), Decimal(b)) if kind == "N" else how(a, b)


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens, self._at = TOKEN.findall(text), 0

    def peek(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def take(self) -> str:
        self._at += 1
        return str(self._tokens[self._at - 1])

    def either(self) -> Condition:
        parts = [self._both()]
        while self.peek() == "OR":
            self.take()
            parts.append(self._both())
        return lambda item, values: any(part(item, values) for part in parts)

    def _both(self) -> Condition:
        parts = [self._one()]
        while self.peek() == "AND":
            self.take()
            parts.append(self._one())
        return lambda item, values: all(part(item, values) for part in parts)

    def _one(self) -> Condition:
        if self.peek() == "NOT":
            self.take()
            inner = self._one()
            return lambda item, values: not inner(item, values)
        if self.peek() == "(":
            self.take()
            inner = self.either()
            assert self.take() == ")"
            return inner
        if self.peek() in {"attribute_exists", "attribute_not_exists", "begins_with"}:
            return self._function()
        left = self.operand()
        operator = self.take()
        if operator == "BETWEEN":
            low = self.operand()
            assert self.take() == "AND"
            high = self.operand()
            return lambda item, values: (
                _compare(COMPARISONS[">="], left(item, values), low(item, values))
                and _compare(COMPARISONS["<="], left(item, values), high(item, values))
            )
        how, right = COMPARISONS[operator], self.operand()
        return lambda item, values: _compare(how, left(item, values), right(item, values))

    def _function(self) -> Condition:
        name = self.take()
        assert self.take() == "("
        attribute = self.take()
        if name == "begins_with":
            assert self.take() == ","
            start = self.take()
            assert self.take() == ")"
            return lambda item, values: (
                attribute in item and str(item[attribute]["S"]).startswith(values[start]["S"])
            )
        assert self.take() == ")"
        wanted = name == "attribute_exists"
        return lambda item, _values: (attribute in item) is wanted

    def operand(self) -> Operand:
        name = self.take()
        if name == "if_not_exists":
            assert self.take() == "("
            attribute = self.take()
            assert self.take() == ","
            other = self.operand()
            assert self.take() == ")"
            return lambda item, values: item[attribute] if attribute in item else other(item, values)
        if name.startswith(":"):
            return lambda _item, values: values[name]
        return lambda item, _values: item.get(name)
