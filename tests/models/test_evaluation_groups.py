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


def judge(column=REGION, flagged=FLAGGED, fraud=FRAUD, *, smallest_group=10, smallest_fraud=2, resamples=40):
    return fairness(
        *(column, flagged, fraud),
        units=Units.over(len(column), None),
        bootstrap=Bootstrap(resamples),
        smallest_group=smallest_group,
        smallest_fraud=smallest_fraud,
    )


def test_disparities_are_those_of_fairlearn():
    groups = Groups(REGION, FLAGGED, FRAUD)
    found = disparities(groups.counts().rates(), np.ones((3, 3), bool))
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
    found = judge(column, flagged, fraud, smallest_group=1, smallest_fraud=1, resamples=15)["disparity"]
    for figure in found.values():
        if figure["low"] is not None:
            assert figure["low"] <= figure["value"] <= figure["high"]
    twice = np.concatenate
    equal = judge(
        *(np.repeat([0, 1], len(column)), twice([flagged, flagged]), twice([fraud, fraud])),
        smallest_group=1,
        resamples=5,
    )["disparity"]
    assert equal["demographic_parity_difference"]["value"] == 0
    assert equal["demographic_parity_ratio"]["value"] in {1, None}


def test_a_small_group_is_named_but_not_judged():
    column = np.where(AT < 5, "few", REGION)
    flagged = FLAGGED | (AT < 5)  # all of the small group
    found = judge(column, flagged)
    assert found["groups"]["few"]["alert_rate"] == 1
    assert found["groups"]["few"]["judged"] is False
    assert found["disparity"]["demographic_parity_difference"]["value"] < 0.1


def test_a_group_with_little_fraud_is_not_judged_by_its_recall():
    fraud = FRAUD & ~((REGION == "west") & (AT > 20))
    found = judge(fraud=fraud, smallest_fraud=5)
    assert (found["groups"]["west"]["judged"], found["groups"]["west"]["recall_judged"]) == (True, False)
    two = judge(REGION[REGION != "west"], FLAGGED[REGION != "west"], fraud[REGION != "west"])["disparity"]
    name = "true_positive_rate_difference"
    assert found["disparity"][name]["value"] == two[name]["value"]


def test_one_group_alone_has_no_disparity():
    found = judge(np.full(240, "all"))["disparity"]
    assert {figure["value"] for figure in found.values()} == {None}


def test_what_is_missing_is_no_group_of_people():
    column = np.where(REGION == "west", None, REGION)
    found = judge(column)
    assert found["groups"]["(missing)"]["judged"] is False
    assert found["groups"]["south"]["judged"] is True


def test_too_many_values_become_one():
    found = rates(AT % 80, FLAGGED, FRAUD)
    assert len(found) == 51
    assert sum(group["records"] for group in found.values()) == 240
    assert found[OTHER]["records"] == 90
