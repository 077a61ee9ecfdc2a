"""A stream that comes by Kinesis, which keeps no order and has changes twice: each is out once all the same.

Late by its name: those before count what is there.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from processor.local.delivery import Answer
from processor.local.evidence import events_in
from processor.local.mapping import Tally
from processor.local.scenario import Report
from processor.local.stage import Stage

pytestmark = pytest.mark.slow

PEOPLE, TIERS = 30, ("new", "silver", "gold")
ADDRESS = "jo{}@raw-address.example"


@dataclass(frozen=True)
class Delivered:
    """What came of the changes of some people."""

    stage: Stage
    tally: Tally
    log: bytes
    answers: list[Answer]
    came: list[str]
    """Sequence numbers of what was delivered."""
    twice: int
    """How many changes DynamoDB put there a second time."""

    def events(self) -> list[dict[str, Any]]:
        """Those of these people, in the order in which they are in S3."""
        return [
            event
            for event in events_in(self.stage)
            if event["policy"]["name"] == "customers"
            and "kinesis" in str((event["new"] or event["old"]).get("language"))
        ]


@pytest.fixture(scope="module")
def delivered(stage: Stage, report: Report) -> Iterator[Delivered]:
    assert report.problems() == []
    customers = stage.by_now().of("customers")
    carrier = customers.carriers[customers.stream["stream_arn"]]
    answers: list[Answer] = []
    came: list[str] = []
    with customers.function() as function:
        source = customers.event_source(function)

        def tell(event: dict[str, Any]) -> Answer:
            came.extend(record["kinesis"]["sequenceNumber"] for record in event["Records"])
            answers.append(function.invoke(event))
            return answers[-1]

        source.drain()
        source._invoke = tell
        dynamodb, table = stage.aws.client("dynamodb"), customers.stream["source_table"]
        twice = carrier.twice
        for tier in TIERS:
            for number in range(PEOPLE):
                item = {"customer_id": f"c-kinesis-{number}", "email": ADDRESS.format(number), "tier": tier}
                typed = {name: {"S": text} for name, text in {**item, "language": "kinesis"}.items()}
                dynamodb.put_item(TableName=table, Item=typed)
            source.drain()
        yield Delivered(stage, source.tally, function.log, answers, came, carrier.twice - twice)


def test_each_change_is_one_event_though_some_came_twice(delivered: Delivered) -> None:
    events = delivered.events()
    assert delivered.twice > 0
    assert len(set(delivered.came)) == len(delivered.came) == PEOPLE * len(TIERS) + delivered.twice
    assert len(events) == PEOPLE * len(TIERS)
    assert max(Counter(event["event_id"] for event in events).values()) == 1
    assert delivered.tally.lost == 0
    assert all(answer.payload == {"batchItemFailures": []} for answer in delivered.answers)


def test_their_times_say_the_order_that_the_stream_did_not_keep(delivered: Delivered) -> None:
    people: dict[str, list[dict[str, Any]]] = {}
    for event in delivered.events():
        people.setdefault(event["new"]["customer_id"], []).append(event)
    assert len(people) == PEOPLE
    for events in people.values():
        ordered = sorted(events, key=lambda event: (event["time_us"], event["event_id"]))
        assert [event["new"]["tier"] for event in ordered] == list(TIERS)
        before = [event["old"] and event["old"]["tier"] for event in ordered]
        assert before == [None, *TIERS[:-1]], "each begins where the one before it ended"


def test_nothing_raw_is_in_them(delivered: Delivered) -> None:
    for event in delivered.events():
        assert event["new"]["email"].startswith("tok.")
        assert "raw-address" not in str(event)
    assert b"raw-address" not in delivered.log


def test_what_is_not_done_comes_again_by_its_number(delivered: Delivered) -> None:
    """A batch that the mapping takes for half done: from the number on it is delivered again, and found."""
    customers = delivered.stage.by_now().of("customers")
    before = delivered.events()
    with customers.function() as function:
        source = customers.event_source(function)
        failed: list[str] = []

        def stop_once(event: dict[str, Any]) -> Answer:
            answer = function.invoke(event)
            numbers = [record["kinesis"]["sequenceNumber"] for record in event["Records"]]
            if failed or len(numbers) < 2:
                return answer
            failed.append(numbers[len(numbers) // 2])
            return Answer({"batchItemFailures": [{"itemIdentifier": failed[0]}]})

        source._invoke = stop_once
        source.drain()
    assert failed
    assert source.tally.failures == 1
    assert source.tally.lost == 0
    assert [event["event_id"] for event in delivered.events()] == [event["event_id"] for event in before]
