"""Whatever a function holds, and wherever it stops: each record is told once, and rightly."""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.cli.replay.function import payload_of, said
from processor.cli.replay.report import Report
from processor.cli.replay.sending import (
    ATTEMPTS,
    PAYLOAD_BYTES_MAX,
    TROUBLES_MAX,
    Outcome,
    Parcel,
    Said,
    Sender,
    Stopped,
    Told,
    batches,
)

REASON = ("cannot pass", "x")


def parcel(at: int, stream: str = "a", size: int = 0) -> Parcel:
    return Parcel(json.dumps([at, "x" * size]), stream, at, str(at))


class Function:
    """Holds the same records each time, and stops where it is told to, or breaks."""

    def __init__(self, held: set[int], stops: list[int | None], *, is_mute: bool = False) -> None:
        self.held, self.stops, self.is_mute = held, list(stops), is_mute
        self.written: set[int] = set()
        self.calls = 0

    def __call__(self, payload: bytes) -> Said:
        event = json.loads(payload)
        assert event["replay"] is True
        records = [at for at, _ in event["Records"]]
        self.calls += 1
        stop = self.stops.pop(0) if self.stops else len(records)
        if stop is None:
            return Said(failed=True, trouble="the function failed: Error")
        done = records[:stop]
        fresh = set(done) - self.held - self.written
        self.written |= fresh
        if stop < len(records):
            return Said(written=len(fresh), resume=str(records[stop]), trouble="S3 is down")
        held = Counter({REASON: n} if (n := len(self.held & set(done))) else {})
        return Said(written=len(fresh), held=None if self.is_mute and len(records) > 2 else held)


@settings(max_examples=200, deadline=None)
@given(
    n=st.integers(0, 40),
    held=st.sets(st.integers(0, 39)),
    stops=st.lists(st.integers(0, 10) | st.none(), max_size=12),
    size=st.integers(1, 20),
    is_mute=st.booleans(),
)
def test_each_record_is_told_once_and_rightly(
    n: int, held: set[int], stops: list[int | None], size: int, *, is_mute: bool
) -> None:
    function = Function(held, stops, is_mute=is_mute)
    report = Report("quarantine", "payments", "payments", dry_run=False)
    sender = Sender(function, report, batch_size=size, sleep=lambda _s: None)
    told: list[tuple[int, Outcome]] = []
    try:
        for one in sender.send([parcel(at) for at in range(n)]):
            told += [(each.sequence, one.outcome) for each in one.parcels]
    except Stopped:
        assert stops
    else:
        assert [at for at, _ in told] == list(range(n)), "once each, in order"
    assert len(dict(told)) == len(told)
    for at, outcome in told:
        if outcome is not Outcome.UNDONE:
            assert outcome is (Outcome.HELD if at in held else Outcome.PASSED)
            assert (at in function.written) is (at not in held)
    if not stops:
        assert function.calls <= max(2 * n, 1)
        assert report.let_out == report.passed == len(function.written)
        assert report.held.total() == len(held & set(range(n)))


def test_a_function_that_never_gets_on_is_given_up() -> None:
    slept: list[float] = []
    function = Function(set(), [0] * 1_000)
    report = Report("quarantine", "payments", "payments", dry_run=False)
    sender = Sender(function, report, batch_size=2, sleep=slept.append)
    told: list[Told] = []
    sending = sender.send([parcel(at) for at in range(100)])
    with pytest.raises(Stopped, match=r"^S3 is down$"):
        told.extend(sending)
    assert {one.outcome for one in told} == {Outcome.UNDONE}
    assert (len(told), function.calls) == (TROUBLES_MAX, TROUBLES_MAX * ATTEMPTS)
    assert slept[: ATTEMPTS - 1] == [1, 2, 4]


def test_batches_are_of_one_stream_and_fit_lambda() -> None:
    big = PAYLOAD_BYTES_MAX // 3
    parcels = [
        parcel(0),
        parcel(1, "b"),
        *(parcel(at, "b", big) for at in range(2, 7)),
        parcel(7, "b", 3 * big),
    ]
    cut = [[one.sequence for one in batch] for batch in batches(parcels, 100)]
    assert cut == [[0], [1, 2, 3], [4, 5], [6], [7]]
    assert [len(batch) for batch in batches([parcel(at) for at in range(25)], 10)] == [10, 10, 5]


def test_what_is_larger_than_lambda_takes_is_told_and_not_sent() -> None:
    function = Function(set(), [])
    report = Report("quarantine", "payments", "payments", dry_run=False)
    told = list(Sender(function, report).send([parcel(0), parcel(1, size=PAYLOAD_BYTES_MAX), parcel(2)]))
    assert [one.outcome for one in told] == [Outcome.PASSED, Outcome.UNDONE, Outcome.PASSED]
    assert function.written == {0, 2}


def answer(body: Any, *log: str, **more: Any) -> dict[str, Any]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    tail = b64encode("\n".join(log).encode()).decode()
    return {"ExecutedVersion": "7", "Payload": BytesIO(raw), "LogResult": tail, **more}


LINE = json.dumps(
    {
        "message": "passed",
        "EventsWritten": 3,
        "quarantined": [{"reason": "r", "path": "p", "count": 2}],
    }
)
DONE: dict[str, Any] = {"batchItemFailures": []}


PLACE = "unexpected KeyError at processor/event.py:3"


def heard(of: dict[str, Any]) -> Said:
    return said(of, payload_of(of))


def test_the_line_is_found_among_what_else_is_logged() -> None:
    report = json.dumps({"type": "platform.report", "record": {}})
    told = heard(answer(DONE, "…tail of a line}", LINE, "END", report, "null"))
    assert told == Said(written=3, held=Counter({("r", "p"): 2}), version="7")


@pytest.mark.parametrize("log", [[], [LINE[20:]], ["{}"], [json.dumps({"EventsWritten": 1})]])
def test_without_its_line_nothing_is_concluded(log: list[str]) -> None:
    assert heard(answer(DONE, *log)).held is None


def test_as_many_reasons_as_it_tells_may_not_be_all() -> None:
    many = [{"reason": str(at), "path": "", "count": 1} for at in range(20)]
    assert heard(answer(DONE, json.dumps({"EventsWritten": 0, "quarantined": many}))).held is None


def test_where_it_stopped_and_why() -> None:
    line = json.dumps({"message": "stopped: sns:Publish: Throttled", "EventsWritten": 2})
    stopped = heard(answer({"batchItemFailures": [{"itemIdentifier": "12"}]}, line))
    assert (stopped.resume, stopped.trouble, stopped.written) == ("12", "sns:Publish: Throttled", 2)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"errorMessage": "jane", "errorType": "KeyError"}, "KeyError"),
        ({"errorMessage": "jane", "errorType": "jane doe"}, "Error"),
        (
            {"errorMessage": "2026-11-25T04:00:00.000Z 7d1-a Task timed out after 60.00 seconds"},
            "Task timed out after 60.00 seconds",
        ),
        ({"errorMessage": PLACE, "errorType": "X"}, PLACE),
        (b"jane", "Error"),
        ({}, "Error"),
        ([], "Error"),
    ],
)
def test_a_failure_is_told_without_what_it_may_quote(body: Any, words: str) -> None:
    failed = heard(answer(body, FunctionError="Unhandled"))
    assert failed.failed
    assert failed.trouble == f"the function failed: {words}"
