"""mask: a character stands for each character of the value; its length stays, and if asked its ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from processor.policy.actions.action import Options, Transform, is_exact
from processor.policy.kinds import Text, Whole, key
from processor.policy.notes import Mismatch

if TYPE_CHECKING:
    from processor.policy.actions.action import Means
    from processor.policy.notes import Record

ENDS_MAX = 12  # characters at one end


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask(Options):
    """Replace characters, keeping the length."""

    keep_first: int = field(
        default=0, metadata=key(Whole(0, ENDS_MAX), "Characters left readable at the start.")
    )
    keep_last: int = field(
        default=0, metadata=key(Whole(0, ENDS_MAX), "Characters left readable at the end.")
    )
    char: str = field(
        default="*",
        metadata=key(
            Text(r"[^\w\s]", "one sign that is not a letter, digit or space"), "What stands for a hidden one."
        ),
    )
    keep: str = field(
        default="",
        metadata=key(
            Text(r"[^\w]{0,16}", "up to 16 separators: no letters or digits"),
            "Separators that stay where they are and do not count, as in `keep: ' -'`.",
        ),
    )


def mask(options: Mask, _means: Means) -> Transform:
    """Hide texts and numbers; one too short to have a hidden part beside its readable ends, as a whole."""
    first, last, char, separators = (
        options.keep_first,
        options.keep_last,
        options.char,
        frozenset(options.keep),
    )

    def hidden(text: str) -> str:
        length = len(text)
        if length <= first + last:
            return char * length
        return text[:first] + char * (length - first - last) + text[length - last :]

    def separated(text: str) -> str:
        shown = iter(hidden("".join(sign for sign in text if sign not in separators)))
        return "".join(sign if sign in separators else next(shown) for sign in text)

    masked = separated if separators else hidden

    def apply(value: Any, _record: Record) -> Any:
        kind = type(value)
        if kind is str:
            return masked(value)
        if (kind is int or kind is Decimal) and is_exact(value):
            return masked(str(value))
        raise Mismatch

    return apply
