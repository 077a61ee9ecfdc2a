"""The world's services are held to moto's answers: the same calls, the same outcome, on both."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.simulation.aws_dynamodb import KEYS, LAG, DynamoDB
from tests.simulation.aws_others import KMS, SNS
from tests.simulation.aws_s3 import S3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BUCKET = "tidegate-events"
ACCOUNT = {"region_name": "eu-west-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}


class Services:
    """One client of each."""

    s3: Any
    dynamodb: Any
    kms: Any
    sns: Any
    topic: str
    fifo: str
    mac_key: str
    data_key: str


def ours() -> Services:
    services = Services()
    services.s3, services.dynamodb = S3(), DynamoDB(lambda: 0, lambda: 0.0)
    services.kms, services.sns = KMS(Random(1)), SNS()
    services.topic = services.mac_key = services.data_key = "arn"
    services.fifo = "arn.fifo"
    return services


def motos() -> Services:
    services = Services()
    for name in ("s3", "dynamodb", "kms", "sns"):
        setattr(services, name, boto3.client(name, **ACCOUNT))  # type: ignore[call-overload]
    services.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    services.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for table, parts in KEYS.items():
        services.dynamodb.create_table(
            TableName=table,
            KeySchema=[
                {"AttributeName": part, "KeyType": kind}
                for part, kind in zip(parts, ("HASH", "RANGE"), strict=False)
            ],
            AttributeDefinitions=[{"AttributeName": part, "AttributeType": "S"} for part in parts],
            BillingMode="PAY_PER_REQUEST",
        )
    services.topic = services.sns.create_topic(Name="alerts")["TopicArn"]
    fifo = {"FifoTopic": "true", "ContentBasedDeduplication": "false"}
    services.fifo = services.sns.create_topic(Name="alerts.fifo", Attributes=fifo)["TopicArn"]
    mac = services.kms.create_key(KeySpec="HMAC_512", KeyUsage="GENERATE_VERIFY_MAC")
    services.mac_key = mac["KeyMetadata"]["Arn"]
    services.data_key = services.kms.create_key()["KeyMetadata"]["Arn"]
    return services


@pytest.fixture(params=["ours", "moto"])
def aws(request: pytest.FixtureRequest) -> Iterator[Services]:
    if request.param == "ours":
        yield ours()
        return
    with mock_aws():
        yield motos()


def refused(call: Callable[..., Any], **arguments: Any) -> tuple[str, int]:
    """By which code and status a call is refused."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def put(s3: Any, body: bytes, **options: Any) -> Any:
    checksum = b64encode(sha256(body).digest()).decode()
    return s3.put_object(
        Bucket=BUCKET,
        Key="key",
        Body=body,
        ChecksumAlgorithm="SHA256",
        ChecksumSHA256=checksum,
        **options,
    )


def test_a_conditional_write_is_once(aws: Services) -> None:
    first = put(aws.s3, b"first", IfNoneMatch="*", Metadata={"tidegate": "fence"})
    assert first["VersionId"]
    assert refused(put, s3=aws.s3, body=b"second", IfNoneMatch="*") == ("PreconditionFailed", 412)
    head = aws.s3.head_object(Bucket=BUCKET, Key="key", ChecksumMode="ENABLED")
    assert (head["ContentLength"], head["Metadata"]) == (5, {"tidegate": "fence"})
    assert head["VersionId"] == first["VersionId"]
    assert head["ChecksumSHA256"] == b64encode(sha256(b"first").digest()).decode()
    assert aws.s3.get_object(Bucket=BUCKET, Key="key")["Body"].read() == b"first"


def test_an_unconditional_write_is_another_version(aws: Services) -> None:
    first, second = put(aws.s3, b"first"), put(aws.s3, b"second")
    assert first["VersionId"] != second["VersionId"]
    head = aws.s3.head_object(Bucket=BUCKET, Key="key")
    assert (head["ContentLength"], head["VersionId"]) == (6, second["VersionId"])
    assert "ChecksumSHA256" not in head, "only who asks is told"


