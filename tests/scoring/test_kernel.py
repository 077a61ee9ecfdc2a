"""The forest of flat arrays equals scikit-learn's to the last bit, and finds what is wrong with arrays."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import IsolationForest

from models.export import isolation_forest
from processor.scoring.kernel import ROWS_AT_ONCE, Categories, Forest, Member


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


@pytest.fixture(scope="module")
def forest() -> Forest:
    return isolation_forest(fitted(1))


def test_a_sound_forest_has_no_flaw(forest: Forest) -> None:
    assert forest.flaw() == ""


def changed(column: np.ndarray, position: int, value: float) -> np.ndarray:
    copy = column.copy()
    copy[position] = value
    return copy


def widened(forest: Forest, **columns: object) -> Forest:
    return replace(forest, widening=forest.widening._replace(**columns))


def test_every_flaw_is_named(forest: Forest) -> None:
    member = forest.members[0]
    nan, first = np.nan, np.array([0])
    categories = Categories(0, np.array([1, 2], np.float32), np.ones((3, 1), np.bool_))
    disordered = categories._replace(known=categories.known[::-1])
    flawed = {
        "an unknown aggregation": replace(forest, members=(member._replace(aggregation="vote"),)),
        "a scale that is none": replace(forest, members=(member._replace(scale=0.0),)),
        "shares that are not 1 together": replace(forest, members=(member._replace(share=0.5),)),
        "too many levels": replace(forest, steps=(1,) * 65),
        "a column made of no feature": widened(forest, above=np.array([4])),
        "categories that do not increase": widened(forest, categories=(disordered,)),
        "categories of another number": widened(
            forest, categories=(categories._replace(right=categories.right[1:]),)
        ),
        "an unknown column": replace(forest, column=changed(forest.column, 0, 4)),
        "a threshold that is no number": replace(forest, threshold=changed(forest.threshold, 0, nan)),
        "a value that is no number": replace(forest, value=changed(forest.value, 0, nan)),
        "a weight that is none": replace(forest, weight=changed(forest.weight, 3, 0)),
    }
    assert {name: broken.flaw() for name, broken in flawed.items()} == {name: name for name in flawed}
    assert widened(forest, above=first, absent=first, categories=(categories,)).flaw() == ""
    assert (
        widened(forest, categories=(categories._replace(feature=-1),)).flaw() == "a column made of no feature"
    )


STUMP = {
    "column": np.array([0, -1, -1]),
    "threshold": np.array([1], np.float32),
    "value": np.array([1.0, 2.0]),
    "weight": np.array([3, 1], np.float32),
}


def grown(trees: int = 1, **arrays: np.ndarray) -> Forest:
    return Forest.grown(**STUMP | arrays, members=[Member("mean", trees, 1.0)], features=1)


def test_a_split_sends_what_is_equal_to_the_left() -> None:
    rows = np.array([[1], [np.nextafter(np.float32(1), np.float32(2))], [-5], [np.inf]], dtype=np.float32)
    assert grown().scores(rows).tolist() == [1, 2, 1, 2]
    assert grown().baseline == 1.25


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"threshold": np.array([], np.float32)}, "different lengths"),
        ({"value": np.array([1.0])}, "different lengths"),
        ({"weight": np.ones(3, np.float32)}, "different lengths"),
        ({"column": np.array([0, 0, -1]), "threshold": np.ones(2, np.float32), "value": np.ones(1),
          "weight": np.ones(1, np.float32)}, "not all of the trees"),  # nodes too few
        ({"column": np.array([-1, 0, -1])}, "not all of the trees"),  # its own child
        ({"column": np.array([], int), "threshold": np.array([], np.float32), "value": np.array([]),
          "weight": np.array([], np.float32)}, "not all of the trees"),
    ],
)  # fmt: skip
def test_arrays_that_are_no_trees_are_refused(arrays: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        grown(**arrays)


@pytest.mark.parametrize("trees", [0, -1])
def test_a_member_has_trees(trees: int) -> None:
    with pytest.raises(ValueError, match="a member without a tree"):
        grown(trees)


def test_two_trees_are_not_read_as_one() -> None:
    with pytest.raises(ValueError, match="not all of the trees"):
        grown(trees=2)


def test_trees_that_have_ended_take_no_more_steps() -> None:
    forest = Forest.grown(
        np.array([0, -1, -1, 0, -1, -1]),
        np.array([0, 1], np.float32),
        np.array([9.0, 1, 2, 3]),
        np.ones(4, np.float32),
        members=[Member("mean", 2, 1.0)],
        features=1,
    )
    assert (forest.steps, forest.depth, len(forest.left)) == ((1, 1), 2, 6)
    assert forest.scores(np.array([[-1], [0.5], [2]], np.float32)).tolist() == [9 + 1, 9 + 2, 9 + 3]


def test_the_logistic_of_any_total_is_a_probability() -> None:
    totals = np.array([-1e308, -800, -40, 0, 40, 800, 1e308])
    scores = Member("logistic", 1, 1.0).score(totals)
    assert ((scores >= 0) & (scores <= 1)).all()
    assert scores[3] == 0.5
    assert scores[2] == pytest.approx(4.248354255291589e-18)
