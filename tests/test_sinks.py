from __future__ import annotations

import json
import zlib
from decimal import Decimal
from typing import Any

import pytest

from processor.errors import Transient
from processor.event import Alert
from processor.sinks import BATCH_BYTES_MAX, Alerts, Feed, Stored
from tests.builders import FIRST_SEQUENCE, event
from tests.fakes import FakeS3, refusal

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alerts"


def stored(key: str = "events/payments/x.jsonl.gz") -> Stored:
    return Stored("tidegate-events", key, 1, "", None, created=True)


def alert(at: int = 0, *, line: str | None = None, **attributes: Any) -> tuple[Alert, Stored]:
    """The alert of the `at`th event of a stream, and where that is stored."""
    return Alert(f"{at:032x}", str(FIRST_SEQUENCE + at), line or f"line {at}", attributes), stored()


class FakeSNS:
    """Keeps what is published, and refuses the entries whose messages say so."""

    def __init__(self) -> None:
        self.requests: list[list[dict[str, Any]]] = []

    def publish_batch(self, **call: Any) -> dict[str, Any]:
        entries = call["PublishBatchRequestEntries"]
        assert call["TopicArn"].startswith(TOPIC)
        assert 1 <= len(entries) <= 10
        assert sum(len(entry["Message"]) for entry in entries) <= BATCH_BYTES_MAX
        self.requests.append(entries)
        failed = [
            {"Id": entry["Id"], "Code": "Throttled", "Message": entry["Message"]}
            for entry in entries
            if "refuse" in entry["Message"]
        ]
        return {"Successful": [], "Failed": failed[::-1]}


def test_the_same_events_are_the_same_bytes() -> None:
    first, second = FakeS3(), FakeS3()
    for s3 in (first, second):
        Feed(s3, "tidegate-events").create("events/payments/x", [event(0), event(1)])
    (body,) = first.under("events/").values()
    assert [body] == list(second.under("events/").values())
    assert zlib.decompress(body, 31).decode() == event(0).line + "\n" + event(1).line + "\n"


def test_a_fence_holds_an_empty_gzip_with_a_mark() -> None:
    s3 = FakeS3()
    assert Feed(s3, "tidegate-events").fence("events/payments/x") is None
    (call,) = s3.objects.values()
    assert zlib.decompress(call["Body"], 31) == b""
    assert call["Metadata"] == {"tidegate": "fence"}


def test_a_fence_finds_what_was_there_first() -> None:
    feed = Feed(FakeS3(), "tidegate-events")
    created = feed.create("events/payments/x", [event(0)])
    found = feed.fence("events/payments/x")
    assert created
    assert found
    assert (found.size, found.sha256, found.created) == (created.size, created.sha256, False)


def test_what_is_stored_can_be_read_back() -> None:
    feed = Feed(FakeS3(), "tidegate-events")
    created = feed.create("events/payments/x", [event(0), event(1)])
    assert created
    assert feed.lines(created) == [event(0).line, event(1).line]


def test_a_fenced_key_takes_no_events() -> None:
    feed = Feed(FakeS3(), "tidegate-events")
    feed.fence("events/payments/x")
    assert feed.create("events/payments/x", [event(0)]) is None
    assert feed.fence("events/payments/x") is None


@pytest.mark.parametrize("code", ["SlowDown", "AccessDenied", "ConditionalRequestConflict"])
def test_any_other_refusal_is_transient(code: str) -> None:
    def refuse(_moment: str) -> None:
        raise refusal(code, "PutObject")

    with pytest.raises(Transient, match=rf"^s3:PutObject under events/: {code} \(request 7PDX\)$"):
        Feed(FakeS3(refuse), "tidegate-events").create("events/payments/x", [event(0)])


def test_alerts_go_in_order_ten_at_a_time() -> None:
    sns = FakeSNS()
    alerts = [alert(at) for at in range(23)]
    Alerts(sns, TOPIC, "payments").publish(alerts)
    assert [len(request) for request in sns.requests] == [10, 10, 3]
    messages = [entry["Message"] for request in sns.requests for entry in request]
    assert messages == [one.line for one, _ in alerts]


def test_no_alerts_no_request() -> None:
    sns = FakeSNS()
    Alerts(sns, TOPIC, "payments").publish([])
    assert sns.requests == []


def test_requests_stay_within_the_bytes_that_sns_takes() -> None:
    sns = FakeSNS()
    Alerts(sns, TOPIC, "payments").publish([alert(at, line="x" * 100_000) for at in range(5)])
    assert [len(request) for request in sns.requests] == [2, 2, 1]


def test_an_event_too_large_for_sns_is_pointed_at() -> None:
    sns = FakeSNS()
    large, place = alert(7, line="x" * BATCH_BYTES_MAX, score=Decimal("0.999"), type="INSERT")
    Alerts(sns, TOPIC, "payments").publish([(large, place)])
    ((entry,),) = sns.requests
    assert json.loads(entry["Message"]) == {
        "schema": "tidegate.pointer/1",
        "event_id": large.event_id,
        "sequence": large.sequence,
        "score": 0.999,
        "bucket": "tidegate-events",
        "key": "events/payments/x.jsonl.gz",
    }
    assert entry["MessageAttributes"] == {
        "score": {"DataType": "Number", "StringValue": "0.999"},
        "type": {"DataType": "String", "StringValue": "INSERT"},
    }


def test_attributes_have_types_that_filters_can_compare() -> None:
    sns = FakeSNS()
    attributes = {
        "risk": Decimal("0.995"),
        "amount": 1200,
        "flagged": True,
        "country": "BE",
        "nothing": "",
        "huge": 10**12,
        "fine": Decimal("0.1234567"),
        "long": "é" * 1000,
        "odd": "a\x00b\ud800c",
    }
    Alerts(sns, TOPIC, "payments").publish([alert(0, **attributes)])
    ((entry,),) = sns.requests
    typed = {name: tuple(value.values()) for name, value in entry["MessageAttributes"].items()}
    assert typed == {
        "risk": ("Number", "0.995"),
        "amount": ("Number", "1200"),
        "flagged": ("String", "true"),
        "country": ("String", "BE"),
        "huge": ("String", "1000000000000"),
        "fine": ("String", "0.1234567"),
        "long": ("String", "é" * 256),
        "odd": ("String", "a?b?c"),
    }


def test_a_fifo_topic_gets_the_event_id_to_deduplicate_by() -> None:
    sns = FakeSNS()
    Alerts(sns, TOPIC + ".fifo", "payments").publish([alert(0)])
    ((entry,),) = sns.requests
    assert (entry["MessageGroupId"], entry["MessageDeduplicationId"]) == ("payments", event(0).event_id)


def test_the_first_refused_alert_is_where_to_go_on_and_nothing_after_is_sent() -> None:
    sns = FakeSNS()
    alerts = [alert(at, line="refuse Jane" if at in {13, 15} else "fine") for at in range(30)]
    with pytest.raises(Transient, match=r"^sns:Publish: Throttled$") as caught:
        Alerts(sns, TOPIC, "payments").publish(alerts)
    assert caught.value.sequence == alerts[13][0].sequence
    assert len(sns.requests) == 2


def test_a_refused_request_goes_on_from_its_first_alert() -> None:
    class Down:
        def publish_batch(self, **_call: Any) -> None:
            raise refusal("InternalError", "PublishBatch", 500)

    with pytest.raises(Transient) as caught:
        Alerts(Down(), TOPIC, "payments").publish([alert(4), alert(5)])
    assert caught.value.sequence == event(4).sequence
