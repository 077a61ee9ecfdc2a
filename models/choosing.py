"""Which estimator: what is searched, and how the others would have done on the same records."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from models.estimators import fit
from models.evaluation import Ranking, auc, average_precision, unknown_cards
from models.spec import ISOLATION_FOREST, PARAMETERS, EstimatorSpec
from processor.scoring.features import FIELD_KINDS, PROFILE_KINDS
from processor.scoring.profiles import DAY_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.rows import Rows
    from models.spec import Spec
    from processor.scoring import Scorer
    from processor.scoring.features import FeatureSet
    from processor.scoring.features.values import Matrix

    Flags = NDArray[np.bool_]

INNER_SHARE: Final = 2 / 3  # of the period, for fitting while parameters are searched
MOST_ROWS: Final = 100_000  # fitted where it is only for comparing
DIGITS: Final = 4


def searched(
    spec: EstimatorSpec, rows: Rows, fraud: Flags | None, model: Spec
) -> tuple[EstimatorSpec, list[dict[str, Any]]]:
    """The estimator with the best of what is searched, and all that was tried.

    Each combination is fitted to the earlier part of the period and measured on the later part, by average
    precision, cards that are known from the earlier part left out.
    """
    if spec.members:
        found = [searched(one, rows, fraud, model) for one in spec.members]
        tried = [one for _, member in found for one in member]
        return replace(spec, members=tuple(one for one, _ in found)), tried
    choices = list(spec.choices())
    if not spec.search:
        return spec, []
    if fraud is None:  # nothing to measure by: the first is taken
        return _set(spec, choices[0]), []
    split = int(len(rows) * INNER_SHARE)
    rest = _unknown(rows, fraud, split, model)
    if len({*fraud[:split].tolist()}) < 2 or len({*fraud[rest].tolist()}) < 2:  # noqa: PLR2004 - both kinds
        return _set(spec, choices[0]), []
    some = _some(split)
    tried = []
    for choice in choices:
        forest = fit(_set(spec, choice), rows.matrix[some], fraud[some], model.seed).forest
        measured = _measured(forest.scores(rows.matrix[rest]), fraud[rest])
        tried.append({"estimator": spec.kind, **choice, **measured})
    best = max(range(len(tried)), key=lambda at: tried[at]["average_precision"])
    return _set(spec, choices[best]), tried


def comparison(
    chosen: EstimatorSpec, scorer: Scorer, trained_on: tuple[Matrix, Flags | None], later: Rows, seed: int
) -> list[dict[str, Any]]:
    """How each estimator does on the held-out records, by its defaults; the one that was chosen comes first.

    Args:
        chosen: the one that is released, as
        scorer: it is.
        trained_on: the rows, and which are fraud.
        later: the held-out records. Without labels of both kinds there, there is nothing to compare.
        seed: of the others.
    """
    if later.fraud is None or later.fraud.all() or not later.fraud.any():
        return []
    (matrix, fraud), features = trained_on, scorer.features
    held_out = later.matrix.copy()
    features.impute(held_out)
    found = [
        {"estimator": f"{chosen.kind}, as released", "features": len(features.names)}
        | _measured(scorer.forest.scores(held_out), later.fraud)
    ]
    some = _some(len(matrix))
    for name, kind, columns in _others(features, supervised=chosen.supervised):
        labels = None if kind == ISOLATION_FOREST or fraud is None else fraud[some]
        other = fit(EstimatorSpec(kind), np.ascontiguousarray(matrix[some][:, columns]), labels, seed).forest
        scores = other.scores(np.ascontiguousarray(held_out[:, columns]))
        found.append({"estimator": name, "features": len(columns)} | _measured(scores, later.fraud))
    return found


def _others(features: FeatureSet, *, supervised: bool) -> list[tuple[str, str, list[int]]]:
    """Of each its name, its kind, and the features that it gets."""
    everything = list(range(len(features.names)))
    raw = [at for at, one in enumerate(features.features) if one.kind in ("number", "log")]
    unlabelled = [
        at
        for at, one in enumerate(features.features)
        if one.kind in FIELD_KINDS or not PROFILE_KINDS[one.kind].needs.labels
    ]
    found = [("isolation_forest on raw numbers", ISOLATION_FOREST, raw)] if raw else []
    found += [("isolation_forest without labels", ISOLATION_FOREST, unlabelled)] if unlabelled else []
    if supervised:
        found += [(kind, kind, everything) for kind in PARAMETERS if kind != ISOLATION_FOREST]
    return found


def _set(spec: EstimatorSpec, choice: dict[str, Any]) -> EstimatorSpec:
    return replace(spec, parameters={**spec.parameters, **choice}, search={})


def _some(rows: int) -> slice:
    return slice(0, rows, max(-(-rows // MOST_ROWS), 1))


def _unknown(rows: Rows, fraud: Flags, split: int, model: Spec) -> Flags:
    """The later part, without cards that are known from the earlier one."""
    if model.card not in rows.columns:
        return np.arange(len(rows)) >= split
    cut, end = float(rows.time[split]), float(rows.time[-1]) + DAY_S
    return unknown_cards(
        rows.time, rows.columns[model.card], fraud, train=(float(rows.time[0]), cut), test=(cut, end),
        delay_days=model.label.after_days,
    )  # fmt: skip


def _measured(scores: NDArray[np.float64], fraud: Flags) -> dict[str, float]:
    curve = Ranking(scores, fraud).curve()
    return {
        "auc": round(float(auc(curve)), DIGITS),
        "average_precision": round(float(average_precision(curve)), DIGITS),
    }
