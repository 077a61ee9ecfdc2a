"""scrub: personal data recognised in free text is replaced, as in `call me at [phone]`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from processor.policy.actions.action import Options, Transform
from processor.policy.detection import ENTITIES, SCORES, expanded, finder
from processor.policy.kinds import Choice, Many, key
from processor.policy.notes import Mismatch
from processor.policy.sections import LEVELS, EntityName

if TYPE_CHECKING:
    from processor.policy.actions.action import Means
    from processor.policy.notes import Record

MASK: Final = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrub(Options):
    """Replace what is recognised in free text."""

    entities: tuple[str, ...] = field(
        default=tuple(ENTITIES),
        metadata=key(
            Many(EntityName()),
            "What to look for. Everything that can be recognised if left out, the policy's own included.",
        ),
    )
    least: str = field(
        default="likely",
        metadata=key(Choice(LEVELS), "How sure a finding has to be at least to be replaced."),
    )
    replace: str = field(
        default="name",
        metadata=key(
            Choice(
                {
                    "name": "by what it is, as in `call me at [phone]`",
                    "mask": "by a star for each character: the text keeps its length",
                }
            ),
            "What stands for a finding.",
        ),
    )

    @property
    def revealed(self) -> float:
        """The surer a finding has to be, and the fewer entities are looked for, the more gets through."""
        unsought = 1 - len(expanded(self.entities)) / len(ENTITIES)
        return (
            0.4 * list(LEVELS).index(self.least) + 0.15 * max(unsought, 0) + 0.05 * (self.replace == "mask")
        )

    @property
    def cleared(self) -> tuple[str, ...]:
        """What the rule itself answers for."""
        return self.entities

    @property
    def entity_names(self) -> dict[str, tuple[str, ...]]:
        """What it names."""
        return {"entities": self.entities}


def scrub(options: Scrub, means: Means) -> Transform:
    """Clean texts."""
    entities = options.entities
    if ENTITIES.keys() <= set(entities):
        entities += tuple(one.entity for one in means.recognizers if one.entity not in entities)
    find = finder(entities, least=SCORES[options.least], custom=means.recognizers)
    masked = options.replace == "mask"

    def apply(value: Any, record: Record) -> Any:
        if type(value) is not str:
            raise Mismatch
        spans = find(value)
        if not spans:
            return value
        scrubbed, end = record.notes.scrubbed, 0
        pieces: list[str] = []
        for span in spans:
            scrubbed[span.entity] = scrubbed.get(span.entity, 0) + 1
            stands = MASK * (span.end - span.start) if masked else f"[{span.entity}]"
            pieces += value[end : span.start], stands
            end = span.end
        return "".join(pieces) + value[end:]

    return apply
