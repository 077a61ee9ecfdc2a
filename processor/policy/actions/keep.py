"""keep: the value leaves as it is, unless the leak guard recognises personal data in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from processor.policy.actions.action import Options, Transform, is_exact
from processor.policy.kinds import Many, key
from processor.policy.notes import Mismatch
from processor.policy.sections import EntityName

if TYPE_CHECKING:
    from processor.policy.actions.action import Means
    from processor.policy.notes import Record

_ALWAYS = frozenset({str, bool, bytes})


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep(Options):
    """Let the value out unchanged."""

    allow: tuple[str, ...] = field(
        default=(),
        metadata=key(
            Many(EntityName(), least=0),
            "Entities that may be in the value: the leak guard lets them pass.",
        ),
    )

    @property
    def cleared(self) -> tuple[str, ...]:
        """What the rule itself answers for."""
        return self.allow

    @property
    def entity_names(self) -> dict[str, tuple[str, ...]]:
        """What it names."""
        return {"allow": self.allow}


def keep(_options: Keep, _means: Means) -> Transform:
    """Give back any scalar."""

    def apply(value: Any, _record: Record) -> Any:
        kind = type(value)
        if kind in _ALWAYS or ((kind is int or kind is Decimal) and is_exact(value)):
            return value
        raise Mismatch

    return apply
