"""The card's pictures of a model that was trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from models import pictures
from models.drift import Baseline
from models.evaluation.calibration import score_bins
from models.rows import scored

if TYPE_CHECKING:
    from models.rows import Rows
    from models.training import Trained
    from processor.scoring import Scorer

MOST_ROWS: Final = 2_000  # of which contributions are worked out


def drawn(trained: Trained) -> dict[str, bytes]:
    """The pictures by name; of later records only where there are labels of both kinds."""
    found = {"drift_baseline.svg": pictures.drift_baseline(Baseline.from_content(trained.baseline))}
    later = trained.held_out
    if later is not None and len(later):
        found["importance.svg"] = pictures.importance(_importance(trained.scorer, later))
        if later.fraud is not None and later.fraud.any() and not later.fraud.all():
            scores = scored(trained.scorer, later)
            found["precision_recall.svg"] = pictures.precision_recall(scores, later.fraud)
            found["score_histogram.svg"] = pictures.score_histogram(scores, later.fraud)
            found["calibration.svg"] = pictures.calibration(score_bins(scores, later.fraud)["bins"])
    return {name: text.encode() for name, text in sorted(found.items())}


def _importance(scorer: Scorer, later: Rows) -> dict[str, float]:
    """By how much each feature moves the score, on average and in either direction."""
    matrix = later.matrix[:: max(1, -(-len(later) // MOST_ROWS))].copy()
    scorer.features.impute(matrix)
    moved = np.abs(scorer.forest.contributions(matrix)).mean(axis=0)
    return dict(zip(scorer.features.names, moved.tolist(), strict=True))
