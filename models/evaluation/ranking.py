"""How well scores rank: what is caught among the highest, at every number of alerts.

Equal scores are in no order. A budget that ends among them takes its part of them: the figure is the mean
over all their orders, so that the order of the records never changes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from models.evaluation.columns import Flags, Floats


class Curve(NamedTuple):
    """Totals from the highest score down, one entry at the end of each run of equal scores, the first 0."""

    alerts: Floats  # records
    caught: Floats  # fraud among them
    saved: Floats  # amount of that fraud

    @property
    def records(self) -> float:
        """How many there are in all."""
        return float(self.alerts[-1])

    @property
    def fraud(self) -> float:
        """How much of it is fraud."""
        return float(self.caught[-1])

    def caught_at(self, alerts: float) -> float:
        """Fraud among that many of the highest."""
        return float(np.interp(alerts, self.alerts, self.caught))

    def saved_at(self, alerts: float) -> float:
        """Amount of fraud among that many of the highest."""
        return float(np.interp(alerts, self.alerts, self.saved))


class Ranking:
    """Records in order of their scores, sorted once; a curve of any weights of them takes a moment."""

    __slots__ = ("_amounts", "_ends", "_fraud_at", "_fraud_until", "_order", "size")

    def __init__(self, scores: Floats, fraud: Flags, amounts: Floats | None = None) -> None:
        """Args: of each record the score (finite), whether it is fraud, its amount (none: 1 each)."""
        self.size = len(scores)
        self._order = np.argsort(-scores, kind="stable")
        ordered = scores[self._order]
        last = np.append(ordered[1:] != ordered[:-1], [True] * (self.size > 0))
        self._ends = np.flatnonzero(last)
        self._fraud_at = np.flatnonzero(fraud[self._order])
        self._fraud_until = np.searchsorted(self._fraud_at, self._ends, side="right")
        values = np.ones(self.size) if amounts is None else np.nan_to_num(amounts)
        self._amounts = values[self._order][self._fraud_at]

    def curve(self, weights: Floats | None = None) -> Curve:
        """The curve with each record counted `weights` times, or once."""
        if weights is None:
            alerts = self._ends + 1.0
            fraud = np.ones(len(self._fraud_at))
        else:
            ordered = weights[self._order]
            alerts = np.cumsum(ordered, dtype=np.float64)[self._ends]
            fraud = ordered[self._fraud_at].astype(np.float64)
        caught = np.append(0.0, np.cumsum(fraud))
        saved = np.append(0.0, np.cumsum(fraud * self._amounts))
        until = np.append(0, self._fraud_until)
        return Curve(np.append(0.0, alerts), caught[until], saved[until])


def auc(curve: Curve) -> float:
    """Area under the ROC curve: how often fraud scores higher than an honest record, equal scores half.

    NaN without records of both kinds.
    """
    honest = curve.alerts - curve.caught
    if not honest[-1] or not curve.fraud:
        return float("nan")
    area = np.sum(np.diff(honest) * (curve.caught[1:] + curve.caught[:-1])) / 2
    return float(area / (honest[-1] * curve.fraud))


def average_precision(curve: Curve) -> float:
    """Precision at each fraud found, on average; as scikit-learn's `average_precision_score`.

    NaN without fraud.
    """
    if not curve.fraud:
        return float("nan")
    precision = curve.caught[1:] / np.maximum(curve.alerts[1:], 1e-9)
    return float(np.sum(np.diff(curve.caught) * precision) / curve.fraud)
