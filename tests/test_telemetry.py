from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.ledger import Intent, Settled
from processor.sinks import Stored
from processor.telemetry import (
    COUNTS,
    DECILES,
    DURATIONS,
    METRICS,
    SHADOW,
    STAGES,
    UNSAID,
    Tally,
    Telemetry,
    place_of,
)

FEATURES = ("amount", "hour")
MODEL = "payments_fraud@0123456789ab"
REQUEST = "0f6c4f6e-2f5e-4a61-9d2e-6f1f6a1d7c11"
SOMETIMES = {*DECILES, *SHADOW, "ShadowBehind"}
ALWAYS = [name for name in METRICS if METRICS[name] == "Count" and name not in SOMETIMES]


def spoken(*tallies: Tally, now: float = 1.5) -> list[dict[str, Any]]:
    """What one environment says of these batches."""
    lines: list[str] = []
    telemetry = Telemetry("payments", MODEL, lambda: now, lines.append, features=FEATURES)
    for tally in tallies:
        telemetry.batch(tally)
    assert not any("\n" in line for line in lines)
    return [dict(json.loads(line)) for line in lines]


def told(tally: Tally, now: float = 1.5) -> dict[str, Any]:
    (line,) = spoken(tally, now=now)
    return line


def test_one_line_is_log_and_metrics() -> None:
    line = told(Tally(request_id=REQUEST, records=10, written=9, quarantined=1, oldest=1))
    assert (line["message"], line["Policy"], line["Model"]) == ("passed", "payments", MODEL)
    assert line["request_id"] == REQUEST
    assert (line["Records"], line["EventsWritten"], line["RecordsQuarantined"]) == (10, 9, 1)
    assert line["_aws"] == {
        "Timestamp": 1500,
        "CloudWatchMetrics": [
            {
                "Namespace": "Tidegate",
                "Dimensions": [["Policy"]],
                "Metrics": [
                    *({"Name": name, "Unit": "Count"} for name in ALWAYS),
                    {"Name": "IteratorAge", "Unit": "Milliseconds"},
                ],
            }
        ],
    }


def test_metrics_are_within_what_cloudwatch_takes_from_a_line() -> None:
    assert len(METRICS) <= 100
    assert set(METRICS.values()) == {"Count", "Milliseconds"}


def test_every_count_is_in_the_line_and_no_duration_that_was_not_measured() -> None:
    line = told(Tally())
    assert all(line[name] == 0 for name in COUNTS)
    assert not {"IteratorAge", *DURATIONS} & line.keys()


def test_every_count_is_told_under_its_own_name() -> None:
    tally = Tally()
    for at, attribute in enumerate(COUNTS.values(), start=1):
        setattr(tally, attribute, at)
    line = told(tally)
    assert [line[name] for name in COUNTS] == list(range(1, len(COUNTS) + 1))


def test_the_first_batch_of_an_environment_is_its_cold_start() -> None:
    assert [line["ColdStart"] for line in spoken(Tally(), Tally(), Tally())] == [1, 0, 0]


def test_the_age_is_that_of_the_oldest_change_and_never_negative() -> None:
    assert told(Tally(oldest=100), now=102.5)["IteratorAge"] == 2500
    assert told(Tally(oldest=103), now=102.5)["IteratorAge"] == 0, "clocks differ"


