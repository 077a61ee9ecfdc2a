"""Trains a model: features as the function measures them, scikit-learn's forest, arrays that equal it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sklearn.ensemble import IsolationForest

from models.evaluation import figures
from models.export import isolation_forest
from models.rows import Rows, gather, learn_shares
from processor.errors import ModelError
from processor.scoring import Scorer
from processor.scoring.calibration import Calibration
from processor.scoring.features import FeatureSet

if TYPE_CHECKING:
    from models.rows import Progress
    from models.sources import Source
    from models.spec import Spec
    from processor.scoring.features.values import Matrix
    from processor.scoring.kernel import Forest

FEWEST_RECORDS: Final = 1_000
MOST_MISSING: Final = 0.5


@dataclass(frozen=True, slots=True)
class Trained:
    """A model that was trained and measured, not yet written."""

    spec: Spec
    estimator: IsolationForest
    scorer: Scorer
    figures: dict[str, Any]  # on the held-out records
    training: dict[str, Any]  # what it was trained on


def train(spec: Spec, source: Source, progress: Progress) -> Trained:
    """A model of the spec, trained on the earlier records of the source and measured on the later ones.

    Raises:
        ModelError: the records cannot be used; the message says why.
    """
    features = learn_shares(spec.features, source, progress)
    rows = gather(FeatureSet(features), spec, source, progress)
    split = len(rows) - round(len(rows) * spec.holdout)
    earlier, later = rows[:split], rows[split:]
    _require_usable(spec, earlier)
    medians = np.nanmedian(earlier.matrix, axis=0).tolist()
    feature_set = FeatureSet(
        [replace(feature, median=median) for feature, median in zip(features, medians, strict=True)]
    )

    matrix = earlier.matrix.copy()
    feature_set.impute(matrix)
    progress("growing trees", len(earlier))
    estimator = IsolationForest(
        n_estimators=spec.trees, max_samples=min(spec.samples, len(matrix)), random_state=spec.seed
    ).fit(matrix)
    forest = isolation_forest(estimator)
    require_parity(forest, estimator, matrix[:FEWEST_RECORDS])
    progress("calibrating", len(earlier))
    calibration = Calibration.learn(forest.scores(matrix))
    scorer = Scorer(model=spec.model, features=feature_set, forest=forest, calibration=calibration)
    progress("measuring on later records", len(later))
    training = source.description() | {
        "records": len(earlier),
        "fingerprint": hashlib.sha256(matrix.tobytes()).hexdigest(),
    }
    return Trained(spec, estimator, scorer, figures(scorer, later), training)


def require_parity(forest: Forest, estimator: IsolationForest, matrix: Matrix) -> None:
    """Nothing.

    Raises:
        ModelError: the arrays do not give scikit-learn's scores to the last bit.
    """
    if not np.array_equal(forest.scores(matrix), -estimator.score_samples(matrix)):
        raise ModelError(
            "the arrays do not give scikit-learn's scores: this version of scikit-learn works them out "
            "differently; install the versions of requirements.dev.lock"
        )


def _require_usable(spec: Spec, rows: Rows) -> None:
    if len(rows) < FEWEST_RECORDS:
        raise ModelError(
            f"{len(rows):,} records to train on have a usable {spec.time} (the last {spec.holdout:.0%} are "
            f"held out); training needs {FEWEST_RECORDS:,} or more"
        )
    missing = np.isnan(rows.matrix).mean(axis=0)
    for feature, share in zip(spec.features, missing.tolist(), strict=True):
        if share > MOST_MISSING:
            raise ModelError(
                f"{feature.of} is missing or of the wrong type in {share:.0%} of the records, so that "
                f"{feature.name} cannot be learnt; correct the data, or take the feature out of model.yaml"
            )
