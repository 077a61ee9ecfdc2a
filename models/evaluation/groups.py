"""Rates by the values of a column, and how far they are apart between groups of people.

Disparities are fairlearn's: the largest difference and the smallest ratio between any two groups
(https://fairlearn.org/stable/user_guide/assessment/common_fairness_metrics.html). One thing differs: a group
without enough fraud has no recall here, where fairlearn counts it as 0.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from models.evaluation.columns import MISSING, labels, ratio, rounded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from models.evaluation.columns import Codes, Flags, Floats
    from models.evaluation.intervals import Bootstrap, Units

MOST_VALUES: Final = 50  # the commonest; the rest is one value
OTHER: Final = "(other)"
SMALLEST_GROUP: Final = 500  # records: at an alert rate of 0.5 % fewer have no alert to speak of
SMALLEST_FRAUD: Final = 20  # fraud in a group whose recall is compared

RATES: Final = ("alert_rate", "true_positive_rate", "false_positive_rate")


class Counts(NamedTuple):
    """Of each group."""

    records: Floats
    fraud: Floats
    alerts: Floats
    caught: Floats

    def rates(self) -> NDArray[np.float64]:
        """Alert rate, true and false positive rate of each group, a row each; NaN of nothing."""
        honest = self.records - self.fraud
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.array(
                [self.alerts / self.records, self.caught / self.fraud, (self.alerts - self.caught) / honest]
            )


class Groups:
    """The records of each value of a column."""

    __slots__ = ("_caught", "_flagged", "_fraud", "_of", "names")

    def __init__(self, column: NDArray[Any], flagged: Flags, fraud: Flags) -> None:
        """Args: of each record the value, whether it was flagged, whether it was fraud."""
        texts = labels(column)
        common = dict(Counter(texts.tolist()).most_common(MOST_VALUES))
        if len(common) == MOST_VALUES:
            texts = np.where(np.isin(texts, list(common)), texts, OTHER)
        names, of = np.unique(texts, return_inverse=True)
        self.names: list[str] = names.tolist()
        self._of: Codes = of.astype(np.intp)
        self._fraud, self._flagged = np.flatnonzero(fraud), np.flatnonzero(flagged)
        self._caught = np.flatnonzero(fraud & flagged)

    def counts(self, weights: Floats | None = None) -> Counts:
        """What each group has, with each record counted `weights` times, or once."""
        size = len(self.names)

        def total(rows: NDArray[np.intp] | slice) -> Floats:
            chosen = None if weights is None else weights[rows]
            return np.bincount(self._of[rows], chosen, size).astype(np.float64)

        return Counts(total(slice(None)), total(self._fraud), total(self._flagged), total(self._caught))


def rates(column: NDArray[Any], flagged: Flags, fraud: Flags) -> dict[str, dict[str, Any]]:
    """Of each value of a column: records, fraud, alerts, and the rates among them (None of nothing).

    More than `MOST_VALUES` values are too many to tell apart: the rarer ones are "(other)".
    """
    return _table(Groups(column, flagged, fraud))


def fairness(
    column: NDArray[Any],
    flagged: Flags,
    fraud: Flags,
    *,
    units: Units,
    bootstrap: Bootstrap,
    smallest_group: int = SMALLEST_GROUP,
    smallest_fraud: int = SMALLEST_FRAUD,
) -> dict[str, Any]:
    """Rates of each group, and the disparities between them with intervals.

    A group with fewer records than `smallest_group`, and what is missing or other, is named but not judged;
    one with less fraud than `smallest_fraud` is not judged by its true positive rate. With fewer than two
    groups to judge, a disparity is None.
    """
    groups = Groups(column, flagged, fraud)
    counts = groups.counts()
    named = ~np.isin(groups.names, [MISSING, OTHER])
    large = named & (counts.records >= smallest_group)
    judged = np.array(
        [large, large & (counts.fraud >= smallest_fraud), large & (counts.records > counts.fraud)]
    )
    drawn = [disparities(groups.counts(weights).rates(), judged) for weights in units.weights(bootstrap)]
    found = {
        name: bootstrap.interval(value, np.array([sample[name] for sample in drawn]), 6)
        for name, value in disparities(counts.rates(), judged).items()
    }
    table = _table(groups)
    for name, by_alerts, by_recall in zip(groups.names, *judged[:2].tolist(), strict=True):
        table[name] |= {"judged": by_alerts, "recall_judged": by_recall}
    return {"groups": table, "disparity": found}


def disparities(group_rates: NDArray[np.float64], judged: NDArray[np.bool_]) -> dict[str, float]:
    """Largest difference and smallest ratio of each rate between groups, and fairlearn's four figures.

    Args:
        group_rates: alert rate, true and false positive rate, a row each, a column for each group.
        judged: which of them count. NaN where fewer than two do.
    """
    found: dict[str, float] = {}
    for name, row, counts in zip(RATES, group_rates, judged, strict=True):
        chosen = row[counts & np.isfinite(row)]
        apart = len(chosen) > 1
        found[f"{name}_difference"] = float(np.ptp(chosen)) if apart else np.nan
        found[f"{name}_ratio"] = float(chosen.min() / chosen.max()) if apart and chosen.max() else np.nan
    odds = ("true_positive_rate", "false_positive_rate")
    return found | {
        "demographic_parity_difference": found["alert_rate_difference"],
        "demographic_parity_ratio": found["alert_rate_ratio"],
        "equalized_odds_difference": float(np.max([found[f"{name}_difference"] for name in odds])),
        "equalized_odds_ratio": float(np.min([found[f"{name}_ratio"] for name in odds])),
    }


def _table(groups: Groups) -> dict[str, dict[str, Any]]:
    return {
        name: _row(dict(zip(Counts._fields, values, strict=True)))
        for name, values in zip(groups.names, np.array(groups.counts()).T.tolist(), strict=True)
    }


def _row(counts: Mapping[str, float]) -> dict[str, Any]:
    records, fraud, alerts, caught = (counts[name] for name in Counts._fields)
    return {
        "records": int(records),
        "fraud": int(fraud),
        "alerts": int(alerts),
        "alert_rate": rounded(ratio(alerts, records), 6),
        "precision": rounded(ratio(caught, alerts)),
        "recall": rounded(ratio(caught, fraud)),
        "false_positive_rate": rounded(ratio(alerts - caught, records - fraud), 6),
    }