def test_what_is_written_is_read_at_once(aws: Services) -> None:
    """S3 has strong read-after-write: https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html"""
    for body in (b"first", b"second"):
        written = put(aws.s3, body)
        found = aws.s3.get_object(Bucket=BUCKET, Key="key")
        assert (found["Body"].read(), found["VersionId"]) == (body, written["VersionId"])
    assert refused(put, s3=aws.s3, body=b"third", IfNoneMatch="*") == ("PreconditionFailed", 412)
    assert aws.s3.get_object(Bucket=BUCKET, Key="key")["Body"].read() == b"second"


def test_what_is_not_there_is_not_found(aws: Services) -> None:
    assert refused(aws.s3.head_object, Bucket=BUCKET, Key="none") == ("404", 404)
    assert refused(aws.s3.get_object, Bucket=BUCKET, Key="none") == ("NoSuchKey", 404)


def intent(last: int, first: int = 0) -> dict[str, Any]:
    return {
        "stream": {"S": "lane"},
        "intent": {"S": f"{last:04}#x"},
        "first_sequence": {"S": f"{first:04}"},
        "record_ids": {"B": bytes([last])},
        "held_ids": {"B": b""},
    }


QUERY = {
    "TableName": "ledger",
    "ConsistentRead": True,
    "KeyConditionExpression": "#stream = :lane AND intent >= :first",
    "FilterExpression": "first_sequence <= :last",
    "ExpressionAttributeNames": {"#stream": "stream"},
    "ExpressionAttributeValues": {":lane": {"S": "lane"}, ":first": {"S": "0003"}, ":last": {"S": "0006"}},
}


def test_a_query_gives_the_range_in_order(aws: Services) -> None:
    for last, first in ((9, 6), (2, 1), (5, 4), (8, 7), (3, 1)):
        aws.dynamodb.put_item(TableName="ledger", Item=intent(last, first))
    aws.dynamodb.put_item(TableName="ledger", Item=intent(5) | {"stream": {"S": "another"}})
    items = aws.dynamodb.query(**QUERY)["Items"]
    assert [bytes(item["record_ids"]["B"])[0] for item in items] == [3, 5, 9]
    assert [bytes(item["held_ids"]["B"]) for item in items] == [b""] * 3


def test_the_same_key_is_the_same_item(aws: Services) -> None:
    aws.dynamodb.put_item(TableName="ledger", Item=intent(5))
    aws.dynamodb.put_item(TableName="ledger", Item={**intent(5), "summary": {"S": "{}"}})
    (item,) = aws.dynamodb.query(**QUERY)["Items"]
    assert item["summary"] == {"S": "{}"}


def head(links: int) -> dict[str, Any]:
    return {
        "TableName": "ledger",
        "Item": {"stream": {"S": "chains/x"}, "intent": {"S": "id"}, "links": {"N": str(links)}},
        "ConditionExpression": "attribute_not_exists(links) OR links <= :links",
        "ExpressionAttributeValues": {":links": {"N": str(links)}},
    }


def test_a_head_goes_forward_only(aws: Services) -> None:
    for links in (2, 2, 10):  # as numbers: as texts, 10 would be before 2
        aws.dynamodb.put_item(**head(links))
    assert refused(aws.dynamodb.put_item, **head(9)) == ("ConditionalCheckFailedException", 400)
    key = {"stream": {"S": "chains/x"}, "intent": {"S": "id"}}
    found = aws.dynamodb.get_item(TableName="ledger", Key=key, ConsistentRead=True)
    assert found["Item"]["links"] == {"N": "10"}


PERSON = {"subject": {"S": "ann"}}


