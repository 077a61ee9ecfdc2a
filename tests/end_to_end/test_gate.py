"""The whole gate once: the packaged zip, under its own role, behind the mapping that Terraform made.

What it is told to do is the demo's scenario; what it did is looked at from outside.
"""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from processor.local.checks import compare, leaks
from processor.local.evidence import collect
from processor.local.scenario import Report
from processor.local.stage import Stage
from tests.alarms import alarms_of, firing
from tests.sealed import opened

pytestmark = pytest.mark.slow


def test_every_record_comes_out_exactly_once(report: Report) -> None:
    assert report.problems() == []
    assert report.payments > 100
    assert report.changed > 0
    assert report.removed > 0
    assert report.expired > 0
    delivered = report.payments + report.changed + report.removed + report.expired
    assert report.tally.read == report.tally.done == delivered
    assert report.records == report.events == delivered + 1, "and the payment after the erasure"
    assert report.quarantined == 0


def test_no_raw_value_is_found_anywhere_behind_the_gate(report: Report) -> None:
    assert report.leaks == []
    assert report.searched_values > report.payments  # the search had something to search for,
    assert report.searched_bytes > 500 * report.records  # and somewhere to look


def test_what_is_suspicious_is_flagged_and_published(report: Report) -> None:
    assert 0 < report.flagged < report.events / 20
    assert report.alerts == report.flagged
    assert report.unalerted == ()


def test_each_object_has_a_manifest_that_counts_what_was_done(report: Report) -> None:
    assert report.manifests == len(report.objects) > 0
    images = report.actions["card.number"]["mask"]  # a change has two images, the others one
    assert images == report.records + report.changed
    assert report.actions["email"] == {"tokenize": images - 1}, "not that of the erased person"
    assert report.actions["name"] == {"redact": images}
    assert report.actions["signature"] == {"drop": images}


def test_an_event_has_the_public_form(report: Report) -> None:
    event = report.after
    assert event["schema"] == "tidegate.event/1"
    assert event["type"] == "INSERT"
    assert event["new"]["payment_id"] == report.before["payment_id"]
    assert event["new"]["email"].startswith("tok.email.1.")
    assert event["fraud"]["model"].startswith("payments_fraud@")
    assert event["policy"]["name"] == "payments"
    assert all(key.startswith("events/payments/dt=") for key, _ in report.objects)


def test_the_role_is_all_that_the_function_has(stage: Stage, report: Report) -> None:
    assert report.guarded
    role = stage.role
    events, audit = stage.outputs["buckets"]["events"], stage.outputs["buckets"]["audit"]
    s3, kms = stage.aws.client("s3", role), stage.aws.client("kms", role)
    beyond: list[tuple[Any, dict[str, Any]]] = [
        (s3.list_buckets, {}),
        (s3.put_object, {"Bucket": events, "Key": "elsewhere/x", "Body": b""}),
        (s3.delete_object, {"Bucket": events, "Key": report.objects[0][0]}),
        (s3.get_object, {"Bucket": audit, "Key": "manifests/payments/x"}),
        (kms.schedule_key_deletion, {"KeyId": stage.outputs["data_key_arn"]}),
        (stage.aws.client("sqs", role).receive_message, {"QueueUrl": stage.inbox_url}),
    ]
    for call, arguments in beyond:
        with pytest.raises(ClientError) as refused:
            call(**arguments)
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403, call


def test_a_second_plan_finds_nothing(stage: Stage, tmp_path: Path) -> None:
    """What moto does not keep of what Terraform made is mended in processor/local/moto_gaps.py."""
    plan = tmp_path / "plan"
    stage.terraform.run("plan", "-input=false", f"-out={plan}")
    changes = json.loads(stage.terraform.run("show", "-json", str(plan)))["resource_changes"]
    assert len(changes) > 50
    assert {one["address"]: one["change"] for one in changes if one["change"]["actions"] != ["no-op"]} == {}


def test_all_of_it_again_and_a_record_that_cannot_pass(stage: Stage, report: Report) -> None:
    """A second mapping from the beginning: nothing is there twice, and the poison is sealed away."""
    email = "nobody.in.particular@example.com"
    poison = {"payment_id": {"S": "p-poison"}, "email": {"S": email}}  # no customer_id, which is required
    stage.aws.client("dynamodb").put_item(TableName=stage.stream["source_table"], Item=poison)
    with stage.function() as function:
        source = stage.event_source(function)
        source.drain()
        log = function.log
    assert source.tally.done == report.records + 1
    evidence = collect(stage, log)
    compared = compare(evidence.went_in, (event["event_id"] for event in evidence.events))
    assert (len(compared.missing), compared.twice, compared.unknown) == (1, (), ())
    assert len(evidence.manifests) == len(evidence.objects)
    assert evidence.quarantined == 1
    assert leaks([email], evidence.searched) == []
    assert b'"reason":"a required field is missing","path":"customer_id","count":1' in log
    ringing = firing(
        alarms_of(json.loads(stage.terraform.run("show", "-json"))), log.splitlines(), time.time()
    )
    assert ringing == {f"{stage.stream['function_name']}-quarantined"}, "and not the one for leaks"

    bucket = stage.outputs["buckets"]["quarantine"]
    s3, kms = stage.aws.client("s3"), stage.aws.client("kms")
    (listed,) = s3.list_objects_v2(Bucket=bucket)["Contents"]
    _, record = opened(s3.get_object(Bucket=bucket, Key=listed["Key"])["Body"].read(), kms)
    assert record["dynamodb"]["NewImage"]["email"] == {"S": email}
