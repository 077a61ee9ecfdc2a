"""Changes that come by Kinesis: the same as by the table's own stream, though they may come twice."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import replace
from typing import Any

import pytest

from processor import kinesis, stream
from processor.errors import Poison, Transient
from processor.ledger import lane_of
from processor.pipeline import pass_through
from processor.sources import decode, event_id_of, sequence_of
from processor.telemetry import Tally
from tests.builders import FIRST_OF_KINESIS, FIRST_SEQUENCE, KINESIS, TIME, kinesis_record, stream_record
from tests.worlds import PAYMENTS, World

PAYMENT = {"payment_id": "p-1", "amount": 12, "note": "of Jane"}
SECRET = "4111111111111111"


def by_kinesis(count: int, first: int = 0, **more: Any) -> list[dict[str, Any]]:
    return [
        kinesis_record(stream_record(payment, at=first + at), at=first + at, **more)
        for at, payment in enumerate(PAYMENTS[first : first + count])
    ]


def again(record: dict[str, Any], at: int, arrived: float) -> dict[str, Any]:
    """The change of a record, put into Kinesis a second time."""
    sequence = str(FIRST_OF_KINESIS + at)
    envelope = {**record["kinesis"], "sequenceNumber": sequence, "approximateArrivalTimestamp": arrived}
    return {**record, "kinesis": envelope, "eventID": f"shardId-000000000000:{sequence}"}


def test_a_change_is_the_same_by_either_way() -> None:
    record = stream_record(PAYMENT, {**PAYMENT, "amount": 11}, at=7)
    ours = decode(kinesis_record(record, at=3))
    assert ours.time_us == (TIME + 7) * 1_000_000 + 123_456
    assert (ours.arrived, ours.sequence) == (TIME + 8, str(FIRST_OF_KINESIS + 3))
    assert replace(ours, sequence=str(FIRST_SEQUENCE + 7), arrived=None, time_us=None) == stream.decode(
        record
    )


def test_the_time_is_read_at_the_precision_that_is_named() -> None:
    record = kinesis_record(stream_record(PAYMENT))
    body = json.loads(b64decode(record["kinesis"]["data"]))["dynamodb"]
    for named, raw, us in (
        ({"ApproximateCreationDateTimePrecision": "MILLISECOND"}, TIME * 1000 + 5, TIME * 1_000_000 + 5_000),
        ({"ApproximateCreationDateTimePrecision": "MICROSECOND"}, TIME * 1_000_000 + 5, TIME * 1_000_000 + 5),
        ({}, TIME * 1000 + 6, TIME * 1_000_000 + 6_000),
    ):
        kept = {name: part for name, part in body.items() if not name.startswith("Approximate")}
        changed = kinesis_record(
            stream_record(PAYMENT), dynamodb={**kept, **named, "ApproximateCreationDateTime": raw}
        )
        assert kinesis.decode(changed).time_us == us


def test_who_was_removed_by_the_time_to_live_is_known() -> None:
    service = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    record = stream_record(None, PAYMENT) | {"userIdentity": service}
    assert decode(kinesis_record(record)).expired
    assert not decode(kinesis_record(stream_record(None, PAYMENT))).expired


def deep() -> str:
    return b64encode(b'{"dynamodb":' + b"[" * 100_000 + b"]" * 100_000 + b"}").decode()


@pytest.mark.parametrize(
    ("envelope", "path"),
    [
        ({"data": f"{SECRET}!"}, "kinesis.data"),
        ({"data": b64encode(SECRET.encode()).decode()}, "kinesis.data"),
        ({"data": b64encode(b"{" + SECRET.encode()).decode()}, "kinesis.data"),
        ({"data": b64encode(b"\xff").decode()}, "kinesis.data"),
        ({"data": b64encode(b"9" * 5_000).decode()}, "kinesis.data"),
        ({"data": deep()}, "kinesis.data"),
        ({"data": ""}, "data"),
        ({"sequenceNumber": "-1"}, "kinesis.sequenceNumber"),
        ({"sequenceNumber": "1" * 129}, "kinesis.sequenceNumber"),
        ({"approximateArrivalTimestamp": "now"}, "kinesis.approximateArrivalTimestamp"),
        ({"approximateArrivalTimestamp": True}, "kinesis.approximateArrivalTimestamp"),
    ],
)
def test_what_is_no_record_of_kinesis_is_poison_and_not_quoted(envelope: dict[str, Any], path: str) -> None:
    record = kinesis_record(stream_record(PAYMENT))
    with pytest.raises(Poison) as caught:
        decode({**record, "kinesis": {**record["kinesis"], **envelope}})
    assert caught.value.path == path
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"tableName": "a table"}, "tableName"),
        ({"tableName": None}, "tableName"),
        ({"eventName": "UPSERT"}, "eventName"),
        ({"dynamodb": {"Keys": {"payment_id": {"S": "p"}}}}, "dynamodb.NewImage"),
        ({"dynamodb": []}, "dynamodb"),
    ],
)
def test_what_dynamodb_would_not_write_is_poison(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(Poison) as caught:
        decode(kinesis_record(stream_record(PAYMENT), **changes))
    assert caught.value.path == path


@pytest.mark.parametrize("time", [None, True, 1.5, -1, 10**18, f"{TIME}"])
def test_a_time_that_is_none_is_poison(time: Any) -> None:
    body = stream_record(PAYMENT)["dynamodb"] | {
        "ApproximateCreationDateTime": time,
        "ApproximateCreationDateTimePrecision": "MICROSECOND",
    }
    with pytest.raises(Poison, match="must be an epoch time"):
        decode(kinesis_record(stream_record(PAYMENT), dynamodb=body))


def test_a_record_says_what_it_can_however_malformed() -> None:
    record = kinesis_record(stream_record(PAYMENT, at=4), at=9, dynamodb="none")
    assert (event_id_of(record), sequence_of(record)) == (f"{4:032x}", str(FIRST_OF_KINESIS + 9))
    broken = {**record, "kinesis": {**record["kinesis"], "data": "!"}}
    assert event_id_of(broken) == f"shardId-000000000000:{FIRST_OF_KINESIS + 9}"
    assert event_id_of({"eventSource": "aws:kinesis"}) == ""


def test_each_shard_is_a_lane() -> None:
    lanes = {lane_of(kinesis_record(stream_record(PAYMENT), shard=shard)) for shard in range(3)}
    assert len(lanes) == 3
    assert lane_of(stream_record(PAYMENT)) not in lanes
    assert lane_of({"eventSource": "aws:kinesis", "eventSourceARN": KINESIS}) not in lanes


def test_payments_come_out_as_they_would_by_the_stream() -> None:
    ours, tally = World(), Tally()
    theirs = World(people=ours.people)
    pass_through(ours.gate(), by_kinesis(50), tally)
    pass_through(theirs.gate(), [stream_record(one, at=at) for at, one in enumerate(PAYMENTS[:50])], Tally())
    assert (tally.records, tally.written, tally.quarantined, tally.duplicates) == (50, 50, 0, 0)

    def told(world: World) -> list[dict[str, Any]]:
        return [
            {name: part for name, part in event.items() if name not in {"sequence", "time_us"}}
            for event in world.events()
        ]

    assert told(ours) == told(theirs)
    assert [event["sequence"] for event in ours.events()] == [str(FIRST_OF_KINESIS + at) for at in range(50)]
    assert all(event["time_us"] % 1_000_000 == 123_456 for event in ours.events())
    assert not any("time_us" in event for event in theirs.events())


def test_a_change_that_comes_twice_in_a_batch_is_one_event() -> None:
    world, tally = World(), Tally()
    first, *rest = by_kinesis(5)
    pass_through(world.gate(), [first, *rest, again(first, 5, TIME + 20)], tally)
    assert (tally.written, tally.duplicates, tally.quarantined) == (5, 1, 0)
    assert len({event["event_id"] for event in world.events()}) == len(world.events()) == 5


def test_a_change_that_comes_again_in_a_later_batch_is_no_other_event() -> None:
    world, tally = World(), Tally()
    batches = [by_kinesis(5, first) for first in range(0, 50, 5)]
    for batch in batches:
        pass_through(world.gate(), batch, Tally())
    late = again(batches[2][1], 50, TIME + 51)
    pass_through(world.gate(), [late], tally)
    assert (tally.written, tally.duplicates, tally.quarantined) == (0, 1, 0)
    assert len(world.events()) == 50
    new = by_kinesis(1, 51)
    pass_through(world.gate(), [late, *new], tally)
    assert len({event["event_id"] for event in world.events()}) == len(world.events()) == 51


def test_another_change_under_the_same_id_is_held_and_the_first_is_not_lost() -> None:
    for changes in ({"dynamodb": "none"}, {"eventName": "MODIFY"}):
        world, tally = World(), Tally()
        first = by_kinesis(1)
        other = kinesis_record(stream_record(PAYMENTS[0], at=0), at=1, **changes)
        pass_through(world.gate(), [*first, other], tally)
        assert (tally.written, tally.quarantined) == (1, 1)
        assert len(world.events()) == 1


def test_what_has_to_come_again_goes_by_the_numbers_of_kinesis() -> None:
    world = World()
    with pytest.raises(Transient, match="5 records are left") as caught:
        pass_through(world.gate(), by_kinesis(5), Tally(), lambda: True)
    assert caught.value.sequence == str(FIRST_OF_KINESIS)


def test_poison_is_held_once_and_says_its_day() -> None:
    world, tally = World(), Tally()
    records = by_kinesis(3)
    records[1] = kinesis_record(stream_record(PAYMENTS[1], at=1), at=1, eventName="UPSERT")
    for _ in range(2):
        pass_through(world.gate(), records, tally)
    assert len(world.events()) == 2
    (key,) = [key for bucket, key in world.s3.objects if bucket == "quarantine"]
    assert "/dt=2026-11-23/" in key
    assert f"-{FIRST_OF_KINESIS + 1}-" in key