def test_stages_are_timed_from_one_to_the_next() -> None:
    moments = iter([10.0, 10.5, 10.75, 12.0, 12.001])
    tally = Tally(clock=lambda: next(moments))
    for stage in ("decode", "people", "settle", "people"):
        tally.enters(stage)
    line = told(tally)
    assert line["DurationDecode"] == 500.0
    assert line["DurationPeople"] == 251.0, "both times together"
    assert line["DurationSettle"] == 1250.0
    assert set(DURATIONS) & line.keys() == {"DurationDecode", "DurationPeople", "DurationSettle"}
    named = [metric["Name"] for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
    assert named == [name for name in METRICS if name in line], "and no others"


def test_what_a_delivery_did_not_create_it_does_not_count() -> None:
    notes = {"leaks": 1, "unknown": 2, "mismatched": 3, "oversized": 4, "erased": 5}
    summary = {"records": 6, "flagged": 7, "imputed": 8, "notes": notes}
    intent = Intent("lane", "key", "1", "2", frozenset(), frozenset(), summary)
    stored = Stored("events", "key", 1, "", None, created=True)
    tally = Tally()
    tally.add(Settled(intent, stored))
    tally.add(Settled(intent, dataclasses.replace(stored, created=False)))
    assert {name: getattr(tally, name) for name in notes} == notes
    assert (tally.written, tally.flagged, tally.imputed) == (6, 7, 8)


def test_a_stopped_batch_is_an_error_and_a_quarantined_record_a_warning() -> None:
    assert told(Tally())["level"] == "INFO"
    stopped = told(Tally(stopped="sns:Publish: Throttled"))
    assert (stopped["level"], stopped["message"]) == ("ERROR", "stopped: sns:Publish: Throttled")
    assert stopped["BatchesStopped"] == 1
    tally = Tally(quarantined=2, names=frozenset({"amount"}))
    tally.reasons.update([("N holds what is not a number", "dynamodb.NewImage.amount")] * 2)
    line = told(tally)
    assert line["level"] == "WARN"
    assert line["quarantined"] == [
        {"reason": "N holds what is not a number", "path": "dynamodb.NewImage.amount", "count": 2}
    ]


def test_how_scores_and_features_are_spread_is_told_where_a_model_scores() -> None:
    tally = Tally(deciles=list(range(10)), spread=[[1, 2, 0], [3, 0], [0, 3, 0]])
    line = told(tally)
    assert [line[name] for name in DECILES] == list(range(10))
    assert line["drift"] == {"score": [0, 3, 0], "features": {"amount": [1, 2, 0], "hour": [3, 0]}}
    named = [metric["Name"] for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
    assert named == [name for name in METRICS if name in line], "drift is no metric"
    assert not {"drift", *DECILES} & told(Tally()).keys()


def test_of_a_batch_that_comes_again_nothing_is_told_of_drift() -> None:
    tally = Tally(deciles=[1] * 10, spread=[[1], [1], [1]], stopped="sns:Publish: Throttled")
    assert not {"drift", *DECILES} & told(tally).keys()


def test_features_that_are_not_the_model_s_are_not_told() -> None:
    assert "drift" not in told(Tally(spread=[[1, 0]] * 4))


@pytest.mark.parametrize(
    "counted", [{"deciles": ["jane"] * 10}, {"deciles": [1.5] * 10}, {"spread": [["jane"], [1], [1]]}]
)
def test_what_is_no_count_of_drift_is_refused_without_quoting_it(counted: dict[str, Any]) -> None:
    with pytest.raises(TypeError) as refused:
        told(Tally(**counted))
    assert "jane" not in str(refused.value)


def test_reasons_are_bounded() -> None:
    tally = Tally(names=frozenset(f"field_{at}" for at in range(100)))
    tally.reasons.update(("a required field is missing", f"field_{at}") for at in range(100))
    assert len(told(tally)["quarantined"]) == 20


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("", ""),
        ("customer_id", "customer_id"),
        ("items[*].sku", "items[*].sku"),
        ("items[*].?", "items[*].?"),
        ("dynamodb.OldImage.customer_id", "dynamodb.OldImage.customer_id"),
        ("dynamodb.NewImage.?", "dynamodb.NewImage.?"),
        ("dynamodb.NewImage.jane", "?"),
        ("items.jane.sku", "?"),
        ("4111111111111111", "?"),
    ],
)
def test_a_path_is_said_as_far_as_the_policy_has_its_names(path: str, said: str) -> None:
    tally = Tally(names=frozenset({"customer_id", "items[*].sku"}))
    tally.reasons[("a required field is missing", path)] = 1
    assert told(tally)["quarantined"][0]["path"] == said


