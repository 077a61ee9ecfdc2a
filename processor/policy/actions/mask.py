"""mask: a sign stands for each character of the value, or eight for all; if asked, its ends stay readable."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from processor.policy.actions.action import Options, Transform, is_exact
from processor.policy.actions.separators import between
from processor.policy.kinds import Choice, Text, Whole, key
from processor.policy.notes import Mismatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.actions.action import Means
    from processor.policy.kinds import Fault
    from processor.policy.notes import Record

ENDS_MAX: Final = 12  # characters at one end
FIXED: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask(Options):
    """Replace characters by a sign."""

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
    length: str = field(
        default="same",
        metadata=key(
            Choice(
                {
                    "same": "one sign for each hidden character",
                    "fixed": f"{FIXED} signs, however many characters are hidden",
                }
            ),
            "Whether the length shows.",
        ),
    )

    def faults(self) -> Iterator[Fault]:
        """What contradicts what."""
        if self.keep and self.length == "fixed":
            yield ("keep",), "separators cannot stay in their places where the length is fixed"

    @property
    def revealed(self) -> float:
        """By the readable characters; the length and the separators a little."""
        readable = (self.keep_first + self.keep_last) / (2 * ENDS_MAX)
        return 0.85 * readable + 0.1 * (self.length == "same") + 0.05 * (self.keep != "")


def mask(options: Mask, _means: Means) -> Transform:
    """Hide texts and numbers; one too short to have a hidden part beside its readable ends, as a whole."""
    first, last, char = options.keep_first, options.keep_last, options.char
    fixed = char * FIXED if options.length == "fixed" else ""

    def hidden(text: str) -> str:
        length = len(text)
        if length <= first + last:
            return fixed or char * length
        return text[:first] + (fixed or char * (length - first - last)) + text[length - last :]

    masked = between(options.keep, hidden)

    def apply(value: Any, _record: Record) -> Any:
        kind = type(value)
        if kind is str:
            return masked(value)
        if (kind is int or kind is Decimal) and is_exact(value):
            return masked(f"{value:f}" if kind is Decimal else str(value))
        raise Mismatch

    return apply
