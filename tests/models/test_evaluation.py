"""Ranking figures against counting by hand, intervals, and the whole of what is measured."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from models.evaluation import Bootstrap, Options, Ranking, auc, average_precision, compared, measured
from models.evaluation.budgets import Worth
from models.evaluation.calibration import score_bins
from models.evaluation.columns import codes, labels

DAY = 86_400
RECORDS = st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=2, max_size=40).filter(
    lambda records: len({fraud for _, fraud in records}) == 2
)


def columns(records: list[tuple[int, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([score / 8 for score, _ in records]), np.array([fraud for _, fraud in records])


def a_month(seed: int = 0, days: int = 20, of_day: int = 200, skill: float = 2.0) -> dict:
    """Payments of a few cards, some fraudulent, with scores that find the fraud more or less."""
    random = np.random.default_rng(seed)
    records = days * of_day
    fraud = random.random(records) < 0.02
    raw = random.normal(size=records) + skill * fraud
    return {
        "scores": np.argsort(np.argsort(raw)) / records,
        "fraud": fraud,
        "time": np.arange(records) * DAY / of_day,
        "cards": random.integers(0, 300, records),
        "amounts": random.gamma(2, 30, records),
    }


@given(RECORDS)
def test_auc_is_how_often_fraud_scores_higher(records):
    scores, fraud = columns(records)
    pairs = [(bad > good) + (bad == good) / 2 for bad in scores[fraud] for good in scores[~fraud]]
    assert auc(Ranking(scores, fraud).curve()) == pytest.approx(np.mean(pairs), abs=1e-12)


@given(RECORDS)
def test_both_areas_are_those_of_scikit_learn_with_weights_too(records):
    scores, fraud = columns(records)
    weights = np.arange(len(scores)) % 3 + 1.0
    for given_weights in (None, weights):
        curve = Ranking(scores, fraud).curve(given_weights)
        assert auc(curve) == pytest.approx(roc_auc_score(fraud, scores, sample_weight=given_weights))
        expected = average_precision_score(fraud, scores, sample_weight=given_weights)
        assert average_precision(curve) == pytest.approx(expected)


@given(RECORDS, st.data())
def test_a_budget_does_not_depend_on_the_order_of_the_records(records, data):
    scores, fraud = columns(records)
    again = np.array(data.draw(st.permutations(range(len(records)))))
    alerts = data.draw(st.integers(0, len(records)))
    curve = Ranking(scores, fraud).curve()
    assert curve.caught_at(alerts) == Ranking(scores[again], fraud[again]).curve().caught_at(alerts)
    assert 0 <= curve.caught_at(alerts) <= min(alerts, fraud.sum())


def test_a_budget_that_ends_among_equal_scores_takes_its_part_of_them():
    curve = Ranking(np.array([0.9, 0.5, 0.5, 0.5, 0.5, 0.1]), np.array([1, 1, 0, 0, 1, 0], bool)).curve()
    assert [curve.caught_at(alerts) for alerts in (0, 1, 3, 5, 6)] == [0, 1, 2, 3, 3]


@given(RECORDS)
def test_what_finds_one_more_fraud_first_is_worth_more(records):
    scores, fraud = columns(records)
    better = scores + fraud / 16  # between this score and the next
    before, after = Ranking(scores, fraud).curve(), Ranking(better, fraud).curve()
    assert auc(after) >= auc(before)
    assert average_precision(after) >= average_precision(before) - 1e-12
    assert all(after.caught_at(n) >= before.caught_at(n) - 1e-12 for n in range(len(scores) + 1))


def test_without_records_of_both_kinds_there_is_no_area():
    nothing = Ranking(np.array([0.1, 0.2]), np.zeros(2, bool)).curve()
    assert np.isnan(auc(nothing))
    assert np.isnan(average_precision(nothing))


def test_value_is_what_is_saved_less_what_looking_costs():
    scores, fraud = np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, False])
    curve = Ranking(scores, fraud, np.array([100.0, 5, 8, 5])).curve()
    worth = Worth(cost_per_alert=10, recovered=0.5)
    assert worth.of(2, curve.saved_at(2)) == 30
    assert worth.best(curve) == {"alerts": 1, "share": 0.25, "value": 40.0}


@given(st.integers(0, 1000), st.floats(0, 3))
def test_an_interval_holds_its_figure(seed, skill):
    found = measured(
        **a_month(seed, days=6, of_day=60, skill=skill), options=Options(bootstrap=Bootstrap(20))
    )
    figures = [*found.get("ranking", {}).values(), *[found["flag"][name] for name in ("precision", "recall")]]
    figures += [budget[name] for budget in found["budgets"] for name in ("precision", "recall")]
    for figure in figures:
        if figure["low"] is not None:
            assert figure["low"] <= figure["value"] <= figure["high"]


def test_an_interval_is_the_same_each_time_and_narrower_with_more_records():
    small, large = measured(**a_month(days=10)), measured(**a_month(days=80))
    assert small == measured(**a_month(days=10))
    widths = [found["ranking"]["auc"]["high"] - found["ranking"]["auc"]["low"] for found in (small, large)]
    assert widths[1] < widths[0] / 2


def test_payments_of_one_card_are_drawn_together():
    """Ten copies of each card's payment are no more evidence than one."""
    once = a_month(days=5, of_day=60)
    once["cards"] = np.arange(300)
    ten = {name: np.repeat(column, 10) for name, column in once.items()}
    width = {}
    for by, payments in (("card", ten), ("record", ten | {"cards": None}), ("once", once)):
        figure = measured(**payments)["ranking"]["auc"]
        width[by] = figure["high"] - figure["low"]
    assert width["card"] == pytest.approx(width["once"], abs=1e-3)
    assert width["record"] < width["card"] / 2


