"""redact: a constant stands where the value was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from processor.policy.actions.action import Options, Transform
from processor.policy.notes import REDACTED

if TYPE_CHECKING:
    from processor.policy.actions.action import Means
    from processor.policy.notes import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Redact(Options):
    """Show that there was a value, and nothing of it."""


def redact(_options: Redact, _means: Means) -> Transform:
    """Give the same text for whatever it meets: maps, lists and null included."""

    def apply(_value: Any, _record: Record) -> Any:
        return REDACTED

    return apply
