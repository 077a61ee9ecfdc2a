"""What is exported scores as scikit-learn does, whatever the estimator, and whatever a row lacks."""

import json
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    VotingClassifier,
)
from threadpoolctl import threadpool_limits

from models.export import blend, expected_scores, exported
from processor.errors import ModelError
from processor.scoring.artefact import described, pack, unpack
from processor.scoring.calibration import Calibration
from processor.scoring.kernel import Forest

FEATURES = 6
COUNT, CONSTANT, PLAIN, CATEGORY, KIND, RARE = range(FEATURES)
KINDS = ("random", "extra", "boosted", "boosted with categories", "vote")
CLOSE = 1e-14


def data(seed: int, rows: int = 400, missing: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """Counts with ties, a constant, two columns of categories (not only 0, 1, …), one mostly missing."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(rows, FEATURES)).astype(np.float32)
    matrix[:, COUNT] = random.poisson(2, rows)
    matrix[:, CONSTANT] = 3
    matrix[:, PLAIN] *= random.choice([1e-3, 1, 1e6])
    matrix[:, CATEGORY] = random.integers(0, 40, rows)
    matrix[:, KIND] = random.choice([-2.5, 0, 1e4, 7], rows)
    matrix[random.random(rows) < 0.7, RARE] = np.nan
    matrix[random.random(matrix.shape) < missing] = np.nan
    score = (matrix[:, CATEGORY] % 3 == 0) + (matrix[:, KIND] > 5) + np.isnan(matrix[:, RARE]) * 0.7
    labels = score + (matrix[:, COUNT] > 2) + random.normal(size=rows) > 1.8
    labels[:2] = False, True
    return matrix, labels


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Gradient boosting starts threads for every tree, which costs more than trees this small."""
    with threadpool_limits(1, user_api="openmp"):
        yield


def fitted(kind: str, seed: int, missing: float = 0.2):
    matrix, labels = data(seed, missing=missing)
    categories = [CATEGORY, KIND]
    boosted = HistGradientBoostingClassifier(max_iter=12, max_leaf_nodes=9, random_state=seed)
    forests = {"max_depth": 2 + seed % 9, "random_state": seed, "class_weight": ("balanced", None)[seed % 2]}
    estimator = {
        "random": RandomForestClassifier(8, **forests),
        "extra": ExtraTreesClassifier(8, **forests),
        "boosted": boosted,
        "boosted with categories": HistGradientBoostingClassifier(
            max_iter=12, categorical_features=categories, min_samples_leaf=5, random_state=seed
        ),
        "vote": VotingClassifier(
            [
                ("boosted", boosted),
                ("random", RandomForestClassifier(5, **forests)),
                ("categories", HistGradientBoostingClassifier(max_iter=5, categorical_features=categories)),
                ("extra", ExtraTreesClassifier(6, **forests)),
            ],
            voting="soft",
            weights=[1, 2, 0.5, 3],
        ),
    }[kind]
    return estimator.fit(matrix, labels)


def on_the_edge(forest: Forest, seed: int, rows: int = 300) -> np.ndarray:
    """Rows of thresholds, their float32 neighbours, categories known and unknown, and missing values."""
    random = np.random.default_rng(seed)
    splits = forest.threshold[np.isfinite(forest.threshold)]
    values = random.choice(np.append(splits, [0, 1e30, -1e30]), (rows, FEATURES)).astype(np.float32)
    towards = random.choice(np.array([-np.inf, np.inf], dtype=np.float32), values.shape)
    values = np.where(random.random(values.shape) < 0.5, values, np.nextafter(values, towards))
    values[:, CATEGORY] = random.choice([-1, 0.5, 39, 40, 255, 256, 1e9, *range(40)], rows)
    values[:, KIND] = random.choice([-2.5, 0, 1e4, 7, 6.9999995, -1e9], rows)
    values[random.random(values.shape) < 0.2] = np.nan
    return values


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("missing", [0, 0.2])
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_scores_equal_scikit_learns(kind, missing, seed):
    estimator = fitted(kind, seed, missing)
    forest = exported(estimator)
    assert forest.flaw() == ""
    for rows in (data(seed + 1, 300)[0], on_the_edge(forest, seed)):
        assert np.abs(forest.scores(rows) - expected_scores(estimator, rows)).max() <= CLOSE


@pytest.mark.parametrize("kind", KINDS)
def test_packed_arrays_come_back_as_they_were(kind: str) -> None:
    forest = exported(fitted(kind, 4))
    rows = data(5)[0]
    calibration = Calibration.learn(forest.scores(rows))
    packed = pack(forest, calibration)
    restored, curve = unpack(packed, json.loads(json.dumps(described(forest))), FEATURES)
    assert np.array_equal(restored.scores(rows), forest.scores(rows))
    assert np.array_equal(restored.contributions(rows), forest.contributions(rows))
    assert np.array_equal(curve.raw, calibration.raw)
    assert pack(restored, curve) == packed


@pytest.mark.parametrize("kind", ["boosted with categories", "vote"])
def test_arrays_cut_anywhere_are_refused(kind: str) -> None:
    forest = exported(fitted(kind, 4))
    packed = pack(forest, Calibration.learn(forest.scores(data(5)[0])))
    for end in (*range(0, len(packed), 997), len(packed) - 1):
        with pytest.raises((ValueError, EOFError)):
            unpack(packed[:end], described(forest), FEATURES)
    with pytest.raises(ValueError, match="more than the arrays"):
        unpack(packed + b" ", described(forest), FEATURES)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trees": 1}, "trees"),
        ({"nodes": 1}, "nodes"),
        ({"depth": 99}, "depth"),
        ({"members": []}, "no|tree"),
        ({"members": [{"aggregation": "mean", "trees": 7, "scale": 8.0}]}, "not all of the trees"),
    ],
)
def test_a_manifest_of_another_forest_is_refused(change: dict[str, object], message: str) -> None:
    forest = exported(fitted("random", 4))
    packed = pack(forest, Calibration.learn(forest.scores(data(5)[0])))
    with pytest.raises(ValueError, match=message):
        unpack(packed, described(forest) | change, FEATURES)


