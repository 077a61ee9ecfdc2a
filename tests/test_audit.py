"""The trail as it is written: chains, their heads, and what becomes of them when AWS does not answer."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from processor.audit import Audit, Chain, manifest_key, policy_key, record_key
from processor.errors import Transient
from processor.sinks import Stored
from tests.fakes import NOW, FakeDynamoDB, FakeS3, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET, TABLE = "audit", "ledger"
KEY = "events/payments/dt=2026-11-23/hour=21/0a1b2c3d-100-200-0011223344556677.jsonl.gz"
STORED = Stored("tidegate-events", KEY, 123, "c2hhMjU2", "v1", created=True)
SUMMARY = {"records": 2, "flagged": 1, "actions": [{"field": "email", "action": "tokenize", "count": 2}]}
POLICY, POLICY_SHA256 = b'{"format":"tidegate.plan/1"}\n', "ab" * 32


def chain(s3: Any, dynamodb: Any, group: str = "detokenize", **more: Any) -> Chain:
    return Chain(
        s3=s3,
        bucket=BUCKET,
        dynamodb=dynamodb,
        ledger_table=TABLE,
        group=group,
        clock=lambda: NOW,
        retention_days=10,
        **more,
    )


def audit(s3: Any, dynamodb: Any) -> Audit:
    return Audit(
        s3,
        BUCKET,
        chain=chain(s3, dynamodb, "stream/payments"),
        policy=POLICY,
        policy_name="payments",
        policy_sha256=POLICY_SHA256,
    )


def places(s3: FakeS3, prefix: str = "") -> list[dict[str, Any]]:
    """Where each record stands in its chain, in the order in which they were written."""
    return [json.loads(body)["chain"] for body in s3.under(prefix).values()]


def create_ledger(dynamodb: Any) -> None:
    dynamodb.create_table(
        TableName=TABLE,
        KeySchema=[
            {"AttributeName": "stream", "KeyType": "HASH"},
            {"AttributeName": "intent", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "stream", "AttributeType": "S"},
            {"AttributeName": "intent", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )


@pytest.fixture(params=["fake", "moto"])
def aws(request: pytest.FixtureRequest) -> Iterator[tuple[Any, Any]]:
    """S3 and DynamoDB: the fakes, and moto to hold them to."""
    if request.param == "fake":
        yield FakeS3(), FakeDynamoDB()
        return
    with mock_aws():
        region = {"region_name": "eu-west-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
        s3, dynamodb = boto3.client("s3", **region), boto3.client("dynamodb", **region)
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        create_ledger(dynamodb)
        yield s3, dynamodb


def test_a_manifest_describes_the_stored_object() -> None:
    s3 = FakeS3()
    writer = audit(s3, FakeDynamoDB())
    writer.describe(STORED, SUMMARY, "100", "200")
    ((key, body),) = s3.under("manifests/").items()
    assert key == "manifests/payments/dt=2026-11-23/0a1b2c3d-100-200-0011223344556677.json"
    manifest = json.loads(body)
    assert manifest.pop("chain") == {
        "group": "stream/payments",
        "id": writer._chain.id,
        "link": 1,
        "previous": None,
    }
    assert manifest == {
        "schema": "tidegate.manifest/1",
        "object": {
            "bucket": "tidegate-events",
            "key": KEY,
            "version_id": "v1",
            "bytes": 123,
            "sha256": "c2hhMjU2",
        },
        "first": "100",
        "last": "200",
        **SUMMARY,
    }


def test_a_manifest_is_written_once_and_a_redelivery_consumes_nothing() -> None:
    s3, dynamodb = FakeS3(), FakeDynamoDB()
    first, second = audit(s3, dynamodb), audit(s3, dynamodb)
    other = Stored("tidegate-events", KEY.replace("100", "101"), 1, "x", "v2", created=True)
    first.describe(STORED, SUMMARY, "1", "2")
    for writer in (first, second, first):
        writer.describe(STORED, SUMMARY, "1", "2")
    first.describe(other, SUMMARY, "3", "4")
    assert [place["link"] for place in places(s3, "manifests/")] == [1, 2]
    assert len(dynamodb.items) == 1


def test_the_policy_is_put_once_before_the_first_manifest() -> None:
    moments: list[str] = []
    s3 = FakeS3(moments.append)
    writer = audit(s3, FakeDynamoDB())
    for at in range(3):
        writer.describe(
            Stored("e", KEY.replace("100", str(at)), 1, "x", "v", created=True), SUMMARY, "1", "2"
        )
    assert s3.under("policies/") == {policy_key("payments", POLICY_SHA256): POLICY}
    assert [moment for moment in moments if moment.startswith("before")] == [
        "before PutObject policies",
        *["before PutObject manifests"] * 3,
    ]


def test_each_link_has_the_hash_of_the_one_before_and_the_head_that_of_the_last(aws: tuple[Any, Any]) -> None:
    s3, dynamodb = aws
    writer = chain(s3, dynamodb, key_version=3)
    links = [
        writer.append(record_key("detokenize", NOW + at, writer), {"kind": "detokenize", "at": at})
        for at in range(4)
    ]
    previous = None
    for number, link in enumerate(links, 1):
        assert link is not None
        assert link.key == f"records/detokenize/dt=2026-11-23/21040{4 + number}-{writer.id}-{number}.json"
        body = s3.get_object(Bucket=BUCKET, Key=link.key)["Body"].read()
        assert body.endswith(b"\n")
        assert json.loads(body) == {
            "kind": "detokenize",
            "at": number - 1,
            "chain": {"group": "detokenize", "id": writer.id, "link": number, "previous": previous},
        }
        assert (link.number, link.sha256) == (number, sha256(body).hexdigest())
        previous = link.sha256
    head = dynamodb.get_item(
        TableName=TABLE,
        Key={"stream": {"S": "chains/detokenize"}, "intent": {"S": writer.id}},
        ConsistentRead=True,
    )["Item"]
    assert head == {
        "stream": {"S": "chains/detokenize"},
        "intent": {"S": writer.id},
        "links": {"N": "4"},
        "sha256": {"S": previous},
        "written_at": {"N": str(int(NOW))},
        "key_version": {"N": "3"},
        "expires_at": {"N": str(int(NOW) + 40 * 86_400)},
    }


def test_a_taken_key_changes_nothing(aws: tuple[Any, Any]) -> None:
    s3, dynamodb = aws
    first, second = chain(s3, dynamodb), chain(s3, dynamodb)
    assert first.append("manifests/payments/dt=2026-11-23/a.json", {"of": "first"})
    before = second.id
    assert second.append("manifests/payments/dt=2026-11-23/a.json", {"of": "second"}) is None
    link = second.append("manifests/payments/dt=2026-11-23/b.json", {"of": "second"})
    assert link
    assert (second.id, link.number) == (before, 1)


def test_no_two_writers_share_a_chain() -> None:
    assert len({chain(FakeS3(), FakeDynamoDB()).id for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "moment", ["before PutObject manifests", "after PutObject manifests", "before PutItem", "after PutItem"]
)
def test_a_write_of_unknown_outcome_ends_the_chain(moment: str) -> None:
    failing = [moment]

    def hook(now: str) -> None:
        if now in failing:
            failing.remove(now)
            raise refusal("RequestTimeout", "PutSomething")

    s3, dynamodb = FakeS3(hook), FakeDynamoDB(hook)
    writer = chain(s3, dynamodb)
    before = writer.id
    with pytest.raises(Transient, match="RequestTimeout"):
        writer.append("manifests/p/dt=2026-11-23/a.json", {})
    writer.append("manifests/p/dt=2026-11-23/a.json", {})
    writer.append("manifests/p/dt=2026-11-23/b.json", {})
    links = [(place["id"] == before, place["link"]) for place in places(s3)]
    assert links in ([(True, 1), (False, 1)], [(False, 1), (False, 2)])
    assert len({(place["id"], place["link"]) for place in places(s3)}) == 2, "no number is given twice"


def retried(_moment: str) -> None:
    """What botocore makes of a PUT whose first try got through and whose answer did not."""
    error = refusal("PreconditionFailed", "PutObject", 412)
    error.response["ResponseMetadata"]["RetryAttempts"] = 1
    raise error


def test_a_key_taken_by_perhaps_an_own_earlier_try_ends_the_chain() -> None:
    writer = chain(FakeS3(retried), FakeDynamoDB())
    before = writer.id
    assert writer.append("manifests/p/dt=2026-11-23/a.json", {}) is None
    assert (writer.id != before, writer.links) == (True, 0)


def test_a_record_that_an_earlier_try_wrote_is_a_link() -> None:
    dynamodb = FakeDynamoDB()
    writer = chain(FakeS3(retried), dynamodb)
    link = writer.append(record_key("erase", NOW, writer), {})
    assert link
    assert (link.number, link.version_id, writer.links) == (1, None, 1)
    assert len(dynamodb.items) == 1


def test_a_late_try_does_not_turn_the_head_back() -> None:
    calls: list[dict[str, Any]] = []

    class Recording(FakeDynamoDB):
        def put_item(self, **call: Any) -> dict[str, Any]:
            calls.append(call)
            return super().put_item(**call)

    with mock_aws():
        region = {"region_name": "eu-west-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
        dynamodb = boto3.client("dynamodb", **region)
        create_ledger(dynamodb)
        writer = chain(FakeS3(), Recording())
        for at in range(10):  # 9 and 10, too: numbers are compared, not texts
            writer.append(f"manifests/p/dt=2026-11-23/{at}.json", {})
        for call in [*calls, calls[-1]]:
            dynamodb.put_item(**call)
        for late in calls[:-1]:
            with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException):
                dynamodb.put_item(**late)


def test_where_manifests_and_policies_are() -> None:
    assert manifest_key(KEY) == "manifests/payments/dt=2026-11-23/0a1b2c3d-100-200-0011223344556677.json"
    assert policy_key("payments", "ab") == "policies/payments/ab.json"
