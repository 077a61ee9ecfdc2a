"""Contributions say why a row scored as it did: they sum up, and follow the Shapley values of the trees."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import ExtraTreesClassifier, IsolationForest, RandomForestClassifier

from models.export import blend, exported
from processor.scoring import shapley
from processor.scoring.kernel import Forest

FEATURES = 4


def data(seed: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(rows, FEATURES)).astype(np.float32)
    odd = (matrix[:, 0] > 0.8) & (matrix[:, 1] > 0) | (matrix[:, 2] > 1.5)
    return matrix, odd ^ (random.random(rows) < 0.02)


def unsupervised(seed: int) -> Forest:
    return exported(
        IsolationForest(n_estimators=20, max_samples=64, random_state=seed).fit(data(seed, 500)[0])
    )


def supervised(seed: int, *, depth: int = 6, trees: int = 10) -> Forest:
    kind = (RandomForestClassifier, ExtraTreesClassifier)[seed % 2]
    return exported(kind(trees, max_depth=depth, random_state=seed).fit(*data(seed, 800)))


def expected_total(forest: Forest, row: np.ndarray, known: frozenset[int]) -> float:
    """The mean total of the samples that fit the row in the known features, along every tree's paths."""
    wide, feature = forest.widening.widened(row[None])[0], forest.widening.features(FEATURES)

    def below(node: int) -> float:
        left = forest.left[node]
        if left == node:
            return float(forest.value[node])
        if feature[forest.column[node]] in known:
            return below(left + int(wide[forest.column[node]] > forest.threshold[node]))
        weights = forest.weight[left], forest.weight[left + 1]
        return (weights[0] * below(left) + weights[1] * below(left + 1)) / sum(weights)

    return sum(below(root) for root in range(forest.trees))


def shapley_values(forest: Forest, row: np.ndarray) -> list[float]:
    """By the definition: the mean over all orders in which the features can become known."""
    sets = [frozenset(one) for size in range(FEATURES + 1) for one in combinations(range(FEATURES), size)]
    total = {known: expected_total(forest, row, known) for known in sets}
    return [
        sum(
            (total[known | {feature}] - total[known]) / comb(FEATURES - 1, len(known)) / FEATURES
            for known in sets
            if feature not in known
        )
        for feature in range(FEATURES)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_they_are_the_shapley_values_where_paths_have_two_features(seed: int) -> None:
    forest, rows = supervised(seed, depth=2), data(seed + 9, 30)[0]
    distance = forest.totals(rows) - forest.value[: forest.trees].sum()
    moved = shapley.moves(forest, shapley.explain(forest), rows, distance)[0]
    expected = [shapley_values(forest, row) for row in rows]
    assert np.allclose(moved, expected, rtol=0, atol=1e-6)  # weights are stored in float32


@pytest.mark.parametrize("seed", range(4))
def test_they_are_close_to_them_where_paths_are_long(seed: int) -> None:
    forest, rows = supervised(seed), data(seed + 9, 400)[0]
    flagged = rows[np.argsort(-forest.scores(rows))[:20]]
    expected = np.array([shapley_values(forest, row) for row in flagged])
    given = forest.contributions(flagged)
    assert (given.argmax(axis=1) == expected.argmax(axis=1)).mean() >= 0.9
    assert np.abs(given - expected / forest.trees).max() < 0.05


def test_the_strongest_splits_say_most_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    forest, rows = supervised(3, depth=9, trees=40), data(50, 1_000)[0]
    flagged = rows[np.argsort(-forest.scores(rows))[:20]]
    whole = forest.contributions(flagged)
    shapley.explain.cache_clear()
    monkeypatch.setattr(shapley, "EXPLAINED", 300)
    assert len(shapley.explain(forest).bins) == 2 * 300
    part = forest.contributions(flagged)
    shapley.explain.cache_clear()
    assert (part.argmax(axis=1) == whole.argmax(axis=1)).mean() >= 0.9


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 40))
def test_contributions_sum_to_the_distance_from_the_baseline(seed, rows):
    matrix = data(seed, rows)[0] * 3
    for forest in (
        unsupervised(seed),
        supervised(seed),
        blend([(supervised(seed), 3.0), (unsupervised(seed), 1.0)]),
    ):
        distance = forest.scores(matrix) - forest.baseline
        assert np.allclose(forest.contributions(matrix).sum(axis=1), distance, rtol=0, atol=1e-12)


def test_contributions_do_not_depend_on_the_batch() -> None:
    forest, rows = unsupervised(1), data(3, shapley.ROWS_AT_ONCE + 5)[0]
    together = forest.contributions(rows)
    assert np.array_equal(together[-3:], forest.contributions(rows[-3:]))


def test_no_rows_no_contributions() -> None:
    assert unsupervised(1).contributions(np.empty((0, FEATURES), np.float32)).shape == (0, FEATURES)


def test_a_blends_contributions_are_its_members_by_share() -> None:
    one, other, rows = supervised(0), unsupervised(0), data(8, 30)[0]
    expected = (one.contributions(rows) * 3 + other.contributions(rows)) / 4
    assert np.allclose(blend([(one, 3.0), (other, 1.0)]).contributions(rows), expected, rtol=0, atol=1e-12)


def test_trees_without_a_split_say_nothing() -> None:
    random = np.random.default_rng(0)
    constant = np.ones((100, FEATURES), np.float32)
    forest = exported(RandomForestClassifier(3, random_state=0).fit(constant, random.random(100) < 0.5))
    assert not forest.contributions(constant[:2]).any()


def test_the_feature_that_is_odd_is_the_reason() -> None:
    random = np.random.default_rng(1)
    estimator = IsolationForest(n_estimators=50, max_samples=128, random_state=1).fit(
        random.normal(size=(2_000, FEATURES)).astype(np.float32)
    )
    weights = exported(estimator).contributions(np.array([[0, 0, 9, 0]], dtype=np.float32))[0]
    assert weights.argmax() == 2
    assert weights[2] > 0


def test_what_is_missing_is_a_reason() -> None:
    random = np.random.default_rng(2)
    matrix = random.normal(size=(600, FEATURES)).astype(np.float32)
    matrix[random.random(600) < 0.2, 3] = np.nan
    estimator = RandomForestClassifier(20, max_depth=5, random_state=2).fit(matrix, np.isnan(matrix[:, 3]))
    weights = exported(estimator).contributions(np.array([[0, 0, 0, np.nan]], dtype=np.float32))[0]
    assert weights.argmax() == 3


def test_the_baseline_is_the_score_of_the_mean_path_in_training() -> None:
    estimator = IsolationForest(n_estimators=7, max_samples=64, random_state=9).fit(data(9, 300)[0])
    forest = exported(estimator)
    mean_depth = -np.log2(forest.baseline) * forest.members[0].scale
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
