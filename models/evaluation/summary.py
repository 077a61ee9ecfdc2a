"""The few figures that a model's manifest and card have held so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from models.evaluation.groups import fairness
from models.evaluation.intervals import Bootstrap, Units
from models.evaluation.ranking import Ranking, auc, average_precision

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.evaluation.columns import Flags
    from models.rows import Rows
    from models.spec import Spec
    from processor.scoring import Scorer

FLAG_AT: Final = "p99.5"
DIGITS: Final = 4


def figures(scorer: Scorer, rows: Rows, spec: Spec) -> dict[str, Any]:
    """What the card reports. Without labels of both kinds there is only the alert rate."""
    matrix = rows.matrix.copy()
    imputed = scorer.features.impute(matrix)
    raw = scorer.forest.scores(matrix)
    flagged = scorer.calibration.percentile(raw) >= scorer.threshold(FLAG_AT)
    found: dict[str, Any] = {
        "records": len(rows),
        "imputed_share": _rounded((imputed > 0).mean()),
        "flag_at": FLAG_AT,
        "alert_rate": _rounded(flagged.mean(), 6),
    }
    if rows.fraud is None or rows.fraud.all() or not rows.fraud.any():
        return found
    curve = Ranking(raw, rows.fraud).curve()
    found |= {
        "fraud_share": _rounded(rows.fraud.mean(), 6),
        "auc": _rounded(auc(curve)),
        "average_precision": _rounded(average_precision(curve)),
        "precision": _rounded(rows.fraud[flagged].mean()) if flagged.any() else None,
        "recall": _rounded(flagged[rows.fraud].mean()),
    }
    if rows.scenario is not None:
        found["scenarios"] = _by_scenario(rows.scenario, flagged)
    if groups := _by_group(spec, rows, flagged):
        found["groups"] = groups
    return found


def _by_group(spec: Spec, rows: Rows, flagged: Flags) -> dict[str, dict[str, Any]]:
    """Of each group of the spec that the records know, how the model treats it, and what it is taken from."""
    if rows.fraud is None:
        return {}
    units = Units.over(len(rows), rows.columns.get(spec.card) if spec.card else None)
    return {
        name: {"of": group.said, "field": group.of}
        | fairness(rows.columns[name], flagged, rows.fraud, units=units, bootstrap=Bootstrap())
        for name, group in spec.groups.items()
        if name in rows.columns and any(value is not None for value in rows.columns[name].tolist())
    }


def _by_scenario(scenario: NDArray[np.int64], flagged: NDArray[np.bool_]) -> dict[str, dict[str, Any]]:
    return {
        str(kind): {
            "records": int((scenario == kind).sum()),
            "recall": _rounded(flagged[scenario == kind].mean()),
        }
        for kind in np.unique(scenario[scenario > 0]).tolist()
    }


def _rounded(value: Any, digits: int = DIGITS) -> float:
    return round(float(value), digits)
