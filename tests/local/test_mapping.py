"""The event source mapping at work on a stream in memory: what it reads, how it delivers, what it reports."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.errors import TidegateError
from processor.local.delivery import Answer, Rules
from processor.local.mapping import EventSource, Settings, Tally
from processor.local.records import event_record

STREAM = "arn:aws:dynamodb:eu-west-1:123456789012:table/payments/stream/2026-11-24T00:00:00.000"
START = datetime(2026, 11, 24, tzinfo=UTC)


def stream_record(number: int, item: str = "") -> dict[str, Any]:
    """A record as GetRecords gives it to Boto3."""
    return {
        "eventID": f"id-{number}",
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": START,
            "Keys": {"id": {"S": item or str(number)}},
            "NewImage": {"id": {"S": item or str(number)}, "blob": {"B": b"\x00\xff"}},
            "SequenceNumber": str(1000 + number),
            "SizeBytes": 20,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    }


class FakeStreams:
    """The streams API over lists: {shard: (parent, records, whether it is closed)}."""

    def __init__(self, shards: Mapping[str, tuple[str | None, list[dict[str, Any]], bool]]) -> None:
        self.shards = shards

    def describe_stream(self, **request: Any) -> dict[str, Any]:
        names = sorted(self.shards)
        rest = [name for name in names if name > request.get("ExclusiveStartShardId", "")]
        page: dict[str, Any] = {"Shards": []}
        for name in rest[:1]:  # one per page, so that paging is always at work
            parent = self.shards[name][0]
            page["Shards"].append({"ShardId": name} | ({"ParentShardId": parent} if parent else {}))
        if len(rest) > 1:
            page["LastEvaluatedShardId"] = rest[0]
        return {"StreamDescription": page}

    def get_shard_iterator(self, **request: Any) -> dict[str, Any]:
        at = 0 if request["ShardIteratorType"] == "TRIM_HORIZON" else len(self.shards[request["ShardId"]][1])
        return {"ShardIterator": f"{request['ShardId']}|{at}"}

    def get_records(self, **request: Any) -> dict[str, Any]:
        name, at = request["ShardIterator"].split("|")
        _, records, closed = self.shards[name]
        found = records[int(at) : int(at) + min(request["Limit"], 4)]
        end = int(at) + len(found)
        ended = closed and end == len(records)
        return {"Records": found} | ({} if ended else {"NextShardIterator": f"{name}|{end}"})


class Clock:
    """A time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = START.timestamp()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def settings_with(**changes: Any) -> Settings:
    names = Settings.__dataclass_fields__
    rules = {name: value for name, value in changes.items() if name not in names}
    plain = Settings(
        function_arn="arn:f",
        stream_arn=STREAM,
        position="TRIM_HORIZON",
        lanes=1,
        destination_arn=None,
        filters=(),
        rules=Rules(batch_size=3, partial=True),
    )
    own = {name: value for name, value in changes.items() if name in names}
    return replace(plain, rules=replace(plain.rules, **rules), **own)


class Function:
    """A function that fails for these ids, as often as told, and notes what it took."""

    def __init__(self, failing: dict[str, int] | None = None) -> None:
        self.failing = dict(failing or {})
        self.batches: list[list[str]] = []
        self.taken: list[str] = []

    def __call__(self, event: dict[str, Any]) -> Answer:
        ids = [record["eventID"] for record in event["Records"]]
        self.batches.append(ids)
        for at, one in enumerate(ids):
            if self.failing.get(one, 0):
                self.failing[one] -= 1
                sequence = event["Records"][at]["dynamodb"]["SequenceNumber"]
                return Answer({"batchItemFailures": [{"itemIdentifier": sequence}]})
            self.taken.append(one)
        return Answer({"batchItemFailures": []})


def run(streams: FakeStreams, function: Any, **changes: Any) -> tuple[Tally, list[dict[str, Any]]]:
    """Drain the stream; what was done, and the failure reports."""
    reports: list[dict[str, Any]] = []
    clock = Clock()
    source = EventSource(
        settings_with(**changes),
        streams=streams,
        invoke=function,
        report=lambda report: reports.append(json.loads(report)),
        clock=clock,
        sleep=clock.sleep,
    )
    return source.drain(), reports