def test_the_first_secret_stays_and_a_tombstone_replaces_it(aws: Services) -> None:
    free = {"TableName": "subjects", "ConditionExpression": "attribute_not_exists(subject)"}
    aws.dynamodb.put_item(Item={**PERSON, "secret": {"B": b"one"}}, **free)
    code = refused(aws.dynamodb.put_item, Item={**PERSON, "secret": {"B": b"two"}}, **free)
    assert code == ("ConditionalCheckFailedException", 400)
    for now in ("1", "2"):
        aws.dynamodb.update_item(
            TableName="subjects",
            Key=PERSON,
            UpdateExpression="SET erased_at = if_not_exists(erased_at, :now), "
            "previous = if_not_exists(previous, :older) REMOVE secret",
            ExpressionAttributeValues={":now": {"N": now}, ":older": {"L": [{"S": "old"}]}},
        )
    tomb = {**PERSON, "erased_at": {"N": "1"}, "previous": {"L": [{"S": "old"}]}}
    assert aws.dynamodb.get_item(TableName="subjects", Key=PERSON, ConsistentRead=True)["Item"] == tomb
    grave = {"TableName": "subjects", "ConditionExpression": "attribute_not_exists(erased_at)"}
    assert refused(aws.dynamodb.put_item, Item=PERSON, **grave) == ("ConditionalCheckFailedException", 400)


def test_an_update_makes_the_item_it_finds_missing(aws: Services) -> None:
    aws.dynamodb.update_item(
        TableName="subjects",
        Key=PERSON,
        UpdateExpression="SET erased_at = if_not_exists(erased_at, :now) REMOVE secret",
        ExpressionAttributeValues={":now": {"N": "7"}},
    )
    found = aws.dynamodb.get_item(TableName="subjects", Key=PERSON, ConsistentRead=True)["Item"]
    assert found == {**PERSON, "erased_at": {"N": "7"}}


def test_a_batch_of_keys_gives_those_that_are_there(aws: Services) -> None:
    for name in ("ann", "bob"):
        aws.dynamodb.put_item(TableName="subjects", Item={"subject": {"S": name}, "secret": {"B": b"s"}})
    request = {
        "Keys": [{"subject": {"S": name}} for name in ("ann", "bob", "eve")],
        "ProjectionExpression": "subject, erased_at",
        "ConsistentRead": True,
    }
    answer = aws.dynamodb.batch_get_item(RequestItems={"subjects": request})
    found = sorted(item["subject"]["S"] for item in answer["Responses"]["subjects"])
    assert found == ["ann", "bob"]
    assert not any("secret" in item for item in answer["Responses"]["subjects"])
    assert not answer["UnprocessedKeys"]
    request["Keys"] *= 2
    twice = refused(aws.dynamodb.batch_get_item, RequestItems={"subjects": request})
    assert twice == ("ValidationException", 400)
    assert aws.dynamodb.get_item(TableName="subjects", Key={"subject": {"S": "eve"}}).get("Item") is None


def test_a_mac_is_the_same_each_time_and_a_data_key_never(aws: Services) -> None:
    def mac(message: bytes) -> bytes:
        call = {"KeyId": aws.mac_key, "Message": message, "MacAlgorithm": "HMAC_SHA_512"}
        return bytes(aws.kms.generate_mac(**call)["Mac"])

    assert mac(b"one") == mac(b"one") != mac(b"two")
    assert len(mac(b"one")) == 64
    call = {"KeyId": aws.data_key, "KeySpec": "AES_256", "EncryptionContext": {"purpose": "test"}}
    keys = [aws.kms.generate_data_key(**call) for _ in range(2)]
    assert len({key["Plaintext"] for key in keys}) == len({key["CiphertextBlob"] for key in keys}) == 2
    assert all(len(key["Plaintext"]) == 32 for key in keys)


def entries(count: int) -> list[dict[str, Any]]:
    return [
        {"Id": str(at), "Message": '{"event_id": "e", "sequence": "1"}', "MessageAttributes": {}}
        for at in range(count)
    ]


def test_ten_messages_are_published_at_once_and_no_more(aws: Services) -> None:
    answer = aws.sns.publish_batch(TopicArn=aws.topic, PublishBatchRequestEntries=entries(10))
    assert [one["Id"] for one in answer["Successful"]] == [str(at) for at in range(10)]
    assert not answer["Failed"]
    many = refused(aws.sns.publish_batch, TopicArn=aws.topic, PublishBatchRequestEntries=entries(11))
    assert many == ("TooManyEntriesInBatchRequest", 400)
    twice = refused(aws.sns.publish_batch, TopicArn=aws.topic, PublishBatchRequestEntries=entries(1) * 2)
    assert twice == ("BatchEntryIdsNotDistinct", 400)


