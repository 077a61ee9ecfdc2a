"""Estimators: each kind fits, its arrays equal it, and the same seed gives the same trees."""

from typing import Any

import numpy as np
import pytest

from models.choosing import searched
from models.estimators import CLOSE, DEFAULTS, fit, require_parity, settings
from models.export import expected_scores
from models.rows import Rows
from models.spec import ISOLATION_FOREST, PARAMETERS, EstimatorSpec, load_spec
from processor.errors import ModelError
from tests.models.test_spec import RELEASED

SMALL: dict[str, dict[str, Any]] = {
    ISOLATION_FOREST: {"n_estimators": 7, "max_samples": 64},
    "random_forest": {"n_estimators": 5},
    "extra_trees": {"n_estimators": 5},
    "hist_gradient_boosting": {"max_iter": 5},
}
BLEND = EstimatorSpec(
    "blend",
    members=tuple(EstimatorSpec(kind, SMALL[kind], weight=2.0) for kind in SMALL if kind != ISOLATION_FOREST),
)
SPECS = [*(EstimatorSpec(kind, of) for kind, of in SMALL.items()), BLEND]


def data(rows: int = 3_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(rows, 4)).astype(np.float32)
    return matrix, matrix[:, 0] + matrix[:, 1] * random.random(rows) > 2


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.kind)
def test_arrays_equal_the_estimator_and_a_seed_says_all(spec: EstimatorSpec) -> None:
    matrix, fraud = data()
    first, again, other = (fit(spec, matrix, fraud, seed) for seed in (1, 1, 2))
    unseen = data(seed=5)[0]
    assert np.abs(first.forest.scores(unseen) - expected_scores(first.estimator, unseen)).max() <= CLOSE
    assert np.array_equal(first.forest.value, again.forest.value)
    if spec.kind != "hist_gradient_boosting":  # nothing in it is drawn
        assert not np.array_equal(first.forest.value, other.forest.value)
    if spec.supervised:
        scores = first.forest.scores(matrix)
        assert scores[fraud].mean() > 2 * scores[~fraud].mean()


def test_every_kind_has_defaults_that_a_spec_may_set() -> None:
    for kind, allowed in PARAMETERS.items():
        assert all(allowed[name].fits(value) for name, value in DEFAULTS[kind].items())


def test_labels_of_one_kind_are_refused() -> None:
    matrix, fraud = data()
    with pytest.raises(ModelError, match="needs records of both kinds"):
        fit(EstimatorSpec("random_forest"), matrix, fraud & False, 0)


def test_arrays_of_another_estimator_are_found() -> None:
    matrix, fraud = data()
    one, other = (fit(SPECS[1], matrix, fraud, seed) for seed in (1, 2))
    with pytest.raises(ModelError, match="do not give scikit-learn's scores"):
        require_parity(one.forest, other.estimator, matrix)


def test_settings_hold_what_was_left_to_the_defaults() -> None:
    assert settings(EstimatorSpec(ISOLATION_FOREST, {"n_estimators": 7})) == {
        "kind": ISOLATION_FOREST,
        "n_estimators": 7,
        "max_samples": 512,
    }
    assert [one["weight"] for one in settings(BLEND)["blend"]] == [2.0] * 3


def test_a_search_takes_the_best_and_tells_of_all() -> None:
    matrix, fraud = data()
    rows = Rows(matrix, np.arange(len(matrix)) * 60.0, fraud, None)
    spec = EstimatorSpec("extra_trees", {"n_estimators": 10}, {"max_depth": (1, 6)})
    found, tried = searched(spec, rows, fraud, load_spec(RELEASED))
    assert found.parameters == {"n_estimators": 10, "max_depth": 6}
    assert not found.search
    assert [one["max_depth"] for one in tried] == [1, 6]
    assert tried[1]["average_precision"] > tried[0]["average_precision"]
    assert searched(spec, rows, None, load_spec(RELEASED))[0].parameters["max_depth"] == 1
