"""scrub: personal data recognised in free text is replaced by its name, as in `call me at [phone]`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from processor.policy.actions.action import Options, Transform
from processor.policy.detection import ENTITIES, TEXT_CHARACTERS_MAX, finder
from processor.policy.kinds import Choice, Many, key
from processor.policy.notes import REDACTED, Mismatch

if TYPE_CHECKING:
    from processor.crypto import KeyRing
    from processor.policy.notes import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrub(Options):
    """Replace what is recognised in free text."""

    entities: tuple[str, ...] = field(
        default=tuple(ENTITIES),
        metadata=key(
            Many(Choice(ENTITIES)), "What to look for. Everything that can be recognised if left out."
        ),
    )

    @property
    def cleared(self) -> tuple[str, ...]:
        """What the rule itself answers for."""
        return self.entities


def scrub(options: Scrub, _keys: KeyRing) -> Transform:
    """Clean texts. One longer than what is searched in bounded time is redacted as a whole."""
    find = finder(options.entities)

    def apply(value: Any, record: Record) -> Any:
        if type(value) is not str:
            raise Mismatch
        if len(value) > TEXT_CHARACTERS_MAX:
            record.notes.oversized += 1
            return REDACTED
        spans = find(value)
        if not spans:
            return value
        scrubbed, end = record.notes.scrubbed, 0
        pieces: list[str] = []
        for span in spans:
            scrubbed[span.entity] = scrubbed.get(span.entity, 0) + 1
            pieces += value[end : span.start], f"[{span.entity}]"
            end = span.end
        return "".join(pieces) + value[end:]

    return apply
