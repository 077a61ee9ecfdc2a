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
from processor.local.delivery import Answer

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


def make_function(aws: EmbeddedAws, name: str) -> Any:
    """A function that holds nothing, published once; a client of Lambda."""
    role_arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    role(aws, name, {"Action": "*", "Resource": "*"})
    functions = aws.client("lambda")
    empty_zip = base64.b64decode("UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==")
    functions.create_function(
        FunctionName=name,
        Role=role_arn,
        Code={"ZipFile": empty_zip},
        Runtime="python3.13",
        Handler="a.b",
        Publish=True,
    )
    return functions


def test_a_mapping_leaves_the_stream_alone(aws: EmbeddedAws) -> None:
    arn = make_table(aws, "mapped")
    functions = make_function(aws, "mapped")
    functions.create_event_source_mapping(EventSourceArn=arn, FunctionName="mapped")
    for number in range(3):
        aws.client("dynamodb").put_item(TableName="mapped", Item={"id": {"S": str(number)}})
    assert len(stream_records(aws, arn)) == 3


def test_a_mapping_on_an_alias_is_found_by_any_name_of_it(aws: EmbeddedAws) -> None:
    arn = make_table(aws, "aliased")
    functions = make_function(aws, "aliased")
    alias = functions.create_alias(FunctionName="aliased", Name="live", FunctionVersion="1")["AliasArn"]
    made = functions.create_event_source_mapping(EventSourceArn=arn, FunctionName=alias)
    assert made["FunctionArn"] == alias
    for name in ("aliased:live", f"{ACCOUNT}:function:aliased:live", alias):
        (found,) = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        assert (found["UUID"], found["FunctionArn"]) == (made["UUID"], alias)
    for name in ("aliased", "aliased:other", "other:live"):
        assert functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"] == []


def test_a_call_tells_which_version_ran_and_the_end_of_its_log(aws: EmbeddedAws) -> None:
    functions = make_function(aws, "telling")
    functions.create_alias(FunctionName="telling", Name="live", FunctionVersion="1")
    call = {"FunctionName": "telling", "Qualifier": "live", "Payload": b"[1]"}
    with aws.serving("telling", lambda event: Answer(event, log=b"what it said\n")):
        told = functions.invoke(**call, LogType="Tail")
        assert json.loads(told["Payload"].read()) == [1]
        assert (told["ExecutedVersion"], "FunctionError" in told) == ("1", False)
        assert base64.b64decode(told["LogResult"]) == b"what it said\n"
        assert "LogResult" not in functions.invoke(**call)
    with aws.serving("telling", lambda _: Answer(error="KeyError", log=b"failed\n")):
        failed = functions.invoke(**call, LogType="Tail")
    assert failed["FunctionError"] == "Unhandled"
    assert base64.b64decode(failed["LogResult"]) == b"failed\n"


def test_the_address_of_a_queue_is_told_to_who_may_ask_for_this_one(aws: EmbeddedAws) -> None:
    for name in ("asked-for", "not-asked-for"):
        aws.client("sqs").create_queue(QueueName=name)
    arn = f"arn:aws:sqs:{aws.region}:{ACCOUNT}:asked-for"
    taker = role(aws, "taker", {"Action": ["sqs:GetQueueUrl", "sqs:ReceiveMessage"], "Resource": arn})
    aws.enforce_iam(enforced=True)
    sqs = aws.client("sqs", taker)
    url = sqs.get_queue_url(QueueName="asked-for")["QueueUrl"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    assert is_refused(sqs.get_queue_url, QueueName="not-asked-for")
    assert is_refused(sqs.receive_message, QueueUrl=url.replace("asked-for", "not-asked-for"))


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
