"""`tidegate replay` where the changes come by Kinesis: by its shards and numbers, and of this table alone."""

from __future__ import annotations

import json
import time
from base64 import b64decode
from typing import TYPE_CHECKING

import pytest
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.kinesis.models import kinesis_backends

from processor.cli.replay import failures, sending
from processor.local.delivery import Batch, Lost, failure_report
from processor.local.kinesis import KinesisStream
from processor.local.moto_gaps import mended
from processor.pipeline import pass_through
from processor.telemetry import Tally
from tests.builders import STREAM, kinesis_record, stream_record
from tests.cli.replay_world import NAME, Town, client, told
from tests.worlds import PAYMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.local.delivery import Entry

TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/payments"


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    monkeypatch.setattr(sending, "PAUSE_S", 0)
    monkeypatch.setattr(failures, "WAIT_S", 0)
    with mended(), mock_aws():
        yield Town(monkeypatch)


class DataStream:
    """A data stream with some payments in it, and the queue of what Lambda gave up on."""

    def __init__(self, town: Town, n: int = 6) -> None:
        self.sqs, kinesis = client("sqs"), client("kinesis")
        kinesis.create_stream(StreamName="payments", ShardCount=1)
        summary = kinesis.describe_stream_summary(StreamName="payments")["StreamDescriptionSummary"]
        self.arn = town.function.stream_arn = summary["StreamARN"]
        town.function.environ["TABLE_ARN"] = TABLE
        self.url = self.sqs.create_queue(QueueName=f"{NAME}-failures")["QueueUrl"]
        for at, payment in enumerate(PAYMENTS[:n]):
            data = b64decode(kinesis_record(stream_record(payment, at=at))["kinesis"]["data"])
            kinesis.put_record(StreamARN=self.arn, PartitionKey="7A", Data=data)
        stream = KinesisStream(kinesis, self.arn, "TRIM_HORIZON")
        (self.shard,) = stream.shards.values()
        self.entries = stream.entries(self.shard)

    def give_up(self, entries: list[Entry]) -> None:
        report = failure_report(
            Lost(Batch(tuple(entries)), "RetryAttemptsExhausted"),
            function_arn="arn",
            stream_arn=self.arn,
            shard=self.shard.name,
            request_id="r-1",
            now=time.time(),
        )
        self.sqs.send_message(QueueUrl=self.url, MessageBody=json.dumps(report))

    def forget(self, count: int) -> None:
        """Let the retention of the oldest records end."""
        backend = kinesis_backends[DEFAULT_ACCOUNT_ID]["eu-west-1"]
        records = backend.streams["payments"].shards[self.shard.name].records
        for number in list(records)[:count]:
            del records[number]


def ids(*at: int) -> list[str]:
    return sorted(f"{one:032x}" for one in at)


def test_a_range_is_read_again_from_its_shard(town: Town) -> None:
    stream = DataStream(town)
    stream.give_up(stream.entries[1:4])
    stream.give_up(stream.entries[5:])
    answer = told("--failures")
    assert (answer["found"], answer["let_out"], answer["not_done"]["count"]) == (4, 4, 0)
    assert town.event_ids() == ids(1, 2, 3, 5)
    assert town.function.requests[0]["Records"] == [one.record for one in stream.entries[1:4]]
    stream.give_up(stream.entries[1:4])
    answer = told("--failures")
    assert (answer["let_out"], answer["was_there_already"]) == (0, 3)


def test_what_kinesis_has_forgotten_is_said(town: Town) -> None:
    stream = DataStream(town)
    stream.give_up(stream.entries[1:4])
    stream.forget(3)
    answer = told("--failures")
    first, last = stream.entries[1].sequence, stream.entries[3].sequence
    assert answer["let_out"] == 1
    assert f"{stream.shard.name} from {first} to before {last}" in json.dumps(answer)


def test_filters_mean_the_same(town: Town) -> None:
    stream = DataStream(town)
    pattern = {"data": {"dynamodb": {"Keys": {"payment_id": {"S": [PAYMENTS[2]["payment_id"]]}}}}}
    town.function.filters = [json.dumps(pattern)]
    stream.give_up(stream.entries)
    told("--failures")
    assert town.event_ids() == ids(2)


def test_what_was_held_comes_back_and_only_of_this_table(town: Town) -> None:
    DataStream(town, 0)
    held = [{**payment} for payment in PAYMENTS[:2]]
    for payment in held:
        del payment["customer_id"]  # which the policy requires
    records = [kinesis_record(stream_record(payment, at=at), at=at) for at, payment in enumerate(held)]
    others = kinesis_record(stream_record(held[0], at=7), at=7, tableName="orders")
    before = stream_record(held[0], at=9)  # from when the stream had the other source
    pass_through(town.strict, [*records, others, before], Tally())
    assert STREAM.startswith(TABLE)
    assert len(town.held()) == 4
    town.function.deploy(town.lenient)
    answer = told("--quarantine")
    assert town.event_ids() == ids(0, 1, 9)
    assert "of another table than the function's" in json.dumps(answer)
