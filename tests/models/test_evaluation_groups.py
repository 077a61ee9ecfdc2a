"""Rates by group and the disparities between them, against values that fairlearn gave."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation import Bootstrap, fairness, rates
from models.evaluation.groups import OTHER, Groups, disparities
from models.evaluation.intervals import Units

AT = np.arange(240)
REGION = np.array(["north", "south", "west"])[AT % 3]
FRAUD = AT % 7 == 0
FLAGGED = ((AT * AT) % 11 < 2) | (FRAUD & (AT % 5 < 2))

# fairlearn 0.15.0: demographic_parity_difference(FRAUD, FLAGGED, sensitive_features=REGION) and so on.
FAIRLEARN = {
    "demographic_parity_difference": 0.012500000000000011,
    "demographic_parity_ratio": 0.96,
    "equalized_odds_difference": 0.045454545454545414,
    "equalized_odds_ratio": 0.9166666666666667,
    "true_positive_rate_difference": 0.045454545454545414,
    "false_positive_rate_ratio": 0.9336384439359268,
}


def judge(column=REGION, flagged=FLAGGED, fraud=FRAUD, *, cards=None, resamples=40, **fewest: int):
    least = {"fewest_people": 0, "smallest_group": 10, "smallest_alerts": 2, "smallest_fraud": 2}
    return fairness(
        *(column, flagged, fraud),
        units=Units.over(len(column), cards),
        bootstrap=Bootstrap(resamples),
        **least | fewest,
    )


def test_disparities_are_those_of_fairlearn():
    groups = Groups(REGION, FLAGGED, FRAUD)
    found = disparities(groups.counts().rates(), *np.ones((2, 3, 3), bool))
    assert {name: found[name] for name in FAIRLEARN} == pytest.approx(FAIRLEARN, abs=1e-15)


def test_rates_of_a_group_are_its_own():
    south = REGION == "south"
    found = rates(REGION, FLAGGED, FRAUD)["south"]
    assert found["records"] == 80
    assert found["alerts"] == FLAGGED[south].sum()
    assert found["recall"] == pytest.approx(FLAGGED[south & FRAUD].mean(), abs=1e-4)
    assert found["precision"] == pytest.approx(FRAUD[south & FLAGGED].mean(), abs=1e-4)
    assert found["false_positive_rate"] == pytest.approx(FLAGGED[south & ~FRAUD].mean(), abs=1e-6)


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.booleans()), min_size=5, max_size=60))
def test_an_interval_holds_its_disparity_and_equals_have_none(records):
    column, flagged, fraud = (np.array(each) for each in zip(*records, strict=True))
    every = {"smallest_group": 1, "smallest_alerts": 0, "smallest_fraud": 1}
    found = judge(column, flagged, fraud, **every, resamples=15)["disparity"]
    for figure in found.values():
        if figure["low"] is not None:
            assert figure["low"] <= figure["value"] <= figure["high"]
    twice = np.concatenate
    equal = judge(
        *(np.repeat([0, 1], len(column)), twice([flagged, flagged]), twice([fraud, fraud])),
        **every,
        resamples=5,
    )["disparity"]
    assert equal["demographic_parity_difference"]["value"] == 0
    assert equal["demographic_parity_ratio"]["value"] in {1, None}


def test_a_small_group_is_named_but_not_judged():
    column = np.where(AT < 5, "few", REGION)
    flagged = FLAGGED | (AT < 5)  # all of the small group
    found = judge(column, flagged)
    assert found["groups"]["few"]["alert_rate"]["value"] == 1
    assert found["groups"]["few"]["judged"] == []
    assert found["disparity"]["demographic_parity_difference"]["value"] < 0.1


def test_a_group_with_little_fraud_is_not_judged_by_its_recall():
    fraud = FRAUD & ~((REGION == "west") & (AT > 20))
    found = judge(fraud=fraud, smallest_fraud=5)
    assert "true_positive_rate" not in found["groups"]["west"]["judged"]
    assert "alert_rate" in found["groups"]["west"]["judged"]
    two = judge(REGION[REGION != "west"], FLAGGED[REGION != "west"], fraud[REGION != "west"])["disparity"]
    name = "true_positive_rate_difference"
    assert found["disparity"][name]["value"] == two[name]["value"]


def test_one_group_alone_has_no_disparity():
    found = judge(np.full(240, "all"))["disparity"]
    assert {figure["value"] for figure in found.values()} == {None}


def test_what_is_missing_is_no_group_of_people():
    column = np.where(REGION == "west", None, REGION)
    found = judge(column)
    assert found["groups"]["(missing)"]["judged"] == []
    assert "alert_rate" in found["groups"]["south"]["judged"]


def test_too_many_values_become_one():
    found = rates(AT % 80, FLAGGED, FRAUD)
    assert len(found) == 51
    assert sum(group["records"] for group in found.values()) == 240
    assert found[OTHER]["records"] == 90


def test_with_few_alerts_rates_are_subtracted_and_not_divided():
    """Nobody honest is flagged: as in fairlearn, false positive rates are 0 apart, and have no ratio."""
    found = judge(flagged=FLAGGED & FRAUD, smallest_alerts=20)["disparity"]
    assert found["false_positive_rate_difference"] == {"value": 0, "low": 0, "high": 0}
    assert found["equalized_odds_difference"] == found["true_positive_rate_difference"]
    assert found["alert_rate_difference"]["value"] is not None
    assert found["alert_rate_ratio"]["value"] is found["false_positive_rate_ratio"]["value"] is None


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 9)), min_size=1, max_size=80), st.integers(2, 6))
def test_nobody_is_in_a_small_cell(people, fewest):
    """Neither a named group nor what is left has fewer people than that, unless all together are fewer."""
    column, cards = np.array(people).T
    cards = cards + 10 * column * (column % 2)  # people of odd groups are in no other
    found = Groups(column, column > 2, column > 9, cards, fewest)
    texts = column.astype(str)
    named = np.isin(texts, found.names)
    sizes = [len(np.unique(cards[texts == name])) for name in found.names if name != OTHER]
    assert all(size >= fewest for size in sizes)
    if OTHER in found.names and len(found.names) > 1:
        assert len(np.unique(cards[~named])) >= fewest
    assert found.counts().records.sum() == len(people)
    assert (OTHER in found.names) == (not named.all())


def test_people_are_counted_by_their_cards():
    column = np.where(AT % 4 == 0, "north", "south")
    cards = np.where(column == "north", AT % 12, 1_000 + AT)  # 60 records of three cards
    found = judge(column, cards=cards, fewest_people=5)
    assert set(found["groups"]) == {OTHER}, "what is left of three people would tell of them"
    assert judge(column, cards=cards, fewest_people=3)["groups"]["north"]["people"] == 3


def test_a_rate_has_an_interval_that_none_of_few_does_not_make_certain():
    found = judge(flagged=FLAGGED & (REGION != "south"))["groups"]["south"]["alert_rate"]
    assert found["value"] == found["low"] == 0
    assert 0.03 < found["high"] < 0.06, "Wilson's of 0 in 80 is 0.046"
    everywhere = judge()["groups"]
    for row in everywhere.values():
        for rate in ("alert_rate", "true_positive_rate", "false_positive_rate"):
            assert row[rate]["low"] < row[rate]["value"] < row[rate]["high"]


@pytest.mark.parametrize(("factor", "shown"), [(1.0, {0}), (0.25, {7, 8, 9, 10})])
def test_the_interval_of_a_ratio_allows_for_chance_and_no_more(factor, shown):
    """Ten worlds: the rates of five equal groups are far apart in most of them, shown unfair in none."""
    below, beyond = 0, 0
    for seed in range(10):
        random = np.random.default_rng(seed)
        column = random.integers(0, 5, 20_000)
        flagged = random.random(20_000) < 0.01 * np.where(column == 0, factor, 1)
        found = judge(column, flagged, flagged, smallest_alerts=20, resamples=100)["disparity"][
            "alert_rate_ratio"
        ]
        below += found["value"] < 0.8
        beyond += found["high"] < 0.8
    assert below >= 5
    assert beyond in shown
