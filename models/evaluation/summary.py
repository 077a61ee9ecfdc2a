"""The few figures that a model's manifest and card have held so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from models.evaluation.ranking import Ranking, auc, average_precision

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.rows import Rows
    from processor.scoring import Scorer

FLAG_AT: Final = "p99.5"
DIGITS: Final = 4


def figures(scorer: Scorer, rows: Rows) -> dict[str, Any]:
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
    return found


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
