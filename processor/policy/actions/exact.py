# ruff: noqa: D102  what the two methods of a kind do is said once, on Kind
"""Numbers as they are written: what a value or an option says, without a rounding in between."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact
from typing import TYPE_CHECKING, Any, Final

from processor.crypto.typed import NUMBER_DIGITS_MAX
from processor.policy.actions.action import is_exact
from processor.policy.kinds import UNREADABLE, Problem, name_of, shown
from processor.policy.notes import Mismatch

if TYPE_CHECKING:
    from processor.policy.kinds import Place

NUMERAL: Final = re.compile(r"[+-]?[0-9]{1,38}(?:\.[0-9]{1,38})?")

WIDE: Final = Context(prec=400)
"""For arithmetic on exact numbers: DynamoDB's smallest and largest are 260 digits apart, and 38 long."""

_EXACT: Final = Context(prec=NUMBER_DIGITS_MAX, traps=[Inexact])
_ZERO: Final = Decimal(0)


def exact(value: Any) -> Decimal:
    """The number that a value is or its text writes; `Mismatch` beyond DynamoDB's 38 digits or range."""
    kind = type(value)
    if kind is str:
        if not NUMERAL.fullmatch(value):
            raise Mismatch
    elif not ((kind is int or kind is Decimal) and is_exact(value)):
        raise Mismatch
    try:
        # `or`, because to Decimal -0 is another number than 0.
        return _EXACT.create_decimal(value) or _ZERO
    except Inexact:
        raise Mismatch from None


def written(number: Decimal) -> str:
    """The number's shortest form without an exponent: 100, 0.5."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True, slots=True)
class Amount:
    """A number from `least` to `most`, whole or with a fraction. Kept as read: `decimal` makes it exact."""

    least: int | float
    most: int | float

    def read(self, value: Any, at: Place, problems: list[Problem]) -> Any:
        if type(value) in {int, float} and self.least <= value <= self.most:
            return value
        words = f"a number from {self.least} to {self.most}"
        problems.append(Problem(at, f"{name_of(at)} must be {words}, not {shown(value)}"))
        return UNREADABLE

    def schema(self) -> dict[str, Any]:
        return {"type": "number", "minimum": self.least, "maximum": self.most}


def decimal(amount: float) -> Decimal:
    """The decimal number that the policy writes: 0.1, not the binary fraction next to it."""
    return Decimal(str(amount))
