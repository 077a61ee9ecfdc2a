"""What the embedded AWS does of Kinesis Data Streams for DynamoDB, with seeds that make it hard."""

import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from processor.local.aws import EmbeddedAws, embedded_aws
from processor.local.carrying import Carrier
from processor.local.delivery import Answer, Rules
from processor.local.mapping import EventSource, Settings
from processor.sources import decode

RULES = Rules(batch_size=10, partial=True, retries=1, bisect=False)


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    with embedded_aws() as up:
        yield up


class Town:
    """A table whose changes go into a data stream."""

    def __init__(self, aws: EmbeddedAws, name: str, seed: int | None) -> None:
        self.dynamodb, self.kinesis = aws.client("dynamodb"), aws.client("kinesis")
        self.name = name
        made = self.dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        self.kinesis.create_stream(StreamName=name, ShardCount=3)
        self.arn = self.kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"][
            "StreamARN"
        ]
        streams, table = aws.client("dynamodbstreams"), made["TableDescription"]["LatestStreamArn"]
        self.carrier = Carrier(streams, self.kinesis, table, self.arn, seed)
        self.taken: list[dict[str, Any]] = []

    def put(self, item: str, **more: Any) -> None:
        self.dynamodb.put_item(TableName=self.name, Item={"id": {"S": item}, **more})

    def source(self, *, failing: str = "", reports: list[str] | None = None, **changes: Any) -> EventSource:
        settings = Settings(
            function_arn="arn:f",
            stream_arn=self.arn,
            position="TRIM_HORIZON",
            lanes=2,
            destination_arn=None,
            filters=(),
            rules=RULES,
        )

        def take(event: dict[str, Any]) -> Answer:
            for record in event["Records"]:
                if failing and failing in b64decode(record["kinesis"]["data"]).decode():
                    number = record["kinesis"]["sequenceNumber"]
                    return Answer({"batchItemFailures": [{"itemIdentifier": number}]})
                self.taken.append(record)
            return Answer({"batchItemFailures": []})

        return EventSource(
            replace(settings, **changes),
            streams=self.kinesis,
            invoke=take,
            report=None if reports is None else reports.append,
            carry=self.carrier.carry,
        )


def test_every_change_comes_in_the_form_of_dynamodb(aws: EmbeddedAws) -> None:
    town = Town(aws, "plain", None)
    for number in range(3):
        town.put("one", n={"N": str(number)}, blob={"B": b"\x00\xff"})
    town.dynamodb.delete_item(TableName="plain", Key={"id": {"S": "one"}})
    town.source().drain()
    changes = [decode(record) for record in town.taken]
    assert [change.kind for change in changes] == ["INSERT", "MODIFY", "MODIFY", "REMOVE"]
    assert [change.new and change.new["n"] for change in changes] == [0, 1, 2, None]
    assert changes[0].new == {"id": "one", "n": 0, "blob": b"\x00\xff"}
    assert {change.table for change in changes} == {"plain"}
    assert all(len(change.sequence) == 56 for change in changes)


def test_changes_come_twice_and_in_the_wrong_order_and_their_times_tell(aws: EmbeddedAws) -> None:
    town = Town(aws, "hard", 3)
    for number in range(40):
        town.put(f"item-{number % 2}", n={"N": str(number)})
    tally = town.source().drain()
    changes = [decode(record) for record in town.taken]
    assert tally.done == len(changes) == 40 + town.carrier.twice
    assert town.carrier.twice > 0
    assert len({change.event_id for change in changes}) == 40
    for item in ("item-0", "item-1"):
        came = [change for change in changes if change.keys["id"] == item]
        made = sorted({change.time_us or 0: change for change in came}.items())
        images = [change.new["n"] for _, change in made if change.new]
        assert images == sorted(images), "by their times they are in order"
        assert [change.new and change.new["n"] for change in came] != images, "and they came otherwise"


def test_a_filter_sees_what_is_in_the_data(aws: EmbeddedAws) -> None:
    town = Town(aws, "filtered", None)
    for number in range(4):
        town.put(f"item-{number}", kind={"S": "odd" if number % 2 else "even"})
    pattern = {"data": {"dynamodb": {"NewImage": {"kind": {"S": ["odd"]}}}}}
    tally = town.source(filters=(json.dumps(pattern),)).drain()
    assert (tally.read, tally.filtered, tally.done) == (4, 2, 2)
    assert {decode(record).keys["id"] for record in town.taken} == {"item-1", "item-3"}


def test_what_is_given_up_is_reported_by_the_numbers_of_kinesis(aws: EmbeddedAws) -> None:
    town, reports = Town(aws, "failing", None), []  # type: Town, list[str]
    town.put("good")
    town.put("bad")
    tally = town.source(failing='"bad"', reports=reports).drain()
    assert (tally.done, tally.lost) == (1, 1)
    (report,) = map(json.loads, reports)
    told = report["KinesisBatchInfo"]
    assert told["streamArn"] == town.arn
    assert told["shardId"].startswith("shardId-")
    assert told["startSequenceNumber"] == told["endSequenceNumber"]
