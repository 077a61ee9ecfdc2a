"""Rows to train on from the gate's events alone: features as they were measured, labels as they came back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from processor.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.sources.columns import Column
    from models.sources.events import Events

KEEP: Final = "set `score.keep_features: true` in the policy, and train on what the gate writes from then on"


@dataclass(frozen=True, slots=True)
class Measured:
    """The scored insertions, in order of time."""

    matrix: NDArray[np.float32]
    """A row for each, NaN where a feature was missing."""
    time: NDArray[np.float64]
    """Epoch seconds."""
    score: NDArray[np.float64]
    """That the function gave, NaN where it gave none."""
    fraud: NDArray[np.bool_] | None
    """Whether each was found to be fraud by the last that is heard of it; None if no event has the label."""
    labelled_at: NDArray[np.float64]
    """Since when that is known, epoch seconds; NaN where it is not fraud."""
    scenario: NDArray[np.int64]
    id: Column
    """The keys as text."""
    columns: dict[str, Column]
    """The wanted fields of the sanitised images, None where one is missing."""
    without_features: int
    """Insertions that were left out because they have no features, or those of another model."""

    def __len__(self) -> int:
        return len(self.matrix)


def measured(events: Events, field: str, equals: Any, wanted: frozenset[str]) -> Measured:
    """The rows.

    Args:
        events: in order of time.
        field: in which an event says that it was fraud, and
        equals: the value by which it does.
        wanted: fields to have as columns.

    Raises:
        ModelError: no insertion has the features, or the keys do not tell the records apart.
    """
    usable = events.inserts & events.measured
    without = int((events.inserts & ~events.measured).sum())
    if not usable.any():
        raise ModelError(
            f"none of the {without:,} insertions among the events has the features of this model: {KEEP}"
        )
    labelled_at, heard = _labels(events, field, equals)
    rows = np.flatnonzero(usable)
    after = [image or {} for image in events.after[rows].tolist()]
    return Measured(
        matrix=events.features[rows],
        time=events.time[rows],
        score=events.score[rows],
        fraud=~np.isnan(labelled_at[rows]) if heard else None,
        labelled_at=labelled_at[rows],
        scenario=events.scenario[rows],
        id=events.ids[rows],
        columns={
            name: np.fromiter((image.get(name) for image in after), dtype=object, count=len(rows))
            for name in sorted(wanted)
        },
        without_features=without,
    )


def _labels(events: Events, field: str, equals: Any) -> tuple[NDArray[np.float64], bool]:
    """Since when each insertion is known to be fraud, NaN if it is not; and whether any event says either."""
    labelled_at = np.full(len(events.time), np.nan)
    row_of: dict[str, int] = {}
    heard, changes = False, 0
    columns = (events.ids, events.inserts, events.after, events.time)
    for row, (key, is_insert, after, time) in enumerate(
        zip(*(column.tolist() for column in columns), strict=True)
    ):
        if is_insert and key is not None:
            row_of[key] = row
        if after is None or field not in after:
            continue
        heard = True
        changes += not is_insert
        known = row if is_insert else row_of.get(key, -1)
        if known >= 0 and (after[field] == equals) == np.isnan(labelled_at[known]):
            labelled_at[known] = time if after[field] == equals else np.nan
    inserts = int(events.inserts.sum())
    if changes and len(row_of) < inserts / 2:
        raise ModelError(
            "the keys of the events do not tell records apart, so that no label finds its record: let the "
            "policy keep or pseudonymize the table's key"
        )
    return labelled_at, heard
