"""The mapping, a real stream and a real process that crashes and hangs: the stream goes on around it."""

import json
import re
import sys
from pathlib import Path

import pytest

from processor.local.aws import embedded_aws
from processor.local.delivery import Rules
from processor.local.emulator import running
from processor.local.mapping import EventSource, Settings

pytestmark = pytest.mark.slow

HANDLER = """
import os, time

def handler(event, context):
    names = [record["dynamodb"]["Keys"]["id"]["S"] for record in event["Records"]]
    if "crash" in names:
        os._exit(1)
    if "hang" in names:
        time.sleep(30)
    print("took", *names)
    return {"batchItemFailures": []}
"""
NAMES = ["a", "b", "crash", "c", "d", "e", "hang", "f"]


def test_what_crashes_or_hangs_is_found_reported_and_left_behind(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(HANDLER)
    with embedded_aws() as aws:
        dynamodb, sqs = aws.client("dynamodb"), aws.client("sqs")
        made = dynamodb.create_table(
            TableName="items",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        for name in NAMES:
            dynamodb.put_item(TableName="items", Item={"id": {"S": name}})
        queue = sqs.create_queue(QueueName="failures")["QueueUrl"]
        settings = Settings(
            function_arn="arn:f",
            stream_arn=made["TableDescription"]["LatestStreamArn"],
            position="TRIM_HORIZON",
            lanes=1,
            destination_arn=None,
            filters=(),
            rules=Rules(batch_size=8, bisect=True, partial=True, retries=0),
        )
        python = Path(sys.executable)
        with running(tmp_path, handler="app.handler", python=python, environ={}, timeout_s=1) as function:
            source = EventSource(
                settings,
                streams=aws.client("dynamodbstreams"),
                invoke=function.invoke,
                report=lambda report: sqs.send_message(QueueUrl=queue, MessageBody=report),
            )
            tally = source.drain()
            took = re.findall(rb"took (.*)", function.log)
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert b" ".join(took).decode().split() == ["a", "b", "c", "d", "e", "f"]
    assert (tally.done, tally.lost) == (6, 2)
    reports = [json.loads(message["Body"])["DDBStreamBatchInfo"] for message in messages]
    assert [report["batchSize"] for report in reports] == [1, 1]
    first = 1100000000017454423009  # moto's first sequence number
    assert sorted(int(report["startSequenceNumber"]) - first for report in reports) == [
        NAMES.index("crash"),
        NAMES.index("hang"),
    ]
