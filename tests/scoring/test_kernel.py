"""The forest of flat arrays equals scikit-learn's to the last bit, and says why it scored as it did."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import IsolationForest

from models.export import isolation_forest
from processor.scoring.kernel import ROWS_AT_ONCE, Forest


def fitted(
    seed: int, *, rows: int = 300, features: int = 4, trees: int = 7, samples: int = 64
) -> IsolationForest:
    random = np.random.default_rng(seed)
    data = random.normal(size=(rows, features)) * random.choice([1e-3, 1, 1e4], features)
    data[:, 0] = np.round(data[:, 0])  # ties, as counts and flags have
    return IsolationForest(n_estimators=trees, max_samples=samples, random_state=seed).fit(
        data.astype(np.float32)
    )


def on_the_edge(estimator: IsolationForest, rows: int, seed: int) -> np.ndarray:
    """Rows whose values are thresholds or their float32 neighbours: where a comparison can go wrong."""
    random = np.random.default_rng(seed)
    tree = estimator.estimators_[0].tree_
    splits = np.append(tree.threshold[tree.feature >= 0], [0.0]).astype(np.float32)
    values = random.choice(splits, (rows, estimator.n_features_in_))
    towards = random.choice(np.array([-np.inf, np.inf], dtype=np.float32), values.shape)
    return np.where(random.random(values.shape) < 0.5, values, np.nextafter(values, towards))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(1, 1_000),
    trees=st.integers(1, 30),
    samples=st.sampled_from([2, 3, 64, 300]),
    spread=st.sampled_from([1e-3, 1.0, 1e4]),
)
def test_scores_equal_scikit_learns_to_the_last_bit(seed, rows, trees, samples, spread):
    estimator = fitted(seed, trees=trees, samples=samples)
    forest = isolation_forest(estimator)
    for data in (
        np.random.default_rng(seed + 1).normal(size=(rows, 4)).astype(np.float32) * np.float32(spread),
        on_the_edge(estimator, rows, seed),
    ):
        assert (forest.scores(data) == -estimator.score_samples(data)).all()


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 8, 9, 100, ROWS_AT_ONCE - 1, ROWS_AT_ONCE, ROWS_AT_ONCE + 1])
def test_a_row_scores_the_same_in_any_batch(rows: int) -> None:
    estimator = fitted(5, trees=100, samples=256)
    forest = isolation_forest(estimator)
    data = np.random.default_rng(6).normal(size=(rows, 4)).astype(np.float32)
    scores = forest.scores(data)
    assert (scores == -estimator.score_samples(data)).all()
    alone = np.concatenate([forest.scores(data[row : row + 1]) for row in range(min(rows, 20))])
    assert np.abs(alone - scores[: len(alone)]).max() <= np.spacing(1.0)  # numpy's power differs by batch


def test_values_of_any_size_are_walked(forest: Forest) -> None:
    data = np.array([[0, -0.0, 1e30, -1e30], [np.inf, -np.inf, 0, 1e-38]], dtype=np.float32)
    assert np.isfinite(forest.scores(data)).all()


def test_no_rows_no_scores(forest: Forest) -> None:
    empty = np.empty((0, 4), dtype=np.float32)
    assert forest.scores(empty).shape == (0,)
    assert forest.contributions(empty).shape == (0, 4)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 40))
def test_contributions_sum_to_the_distance_from_the_baseline(seed, rows):
    forest = isolation_forest(fitted(seed))
    data = np.random.default_rng(seed).normal(size=(rows, 4)).astype(np.float32) * 3
    distance = forest.scores(data) - forest.baseline
    assert np.allclose(forest.contributions(data).sum(axis=1), distance, rtol=0, atol=1e-12)


def test_contributions_do_not_depend_on_the_batch(forest: Forest) -> None:
    data = np.random.default_rng(3).normal(size=(ROWS_AT_ONCE + 5, 4)).astype(np.float32)
    together = forest.contributions(data)
    assert np.allclose(together[-3:], forest.contributions(data[-3:]), rtol=0, atol=1e-12)


def test_the_feature_that_is_odd_is_the_reason() -> None:
    random = np.random.default_rng(1)
    estimator = IsolationForest(n_estimators=50, max_samples=128, random_state=1).fit(
        random.normal(size=(2_000, 4)).astype(np.float32)
    )
    row = np.array([[0, 0, 9, 0]], dtype=np.float32)
    weights = isolation_forest(estimator).contributions(row)[0]
    assert weights.argmax() == 2
    assert weights[2] > 0


def test_the_baseline_is_the_score_of_the_mean_path_in_training() -> None:
    estimator = fitted(9)
    forest = isolation_forest(estimator)
    mean_depth = -np.log2(forest.baseline) * forest.scale
    leaves = sum(
        np.average(
            (depths + rest - 1.0)[tree.tree_.children_left < 0],
            weights=tree.tree_.n_node_samples[tree.tree_.children_left < 0],
        )
        for tree, depths, rest in zip(
            estimator.estimators_,
            estimator._decision_path_lengths,
            estimator._average_path_length_per_tree,
            strict=True,
        )
    )
    assert mean_depth == pytest.approx(leaves)


@pytest.fixture(scope="module")
def forest() -> Forest:
    return isolation_forest(fitted(1))


def test_a_sound_forest_has_no_flaw(forest: Forest) -> None:
    assert forest.flaw() == ""


def changed(column: np.ndarray, position: int, value: float) -> np.ndarray:
    copy = column.copy()
    copy[position] = value
    return copy


def test_every_flaw_is_named(forest: Forest) -> None:
    nodes = len(forest.left)
    leaf = int(np.flatnonzero(forest.left == np.arange(nodes))[0])
    flawed = {
        "an unknown aggregation": replace(forest, aggregation="vote"),
        "node arrays of different lengths": replace(forest, value=forest.value[1:]),
        "no tree": replace(forest, roots=forest.roots[:0]),
        "a depth out of bounds": replace(forest, depth=65),
        "a root that is no node": replace(forest, roots=changed(forest.roots, 0, nodes)),
        "a child that is no node": replace(forest, left=changed(forest.left, 0, nodes - 1)),
        "an unknown feature": replace(forest, feature=changed(forest.feature, 0, 4)),
        "a leaf with a threshold": replace(forest, threshold=changed(forest.threshold, leaf, 0)),
    }
    assert {name: broken.flaw() for name, broken in flawed.items()} == {name: name for name in flawed}
    assert replace(forest, left=changed(forest.left, 5, 0)).flaw() == "a child that is no node"  # a loop
