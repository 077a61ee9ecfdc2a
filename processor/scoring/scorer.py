"""Scores a batch: features, forest, percentile, and for what is flagged the reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from processor.scoring import calibration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from processor.scoring.calibration import Calibration
    from processor.scoring.features import FeatureSet
    from processor.scoring.kernel import Forest

REASONS: Final = 3
# Rounded before the threshold is applied: the last bits of a power differ between processors, and a batch
# that is delivered again, perhaps elsewhere, has to give the same bytes.
DECIMALS: Final = 6


class Reason(NamedTuple):
    """A feature that made a record suspicious, and by how much of the raw score."""

    feature: str
    weight: float


class Fraud(NamedTuple):
    """What the gate says about one record."""

    score: float  # percentile, 0 to 1
    flagged: bool
    reasons: tuple[Reason, ...]  # the strongest first; none unless flagged
    model: str
    imputed: int  # features that the record lacked


class Scorer:
    """A model in use. `load_scorer` makes one from an artefact."""

    def __init__(self, *, model: str, features: FeatureSet, forest: Forest, calibration: Calibration) -> None:
        self.model = model
        self.reads = features.reads
        self.features = features
        self.forest = forest
        self.calibration = calibration

    def threshold(self, flag_at: str | float) -> float:
        """The score from which records are flagged: "p99.5" or 0.995.

        Raises:
            ModelError: it is neither.
        """
        return calibration.threshold(flag_at)

    def score(self, images: Sequence[Mapping[str, Any]], threshold: float) -> list[Fraud]:
        """One verdict per image, in order. Raw values do not leave: only scores and names of features do."""
        if not images:
            return []
        matrix = self.features.measure(images)
        imputed = self.features.impute(matrix)
        scores = np.round(self.calibration.percentile(self.forest.scores(matrix)), DECIMALS)
        flagged = scores >= threshold
        reasons = iter(self._reasons(matrix[flagged]))
        return [
            Fraud(score, flag, next(reasons) if flag else (), self.model, lacking)
            for score, flag, lacking in zip(scores.tolist(), flagged.tolist(), imputed.tolist(), strict=True)
        ]

    def _reasons(self, matrix: NDArray[np.float32]) -> list[tuple[Reason, ...]]:
        """The features that speak for suspicion, of each row: the strongest three at most."""
        weights = np.round(self.forest.contributions(matrix), DECIMALS)
        strongest = np.argsort(-weights, axis=1, kind="stable")[:, :REASONS]
        return [
            tuple(Reason(self.features.names[at], row[at]) for at in order if row[at] > 0)
            for order, row in zip(strongest.tolist(), weights.tolist(), strict=True)
        ]
