"""`tidegate replay --failures`: the ranges that Lambda gave up on, read again from a table's stream."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from processor.cli.replay import failures, sending
from processor.local.delivery import Batch, Lost, failure_report
from processor.local.moto_gaps import mended
from processor.local.records import entry
from tests.builders import delivered
from tests.cli.replay_world import NAME, Town, client, replay, told
from tests.fakes import refusal
from tests.worlds import PAYMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.local.delivery import Entry

QUEUE = f"{NAME}-failures"


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    monkeypatch.setattr(sending, "PAUSE_S", 0)
    monkeypatch.setattr(failures, "WAIT_S", 0)
    with mended(), mock_aws():
        yield Town(monkeypatch)


class Table:
    """The source table with its stream, and the queue of what Lambda gave up on."""

    def __init__(self, town: Town, n: int = 6) -> None:
        self.dynamodb, self.streams, self.sqs = client("dynamodb"), client("dynamodbstreams"), client("sqs")
        table = self.dynamodb.create_table(
            TableName="payments",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "payment_id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "payment_id", "KeyType": "HASH"}],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )["TableDescription"]
        self.stream_arn = town.function.stream_arn = table["LatestStreamArn"]
        self.url = self.sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
        for payment in PAYMENTS[:n]:
            self.dynamodb.put_item(TableName="payments", Item=delivered(payment))
        described = self.streams.describe_stream(StreamArn=self.stream_arn)["StreamDescription"]
        (self.shard,) = (one["ShardId"] for one in described["Shards"])
        position = {"ShardId": self.shard, "ShardIteratorType": "TRIM_HORIZON"}
        start = self.streams.get_shard_iterator(StreamArn=self.stream_arn, **position)["ShardIterator"]
        found = self.streams.get_records(ShardIterator=start)["Records"]
        self.entries = [entry(record, self.stream_arn) for record in found]

    def give_up(self, entries: list[Entry], **changes: Any) -> None:
        report = failure_report(
            Lost(Batch(tuple(entries)), "RetryAttemptsExhausted"),
            function_arn="arn",
            stream_arn=self.stream_arn,
            shard=self.shard,
            request_id="r-1",
            now=time.time(),
        )
        report["DDBStreamBatchInfo"] |= changes
        self.sqs.send_message(QueueUrl=self.url, MessageBody=json.dumps(report))

    def waiting(self) -> int:
        about = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])["Attributes"]
        assert about["ApproximateNumberOfMessagesNotVisible"] == "0", "what is not done can be received"
        return int(about["ApproximateNumberOfMessages"])

    def ids(self, *at: int) -> list[str]:
        return sorted(self.entries[one].record["eventID"] for one in at)


def test_a_range_is_read_again_and_its_message_deleted(town: Town) -> None:
    table = Table(town)
    table.give_up(table.entries[1:4])
    table.give_up(table.entries[5:])
    answer = told("--failures")
    assert (answer["found"], answer["let_out"], answer["not_done"]["count"]) == (4, 4, 0)
    assert town.event_ids() == table.ids(1, 2, 3, 5)
    assert town.function.requests[0]["Records"] == [one.record for one in table.entries[1:4]]
    assert table.waiting() == 0
    table.give_up(table.entries[1:4])
    answer = told("--failures")
    assert (answer["let_out"], answer["was_there_already"]) == (0, 3)
    assert town.event_ids() == table.ids(1, 2, 3, 5)


def test_a_dry_run_leaves_everything_where_it_is(town: Town) -> None:
    table = Table(town)
    table.give_up(table.entries[1:4])
    for _ in range(2):
        answer = told("--failures", "--dry-run")
        assert answer["would_send"] == [{"reason": "RetryAttemptsExhausted", "path": "", "count": 3}]
    assert (town.function.requests, table.waiting()) == ([], 1)


def test_what_the_mapping_filters_out_is_not_sent(town: Town) -> None:
    table = Table(town)
    wanted = table.entries[2].record["dynamodb"]["Keys"]["payment_id"]["S"]
    town.function.filters = [json.dumps({"dynamodb": {"Keys": {"payment_id": {"S": [wanted]}}}})]
    table.give_up(table.entries[2:5])
    told("--failures")
    assert town.event_ids() == table.ids(2)


def test_what_is_poison_is_held_and_done(town: Town) -> None:
    table = Table(town)
    table.dynamodb.put_item(TableName="payments", Item={"payment_id": {"S": "p"}})
    table.give_up(table.entries[4:], endSequenceNumber=str(table.entries[-1].sequence + 1), batchSize=3)
    done = replay("--failures", "--json")
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["let_out"], len(answer["held_again"])) == (1, 2, 1)
    assert (len(town.held()), table.waiting()) == (1, 0)


def test_a_message_stays_until_all_of_its_range_is_done(town: Town) -> None:
    table = Table(town)
    table.give_up(table.entries[:2])
    town.world.s3.hook = _refuse
    answer = told("--failures")
    assert (answer["not_done"]["count"], table.waiting()) == (2, 1)
    assert answer["not_done"]["where"][0]["place"].startswith(table.shard)
    town.world.s3.hook = lambda _moment: None
    assert told("--failures")["let_out"] == 2
    assert table.waiting() == 0


def _refuse(moment: str) -> None:
    if moment == "before PutObject events":
        raise refusal("SlowDown", "PutObject", 503)


class Forgetful:
    """A stream that has forgotten what is before a sequence number, or everything."""

    def __init__(self, streams: Any, first: int | None) -> None:
        self._streams, self._first = streams, first

    def get_shard_iterator(self, **call: Any) -> Any:
        if self._first is None:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetShardIterator")
        if call.get("SequenceNumber") is not None:
            raise ClientError({"Error": {"Code": "TrimmedDataAccessException"}}, "GetShardIterator")
        return self._streams.get_shard_iterator(**call)

    def get_records(self, **call: Any) -> Any:
        page = self._streams.get_records(**call)
        kept = [
            one for one in page["Records"] if int(one["dynamodb"]["SequenceNumber"]) >= (self._first or 0)
        ]
        return page | {"Records": kept}


@pytest.mark.parametrize("keeps", [None, 3, 5])
def test_what_the_stream_has_forgotten_is_named_and_the_rest_sent(
    town: Town, monkeypatch: pytest.MonkeyPatch, keeps: int | None
) -> None:
    table = Table(town)
    table.give_up(table.entries[1:5])
    forgetful = Forgetful(table.streams, None if keeps is None else table.entries[keeps].sequence)
    monkeypatch.setattr(
        "tests.cli.replay_world.client", lambda name: forgetful if "streams" in name else client(name)
    )
    done = replay("--failures", "--json")
    answer = json.loads(done.stdout)
    there = list(range(keeps or 5, 5))
    assert (done.exit_code, answer["let_out"], answer["gone"]["count"]) == (1, len(there), 4 - len(there))
    (named,) = answer["gone"]["where"]
    start = f"{table.shard} from {table.entries[1].sequence} to "
    before = f"before {table.entries[3].sequence}" if there else str(table.entries[4].sequence)
    assert named["place"] == start + before
    assert town.event_ids() == table.ids(*there)
    assert table.waiting() == 1, "somebody has to see to what is lost"


def test_what_is_no_report_is_named_and_stays(town: Town) -> None:
    table = Table(town)
    for body in ("garbage jane.doe@example.com", "[]", '{"DDBStreamBatchInfo": {}}'):
        table.sqs.send_message(QueueUrl=table.url, MessageBody=body)
    table.give_up(table.entries[:1], shardId="jane doe")
    table.give_up(table.entries[:1], streamArn=5)
    table.give_up(table.entries[:2], startSequenceNumber="9", endSequenceNumber="8")
    done = replay("--failures")
    assert (done.exit_code, "jane" in done.output) == (1, False)
    assert "6 could not be read" in done.stdout
    assert (table.waiting(), town.function.requests) == (6, [])


def test_what_the_ledger_may_have_forgotten_is_refused(town: Town) -> None:
    table = Table(town)
    days = town.strict.plan.retention_days.ledger
    ago = datetime.fromtimestamp(time.time() - days * 86_400, UTC).isoformat().replace("+00:00", "Z")
    table.give_up(table.entries[:2], approximateArrivalOfFirstRecord=ago)
    assert told("--failures")["too_old"]["count"] == 2
    assert (table.waiting(), town.function.requests) == (1, [])
    assert told("--failures", "--older")["let_out"] == 2


def test_more_messages_than_one_request_brings_are_all_seen(town: Town) -> None:
    table = Table(town, 3)
    for _ in range(23):
        table.give_up(table.entries)
    answer = told("--failures")
    assert (answer["found"], answer["let_out"], table.waiting()) == (69, 3, 0)


def test_without_a_queue_it_says_so(town: Town) -> None:
    done = replay("--failures")
    assert done.exit_code == 2
    assert "sqs:GetQueueUrl of tidegate-dev-payments-failures" in done.stderr
    assert not town.function.requests