def test_few_units_give_no_interval():
    few = Bootstrap(50).mean(np.array([0.1, 0.2, 0.3, 0.4]))
    assert few == {"value": 0.25, "low": None, "high": None}


def test_everything_measured_is_json_and_adds_up():
    month = a_month()
    groups = {"region": np.array(["north", "south", None])[np.arange(4000) % 3]}
    found = measured(**month, groups=groups, segments={"shop": month["cards"] % 4})
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["records"], found["days"], found["from"], found["to"]) == (
        *(4000, 20, "1970-01-01", "1970-01-20"),
    )
    flagged = month["scores"] >= 0.995
    assert found["flag"]["alerts"] == flagged.sum() == sum(day["alerts"] for day in found["by_day"])
    assert found["flag"]["recall"]["value"] == pytest.approx(flagged[month["fraud"]].mean(), abs=1e-4)
    assert found["fraud"]["records"] == month["fraud"].sum() == sum(day["fraud"] for day in found["by_day"])
    assert found["intervals"]["by"] == "card"
    assert sum(shop["records"] for shop in found["segments"]["shop"].values()) == 4000
    assert found["groups"]["region"]["groups"]["(missing)"]["judged"] == []
    budget = found["budgets"][-1]
    assert budget["precision"]["value"] * budget["alerts"] == pytest.approx(
        budget["recall"]["value"] * found["fraud"]["records"], abs=0.1
    )
    assert budget["value"] == pytest.approx(budget["saved"] - 10 * budget["alerts"], abs=0.02)


def test_the_days_budget_looks_at_the_highest_of_each_day():
    time = np.array([0.0, 1, 2, DAY, DAY + 1, DAY + 2])
    scores, fraud = np.array([0.9, 0.8, 0.7, 0.3, 0.2, 0.1]), np.array([1, 0, 0, 1, 0, 1], bool)
    daily = measured(scores, fraud, time, options=Options(per_day=(1, 5)))["daily"]
    assert [(of["alerts"], of["precision"]["value"], of["recall"]["value"]) for of in daily] == [
        (2, 1.0, 0.6667),
        (6, 0.5, 1.0),
    ]


def test_without_labels_the_alert_rate_is_all_there_is():
    month = a_month()
    found = measured(month["scores"], None, month["time"])
    assert found["labelled"] is False
    assert found["flag"]["alert_rate"]["value"] == 0.005
    assert "ranking" not in found


@pytest.mark.parametrize(
    ("scores", "time", "message"),
    [([], [], "no records"), ([0.5, np.nan], [0.0, 1.0], "finite"), ([0.5], [0.0, 1.0], "lengths")],
)
def test_columns_that_cannot_be_measured_are_refused(scores, time, message):
    with pytest.raises(ValueError, match=message):
        measured(np.array(scores), None, np.array(time))


def test_a_percentile_that_holds_has_no_error_and_one_that_drifted_has():
    even = np.arange(10_000) / 10_000
    assert score_bins(even, None)["percentile_error"] == 0
    assert score_bins(np.minimum(even + 0.1, 1), None)["percentile_error"] == pytest.approx(0.1)
    rate = measured(even**0.5, None, np.arange(10_000.0))["calibration"]["alert_rates"][0]
    assert (rate["promised"], rate["alert_rate"]) == (0.01, pytest.approx(0.0199))


def test_probabilities_that_come_true_are_calibrated():
    scores = np.repeat([0.1, 0.6, 0.992], 1000)
    fraud = np.arange(3000) % 1000 < np.round(scores * 1000)
    found = score_bins(scores, fraud)
    assert found["expected_calibration_error"] == 0
    middle = {"from": 0.5, "to": 0.8, "records": 1000, "mean_score": 0.6, "fraud": 600, "fraud_share": 0.6}
    assert found["bins"][1] == middle
    assert score_bins(scores, ~fraud)["expected_calibration_error"] == pytest.approx(0.661, abs=0.001)


def test_a_better_model_wins_a_worse_one_loses_and_luck_is_told():
    month = a_month()
    other = a_month(skill=0.5)["scores"]
    better = compared(month["scores"], other, month["fraud"], cards=month["cards"])["figures"]
    worse = compared(other, month["scores"], month["fraud"], cards=month["cards"])["figures"]
    assert better["auc"]["difference"]["low"] > 0 > worse["auc"]["difference"]["high"]
    assert (better["auc"]["wins"], worse["auc"]["wins"]) == (1, 0)
    alike = np.random.default_rng(1).normal(size=(2, 4000)) + 2 * month["fraud"]
    luck = compared(*alike, month["fraud"], cards=month["cards"])["figures"]["auc"]
    assert luck["difference"]["low"] < 0 < luck["difference"]["high"]
    same = compared(other, other, month["fraud"])["figures"]["average_precision"]
    assert (same["difference"], same["wins"]) == ({"value": 0.0, "low": 0.0, "high": 0.0}, 0.5)


def test_missing_cards_are_each_their_own_and_missing_values_are_named():
    assert codes(np.array(["b", None, "a", None, "b"], object)).tolist() == [1, 2, 0, 3, 1]
    assert codes(np.array([7, 3, 7])).tolist() == [1, 0, 1]
    assert labels(np.array([1.5, np.nan])).tolist() == ["1.5", "(missing)"]
