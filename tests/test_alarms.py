"""That an alarm is said to ring when CloudWatch would ring it, and only then."""

from __future__ import annotations

import json
from typing import Any

import pytest

from processor.telemetry import Tally, Telemetry
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


def line(at: float, policy: str = "payments", **counts: int) -> str:
    lines: list[str] = []
    Telemetry(policy, None, lambda: at, lines.append).batch(Tally(**counts))  # type: ignore[arg-type]
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
