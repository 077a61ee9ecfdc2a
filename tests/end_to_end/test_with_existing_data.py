"""`tidegate backfill` as people type it: a table exported, its export through the deployed gate, once each.

Late by its name: what it writes would be in the way of who counts events.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError

from models.simulator import identifying_values
from processor.local.delivery import Answer
from processor.local.rights import Terminal
from processor.local.scenario import Report
from processor.local.stage import Stage

pytestmark = pytest.mark.slow

BACKFILL = ("backfill", "--env", "local", "--stream", "payments", "--json")
NOBODYS = [{"payment_id": {"S": f"p-existing-{at}"}, "note": {"S": f"raw secret {at}"}} for at in range(3)]
"""Payments without a customer, whom the policy requires."""


@dataclass(frozen=True)
class Done:
    """Two backfills of one export, and what there was before and after."""

    items: list[dict[str, Any]]
    """Of the table."""
    first: tuple[int, dict[str, Any]]
    """Exit code and report of a run during which an answer was lost."""
    again: tuple[int, dict[str, Any]]
    before: dict[str, bytes]
    """Objects by bucket and key, before both."""
    between: dict[str, bytes]
    after: dict[str, bytes]
    said: str
    """All that the function has logged."""

    def events(self, objects: dict[str, bytes]) -> list[dict[str, Any]]:
        """Those of the backfill."""
        bodies = [
            gzip.decompress(body) for name, body in objects.items() if "/backfill=" in name and ".gz" in name
        ]
        return [json.loads(line) for body in bodies for line in body.splitlines()]


@pytest.fixture(scope="module")
def backfiller(stage: Stage) -> Terminal:
    return Terminal(stage, stage.aws.user("backfiller", stage.outputs["backfiller_policy_arn"]))


@pytest.fixture(scope="module")
def done(stage: Stage, report: Report, backfiller: Terminal) -> Iterator[Done]:
    assert report.events
    today = stage.by_now()
    dynamodb, table = stage.aws.client("dynamodb"), today.stream["source_table"]
    for item in NOBODYS:
        dynamodb.put_item(TableName=table, Item=item)
    items = [
        one for page in dynamodb.get_paginator("scan").paginate(TableName=table) for one in page["Items"]
    ]
    before, lost = objects(today), []

    def losing(invoke: Callable[[Any], Answer]) -> Callable[[Any], Answer]:
        """Let the first call do its work and die before it can tell."""

        def call(event: Any) -> Answer:
            answer = invoke(event)
            if lost:
                return answer
            lost.append(answer)
            return Answer(error="Runtime.ExitError")

        return call

    with today.backfilling(losing) as function:
        first = types(backfiller)
        between = objects(today)
        again = types(backfiller, "--export", first[1]["export"])
        said = function.log.decode()
    yield Done(items, first, again, before, between, objects(today), said)
    for item in NOBODYS:
        dynamodb.delete_item(TableName=table, Key={"payment_id": item["payment_id"]})
    empty(stage, today.outputs["exports_bucket"])  # others search all buckets for raw values


def types(terminal: Terminal, *options: str) -> tuple[int, dict[str, Any]]:
    code, printed = terminal.types(*BACKFILL, *options)
    assert printed, terminal.said
    return code, json.loads(printed)


def objects(stage: Stage) -> dict[str, bytes]:
    """What is in the gate's own buckets."""
    s3 = stage.aws.client("s3")
    return {
        f"{name}/{one['Key']}": s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
        for name, bucket in stage.outputs["buckets"].items()
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        for one in page.get("Contents", ())
    }


def empty(stage: Stage, bucket: str) -> None:
    s3 = stage.aws.client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for one in page.get("Contents", ()):
            s3.delete_object(Bucket=bucket, Key=one["Key"])


def test_each_item_of_the_table_has_one_event_or_is_held(done: Done) -> None:
    code, came = done.first
    assert (code, came["status"]) == (1, "SUCCEEDED")  # 1: something is held
    assert (came["items"], came["expected"], came["held"]) == (len(done.items), len(done.items), 3)
    events = done.events(done.between)
    ids = {event["new"]["payment_id"] for event in events}
    assert ids == {item["payment_id"]["S"] for item in done.items} - {
        one["payment_id"]["S"] for one in NOBODYS
    }
    assert len(events) == len(ids) == came["events"] + came["duplicates"]
    assert came["duplicates"] > 0, "the call whose answer was lost had done its work"
    assert len({event["event_id"] for event in events}) == len(events)
    fresh = {name for name in done.between if name.startswith("quarantine/")} - done.before.keys()
    assert len(fresh) == 3


def test_a_second_run_adds_nothing(done: Done) -> None:
    code, came = done.again
    assert (code, came["status"], came["events"]) == (1, "SUCCEEDED", 0)
    assert came["duplicates"] + came["held"] == len(done.items)
    assert done.after == done.between


def test_nothing_raw_is_behind_the_gate(done: Done) -> None:
    fresh = {name: body for name, body in done.after.items() if name not in done.before}
    text = done.said + json.dumps([done.first, done.again])
    text += b"".join(
        gzip.decompress(body) if name.endswith(".gz") else body for name, body in fresh.items()
    ).decode()
    raw = [plain(item) for item in done.items if "customer_id" in item]
    assert len(raw) > 100
    assert not [value for payment in raw for value in identifying_values(payment) if value in text]
    assert "raw secret" not in text


def test_an_item_looks_as_it_does_by_the_stream(done: Done) -> None:
    streamed: dict[str, dict[str, Any]] = {}
    for name, body in done.before.items():
        if name.startswith("events/") and name.endswith(".gz"):
            for event in map(json.loads, gzip.decompress(body).splitlines()):
                if event["new"]:
                    held = streamed.setdefault(event["new"]["payment_id"], event)
                    streamed[event["new"]["payment_id"]] = max(
                        held, event, key=lambda one: int(one["sequence"])
                    )
    alike = [
        event["new"] == streamed[event["new"]["payment_id"]]["new"]
        for event in done.events(done.after)
        if event["new"]["payment_id"] in streamed
    ]
    assert len(alike) > 100
    # The report has erased somebody: what is theirs is redacted by now.
    others = {
        event["new"]["customer_id"]
        for event in done.events(done.after)
        if event["new"]["payment_id"] in streamed
        and event["new"] != streamed[event["new"]["payment_id"]]["new"]
    }
    assert len(others) <= 1


def test_the_audit_trail_is_whole(done: Done, stage: Stage) -> None:
    assert done.after
    auditor = Terminal(stage, stage.aws.user("auditor-of-history", stage.outputs["auditor_policy_arn"]))
    code, _ = auditor.types("audit", "verify", "--env", "local", "--json")
    assert code == 0, auditor.said


def test_who_starts_it_and_what_runs_it_read_no_record(
    done: Done, stage: Stage, backfiller: Terminal
) -> None:
    bucket = stage.outputs["exports_bucket"]
    listed = stage.aws.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    (key, *_) = [one["Key"] for one in listed if "/data/" in one["Key"]]
    assert done.items
    for who in (backfiller.credentials, stage.runner, stage.role):
        with pytest.raises(ClientError, match=r"AccessDenied|Forbidden|403"):
            stage.aws.client("s3", who).get_object(Bucket=bucket, Key=key)


def plain(item: dict[str, Any]) -> dict[str, Any]:
    """An item as the simulator made it, as far as its texts go."""
    read = TypeDeserializer().deserialize
    return {name: read(value) for name, value in item.items()}
