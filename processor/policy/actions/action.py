"""What every action is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from processor.crypto.typed import NUMBER_EXPONENT_MAX
from processor.policy.kinds import Choice, Flag, key

if TYPE_CHECKING:
    from decimal import Decimal

    from processor.crypto import KeyRing
    from processor.policy.notes import Record

CLASSES = {
    "identifier": "names one person or account by itself: a name, an e-mail address, an account number",
    "pan": "a payment card number",
    "quasi": "narrows down who it may be once combined with others: birth date, postcode, address, IP",
    "sensitive": "must not be known about a person: health, belief, union membership and the like",
    "secret": "opens something: a password, a card verification code, a signature",
    "public": "says nothing about a person",
}

INTEGER_BITS_MAX = 432  # 10 to the 130th

Transform = Callable[[Any, "Record"], Any]
"""(value, record) → value. Never meets null. Raises `Mismatch` for a value it does not handle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What every rule may say; actions add their own."""

    data_class: str | None = field(
        default=None,
        metadata=key(
            Choice(CLASSES), "What sort of field it is, for the standards that speak of it.", name="class"
        ),
    )
    required: bool = field(
        default=False,
        metadata=key(
            Flag(), "Whether a record without the field goes to quarantine: guards against misspelled paths."
        ),
    )

    @property
    def cleared(self) -> tuple[str, ...]:
        """Entities that the leak guard need not look for in what this rule lets out."""
        return ()


@dataclass(frozen=True, slots=True)
class Action:
    """One line of the registry.

    `build` looks at the options once and returns the specialised transform: nothing is decided again per
    value.
    """

    options: type[Options]
    build: Callable[[Any, KeyRing], Transform]
    exposure: int
    """How much its output reveals, from 0 (nothing) to 100 (all): an order, not a measure."""
    reversible: bool = False
    """Whether someone with the keys can get the value back."""
    joinable: bool = False
    """Whether equal values stay equal and different ones different."""
    guarded: bool = True
    """Whether the leak guard looks at its output. Not where that is a constant or made by a key."""
    whole: bool = False
    """Whether it takes maps and lists whole. The others reach into them by paths."""


def is_exact(number: int | Decimal) -> bool:
    """Whether a number is within DynamoDB's range: one that is not would take megabytes to write out."""
    if isinstance(number, int):
        return number.bit_length() <= INTEGER_BITS_MAX
    return number.is_finite() and abs(number.adjusted()) <= NUMBER_EXPONENT_MAX
