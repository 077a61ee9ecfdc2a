"""Scores a batch: features, forest, percentile, and for what is flagged the reasons."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from processor.scoring import calibration, drift
from processor.scoring.features import Memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from processor.scoring.calibration import Calibration
    from processor.scoring.drift import Bins, Spread
    from processor.scoring.features import Contribution, FeatureSet, Step
    from processor.scoring.features.values import FloatColumn, Matrix
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
    features: dict[str, float | None] | None = None  # what it was judged by, if that is to be kept


class Scored(NamedTuple):
    """What a model makes of a batch."""

    verdicts: list[Fraud]
    said: list[list[Contribution]]
    """What each step has added to what is known of its entities."""
    spread: Spread | None
    """How features and scores are spread; None if nothing was scored."""


class Scorer:
    """A model in use. `load_scorer` makes one from an artefact."""

    def __init__(
        self,
        *,
        model: str,
        features: FeatureSet,
        forest: Forest,
        calibration: Calibration,
        bins: Bins | None = None,
    ) -> None:
        self.model = model
        self.reads = features.reads
        self.features = features
        self.forest = forest
        self.calibration = calibration
        self.bins = bins

    def threshold(self, flag_at: str | float) -> float:
        """The score from which records are flagged: "p99.5" or 0.995.

        Raises:
            ModelError: it is neither.
        """
        return calibration.threshold(flag_at)

    def score(
        self, steps: Sequence[Step], threshold: float, memory: Memory | None = None, *, keep: bool = False
    ) -> Scored:
        """The verdicts on the steps that have an `after`, in order, and what led to them.

        Args:
            steps: in the order of the stream.
            threshold: from which score on a step is flagged.
            memory: what is known of the steps' entities; the steps join it.
            keep: whether verdicts say what they were reached by. Otherwise only the names of features leave.
        """
        said: list[list[Contribution]] = []
        matrix = self.features.measure(steps, Memory() if memory is None else memory, said)
        if not len(matrix):
            return Scored([], said, None)
        kept = self._kept(matrix) if keep else [None] * len(matrix)
        measured = matrix.copy()
        imputed = self.features.impute(matrix)
        totals = self.forest.totals(matrix)
        scores = np.round(self.calibration.percentile(self.forest.scores_of(totals)), DECIMALS)
        flagged = (scores >= threshold) & ~self._confirming(steps)
        reasons = iter(self._reasons(matrix[flagged], totals[:, flagged]))
        verdicts = [
            Fraud(score, flag, next(reasons) if flag else (), self.model, lacking, features)
            for score, flag, lacking, features in zip(
                scores.tolist(), flagged.tolist(), imputed.tolist(), kept, strict=True
            )
        ]
        return Scored(verdicts, said, drift.spread(self.bins, measured, scores))

    def _confirming(self, steps: Sequence[Step]) -> NDArray[np.bool_] | np.bool_:
        """Which verdicts are on a change that says that a record is fraud: nobody has to look at those."""
        if (label := self.features.label) is None:
            return np.False_
        return np.array(
            [
                step.before is not None and step.after.get(label.field) == label.equals
                for step in steps
                if step.scored and step.after is not None
            ],
            dtype=bool,
        )

    def _kept(self, matrix: NDArray[np.float32]) -> list[dict[str, float | None]]:
        # Nine digits say which float32 it is.
        return [
            {
                name: None if isnan(value) else float(f"{value:.9g}")
                for name, value in zip(self.features.names, row, strict=True)
            }
            for row in matrix.tolist()
        ]

    def _reasons(self, matrix: Matrix, totals: FloatColumn) -> list[tuple[Reason, ...]]:
        """The features that speak for suspicion, of each row: the strongest three at most."""
        if not len(matrix):
            return []
        weights = np.round(self.forest.contributions(matrix, totals), DECIMALS)
        strongest = np.argsort(-weights, axis=1, kind="stable")[:, :REASONS]
        return [
            tuple(Reason(self.features.names[at], row[at]) for at in order if row[at] > 0)
            for order, row in zip(strongest.tolist(), weights.tolist(), strict=True)
        ]
