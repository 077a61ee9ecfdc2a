"""What a desk that looks at so many alerts finds, and what that is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models.evaluation.calibration import day_codes
from models.evaluation.columns import ratio, rounded
from models.evaluation.ranking import Ranking, auc, average_precision

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from models.evaluation.columns import Flags, Floats
    from models.evaluation.intervals import Bootstrap
    from models.evaluation.ranking import Curve


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What an alert costs and brings, in the currency of the amounts."""

    cost_per_alert: float = 10.0
    recovered: float = 1.0  # share of the amount that looking at a fraud saves

    def of(self, alerts: float, saved: float) -> float:
        """The amount saved less the cost of looking."""
        return self.recovered * saved - self.cost_per_alert * alerts

    def best(self, curve: Curve) -> dict[str, Any]:
        """How many of the highest scores it would have paid most to look at, in hindsight."""
        values = self.recovered * curve.saved - self.cost_per_alert * curve.alerts
        at = int(values.argmax())
        return {
            "alerts": int(curve.alerts[at]),
            "share": rounded(ratio(curve.alerts[at], curve.records), 6),
            "value": rounded(values[at], 2),
        }


def rank_names(shares: Sequence[float]) -> list[str]:
    """Of the figures of `rank_values`, in their order."""
    return ["auc", "average_precision"] + [
        f"{name}@{share:g}" for share in shares for name in ("precision", "recall")
    ]


def rank_values(curve: Curve, shares: Sequence[float]) -> list[float]:
    """AUC, average precision, and precision and recall among each share of the highest scores."""
    found = [auc(curve), average_precision(curve)]
    for share in shares:
        alerts = share * curve.records
        caught = curve.caught_at(alerts)
        found += [caught / alerts if alerts else np.nan, caught / curve.fraud if curve.fraud else np.nan]
    return found


def worth_of(curve: Curve, alerts: float, worth: Worth | None) -> dict[str, Any]:
    """What a number of the highest scores saves; nothing where amounts are not known."""
    if worth is None:
        return {}
    saved = curve.saved_at(alerts)
    return {
        "saved": rounded(saved, 2),
        "saved_share": rounded(ratio(saved, float(curve.saved[-1]))),
        "value": rounded(worth.of(alerts, saved), 2),
    }


def daily_budgets(
    scores: Floats,
    fraud: Flags,
    amounts: Floats | None,
    time: Floats,
    per_day: Iterable[int],
    *,
    worth: Worth,
    bootstrap: Bootstrap,
) -> list[dict[str, Any]]:
    """What the highest scores of each day catch, over all days; intervals over days."""
    code = day_codes(time)
    curves = []
    for day in range(code.max(initial=-1) + 1):
        rows = code == day
        known = None if amounts is None else amounts[rows]
        curves.append(Ranking(scores[rows], fraud[rows], known).curve())
    all_fraud = np.array([curve.fraud for curve in curves])
    found = []
    for most in per_day:
        alerts = np.array([min(most, curve.records) for curve in curves])
        caught = np.array([curve.caught_at(most) for curve in curves])
        saved = sum(curve.saved_at(most) for curve in curves)
        value = None if amounts is None else worth.of(float(alerts.sum()), saved)
        found.append(
            {
                "alerts_per_day": most,
                "alerts": int(alerts.sum()),
                "precision": bootstrap.ratio(caught, alerts),
                "recall": bootstrap.ratio(caught, all_fraud),
                "saved": None if amounts is None else rounded(saved, 2),
                "value": rounded(value, 2),
            }
        )
    return found
