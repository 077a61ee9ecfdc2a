from __future__ import annotations

import json

from processor.telemetry import METRICS, Tally, Telemetry, place_of


def told(tally: Tally) -> dict[str, object]:
    lines: list[str] = []
    Telemetry("payments", "payments_fraud@0123456789ab", lambda: 1.5, lines.append).batch(tally)
    (line,) = lines
    assert "\n" not in line
    return dict(json.loads(line))


def test_one_line_is_log_and_metrics() -> None:
    line = told(Tally(records=10, written=9, quarantined=1))
    assert (line["message"], line["Policy"], line["Model"]) == (
        "passed",
        "payments",
        "payments_fraud@0123456789ab",
    )
    assert (line["Records"], line["EventsWritten"], line["RecordsQuarantined"]) == (10, 9, 1)
    assert line["_aws"] == {
        "Timestamp": 1500,
        "CloudWatchMetrics": [
            {
                "Namespace": "Tidegate",
                "Dimensions": [["Policy"]],
                "Metrics": [{"Name": name, "Unit": "Count"} for name in (*METRICS, "BatchesStopped")],
            }
        ],
    }


def test_every_metric_is_in_the_line() -> None:
    line = told(Tally())
    assert all(line[name] == 0 for name in (*METRICS, "BatchesStopped"))


def test_a_stopped_batch_is_an_error_and_a_quarantined_record_a_warning() -> None:
    assert told(Tally())["level"] == "INFO"
    stopped = told(Tally(stopped="sns:Publish: Throttled"))
    assert (stopped["level"], stopped["message"]) == ("ERROR", "stopped: sns:Publish: Throttled")
    assert stopped["BatchesStopped"] == 1
    tally = Tally(quarantined=2)
    tally.reasons.update([("N holds what is not a number", "dynamodb.NewImage.amount")] * 2)
    line = told(tally)
    assert line["level"] == "WARN"
    assert line["quarantined"] == [
        {"reason": "N holds what is not a number", "path": "dynamodb.NewImage.amount", "count": 2}
    ]


def test_reasons_are_bounded() -> None:
    tally = Tally()
    tally.reasons.update((f"reason {at}", "") for at in range(100))
    quarantined = told(tally)["quarantined"]
    assert isinstance(quarantined, list)
    assert len(quarantined) == 20


def test_an_error_is_placed_without_its_text() -> None:
    try:
        int("jane.doe@example.com")
    except ValueError as error:
        place = place_of(error)
    assert place.startswith("ValueError at tests/test_telemetry.py:")
    assert "jane" not in place


def test_an_error_from_nowhere_has_a_place_too() -> None:
    assert place_of(KeyError("jane")) == "KeyError at unknown:0"
