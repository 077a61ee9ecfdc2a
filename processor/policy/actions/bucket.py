"""bucket: a number becomes the range it lies in, or is rounded."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from itertools import pairwise
from math import log10
from typing import TYPE_CHECKING, Any, Final

from processor.policy.actions.action import Options, Transform
from processor.policy.actions.exact import WIDE, Amount, decimal, exact, written
from processor.policy.kinds import Many, Whole, key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.actions.action import Means
    from processor.policy.kinds import Fault
    from processor.policy.notes import Record

AMOUNT_MAX: Final = 10**15
WIDTH: Final = Amount(1e-9, AMOUNT_MAX)
EDGE: Final = Amount(-AMOUNT_MAX, AMOUNT_MAX)
DIGITS: Final = 1
DIGITS_MAX: Final = 6
WAYS: Final = ("edges", "width", "step", "digits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket(Options):
    """Replace a number, or a text that writes one, by its range (`edges`, `width`) or round it (the others).

    A range holds its lower end and not its upper one: 100 is in `100-200`.
    """

    edges: tuple[int | float, ...] | None = field(
        default=None,
        metadata=key(Many(EDGE), "Ends of ranges, rising: [0, 100] gives `<0`, `0-100` and `>=100`."),
    )
    width: int | float | None = field(
        default=None, metadata=key(WIDTH, "Ranges of one width: 50 gives `0-50`, `50-100` and so on.")
    )
    start: int | float | None = field(
        default=None, metadata=key(EDGE, "With `width`, where some range starts. 0 if left out.", name="from")
    )
    step: int | float | None = field(
        default=None,
        metadata=key(
            WIDTH, "To its nearest multiple, a number: 50 makes 80 of 80 to 50 of 74; ties to even."
        ),
    )
    digits: int | None = field(
        default=None,
        metadata=key(
            Whole(1, DIGITS_MAX),
            "To so many leading digits, a number: 2 makes 12000 of 12345. 1 if nothing else is said.",
        ),
    )

    def faults(self) -> Iterator[Fault]:
        """What contradicts what."""
        said = [way for way in WAYS if getattr(self, way) is not None]
        if len(said) > 1:
            yield (said[-1],), f"bucket takes one of {', '.join(WAYS)}, not {' and '.join(said)}"
        if self.start is not None and self.width is None:
            yield ("from",), "from goes with `width` only"
        if any(low >= high for low, high in pairwise(self.edges or ())):
            yield ("edges",), "the edges must rise"

    @property
    def revealed(self) -> float:
        """The finer the more; what comes out of few edges is the least."""
        if self.edges:
            return 0.5 * len(self.edges) / (len(self.edges) + 4)
        width = self.width or self.step
        if width is None:
            return 0.5 + 0.5 * (self.digits or DIGITS) / DIGITS_MAX
        # From 1 at the narrowest to 0 at the widest, by order of magnitude.
        return (log10(AMOUNT_MAX) - log10(width)) / (log10(AMOUNT_MAX) - log10(WIDTH.least))


def bucket(options: Bucket, _means: Means) -> Transform:
    """Label or round numbers."""
    if options.edges:
        return _between(options.edges)
    if options.width is not None:
        return _ranges(decimal(options.width), decimal(options.start or 0))
    if options.step is not None:
        return _multiples(decimal(options.step))
    return _leading(options.digits or DIGITS)


def _between(amounts: tuple[int | float, ...]) -> Transform:
    edges = [decimal(amount) for amount in amounts]
    between = [_range(low, high) for low, high in pairwise(edges)]
    labels = [f"<{written(edges[0])}", *between, f">={written(edges[-1])}"]

    def apply(value: Any, _record: Record) -> Any:
        return labels[bisect_right(edges, exact(value))]

    return apply


def _ranges(width: Decimal, start: Decimal) -> Transform:
    def apply(value: Any, _record: Record) -> Any:
        low = floored(exact(value), width, start)
        return _range(low, WIDE.add(low, width))

    return apply


def _multiples(step: Decimal) -> Transform:
    def apply(value: Any, _record: Record) -> Any:
        times = WIDE.divide(exact(value), step).to_integral_value(ROUND_HALF_EVEN)
        return _number(WIDE.multiply(times, step))

    return apply


def _leading(digits: int) -> Transform:
    rounding = Context(prec=digits, rounding=ROUND_HALF_EVEN)

    def apply(value: Any, _record: Record) -> Any:
        return _number(rounding.create_decimal(exact(value)))

    return apply


def floored(number: Decimal, width: Decimal, start: Decimal = Decimal(0)) -> Decimal:
    """The lower end of the range that a number lies in."""
    times = WIDE.divide(WIDE.subtract(number, start), width).to_integral_value(ROUND_FLOOR)
    return WIDE.add(start, WIDE.multiply(times, width))


def _range(low: Decimal, high: Decimal) -> str:
    # `-10--5` would be for nobody to read.
    return f"{written(low)}{'-' if low >= 0 else ' to '}{written(high)}"


def _number(number: Decimal) -> int | Decimal:
    """As DynamoDB's numbers come: whole ones as int, the others without trailing zeros."""
    whole = number == number.to_integral_value()
    return int(number) if whole else number.normalize(WIDE)
