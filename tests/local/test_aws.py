"""The embedded AWS: what differs between moto and AWS is mended, and IAM is really enforced."""

import base64
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.awslambda.models import LambdaBackend

from processor.errors import TidegateError
from processor.local.aws import Credentials, EmbeddedAws, embedded_aws

ACCOUNT = "123456789012"


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    with embedded_aws() as aws:
        yield aws


@pytest.fixture
def aws(server: EmbeddedAws) -> Iterator[EmbeddedAws]:
    yield server
    server.enforce_iam(enforced=False)


def role(aws: EmbeddedAws, name: str, *statements: dict[str, Any]) -> Credentials:
    """Keys of a new role that is allowed these statements and trusts Lambda alone."""
    iam = aws.client("iam")
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    arn = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]["Arn"]
    allowed = [{"Effect": "Allow", **statement} for statement in statements]
    document = json.dumps({"Version": "2012-10-17", "Statement": allowed})
    iam.put_role_policy(RoleName=name, PolicyName="allowed", PolicyDocument=document)
    return aws.credentials_of(arn)


def make_table(aws: EmbeddedAws, name: str) -> str:
    """A table with a stream and a time to live; the stream's ARN."""
    dynamodb = aws.client("dynamodb")
    made = dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    dynamodb.update_time_to_live(
        TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"}
    )
    return str(made["TableDescription"]["LatestStreamArn"])