@pytest.mark.parametrize(
    "text",
    [
        "sns:Publish: jane.doe@example.com",
        "sns:Publish: Throttled (request jane doe)",
        "s3:PutObject under jane/: SlowDown",
        "dynamodb:PutItem on jane",
        "time ran out: 4111111111111111 records are left",
        "KeyError at jane doe",
        "time ran out: 3 records are left\njane",
    ],
)
def test_a_sentence_with_something_else_in_it_is_not_said(text: str) -> None:
    assert told(Tally(stopped=text))["message"] == f"stopped: {UNSAID}"


texts = st.text(min_size=3) | st.emails() | st.from_regex(r"\A\w{3,20}\Z") | st.from_regex(r"\A[0-9]{9,19}\Z")


@given(text=texts, where=st.sampled_from(["stopped", "reason", "path", "request_id"]))
def test_no_text_of_a_record_gets_into_the_line(text: str, where: str) -> None:
    quiet = Tally(names=frozenset({"customer_id"}))
    quiet.reasons[("", "")] = 1
    tally = dataclasses.replace(quiet, reasons=type(quiet.reasons)())
    if where in {"stopped", "request_id"}:
        setattr(tally, where, text)
        tally.reasons = quiet.reasons
    else:
        tally.reasons[(text, "") if where == "reason" else ("", text)] = 1
    line = told(tally)
    assert line["message"] in {"passed", f"stopped: {UNSAID}"}
    assert line["request_id"] == ""
    (said,) = line["quarantined"]
    assert said["reason"] == UNSAID
    assert said["path"] in {"", "?"} or not set(said["path"]) - set(".[]") or said["path"] == "customer_id"


@pytest.mark.parametrize(
    "text",
    [
        REQUEST.upper(),
        REQUEST[:-1],
        REQUEST.replace("-", ""),
        REQUEST[:-1] + "g",
        REQUEST + "\n",
        "20261125-1234-1234-jane-doe000000000",
    ],
)
def test_an_id_is_said_in_the_form_of_lambda_s_alone(text: str) -> None:
    assert told(Tally(request_id=text))["request_id"] == ""


@pytest.mark.parametrize("attribute", [*COUNTS.values(), "oldest"])
@pytest.mark.parametrize("value", ["jane.doe@example.com", 1.5, ["jane"]])
def test_what_is_no_count_is_refused_without_quoting_it(attribute: str, value: Any) -> None:
    tally = Tally()
    setattr(tally, attribute, value)
    lines: list[str] = []
    with pytest.raises(TypeError) as refused:
        Telemetry("payments", None, lambda: 1.5, lines.append).batch(tally)
    assert not lines
    assert "jane" not in str(refused.value)


def test_what_is_no_duration_is_refused_without_quoting_it() -> None:
    for durations in ({"decode": "jane"}, {"decode": ["jane"]}):
        with pytest.raises(TypeError) as refused:
            told(Tally(durations=durations))  # type: ignore[arg-type]
        assert "jane" not in str(refused.value)
    assert "jane" not in json.dumps(told(Tally(durations={"jane": 1.0})))  # type: ignore[dict-item]


def test_every_stage_has_its_metric() -> None:
    assert list(DURATIONS.values()) == list(STAGES)
    assert DURATIONS["DurationSanitise"] == "sanitise"


def test_an_error_is_placed_without_its_text() -> None:
    try:
        int("jane.doe@example.com")
    except ValueError as error:
        place = place_of(error)
    assert place.startswith("ValueError at tests/test_telemetry.py:")
    assert "jane" not in place
    assert told(Tally(stopped=place))["message"] == f"stopped: {place}"


def test_an_error_from_nowhere_has_a_place_too() -> None:
    place = place_of(KeyError("jane"))
    assert place == "KeyError at unknown:0"
    assert told(Tally(stopped=place))["message"] == f"stopped: {place}"


def test_a_version_is_told_apart_by_what_a_canary_is_judged_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_VERSION", "13")
    line = told(Tally(records=10, written=10, flagged=2))
    whole, of_version = line["_aws"]["CloudWatchMetrics"]
    assert (whole["Dimensions"], of_version["Dimensions"]) == ([["Policy"]], [["Policy", "Version"]])
    assert [metric["Name"] for metric in of_version["Metrics"]] == ["Records", "EventsFlagged"]
    assert line["Version"] == "13"
