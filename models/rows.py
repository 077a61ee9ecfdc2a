"""Records as training and evaluation need them: their features, when they were, whether they were fraud."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from models.replay import Replay, column
from models.sources import Data, open_sources
from processor.errors import ModelError
from processor.scoring.scorer import DECIMALS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from models.sources import History, Measured
    from models.spec import Spec
    from processor.scoring import Scorer
    from processor.scoring.features import Feature, FeatureSet
    from processor.scoring.features.values import FloatColumn, Matrix

    Progress = Callable[[str, int], None]  # (what is being done, records done)

MOST_TEXTS: Final = 1_000  # whose shares a feature keeps: the commonest; rarer ones count as never seen


@dataclass(frozen=True, slots=True)
class Rows:
    """Records in order of time, those without a time left out. NaN stands where a feature is missing."""

    matrix: Matrix
    time: FloatColumn
    """Epoch seconds."""
    fraud: NDArray[np.bool_] | None
    """By all that is ever heard of a record; None when no record has the label's field."""
    scenario: NDArray[np.int64] | None
    """The kind of fraud, 0 for honest, where it is known."""
    labelled_at: FloatColumn | None = None
    """Since when a record is known to be fraud; infinite where it is none."""
    id: NDArray[Any] | None = None
    """The name of each record, None where it has none."""
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)
    """Raw fields that were asked for."""

    def __len__(self) -> int:
        return len(self.matrix)

    def __getitem__(self, rows: slice | NDArray[Any]) -> Rows:
        """Some of the rows."""

        def of(values: NDArray[Any] | None) -> Any:
            return None if values is None else values[rows]

        return Rows(
            self.matrix[rows],
            self.time[rows],
            of(self.fraud),
            of(self.scenario),
            of(self.labelled_at),
            of(self.id),
            {name: values[rows] for name, values in self.columns.items()},
        )

    def between(self, start: float, end: float = inf) -> Rows:
        """Those of a period, its end not included."""
        return self[slice(*np.searchsorted(self.time, [start, end]).tolist())]


def opened(spec: Spec, paths: Sequence[str | Path], columns: Collection[str] = ()) -> Data:
    """Files, folders and `s3://bucket/prefix`, read as the spec says.

    Args:
        spec: by whose names and aliases.
        paths: where the records are.
        columns: raw fields that are wanted beside those that the spec names, where they are there.
    """
    beside = {spec.label.field, *spec.groups, *columns, *([spec.card] if spec.card else [])}
    return open_sources(
        paths,
        time=spec.time,
        wanted={*spec.reads, *beside},
        aliases=spec.aliases,
        id=spec.id,
        optional=(beside - set(spec.reads)) | {spec.label.field},
        numbers=spec.numbers,
        features=spec.features.names,
        groups=spec.groups,
    )


def gather(
    features: FeatureSet,
    spec: Spec,
    history: History,
    progress: Progress,
    *,
    start: float = -inf,
    end: float = inf,
    columns: Sequence[str] = (),
) -> Rows:
    """The records of a period, as the function would have seen them; earlier ones warm the profiles.

    Events of the gate that hold the features they were judged by are taken by their word.

    Args:
        features: what is measured.
        spec: whose label and card it is.
        history: the data.
        progress: is told of what is done.
        start: of the period, epoch seconds.
        end: of it, not included.
        columns: raw fields that are wanted, beside the card and the groups of the spec.

    Raises:
        ModelError: the data cannot be read.
    """
    names = list(dict.fromkeys([*([spec.card] if spec.card else []), *spec.groups, *columns]))
    if isinstance(history, Data) and history.has_events(progress):
        found = history.measured(spec.label.field, spec.label.equals, progress)
        return _measured(features, spec, found, names).between(start, end)
    told = Replay(features, spec.label, start=start, end=end, columns=names).run(history, progress)
    labelled_at, scenario = np.array(told.labelled_at), np.array(told.scenario, dtype=np.int64)
    return Rows(
        told.matrix,
        np.array(told.time),
        np.isfinite(labelled_at) if told.heard else None,
        scenario if len(scenario) and (scenario >= 0).all() else None,
        labelled_at if told.heard else None,
        np.fromiter(told.ids, dtype=object, count=len(told.ids)),
        {name: column(values) for name, values in told.columns.items()},
    )


def scored(scorer: Scorer, rows: Rows) -> FloatColumn:
    """The score of each row, as the function gives it."""
    matrix = rows.matrix.copy()
    scorer.features.impute(matrix)
    scores: FloatColumn = np.round(scorer.calibration.percentile(scorer.forest.scores(matrix)), DECIMALS)
    return scores


def learn_shares(
    features: Sequence[Feature],
    history: History,
    progress: Progress,
    *,
    start: float = -inf,
    end: float = inf,
) -> tuple[Feature, ...]:
    """The features, those of kind "share" with how common each text is in the period."""
    counts: dict[str, Counter[str]] = {one.of: Counter() for one in features if one.kind == "share"}
    if counts:
        for changed in history.changes(progress):
            if changed.after is not None and changed.before is None and start <= changed.time < end:
                for name, counter in counts.items():
                    if isinstance(value := changed.after.get(name), str):
                        counter[value] += 1
    return tuple(
        replace(one, shares=_shares(counts[one.of])) if one.kind == "share" else one for one in features
    )


def times(history: History, progress: Progress) -> FloatColumn:
    """When each record is from, in order."""
    found = [changed.time for changed in history.changes(progress) if changed.before is None]
    return np.array(found, dtype=np.float64)


def _shares(counter: Counter[str]) -> dict[str, float]:
    commonest = sorted(counter.items(), key=lambda entry: (-entry[1], entry[0]))[:MOST_TEXTS]
    return {text: count / counter.total() for text, count in commonest}


def _measured(features: FeatureSet, spec: Spec, found: Measured, names: Sequence[str]) -> Rows:
    """Rows of events; of the features that the spec has, those that are wanted."""
    known = list(spec.features.names)
    if missing := [name for name in features.names if name not in known]:
        raise ModelError(f"the events were asked for other features than {missing[0]}")
    at = [known.index(name) for name in features.names]
    scenario = found.scenario
    return Rows(
        found.matrix[:, at],
        found.time,
        found.fraud,
        scenario if (scenario >= 0).all() else None,
        np.where(np.isnan(found.labelled_at), inf, found.labelled_at),
        found.id,
        {name: values for name, values in found.columns.items() if name in names},
    )
