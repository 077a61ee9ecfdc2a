"""What the functions on people may do and may not, and where keys and secrets are, in the whole gate."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from processor.crypto import KeyRing
from processor.keys import LABEL
from processor.local.aws import Credentials
from processor.local.checks import Bytes
from processor.local.evidence import collect
from processor.local.scenario import Report
from processor.local.stage import Stage

pytestmark = pytest.mark.slow


def test_a_person_s_rights_are_exercised_by_commands_and_roles(stage: Stage, report: Report) -> None:
    rights = report.rights
    assert rights.problems() == [], rights.said
    receipt = rights.receipt
    assert receipt["requested_by"].endswith(":user/privacy-officer")
    assert {policy["name"]: policy["fields"] for policy in receipt["policies"]} == {
        "customers": ["joined_at", "last_seen_at", "email"],
        "payments": ["email"],
    }
    assert receipt["in_force_at"] > receipt["erased_at"]
    people = stage.aws.client("dynamodb").scan(TableName=stage.outputs["subjects_table"])["Items"]
    (gone,) = [item for item in people if "erased_at" in item]
    assert [gone["subject"]["S"]] == receipt["subjects"]
    assert "secret" not in gone
    assert all(len(item["secret"]["B"]) == 32 for item in people if item is not gone)


def test_each_function_on_people_has_its_own_powers_and_no_other_s(stage: Stage, report: Report) -> None:
    """What the three roles must not do, tried by each under IAM; and that it is not everything."""
    outputs, aws = stage.outputs, stage.aws
    events, audit = outputs["buckets"]["events"], outputs["buckets"]["audit"]
    people, quarantine = outputs["subjects_table"], outputs["buckets"]["quarantine"]
    key = {"subject": {"S": report.rights.receipt["subjects"][0]}}

    def tried(role: Credentials) -> dict[str, Callable[[], object]]:
        s3, dynamodb, kms, functions = (
            aws.client(name, role) for name in ("s3", "dynamodb", "kms", "lambda")
        )
        update = {"TableName": people, "Key": key, "UpdateExpression": "REMOVE nothing"}
        item = {"subject": {"S": "psn.customer.1.nobody"}}
        return {
            "call detokenize": lambda: functions.invoke(
                FunctionName=outputs["detokenize"]["function_name"], Qualifier="live", Payload=b"{}"
            ),
            "call erase": lambda: functions.invoke(
                FunctionName=outputs["erase"]["function_name"], Qualifier="live", Payload=b"{}"
            ),
            "read an event": lambda: s3.get_object(Bucket=events, Key=report.objects[0][0]),
            "read the quarantine": lambda: s3.get_object(Bucket=quarantine, Key="quarantine/payments/x"),
            "read the audit trail": lambda: s3.get_object(Bucket=audit, Key="records/erase/x"),
            "list a bucket": lambda: s3.list_objects_v2(Bucket=events),
            "read secrets": lambda: dynamodb.batch_get_item(RequestItems={people: {"Keys": [key]}}),
            "read the state of a person": lambda: dynamodb.get_item(TableName=people, Key=key),
            "create a person": lambda: dynamodb.put_item(TableName=people, Item=item),
            "destroy a secret": lambda: dynamodb.update_item(**update),
            "delete a person": lambda: dynamodb.delete_item(TableName=people, Key=key),
            "list people": lambda: dynamodb.scan(TableName=people),
            "read the source table": lambda: dynamodb.scan(TableName=stage.stream["source_table"]),
            "derive token keys": lambda: kms.generate_mac(
                KeyId=outputs["token_key_arns"]["1"], Message=b"m", MacAlgorithm="HMAC_SHA_512"
            ),
            "sign a receipt": lambda: kms.sign(
                KeyId=outputs["receipts_key"]["arn"], Message=b"m", SigningAlgorithm="ECDSA_SHA_256"
            ),
        }

    def can(role: Credentials) -> set[str]:
        return {what for what, call in tried(role).items() if not _is_denied(call)}

    assert can(stage.role) == {
        "read an event",  # HEAD, to tell an earlier success from a fence
        "read secrets",
        "create a person",
        "derive token keys",
    }
    assert can(stage.detokenize.role) == {"read secrets", "derive token keys"}
    assert can(stage.erase.role) == {
        "read the state of a person",
        "destroy a secret",
        "derive token keys",
        "sign a receipt",
    }


def _is_denied(call: Callable[[], object]) -> bool:
    try:
        call()
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    except KeyError:
        return False  # let in: the function is not running
    return False


@pytest.mark.usefixtures("report")
def test_no_key_and_no_secret_is_anywhere_but_where_it_is_kept(stage: Stage) -> None:
    """In no object (Terraform's state is one), message, table, log, package or environment."""
    kms = stage.aws.client("kms")
    mac = kms.generate_mac(
        KeyId=stage.outputs["token_key_arns"]["1"], Message=LABEL, MacAlgorithm="HMAC_SHA_512"
    )["Mac"]
    ring = KeyRing({1: mac})
    people = stage.aws.client("dynamodb").scan(TableName=stage.outputs["subjects_table"])["Items"]
    secrets = [item["secret"]["B"] for item in people if "secret" in item]
    assert len(secrets) > 10
    keys = [mac, ring._key("token", "email", 1, 64), ring._key("pseudonym", "customer", 1, 32), *secrets]
    evidence = collect(stage, b"")
    places = [one for one in evidence.searched if one.place != stage.outputs["subjects_table"]]
    places += [Bytes(path.name, path.read_bytes()) for path in _files(stage)]
    for hosted in (stage.gate, stage.detokenize, stage.erase):
        places.append(Bytes("the environment", json.dumps(hosted.configuration, default=str).encode()))
    needles = {spelled for key in keys for spelled in _spelled(key)}
    found = [place for place, content in places for needle in needles if needle in content]
    assert found == []
    table = b"".join(one.content for one in evidence.searched if one.place == stage.outputs["subjects_table"])
    assert all(any(needle in table for needle in _spelled(secret)) for secret in secrets), "it can find"


def _files(stage: Stage) -> list[Path]:
    folders = {stage.gate.folder, stage.erase.folder}
    return [
        path for folder in folders for path in folder.rglob("*") if path.is_file() and path.suffix != ".so"
    ]


def _spelled(key: bytes) -> list[bytes]:
    standard, url = b64encode(key), urlsafe_b64encode(key)
    return [key, key.hex().encode(), standard.rstrip(b"="), url.rstrip(b"="), repr(key).encode()[2:-1]]