def test_a_topic_takes_the_names_of_its_kind(aws: Services) -> None:
    group = {"MessageGroupId": "group"}
    named = [{**one, **group, "MessageDeduplicationId": one["Id"]} for one in entries(2)]
    answer = aws.sns.publish_batch(TopicArn=aws.fifo, PublishBatchRequestEntries=named)
    assert (len(answer["Successful"]), answer.get("Failed", [])) == (2, [])
    ungrouped = refused(aws.sns.publish_batch, TopicArn=aws.fifo, PublishBatchRequestEntries=entries(1))
    assert ungrouped == ("InvalidParameter", 400)
    unnamed = [{**one, **group} for one in entries(1)]
    for topic, wrong in (
        (aws.fifo, unnamed),
        (aws.topic, [{**entries(1)[0], "MessageDeduplicationId": "x"}]),
    ):
        answer = aws.sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=wrong)
        assert [one["Code"] for one in answer["Failed"]] == ["InvalidParameter"]


# --- What moto does not do, and AWS documents -------------------------------------------------------------


def test_a_weak_read_misses_what_is_new() -> None:
    moment = [0]
    dynamodb = DynamoDB(lambda: moment[0], lambda: 0.0)
    dynamodb.put_item(TableName="ledger", Item=intent(5))
    weak = {**QUERY, "ConsistentRead": False}
    assert dynamodb.query(**weak)["Items"] == []
    assert len(dynamodb.query(**QUERY)["Items"]) == 1
    moment[0] += LAG
    assert len(dynamodb.query(**weak)["Items"]) == 1


def test_a_page_says_where_the_next_begins() -> None:
    dynamodb = DynamoDB(lambda: 0, lambda: 0.0, page=2)
    for last in (3, 4, 5, 6, 7):
        dynamodb.put_item(TableName="ledger", Item=intent(last, last))
    query, seen = dict(QUERY), []
    while True:
        page = dynamodb.query(**query)
        seen += [item["intent"]["S"] for item in page["Items"]]
        if "LastEvaluatedKey" not in page:
            break
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
    assert seen == ["0003#x", "0004#x", "0005#x", "0006#x"], (
        "a filter takes from pages, it does not fill them"
    )


def test_what_expires_is_deleted_when_dynamodb_gets_to_it() -> None:
    dynamodb = DynamoDB(lambda: 0, lambda: 1000.0)
    for last, expires in ((4, 999), (5, 1001)):
        dynamodb.put_item(TableName="ledger", Item={**intent(last), "expires_at": {"N": str(expires)}})
    dynamodb.expire(lambda: False)
    assert len(dynamodb.query(**QUERY)["Items"]) == 2, "it may be there long after"
    dynamodb.expire()
    (item,) = dynamodb.query(**QUERY)["Items"]
    assert item["expires_at"] == {"N": "1001"}


def test_a_fifo_topic_takes_a_message_once_in_five_minutes() -> None:
    heard: list[Any] = []
    now = [0.0]
    sns = SNS(heard.append, lambda: now[0])
    entry = {**entries(1)[0], "MessageGroupId": "group", "MessageDeduplicationId": "event"}
    for moment in (0.0, 299.0, 300.0):
        now[0] = moment
        answer = sns.publish_batch(TopicArn="alerts.fifo", PublishBatchRequestEntries=[entry])
        assert answer["Successful"], "who publishes does not learn of it"
    assert len(heard) == 2


def test_a_message_is_as_large_as_its_attributes() -> None:
    attribute = {"DataType": "String", "StringValue": "x" * 200}
    entry = {**entries(1)[0], "Message": "x" * (256 * 1024 - 100), "MessageAttributes": {"name": attribute}}
    call = {"TopicArn": "arn", "PublishBatchRequestEntries": [entry]}
    assert refused(SNS().publish_batch, **call) == ("BatchRequestTooLong", 400)


def test_a_checksum_that_is_wrong_is_refused() -> None:
    wrong = {"Bucket": BUCKET, "Key": "key", "Body": b"body", "ChecksumSHA256": "no"}
    assert refused(S3().put_object, **wrong) == ("BadDigest", 400)
