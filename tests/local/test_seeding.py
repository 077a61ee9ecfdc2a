"""What the demo writes to the table is what its stream holds."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from processor.local.aws import EmbeddedAws, embedded_aws
from processor.local.records import event_record
from processor.local.seeding import Seed, sow
from processor.local.shards import Stream

COUNT = 60


@pytest.fixture(scope="module")
def sown() -> Iterator[tuple[Seed, list[dict[str, Any]]]]:
    with embedded_aws() as aws:
        arn = make_table(aws)
        seed = sow(aws, "payments", count=COUNT, seed=2)
        stream = Stream(aws.client("dynamodbstreams"), arn, "TRIM_HORIZON")
        (shard,) = stream.shards.values()
        yield seed, [event_record(record, arn) for record in stream.read(shard)]


def make_table(aws: EmbeddedAws) -> str:
    dynamodb = aws.client("dynamodb")
    made = dynamodb.create_table(
        TableName="payments",
        KeySchema=[{"AttributeName": "payment_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "payment_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    ttl = {"Enabled": True, "AttributeName": "expires_at"}
    dynamodb.update_time_to_live(TableName="payments", TimeToLiveSpecification=ttl)
    return str(made["TableDescription"]["LatestStreamArn"])


def test_every_kind_of_change_is_in_the_stream(sown: tuple[Seed, list[dict[str, Any]]]) -> None:
    seed, records = sown
    kinds = Counter(record["eventName"] for record in records)
    assert kinds == {"INSERT": COUNT, "MODIFY": seed.changed, "REMOVE": seed.removed + seed.expired}
    assert min(seed.changed, seed.removed, seed.expired) > 0


def test_what_expired_was_removed_by_dynamodb(sown: tuple[Seed, list[dict[str, Any]]]) -> None:
    seed, records = sown
    by_service = [record for record in records if "userIdentity" in record]
    assert len(by_service) == seed.expired
    assert {record["eventName"] for record in by_service} == {"REMOVE"}


def test_every_raw_value_is_in_the_stream_and_so_worth_searching_for(
    sown: tuple[Seed, list[dict[str, Any]]],
) -> None:
    seed, records = sown
    images = [record["dynamodb"]["NewImage"] for record in records if record["eventName"] == "INSERT"]
    emails = {image["email"]["S"] for image in images}
    assert emails <= seed.identifying()
    assert len(seed.identifying()) > COUNT
