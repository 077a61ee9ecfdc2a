"""scikit-learn's estimators as a spec asks for them, fitted, with the arrays that give their scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    VotingClassifier,
)

from models.export import expected_scores, exported
from models.spec import ISOLATION_FOREST, EstimatorSpec
from processor.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from processor.scoring.features.values import Matrix
    from processor.scoring.kernel import Forest

FEWEST_FRAUDS: Final = 50  # from which on labels are learnt from
CLOSE: Final = 1e-9
PARITY_ROWS: Final = 2_000
JOBS: Final = 2

# What a spec does not set. Small trees, because the artefact travels with every package, and because on a
# week of payments with few frauds larger ones learn them by heart.
DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    ISOLATION_FOREST: {"n_estimators": 100, "max_samples": 512},
    "random_forest": {
        "n_estimators": 40, "criterion": "log_loss", "max_depth": 8, "max_leaf_nodes": 64,
        "min_samples_leaf": 10,
    },
    "extra_trees": {
        "n_estimators": 60, "max_features": None, "max_depth": 9, "max_leaf_nodes": 128,
        "min_samples_leaf": 5,
    },
    "hist_gradient_boosting": {
        "max_iter": 50, "learning_rate": 0.06, "max_leaf_nodes": 12, "max_depth": 6, "min_samples_leaf": 50,
        "l2_regularization": 5.0,
    },
}  # fmt: skip
_CLASSES: Final[Mapping[str, Any]] = {
    ISOLATION_FOREST: IsolationForest,
    "random_forest": RandomForestClassifier,
    "extra_trees": ExtraTreesClassifier,
    "hist_gradient_boosting": HistGradientBoostingClassifier,
}


class Fitted(NamedTuple):
    """A fitted estimator."""

    estimator: Any
    forest: Forest
    """The same as arrays."""


def fit(spec: EstimatorSpec, matrix: Matrix, fraud: NDArray[np.bool_] | None, seed: int) -> Fitted:
    """The estimator, fitted to rows without missing values.

    Args:
        spec: of the estimator; what it searches has been found.
        matrix: rows by features.
        fraud: whether each row is; None only for an isolation forest.
        seed: by which the same rows give the same trees.

    Raises:
        ModelError: the arrays do not give scikit-learn's scores.
    """
    estimator = _made(spec, seed, len(matrix))
    if spec.supervised:
        if fraud is None or fraud.all() or not fraud.any():
            raise ModelError(f"{spec.kind} needs records of both kinds, fraud and honest")
        estimator.fit(matrix, fraud.astype(np.int64))
    else:
        estimator.fit(matrix)
    # Many threads add up in any order: whoever asks the estimator later gets the same bits each time.
    for one in (estimator, *getattr(estimator, "estimators_", ())):
        if getattr(one, "n_jobs", None):
            one.n_jobs = None
    forest = exported(estimator)
    step = max(len(matrix) // PARITY_ROWS, 1)
    require_parity(forest, estimator, matrix[::step])
    return Fitted(estimator, forest)


def require_parity(forest: Forest, estimator: Any, matrix: Matrix) -> None:
    """Nothing.

    Raises:
        ModelError: the arrays do not give scikit-learn's scores.
    """
    if len(matrix) and not np.abs(forest.scores(matrix) - expected_scores(estimator, matrix)).max() <= CLOSE:
        raise ModelError(
            "the arrays do not give scikit-learn's scores: this version of scikit-learn works them out "
            "differently; install the versions of requirements.dev.lock"
        )


def settings(spec: EstimatorSpec) -> dict[str, Any]:
    """The estimator with all that was set and left to the defaults, for the manifest and the card."""
    if spec.members:
        return {
            "kind": spec.kind,
            "blend": [settings(one) | {"weight": one.weight} for one in spec.members],
        }
    return {"kind": spec.kind, **DEFAULTS[spec.kind], **spec.parameters}


def _made(spec: EstimatorSpec, seed: int, rows: int) -> Any:
    if spec.members:
        named = [(f"{at}_{one.kind}", _made(one, seed + at, rows)) for at, one in enumerate(spec.members)]
        return VotingClassifier(named, voting="soft", weights=[one.weight for one in spec.members])
    given = {**DEFAULTS[spec.kind], **spec.parameters, "random_state": seed % 2**32}
    if spec.kind == ISOLATION_FOREST:
        given["max_samples"] = min(given["max_samples"], rows)
    elif spec.kind == "hist_gradient_boosting":
        given["early_stopping"] = False
    else:
        given["n_jobs"] = JOBS
    return _CLASSES[spec.kind](**given)