def stream_records(aws: EmbeddedAws, arn: str, who: Credentials | None = None) -> list[Any]:
    streams = aws.client("dynamodbstreams", who)
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    return list(streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"])


def is_refused(call: Any, **arguments: Any) -> bool:
    """Whether AWS forbids this call, which must fail."""
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return bool(refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403)


def test_made_up_keys_are_refused_once_iam_is_enforced(aws: EmbeddedAws) -> None:
    made_up = Credentials("test", "test")
    aws.client("s3", made_up).list_buckets()
    aws.enforce_iam(enforced=True)
    assert is_refused(aws.client("s3", made_up).list_buckets)
    aws.client("s3").list_buckets()


def test_a_role_may_do_what_its_policy_names_and_nothing_else(aws: EmbeddedAws) -> None:
    dynamodb = aws.client("dynamodb")
    for name in ("ledger", "secrets"):
        make_table(aws, name)
    arn = f"arn:aws:dynamodb:{aws.region}:{ACCOUNT}:table/ledger"
    may_put = role(aws, "put-only", {"Action": "dynamodb:PutItem", "Resource": arn})
    aws.enforce_iam(enforced=True)
    table = aws.client("dynamodb", may_put)
    item = {"id": {"S": "1"}}
    table.put_item(TableName="ledger", Item=item)
    assert is_refused(table.put_item, TableName="secrets", Item=item)
    assert is_refused(table.get_item, TableName="ledger", Key=item)
    assert dynamodb.scan(TableName="secrets")["Count"] == 0


def test_requests_without_a_body_are_signed_well(aws: EmbeddedAws) -> None:
    aws.enforce_iam(enforced=True)
    assert aws.client("lambda").list_event_source_mappings()["EventSourceMappings"] == []
    stranger = Credentials(aws.administrator.access_key_id, "wrong")
    assert is_refused(aws.client("lambda", stranger).list_functions)


def test_keys_of_kms_are_guarded_one_by_one(aws: EmbeddedAws) -> None:
    kms = aws.client("kms")
    own, other = (
        kms.create_key(KeyUsage="GENERATE_VERIFY_MAC", KeySpec="HMAC_512")["KeyMetadata"]["Arn"]
        for _ in range(2)
    )
    condition = {"StringEquals": {"kms:MacAlgorithm": "HMAC_SHA_512"}}
    statement = {"Action": ["kms:GenerateMac"], "Resource": [own], "Condition": condition}
    deriver = role(aws, "deriver", statement)
    aws.enforce_iam(enforced=True)
    request = {"Message": b"label", "MacAlgorithm": "HMAC_SHA_512"}
    mac = aws.client("kms", deriver).generate_mac
    assert len(mac(KeyId=own, **request)["Mac"]) == 64
    assert is_refused(mac, KeyId=other, **request)


def test_publish_batch_is_authorised_as_publish(aws: EmbeddedAws) -> None:
    sns = aws.client("sns")
    own, other = (sns.create_topic(Name=name)["TopicArn"] for name in ("alerts", "others"))
    publisher = role(aws, "publisher", {"Action": "sns:Publish", "Resource": own})
    aws.enforce_iam(enforced=True)
    publish = aws.client("sns", publisher).publish_batch
    entries = [{"Id": "0", "Message": "flagged"}]
    assert publish(TopicArn=own, PublishBatchRequestEntries=entries)["Successful"]
    assert is_refused(publish, TopicArn=other, PublishBatchRequestEntries=entries)


def test_a_stream_is_read_with_the_right_to_that_stream_only(aws: EmbeddedAws) -> None:
    arn, other = make_table(aws, "read-me"), make_table(aws, "not-me")
    aws.client("dynamodb").put_item(TableName="read-me", Item={"id": {"S": "1"}})
    actions = ["dynamodb:DescribeStream", "dynamodb:GetShardIterator", "dynamodb:GetRecords"]
    reader = role(aws, "stream-reader", {"Action": actions, "Resource": arn})
    aws.enforce_iam(enforced=True)
    assert len(stream_records(aws, arn, reader)) == 1
    assert is_refused(stream_records, aws=aws, arn=other, who=reader)


def test_a_bucket_that_denies_plain_http_can_be_used_on_loopback(aws: EmbeddedAws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="tls-only", CreateBucketConfiguration={"LocationConstraint": aws.region})
    deny = {
        "Effect": "Deny",
        "Action": "s3:*",
        "Principal": "*",
        "Resource": "arn:aws:s3:::tls-only/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.put_bucket_policy(Bucket="tls-only", Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    s3.put_object(Bucket="tls-only", Key="a", Body=b"1")
    assert s3.get_object(Bucket="tls-only", Key="a")["Body"].read() == b"1"


def test_a_mapping_leaves_the_stream_alone(aws: EmbeddedAws) -> None:
    arn = make_table(aws, "mapped")
    role_arn = f"arn:aws:iam::{ACCOUNT}:role/mapped"
    role(aws, "mapped", {"Action": "*", "Resource": "*"})
    functions = aws.client("lambda")
    empty_zip = base64.b64decode("UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==")
    functions.create_function(
        FunctionName="mapped", Role=role_arn, Code={"ZipFile": empty_zip}, Runtime="python3.13", Handler="a.b"
    )
    functions.create_event_source_mapping(EventSourceArn=arn, FunctionName="mapped")
    for number in range(3):
        aws.client("dynamodb").put_item(TableName="mapped", Item={"id": {"S": str(number)}})
    assert len(stream_records(aws, arn)) == 3


def test_records_hold_what_was_written(aws: EmbeddedAws) -> None:
    arn = make_table(aws, "typed")
    item: dict[str, Any] = {
        "id": {"S": "größe"},
        "b": {"B": b"\x00\xff"},
        "bs": {"BS": [b"\x01"]},
        "deep": {"M": {"l": {"L": [{"N": "1.50"}, {"NULL": True}, {"BOOL": False}, {"SS": ["x"]}]}}},
    }
    aws.client("dynamodb").put_item(TableName="typed", Item=item)
    (record,) = stream_records(aws, arn)
    assert record["dynamodb"]["NewImage"] == item
    assert abs(record["dynamodb"]["ApproximateCreationDateTime"].timestamp() - time.time()) < 60


def test_expiry_looks_like_dynamodbs_own(aws: EmbeddedAws) -> None:
    arn = make_table(aws, "expiring")
    dynamodb = aws.client("dynamodb")
    now = int(time.time())
    for name, until in {"old": {"N": str(now - 1)}, "new": {"N": str(now + 60)}, "text": {"S": "0"}}.items():
        dynamodb.put_item(TableName="expiring", Item={"id": {"S": name}, "until": until})
    dynamodb.put_item(TableName="expiring", Item={"id": {"S": "none"}})
    assert aws.expire("expiring", now) == 1
    *_, removal = stream_records(aws, arn)
    assert removal["eventName"] == "REMOVE"
    assert removal["dynamodb"]["Keys"] == {"id": {"S": "old"}}
    assert removal["userIdentity"] == {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
    dynamodb.delete_item(TableName="expiring", Key={"id": {"S": "new"}})
    assert "userIdentity" not in stream_records(aws, arn)[-1]


def test_a_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(TidegateError, match=f"Port {port} .*in use.*choose another"), embedded_aws(port):
            pass


def test_nothing_outlives_the_context(server: EmbeddedAws) -> None:
    assert LambdaBackend.send_dynamodb_items.__name__ == "_send_nothing"
    assert server.client("s3").list_buckets()["Buckets"]
