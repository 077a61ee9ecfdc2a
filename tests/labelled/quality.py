"""How well spans agree with labels: recall and precision by entity.

A span finds a label of its entity if the two share at least half of what they cover together: intersection
over union in characters, as Presidio's own evaluator has it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.labelled.texts import Label, Labelled

SHARED_MIN = 0.5
# A birth date called a date is not found, but no fault of the date's either.
WIDER = {"birth_date": "date"}
# A passport's form does not tell its country: found by either name, it is found.
SAME = {"us_passport": "passport"}


class Found(NamedTuple):
    """What a tool found."""

    entity: str
    start: int
    end: int


@dataclass(slots=True)
class Tally:
    """Of one entity: how many were found, and in what company others were missed or wrongly found."""

    found: int = 0
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """What share of the labels was found."""
        return self.found / (self.found + len(self.missed)) if self.found or self.missed else 1.0

    @property
    def precision(self) -> float:
        """What share of what was found is labelled."""
        return self.found / (self.found + len(self.wrong)) if self.found or self.wrong else 1.0


def tallies(texts: Sequence[Labelled], spans: Iterable[Sequence[Found]]) -> dict[str, Tally]:
    """By entity, how the spans of each text agree with its labels."""
    by_entity: dict[str, Tally] = defaultdict(Tally)
    for (_, text, labels), found in zip(texts, spans, strict=True):
        open_labels = list(labels)
        for span in found:
            label = _label_of(span, open_labels)
            if label:
                open_labels.remove(label)
                by_entity[label.entity].found += label.is_required
            elif not _is_excused(span, labels):
                by_entity[span.entity].wrong.append(_excerpt(text, span.start, span.end))
        for label in open_labels:
            if label.is_required:
                by_entity[label.entity].missed.append(_excerpt(text, label.start, label.end))
    return by_entity


def _label_of(span: Found, labels: Iterable[Label]) -> Label | None:
    return next(
        (label for label in labels if _kind(label) == _kind(span) and _shared(span, label) >= SHARED_MIN),
        None,
    )


def _kind(one: Found | Label) -> str:
    return SAME.get(one.entity, one.entity)


def _is_excused(span: Found, labels: Iterable[Label]) -> bool:
    """Whether a span that finds no label lies on one that allows it."""
    return any(
        (WIDER.get(label.entity) == span.entity or (label.entity == span.entity and not label.is_required))
        and _shared(span, label) > 0
        for label in labels
    )


def _shared(span: Found, label: Label) -> float:
    both = min(span.end, label.end) - max(span.start, label.start)
    return max(both, 0) / (max(span.end, label.end) - min(span.start, label.start))


def _excerpt(text: str, start: int, end: int) -> str:
    """What a person needs to see why: the span between brackets with a little of what is around it."""
    return f"{text[max(0, start - 30) : start]}[{text[start:end]}]{text[end : end + 12]}".replace("\n", "⏎")