def ids(numbers: Iterable[int]) -> list[str]:
    return [f"id-{number}" for number in numbers]


def one_shard(count: int) -> FakeStreams:
    return FakeStreams({"a": (None, [stream_record(number) for number in range(count)], False)})


def test_settings_are_read_from_what_lambda_keeps() -> None:
    mapping = {
        "FunctionArn": "arn:f:live",
        "EventSourceArn": STREAM,
        "StartingPosition": "TRIM_HORIZON",
        "BatchSize": 200,
        "MaximumBatchingWindowInSeconds": 1,
        "ParallelizationFactor": 2,
        "MaximumRetryAttempts": 5,
        "MaximumRecordAgeInSeconds": 3600,
        "BisectBatchOnFunctionError": True,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "DestinationConfig": {"OnFailure": {"Destination": "arn:q"}},
        "FilterCriteria": {"Filters": [{"Pattern": '{"eventName": ["INSERT"]}'}]},
    }
    assert Settings.read(mapping) == Settings(
        function_arn="arn:f:live",
        stream_arn=STREAM,
        position="TRIM_HORIZON",
        lanes=2,
        destination_arn="arn:q",
        filters=('{"eventName": ["INSERT"]}',),
        rules=Rules(batch_size=200, window_s=1, retries=5, max_age_s=3600, bisect=True, partial=True),
    )


def test_settings_that_are_left_out_are_lambdas_defaults() -> None:
    mapping = {
        "FunctionArn": "f",
        "EventSourceArn": STREAM,
        "StartingPosition": "LATEST",
        "BatchSize": 100,
    }
    assert Settings.read(mapping).rules == Rules()
    assert Settings.read(mapping).lanes == 1


def test_a_position_that_no_stream_has_is_refused() -> None:
    mapping = {"FunctionArn": "f", "EventSourceArn": STREAM, "StartingPosition": "AT_TIMESTAMP"}
    with pytest.raises(TidegateError, match="AT_TIMESTAMP"):
        Settings.read(mapping)


def test_the_function_gets_lambdas_json() -> None:
    record = stream_record(1)
    record["userIdentity"] = {"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"}
    record["dynamodb"]["NewImage"]["blobs"] = {"BS": [b"\x01", b"\x02"]}
    event = event_record(record, STREAM)
    assert json.loads(json.dumps(event)) == {
        "eventID": "id-1",
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": {
            "ApproximateCreationDateTime": int(START.timestamp()),
            "Keys": {"id": {"S": "1"}},
            "NewImage": {"id": {"S": "1"}, "blob": {"B": "AP8="}, "blobs": {"BS": ["AQ==", "Ag=="]}},
            "SequenceNumber": "1001",
            "SizeBytes": 20,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": STREAM,
        "userIdentity": {"principalId": "dynamodb.amazonaws.com", "type": "Service"},
    }


def test_everything_is_delivered_once_in_order_when_nothing_fails() -> None:
    function = Function()
    tally, reports = run(one_shard(10), function)
    assert function.taken == ids(range(10))
    assert tally == Tally(read=10, done=10, invocations=4)
    assert reports == []


def test_an_empty_stream_is_drained_without_a_call() -> None:
    assert run(one_shard(0), Function())[0] == Tally()


def test_latest_leaves_out_what_is_there() -> None:
    assert run(one_shard(5), Function(), position="LATEST")[0] == Tally()


def test_what_the_filters_leave_out_does_not_reach_the_function() -> None:
    function = Function()
    pattern = json.dumps({"dynamodb": {"Keys": {"id": {"S": ["2", "4"]}}}})
    tally, _ = run(one_shard(6), function, filters=(pattern,))
    assert function.taken == ids([2, 4])
    assert (tally.filtered, tally.done) == (4, 2)