@pytest.mark.parametrize(
    "categories",
    [[[3, 40, 0]], [[3, 0, 5]], [[3, 41, 1]], [[3, 4, 1]], [[3, 40, 1], [4, 40, 1]], [[3, -40, -1]]],
)
def test_categories_that_do_not_add_up_are_refused(categories) -> None:
    forest = exported(fitted("boosted with categories", 4))
    calibration = Calibration.learn(forest.scores(data(5)[0]))
    packed = pack(forest, calibration)
    sound = np.array(
        [[one.feature, len(one.known), one.right.shape[1]] for one in forest.widening.categories]
    )
    found = packed.find(sound.astype("<i4").tobytes())
    assert found > 0
    other = np.resize(np.array(categories, "<i4"), sound.shape)
    with pytest.raises(ValueError, match=r"categories|reshape"):
        unpack(packed[:found] + other.tobytes() + packed[found + other.nbytes :], described(forest), FEATURES)


def test_what_does_not_fit_its_type_is_not_written() -> None:
    forest = exported(fitted("random", 4))
    forest.column[0] = 2**15
    with pytest.raises(ModelError, match="column does not fit the type <i2"):
        pack(forest, Calibration.learn(np.array([0.0, 1.0])))


def test_a_blend_is_the_mean_by_weights() -> None:
    kinds = ("boosted", "extra", "boosted with categories", "random")
    estimators = [fitted(kind, 30 + at) for at, kind in enumerate(kinds)]
    weights = [0.1, 3.0, 0.0, 7.0]
    rows = data(40)[0]
    expected = np.average([expected_scores(one, rows) for one in estimators], axis=0, weights=weights)
    forest = blend([(exported(one), weight) for one, weight in zip(estimators, weights, strict=True)])
    assert forest.flaw() == ""
    assert np.abs(forest.scores(rows) - expected).max() <= CLOSE
    nested = blend([(forest, 1.0), (exported(estimators[0]), 1.0)])
    expected = (expected + expected_scores(estimators[0], rows)) / 2
    assert np.abs(nested.scores(rows) - expected).max() <= CLOSE


def test_a_blend_of_an_isolation_forest_reads_what_is_there() -> None:
    """The unsupervised member takes nothing missing; the rows of a blend with one are imputed."""
    matrix, labels = data(50)
    imputed = np.nan_to_num(matrix)
    isolation = IsolationForest(n_estimators=9, random_state=0).fit(imputed)
    random = RandomForestClassifier(9, random_state=0).fit(imputed, labels)
    forest = blend([(exported(isolation), 1.0), (exported(random), 1.0)])
    expected = (expected_scores(isolation, imputed) + expected_scores(random, imputed)) / 2
    assert np.abs(forest.scores(imputed) - expected).max() <= CLOSE


@pytest.mark.parametrize("weights", [(0.0, 0.0), (2.0, -1.0)])
def test_weights_that_are_none_are_refused(weights: tuple[float, float]) -> None:
    forest = exported(fitted("random", 4))
    with pytest.raises(ValueError, match="weights of a blend"):
        blend([(forest, weight) for weight in weights])


def test_forests_over_other_features_are_not_blended() -> None:
    matrix, labels = data(3)
    other = exported(RandomForestClassifier(3, max_depth=3).fit(matrix[:, :4], labels))
    with pytest.raises(ValueError, match="different features"):
        blend([(exported(fitted("random", 4)), 1.0), (other, 1.0)])


def test_one_class_has_no_score() -> None:
    matrix, _ = data(3)
    with pytest.raises(ValueError, match="needs two classes, and 1"):
        exported(RandomForestClassifier(3).fit(matrix, np.zeros(len(matrix))))
    with pytest.raises(ValueError, match="needs two classes, and 3"):
        exported(HistGradientBoostingClassifier(max_iter=2).fit(matrix, np.arange(len(matrix)) % 3))


def test_a_vote_of_classes_has_no_score() -> None:
    matrix, labels = data(3)
    vote = VotingClassifier([("one", RandomForestClassifier(3))]).fit(matrix, labels)
    with pytest.raises(ValueError, match="voting='soft'"):
        exported(vote)


def test_another_estimator_has_no_export() -> None:
    with pytest.raises(TypeError, match="AdaBoostClassifier has no export"):
        exported(AdaBoostClassifier())


def test_trees_that_did_not_split_have_one_score() -> None:
    constant, labels = np.ones((60, FEATURES), np.float32), np.arange(60) % 3 == 0
    for kind in (RandomForestClassifier(3), HistGradientBoostingClassifier(max_iter=3)):
        estimator = kind.fit(constant, labels)
        rows = data(3)[0]
        assert np.abs(exported(estimator).scores(rows) - expected_scores(estimator, rows)).max() <= CLOSE
