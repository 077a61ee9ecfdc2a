"""Two models over the same records: is one better, or is it luck?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from models.evaluation.budgets import rank_names, rank_values
from models.evaluation.columns import rounded
from models.evaluation.intervals import Units
from models.evaluation.measurement import Options
from models.evaluation.ranking import Ranking

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.evaluation.columns import Flags, Floats


def compared(
    candidate: Floats,
    reference: Floats,
    fraud: Flags,
    *,
    cards: NDArray[Any] | None = None,
    options: Options | None = None,
) -> dict[str, Any]:
    """Every ranking figure of both, and the difference (candidate less reference) with its interval.

    Both are measured on the same resamples, so that what is hard for both does not widen the interval.
    `wins` is the share of the resamples in which the candidate is better (half where equal).

    Returns:
        `{"intervals": {…}, "figures": {"auc": {"candidate", "reference", "difference", "wins"},
        "average_precision": …, "precision@0.01": …, "recall@0.01": …}}`;
        a difference has "value", "low", "high".
    """
    options = options or Options()
    units = Units.over(len(fraud), cards)
    rankings = (Ranking(candidate, fraud), Ranking(reference, fraud))
    point = [rank_values(ranking.curve(), options.shares) for ranking in rankings]
    drawn = np.array(
        [
            [rank_values(ranking.curve(weights), options.shares) for ranking in rankings]
            for weights in units.weights(options.bootstrap)
        ]
    ).reshape(-1, 2, len(point[0]))
    found = {}
    for at, name in enumerate(rank_names(options.shares)):
        samples = drawn[:, 0, at] - drawn[:, 1, at]
        finite = samples[np.isfinite(samples)]
        found[name] = {
            "candidate": rounded(point[0][at]),
            "reference": rounded(point[1][at]),
            "difference": options.bootstrap.interval(point[0][at] - point[1][at], samples),
            "wins": rounded(float(((finite > 0) + (finite == 0) / 2).mean())) if len(finite) else None,
        }
    return {"intervals": units.description(options.bootstrap), "figures": found}