def test_a_record_that_passes_at_the_second_try_is_not_reported() -> None:
    function = Function({"id-1": 2})
    tally, reports = run(one_shard(3), function, retries=5)
    assert function.batches == [ids([0, 1, 2]), ids([1, 2]), ids([1, 2])]
    assert (tally.done, tally.lost, tally.failures, reports) == (3, 0, 2, [])


def test_a_record_that_never_passes_is_reported_and_the_stream_goes_on() -> None:
    function = Function({"id-1": 99})
    tally, reports = run(one_shard(6), function, retries=2)
    assert function.taken == ids([0, 3, 4, 5])
    assert (tally.done, tally.lost) == (4, 2)
    (report,) = reports
    assert report["DDBStreamBatchInfo"]["startSequenceNumber"] == "1001"
    assert report["DDBStreamBatchInfo"]["endSequenceNumber"] == "1002"
    assert report["DDBStreamBatchInfo"]["shardId"] == "a"
    assert "id-1" not in json.dumps(report)


def test_bisection_finds_the_one_record_that_crashes_the_function() -> None:
    taken: list[str] = []

    def crashing(event: dict[str, Any]) -> Answer:
        found = [record["eventID"] for record in event["Records"]]
        if "id-5" in found:
            return Answer(error="Runtime.ExitError")
        taken.extend(found)
        return Answer()

    tally, reports = run(one_shard(8), crashing, batch_size=8, bisect=True, retries=1)
    assert taken == ids([0, 1, 2, 3, 4, 6, 7])
    assert tally.lost == 1
    assert [report["DDBStreamBatchInfo"]["batchSize"] for report in reports] == [1]


def test_a_record_that_is_too_old_for_another_try_is_reported() -> None:
    tally, reports = run(one_shard(1), Function({"id-0": 10**6}), max_age_s=60)
    assert tally.lost == 1
    assert reports[0]["requestContext"]["condition"] == "RecordAgeExceeded"


def test_a_shard_waits_for_its_parent_even_if_that_one_is_empty() -> None:
    shards = {
        "b-child": ("c-parent", [stream_record(number) for number in (5, 6)], True),
        "c-parent": ("d-gone", [stream_record(number) for number in range(5)], True),
        "e-grandchild": ("f-empty", [stream_record(7)], True),
        "f-empty": ("b-child", [], True),
    }
    function = Function({"id-4": 1})
    run(FakeStreams(shards), function)
    assert function.taken == ids(range(8))


def test_lanes_keep_each_items_changes_in_order() -> None:
    records = [stream_record(number, item=str(number % 5)) for number in range(40)]
    function = Function({"id-3": 1, "id-17": 2})
    tally, _ = run(FakeStreams({"a": (None, records, True)}), function, lanes=4)
    assert tally.done == 40
    assert sorted(function.taken) == sorted(ids(range(40)))
    for item in range(5):
        of_item = [one for one in function.taken if int(one[3:]) % 5 == item]
        assert of_item == ids(range(item, 40, 5))


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(0, 20),
    failing=st.dictionaries(st.integers(0, 19), st.integers(1, 6), max_size=5),
    batch_size=st.integers(1, 6),
    retries=st.integers(0, 3),
    bisect=st.booleans(),
)
def test_under_any_failures_each_record_is_taken_or_reported(
    count: int, failing: dict[int, int], batch_size: int, retries: int, *, bisect: bool
) -> None:
    function = Function({f"id-{number}": times for number, times in failing.items()})
    tally, reports = run(one_shard(count), function, batch_size=batch_size, retries=retries, bisect=bisect)
    reported = [
        f"id-{number - 1000}"
        for report in reports
        for number in range(
            int(report["DDBStreamBatchInfo"]["startSequenceNumber"]),
            int(report["DDBStreamBatchInfo"]["endSequenceNumber"]) + 1,
        )
    ]
    assert set(function.taken) | set(reported) == set(ids(range(count)))
    assert not set(function.taken) & set(reported)
    assert tally.done + tally.lost == tally.read == count
