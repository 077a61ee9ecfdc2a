"""drop: the field does not leave, and nothing says that it was there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from processor.policy.actions.action import Options, Transform

if TYPE_CHECKING:
    from processor.policy.actions.action import Means
    from processor.policy.notes import Record

OMITTED: Final = object()
"""What a transform gives for a field that does not leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop(Options):
    """Leave the field out."""


def drop(_options: Drop, _means: Means) -> Transform:
    """Give `OMITTED` for whatever it meets, maps and lists included."""

    def apply(_value: Any, record: Record) -> Any:
        record.notes.dropped += 1
        return OMITTED

    return apply
