"""That a batch is counted into the bins of training, quickly, and that what does not fit is refused."""

from __future__ import annotations

import json
from timeit import repeat
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.scoring.drift import MOST_BINS, Bins, Spread, spread

NUMBER = st.floats(width=32)
EDGES = st.lists(st.floats(width=32, allow_nan=False), max_size=MOST_BINS - 1, unique=True).map(sorted)


@given(edges=EDGES, values=st.lists(NUMBER, max_size=40), is_double=st.booleans())
def test_a_value_is_in_the_bin_after_the_last_edge_that_it_reaches(
    edges: list[float], values: list[float], *, is_double: bool
) -> None:
    column = np.array([*values, *edges], dtype=np.float64 if is_double else np.float32)
    (counted,) = Bins([edges]).counts(column[:, None])
    expected = np.zeros(MOST_BINS + 1, dtype=int)
    for value in column.tolist():
        at = MOST_BINS if value != value else np.searchsorted(edges, value, side="right")  # noqa: PLR0124
        expected[at] += 1
    assert counted.tolist() == expected.tolist()


def test_counts_do_not_depend_on_how_many_rows_are_counted_at_once() -> None:
    random = np.random.default_rng(0)
    matrix = np.where(random.random((9_000, 3)) < 0.1, np.nan, random.normal(size=(9_000, 3)))
    bins = Bins([[0.0], [-1.0, 0.0, 1.0], []])
    parts = sum(bins.counts(matrix[at : at + 77]) for at in range(0, 9_000, 77))
    assert (bins.counts(matrix) == parts).all()
    assert bins.told(bins.counts(matrix))[2] == [
        np.isfinite(matrix[:, 2]).sum(),
        np.isnan(matrix[:, 2]).sum(),
    ]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_tenths_hold_every_score_with_a_baseline_or_without(values: list[float]) -> None:
    scores = np.array(values)
    matrix = np.full((len(values), 1), np.nan, dtype=np.float32)
    found = spread(Bins.judging([[1.0]], [0.5]), matrix, scores)
    assert sum(found.deciles) == len(values)
    assert found.deciles == spread(None, matrix, scores).deciles
    high = int((scores >= 0.5).sum())
    assert found.columns == [[0, 0, len(values)], [len(values) - high, high, 0]]


def test_a_score_is_in_its_tenth() -> None:
    def deciles(*scores: float) -> list[int]:
        return spread(None, np.empty((len(scores), 1), dtype=np.float32), np.array(scores)).deciles

    assert deciles(0.0, 0.0999, 0.1, 0.95, 1.0) == [2, 1, 0, 0, 0, 0, 0, 0, 0, 2]
    assert deciles(*(at / 10 for at in range(10))) == [1] * 10


BASELINE: dict[str, Any] = {
    "records": 2,
    "features": {"amount": {"edges": [1, 2], "shares": [0.5, 0.5, 0, 0]}},
    "score": {"edges": [0.5], "shares": [0.5, 0.5, 0]},
}


def test_a_baseline_gives_its_bins() -> None:
    bins = Bins.restored(json.loads(json.dumps(BASELINE)), ["amount"])
    assert bins.sizes == [3, 2, 10], "of the feature, the score, and its tenths"


@pytest.mark.parametrize(
    "changed",
    [
        {"features": {"hour": BASELINE["features"]["amount"]}},
        {"features": {"amount": {"edges": [2, 1]}}},
        {"features": {"amount": {"edges": [float("nan")]}}},
        {"features": {"amount": {"edges": list(range(10))}}},
        {"features": {"amount": {}}},
        {"features": ["amount"]},
        {"score": {"edges": ["low"]}},
        {"score": None},
    ],
)
def test_what_is_no_baseline_of_these_features_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Bins.restored(BASELINE | changed, ["amount"])


def test_counting_takes_less_than_a_microsecond_a_record() -> None:
    random = np.random.default_rng(0)
    *features, score = [sorted(random.normal(size=9).tolist()) for _ in range(14)]
    bins = Bins.judging(features, score)
    matrix, scores = random.normal(size=(100, 13)).astype(np.float32), random.random(100)

    def count() -> Spread:
        return spread(bins, matrix, scores)

    assert min(repeat(count, number=20, repeat=20)) / 20 / 100 < 1e-6
