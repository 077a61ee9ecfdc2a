"""History told again in order of time, through the code that the function uses: what it would have seen when.

A plain image of a record tells its label from the first. In a stream nobody knows it yet: the image is let
through without it, and the label comes back as a change of its own when it is due. Where the data itself has
the changes, labels come when they came.
"""

from __future__ import annotations

from collections import deque
from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from models.halves import other_half, two
from models.uncollected import uncollected
from processor.scoring.features import Memory, Step
from processor.scoring.profiles import DAY_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from models.halves import Half
    from models.sources import History
    from models.sources.changes import Changed
    from processor.scoring.features import FeatureSet, Label
    from processor.scoring.features.values import Matrix

    Progress = Callable[[str, int], None]

BATCH: Final = 4_096  # steps measured at a time: any number gives the same features
REPLAYING: Final = "replaying history"
_UNSAID: Final = object()
_step: Final = tuple.__new__  # a Step without a call of Python's


class Told(NamedTuple):
    """What was seen of the records of a period, a row or an entry for each in order of time."""

    matrix: Matrix
    time: list[float]
    labelled_at: list[float]
    """Since when a record is known to be fraud; infinite where it is none."""
    scenario: list[int]
    ids: list[str | None]
    columns: dict[str, list[Any]]
    heard: bool = False
    """Whether any record has the label's field."""


class Replay:
    """One replay.

    Args:
        features: what is measured.
        label: how a record says that it was fraud, and after how many days a plain image is known to.
        start: of the period whose records are wanted, epoch seconds; earlier ones warm the profiles.
        end: of it, not included.
        columns: raw fields that are wanted beside the features.
    """

    def __init__(
        self,
        features: FeatureSet,
        label: Label,
        *,
        start: float = -inf,
        end: float = inf,
        columns: Sequence[str] = (),
    ) -> None:
        self._features, self._label = features, label
        self._start, self._end = start, end
        self._memory, self._steps = Memory(), list[Step]()
        self._pieces: list[Matrix] = [np.empty((0, len(features.names)), dtype=np.float32)]
        self._due: deque[tuple[float, dict[str, Any], dict[str, Any]]] = deque()
        self._row_of: dict[str, int] = {}
        self._told = Told(self._pieces[0], [], [], [], [], {name: [] for name in columns})
        self._heard = False

    def run(self, history: History, progress: Progress) -> Told:
        """What was seen. With much to see and two cores, two processes look."""
        with uncollected():
            changes = history.changes(progress)
            if not two(history.expected):
                return self._seen(self._measured(changes, progress))
            with other_half(lambda half: half.send(self._measured(changes, _silently, half))) as half:
                return self._seen(half.complete(self._measured(changes, progress, half)))

    def _seen(self, matrix: Matrix) -> Told:
        return self._told._replace(matrix=matrix, heard=self._heard)

    def _measured(self, changes: Iterator[Changed], progress: Progress, half: Half | None = None) -> Matrix:
        for number, changed in enumerate(changes, start=1):
            self._take(changed)
            if len(self._steps) >= BATCH:
                self._measure(half)
                progress(REPLAYING, number)
        self._measure(half)
        return np.concatenate(self._pieces)

    def _take(self, changed: Changed) -> None:
        time, before, after, name, _, scenario = changed
        due = self._due
        while due and due[0][0] <= time:
            _, unlabelled, labelled = due.popleft()
            self._steps.append(Step(unlabelled, labelled, scored=False))
        if before is not None or after is None:
            self._changed(changed)
        elif time < self._end:
            self._inserted(time, after, name, scenario)

    def _inserted(self, time: float, image: dict[str, Any], name: str | None, scenario: int) -> None:
        label, labelled_at = self._label, inf
        seen = dict(image)
        said = seen.pop(label.field, _UNSAID)
        if said is not _UNSAID:
            self._heard = True
            if said == label.equals:
                labelled_at = time + label.after_days * DAY_S
                self._due.append((labelled_at, seen, image))
        wanted = time >= self._start
        self._steps.append(_step(Step, (None, seen, wanted)))
        if not wanted:
            return
        told = self._told
        if name is not None:
            self._row_of[name] = len(told.time)
        told.time.append(time)
        told.labelled_at.append(labelled_at)
        told.scenario.append(scenario)
        told.ids.append(name)
        for column, values in told.columns.items():
            values.append(image.get(column))

    def _changed(self, changed: Changed) -> None:
        """A change or a removal of a record is learnt from, as it came; it may say what was fraud."""
        time, before, after, name, _, _ = changed
        if time < self._end:
            self._steps.append(Step(before, after, scored=False))
        if after is None or name is None or self._label.field not in after:
            return
        self._heard = True
        row, known = self._row_of.get(name), self._told.labelled_at
        if row is not None:
            is_bad = after[self._label.field] == self._label.equals
            known[row] = min(time, known[row]) if is_bad else inf

    def _measure(self, half: Half | None) -> None:
        if self._steps:
            self._pieces.append(self._features.measure(self._steps, self._memory, share=half))
            self._steps = []


def _silently(_what: str, _done: int) -> None:
    """The progress of both is that of one."""


def column(values: list[Any]) -> NDArray[Any]:
    """Values side by side: numbers as such, anything else as it is."""
    if set(map(type, values)) <= {int, float} and values:
        return np.array(values, dtype=np.float64)
    return np.fromiter(values, dtype=object, count=len(values))
