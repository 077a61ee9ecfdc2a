"""Whether scores mean what they say: an alert rate on any day, and (more or less) a share of fraud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from models.evaluation.columns import days, ratio, rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.evaluation.columns import Codes, Flags, Floats

# Finer where the thresholds are: a score is a percentile, and the fraud is in its last per cent.
EDGES: Final = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 1.0)


def score_bins(scores: Floats, fraud: Flags | None, edges: Sequence[float] = EDGES) -> dict[str, Any]:
    """Records and share of fraud in each range of scores, the lower edge included (and the last upper one).

    `expected_calibration_error` is the distance between mean score and share of fraud, averaged over the
    records: it speaks of scores read as probabilities of fraud. `percentile_error` speaks of them as
    percentiles: the largest distance, over the edges, between the share of records at or above an edge and
    the share that the edge promises.
    """
    bin_of = np.clip(np.searchsorted(np.array(edges), scores, side="right") - 1, 0, len(edges) - 2)
    count = np.bincount(bin_of, minlength=len(edges) - 1)
    total = np.bincount(bin_of, weights=scores, minlength=len(edges) - 1)
    bad = None if fraud is None else np.bincount(bin_of[fraud], minlength=len(edges) - 1)
    above = np.cumsum(count[::-1])[::-1] / max(len(scores), 1)
    found = {
        "bins": [
            {
                "from": edges[at],
                "to": edges[at + 1],
                "records": int(count[at]),
                "mean_score": rounded(ratio(total[at], count[at])),
                "fraud": None if bad is None else int(bad[at]),
                "fraud_share": None if bad is None else rounded(ratio(bad[at], count[at]), 6),
            }
            for at in range(len(count))
        ],
        "expected_calibration_error": None,
        "percentile_error": rounded(float(np.abs(above - (1 - np.array(edges[:-1]))).max())),
    }
    if bad is not None and len(scores):
        found["expected_calibration_error"] = rounded(float(np.abs(total - bad).sum() / len(scores)), 6)
    return found


def alert_rates(scores: Floats, time: Floats, thresholds: Sequence[float]) -> list[dict[str, Any]]:
    """Of each threshold: the alert rate that it promises, and the one that it had, over all and by day."""
    codes = day_codes(time)
    records = np.bincount(codes)
    found = []
    for threshold in thresholds:
        alerts = np.bincount(codes[scores >= threshold], minlength=len(records))
        by_day = alerts / records
        promised = 1 - threshold
        overall = ratio(alerts.sum(), records.sum())
        found.append(
            {
                "threshold": threshold,
                "promised": rounded(promised, 6),
                "alert_rate": rounded(overall, 6),
                "ratio": rounded(None if overall is None else ratio(overall, promised)),
                "lowest_day": rounded(float(by_day.min()), 6) if len(by_day) else None,
                "highest_day": rounded(float(by_day.max()), 6) if len(by_day) else None,
            }
        )
    return found


def day_codes(time: Floats) -> Codes:
    """A number from 0 for each day that has records, in order."""
    return np.unique(days(time), return_inverse=True)[1].astype(np.intp)
