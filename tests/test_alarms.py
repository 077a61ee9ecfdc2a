"""That an alarm is said to ring when CloudWatch would ring it, and only then."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from models.drift import psi
from processor.local.terraform import ROOT
from processor.scoring.drift import spread
from processor.telemetry import DECILES, Tally, Telemetry
from tests.alarms import alarms_of, data_of, firing

NOON = 1_795_564_800.0
ALARM = {
    "alarm_name": "quarantined",
    "namespace": "Tidegate",
    "metric_name": "RecordsQuarantined",
    "dimensions": {"Policy": "payments"},
    "statistic": "Sum",
    "period": 60,
    "evaluation_periods": 1,
    "datapoints_to_alarm": 0,
    "comparison_operator": "GreaterThanThreshold",
    "threshold": 0,
    "treat_missing_data": "notBreaching",
    "metric_query": [],
}
SHARE = {
    **{name: ALARM[name] for name in ("comparison_operator", "treat_missing_data")},
    "alarm_name": "mismatched",
    "evaluation_periods": 3,
    "threshold": 0.05,
    "metric_query": [
        {"id": "share", "expression": "mismatched / records", "return_data": True, "metric": []},
        *(
            {
                "id": name,
                "expression": "",
                "return_data": None,
                "metric": [
                    {
                        "namespace": "Tidegate",
                        "metric_name": metric,
                        "dimensions": {"Policy": "payments"},
                        "stat": "Sum",
                        "period": 300,
                    }
                ],
            }
            for name, metric in (("mismatched", "ValuesMismatched"), ("records", "Records"))
        ),
    ],
}


HOUR = 3600
DRIFT: dict[str, Any] = {  # as terraform/tests/observability.tftest.hcl holds the stream's alarm to be
    **{name: ALARM[name] for name in ("comparison_operator", "treat_missing_data")},
    "alarm_name": "drift",
    "evaluation_periods": 3,
    "threshold": 0.25,
    "metric_query": [
        *(
            {"id": name, "expression": expression, "return_data": name == "drift" or None, "metric": []}
            for name, expression in json.loads((ROOT / "tests" / "drift.json").read_text()).items()
        ),
        *(
            {
                "id": f"d{at}",
                "expression": "",
                "return_data": None,
                "metric": [
                    {
                        "namespace": "Tidegate",
                        "metric_name": metric,
                        "dimensions": {"Policy": "payments"},
                        "stat": "Sum",
                        "period": HOUR,
                    }
                ],
            }
            for at, metric in enumerate(DECILES)
        ),
    ],
}


def line(at: float, policy: str = "payments", **counts: Any) -> str:
    lines: list[str] = []
    Telemetry(policy, None, lambda: at, lines.append).batch(Tally(**counts))
    return lines[0]


def rings(alarm: dict[str, Any], *lines: str, now: float = NOON + 30) -> bool:
    return firing([alarm], lines, now) == {alarm["alarm_name"]}


def test_an_alarm_rings_in_the_minute_of_its_cause_and_not_after_it() -> None:
    said = line(NOON + 10, quarantined=1)
    assert rings(ALARM, line(NOON + 20), said)
    assert not rings(ALARM, line(NOON + 20))
    assert not rings(ALARM, said, now=NOON + 70)
    assert rings(ALARM | {"period": 300}, said, now=NOON + 290)
    assert not rings(ALARM | {"period": 300}, said, now=NOON + 301)


def test_only_its_own_metric_counts() -> None:
    assert not rings(ALARM, line(NOON, "customers", quarantined=1))
    assert not rings(ALARM, line(NOON, leaks=1))
    assert not rings(ALARM | {"namespace": "AWS/Lambda"}, line(NOON, quarantined=1))
    assert not rings(ALARM | {"dimensions": {}}, line(NOON, quarantined=1))
    both = {"Policy": "payments", "Model": "none"}
    assert not rings(ALARM | {"dimensions": both}, line(NOON, quarantined=1))


@pytest.mark.parametrize(
    ("statistic", "threshold", "expected"),
    [
        ("Sum", 5, True),
        ("Sum", 6, False),
        ("Maximum", 3, True),
        ("Maximum", 4, False),
        ("Minimum", 1, True),
        ("Minimum", 2, False),
        ("Average", 2.9, True),
        ("Average", 3, False),
        ("SampleCount", 1, True),
        ("SampleCount", 2, False),
    ],
)
def test_statistics(statistic: str, threshold: float, expected: bool) -> None:  # noqa: FBT001  a parameter
    alarm = ALARM | {"statistic": statistic, "threshold": threshold}
    assert rings(alarm, line(NOON, quarantined=2), line(NOON + 1, quarantined=4)) is expected


@pytest.mark.parametrize(
    ("comparison", "at"),
    [
        ("GreaterThanThreshold", {3}),
        ("GreaterThanOrEqualToThreshold", {2, 3}),
        ("LessThanThreshold", {1}),
        ("LessThanOrEqualToThreshold", {1, 2}),
    ],
)
def test_comparisons(comparison: str, at: set[int]) -> None:
    alarm = ALARM | {"comparison_operator": comparison, "threshold": 2}
    assert {count for count in (1, 2, 3) if rings(alarm, line(NOON, quarantined=count))} == at


def test_so_many_of_so_many_periods() -> None:
    alarm = ALARM | {"evaluation_periods": 5, "datapoints_to_alarm": 3}
    bad = [line(NOON + minute * 60, quarantined=1) for minute in (0, 2, 4)]
    assert rings(alarm, *bad, now=NOON + 299)
    assert not rings(alarm, *bad[1:], now=NOON + 299)
    assert not rings(alarm, *bad, now=NOON + 301), "the first is out of sight"
    assert not rings(alarm | {"datapoints_to_alarm": None}, *bad, now=NOON + 299), "then all must be"


def test_missing_data() -> None:
    assert rings(ALARM | {"treat_missing_data": "breaching"})
    for silent in ("notBreaching", "missing", None):
        assert not rings(ALARM | {"treat_missing_data": silent})


def test_a_share_rings_when_it_lasts() -> None:
    high = [line(NOON + at * 300, records=100, mismatched=6) for at in range(3)]
    low = line(NOON + 300, records=1000, mismatched=6)
    now = NOON + 3 * 300 - 1
    assert rings(SHARE, *high, now=now)
    assert not rings(SHARE, high[0], low, high[2], now=now)
    assert not rings(SHARE, *high[1:], now=now), "without records there is no share"
    assert not rings(SHARE, *(line(NOON + at * 300, mismatched=6) for at in range(3)), now=now)


EVEN = [100] * 10
SHIFTED = [0, 0, 20, 50, 80, 100, 150, 150, 200, 250]


def hours(*deciles: list[int]) -> list[str]:
    """What is printed in as many hours, in two batches each."""
    return [
        line(NOON + at * HOUR + 60 * minute, deciles=[count // 2 for count in counts])
        for at, counts in enumerate(deciles)
        for minute in (5, 50)
    ]


def test_drifted_scores_ring_when_it_lasts_and_even_ones_never_do() -> None:
    now = NOON + 3 * HOUR - 1
    assert rings(DRIFT, *hours(SHIFTED, SHIFTED, SHIFTED), now=now)
    assert not rings(DRIFT, *hours(EVEN, EVEN, EVEN), now=now)
    assert not rings(DRIFT, *hours(SHIFTED, EVEN, SHIFTED), now=now)
    assert not rings(DRIFT, *hours(SHIFTED, SHIFTED), now=now), "an hour without records is none of drift"
    collapsed = [[1000, *[0] * 9]] * 3
    assert rings(DRIFT, *hours(*collapsed), now=now), "no tenth is too empty for the index"
    few = [[count // 3 for count in SHIFTED]] * 3
    assert not rings(DRIFT, *hours(*few), now=now), "a few records are chance"
    assert not rings(DRIFT, *(line(NOON + at * HOUR) for at in range(3)), now=now), "where no model scores"


@pytest.mark.parametrize("power", [1, 1.5, 0.8])
def test_the_alarm_judges_as_the_command_does(power: float) -> None:
    scores = np.random.default_rng(0).random(20_000) ** power
    counted = spread(None, scores[:, None], scores).deciles
    index = psi([1] * 10, counted)
    for threshold, expected in ((index * 1.02 + 1e-4, False), (index * 0.98 - 1e-4, True)):
        alarm = DRIFT | {"threshold": threshold, "evaluation_periods": 1}
        assert rings(alarm, line(NOON, deciles=counted), now=NOON + HOUR - 1) is expected


def test_an_alarm_on_more_metrics_than_cloudwatch_takes_is_an_error() -> None:
    more = [query | {"id": f"e{at}"} for at, query in enumerate(DRIFT["metric_query"][-1:])]
    with pytest.raises(ValueError, match="takes 10 metrics"):
        firing([DRIFT | {"metric_query": [*DRIFT["metric_query"], *more]}], [], NOON)


@pytest.mark.parametrize(
    "changed",
    [
        {"comparison_operator": "LessThanLowerThreshold"},
        {"threshold": None},
        {"statistic": "p99"},
        {"treat_missing_data": "ignore"},
        {"metric_query": [{"id": "a", "expression": "FILL(b, 0)", "return_data": True, "metric": []}]},
    ],
)
def test_what_is_not_understood_is_an_error(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"understood|depends"):
        firing([ALARM | changed], [], NOON)


def test_lines_that_are_no_metrics_are_passed_over() -> None:
    others: list[str | bytes] = ["", "START RequestId: 1", "{", "[1]", '{"level": "INFO"}', b"\xff\xfe"]
    assert list(data_of(others)) == []
    assert firing([ALARM], [*others, line(NOON, quarantined=1)], NOON)


def test_a_metric_may_have_several_values_and_dimension_sets() -> None:
    said = json.loads(line(NOON))
    said["RecordsQuarantined"] = [1, 2.5]
    said["_aws"]["CloudWatchMetrics"][0]["Dimensions"] = [["Policy"], []]
    found = [one.value for one in data_of([json.dumps(said)]) if one.metric[1] == "RecordsQuarantined"]
    assert found == [1.0, 2.5, 1.0, 2.5]


def test_alarms_are_found_in_states_and_in_plans() -> None:
    alarm = {"type": "aws_cloudwatch_metric_alarm", "values": ALARM}
    other = {"type": "aws_sns_topic", "values": {}}
    deep = {"child_modules": [{"resources": [alarm]}, {"child_modules": [{"resources": [other, alarm]}]}]}
    assert alarms_of({"values": {"root_module": deep}}) == [ALARM, ALARM]
    assert alarms_of({"planned_values": {"root_module": {"resources": [other, alarm]}}}) == [ALARM]
