"""Drift: the index's laws, where bins are cut, counts that add up, a baseline that fits."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.drift import FEWEST_RECORDS, MOST_BINS, Baseline, Spread, counts, drift, psi, reading

COUNTS = st.lists(st.integers(0, 1000), min_size=2, max_size=11).filter(any)
COLUMN = st.lists(st.one_of(st.floats(width=32, allow_infinity=False), st.integers(0, 3)), min_size=1)


def world(records=4000, seed=0):
    random = np.random.default_rng(seed)
    matrix = np.column_stack(
        [
            random.gamma(2, 30, records),
            np.where(random.random(records) < 0.95, 0, random.integers(1, 9, records)),
            random.random(records) < 0.97,
            np.where(random.random(records) < 0.2, np.nan, random.normal(size=records)),
        ]
    ).astype(np.float32)
    return matrix, np.argsort(np.argsort(matrix[:, 0])) / records


NAMES = ("amount", "count", "known", "ratio")


@given(COUNTS)
def test_equal_spreads_have_no_drift_whatever_their_size(spread):
    assert psi(spread, spread) == 0
    assert psi(spread, np.array(spread) * 7 / 3) == pytest.approx(0, abs=1e-12)


@given(COUNTS, st.data())
def test_the_index_is_symmetric_and_never_negative(spread, data):
    other = data.draw(st.lists(st.integers(0, 1000), min_size=len(spread), max_size=len(spread)).filter(any))
    assert psi(spread, other) == pytest.approx(psi(other, spread))
    assert 0 <= psi(spread, other) < np.inf


def test_the_index_by_hand():
    # (0.6 - 0.5) ln(0.6 / 0.5) + (0.4 - 0.5) ln(0.4 / 0.5)
    assert psi([0.5, 0.5], [60, 40]) == pytest.approx(0.018232 + 0.022314, abs=1e-6)
    assert psi([1, 0], [0, 1]) == pytest.approx(2 * 0.9999 * np.log(1e4))
    assert np.isnan(psi([1, 0], [0, 0]))


@pytest.mark.parametrize(
    ("index", "records", "words"),
    [
        (0.0999, FEWEST_RECORDS, "stable"),
        (0.1, FEWEST_RECORDS, "worth a look"),
        (0.25, FEWEST_RECORDS, "drifted"),
        (3.0, FEWEST_RECORDS - 1, "too few records"),
    ],
)
def test_the_usual_reading(index, records, words):
    assert reading(index, records) == words


@given(COLUMN)
def test_a_spread_has_few_bins_that_hold_everything(values):
    column = np.array(values, dtype=np.float32)
    spread = Spread.learn(column)
    assert len(spread.edges) < MOST_BINS
    assert list(spread.edges) == sorted(set(spread.edges))
    assert sum(spread.shares) == pytest.approx(1, abs=1e-3)
    assert spread.counts(column).sum() == len(column)
    assert spread.counts(column)[-1] == np.isnan(column).sum()


def test_a_continuous_column_is_cut_into_tenths():
    spread = Spread.learn(np.arange(1000.0))
    assert spread.edges == tuple(at * 100 - 0.5 for at in range(1, 10))
    assert spread.shares == (0.1,) * 10 + (0,)


@pytest.mark.parametrize(
    ("values", "edges"),
    [
        ([0] * 97 + [1] * 3, (0.5,)),
        ([0] * 3 + [1] * 97, (0.5,)),
        ([0] * 30 + [1] * 40 + [2] * 30, (0.5, 1.5)),
        ([5] * 100, ()),
        ([np.nan] * 3, ()),
    ],
)
def test_a_value_that_many_have_gets_its_own_bin(values, edges):
    assert Spread.learn(np.array(values, dtype=np.float32)).edges == edges


@given(st.integers(0, 4000))
def test_counts_of_parts_add_up_to_those_of_the_whole(cut):
    matrix, scores = world()
    baseline = Baseline.learn(NAMES, matrix, scores)
    parts = counts(baseline, matrix[:cut], scores[:cut]) + counts(baseline, matrix[cut:], scores[cut:])
    assert (parts == counts(baseline, matrix, scores)).all()
    assert (parts.sum(axis=1) == len(matrix)).all()


def test_training_itself_and_another_sample_of_it_are_stable():
    baseline = Baseline.learn(NAMES, *world())
    itself = drift(baseline, counts(baseline, *world()))
    assert all(column.psi == 0 for column in itself)
    assert next(column.name for column in itself) == "score"
    assert {column.reading for column in drift(baseline, counts(baseline, *world(2000, 1)))} == {"stable"}


def test_each_kind_of_change_is_seen_and_named():
    baseline = Baseline.learn(NAMES, *world())
    matrix, scores = world(seed=1)
    matrix[:, 0] *= 1.6
    matrix[:1600, 1] = 4  # nothing was common, and no longer is
    matrix[:2000, 2] = 0
    matrix[:3000, 3] = np.nan
    found = {column.name: column for column in drift(baseline, counts(baseline, matrix, scores))}
    assert {column.reading for name, column in found.items() if name != "score"} == {"drifted"}
    assert found["score"].reading == "stable"
    assert found["known"].most_changed == "below 0.5"
    assert found["known"].share_then == pytest.approx(0.03, abs=0.01)
    assert found["known"].share_now == pytest.approx(0.515, abs=0.01)
    assert found["ratio"].most_changed == "missing"
    assert found["ratio"].missing_then < 0.25
    assert found["ratio"].missing_now > 0.75
    assert list(found)[1] == max(NAMES, key=lambda name: found[name].psi)


def test_twice_the_alerts_are_seen_in_the_score():
    matrix, scores = world()
    baseline = Baseline.learn(NAMES, matrix, scores)
    more = np.where(np.arange(len(scores)) % 12 == 0, 0.97, scores)
    score = drift(baseline, counts(baseline, matrix, more))[0]
    assert score.reading == "worth a look"
    assert score.most_changed == "0.949875 to 0.979875"
    assert max(baseline.score.edges) > 0.995


def test_no_records_are_too_few():
    baseline = Baseline.learn(NAMES, *world())
    empty = drift(baseline, counts(baseline, *world(0)))
    assert {(column.psi, column.reading) for column in empty} == {(0, "too few records")}


def test_a_baseline_goes_through_json_and_fits_a_manifest():
    random = np.random.default_rng(0)
    names = [f"customer_amount_mean_{at}d" for at in range(25)]
    baseline = Baseline.learn(names, random.gamma(2, 1e4, (5000, 25)).astype(np.float32), random.random(5000))
    text = json.dumps(baseline.content())
    assert len(text) < 8_000
    assert Baseline.from_content(json.loads(text)) == baseline
