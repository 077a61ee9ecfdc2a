from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from cryptography.exceptions import InvalidTag
from moto import mock_aws

from processor.errors import Transient
from processor.quarantine import Poisoned, Quarantine
from tests.builders import FIRST_SEQUENCE, stream_record
from tests.fakes import FakeS3, refusal
from tests.sealed import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = {"region_name": "eu-west-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}


@pytest.fixture
def kms() -> Iterator[tuple[Any, str]]:
    with mock_aws():
        client = boto3.client("kms", **REGION)
        yield client, client.create_key()["KeyMetadata"]["Arn"]


def poisoned(at: int, sequence: str | None = None) -> Poisoned:
    record = stream_record({"payment_id": f"p-{at}", "email": "jane.doe@example.com"}, at=at)
    where = str(FIRST_SEQUENCE + at) if sequence is None else sequence
    return Poisoned(record, "0a1b2c3d", where, "e1", "a required field is missing", "card.number")


def quarantine(s3: Any, kms: tuple[Any, str]) -> Quarantine:
    client, arn = kms
    return Quarantine(s3=s3, kms=client, bucket="quarantine", data_key_arn=arn, policy="payments")


def test_a_record_can_be_opened_again_with_the_key(kms: Any) -> None:
    s3 = FakeS3()
    assert quarantine(s3, kms).keep([poisoned(3)]) == 1
    ((key, body),) = s3.under("quarantine/").items()
    where = rf"quarantine/payments/dt=2026-11-23/0a1b2c3d-{FIRST_SEQUENCE + 3}-[0-9a-f]{{16}}\.json"
    assert re.fullmatch(where, key)
    assert b"jane" not in body
    about, record = opened(body, kms[0])
    assert record == poisoned(3).record
    assert about == {
        "schema": "tidegate.quarantine/1",
        "policy": "payments",
        "sequence": str(FIRST_SEQUENCE + 3),
        "reason": "a required field is missing",
        "path": "card.number",
    }


def test_an_exchanged_reason_is_noticed(kms: Any) -> None:
    s3 = FakeS3()
    quarantine(s3, kms).keep([poisoned(0)])
    (body,) = s3.under("quarantine/").values()
    with pytest.raises(InvalidTag):
        opened(body.replace(b"a required field", b"another field!!!"), kms[0])


def test_a_record_delivered_again_is_there_once(kms: Any) -> None:
    s3 = FakeS3()
    records = [poisoned(at) for at in range(20)]
    assert quarantine(s3, kms).keep(records[:12]) == 12
    assert quarantine(s3, kms).keep(records) == 8
    assert len(s3.objects) == 20


def test_each_record_has_its_own_nonce(kms: Any) -> None:
    s3 = FakeS3()
    quarantine(s3, kms).keep([poisoned(at) for at in range(5)])
    assert len({json.loads(body)["nonce"] for body in s3.under("quarantine/").values()}) == 5


@pytest.mark.parametrize(
    "record", ["garbage", None, {}, {"dynamodb": {"ApproximateCreationDateTime": 1e300}}]
)
def test_a_record_without_time_or_number_has_a_name_too(record: Any, kms: Any) -> None:
    s3 = FakeS3()
    for _ in range(2):
        quarantine(s3, kms).keep([Poisoned(record, "0a1b2c3d", "", "", "malformed", "")])
    ((key, _),) = s3.under("quarantine/").items()
    assert key.startswith("quarantine/payments/dt=unknown/0a1b2c3d-nameless-")


def test_nothing_poisoned_no_request() -> None:
    assert quarantine(FakeS3(), (None, "arn")).keep([]) == 0


def test_a_refused_call_is_transient() -> None:
    class Denied:
        def generate_data_key(self, **_call: Any) -> None:
            raise refusal("AccessDeniedException", "GenerateDataKey")

    with pytest.raises(Transient, match=r"^kms:GenerateDataKey for quarantine: AccessDeniedException"):
        quarantine(FakeS3(), (Denied(), "arn")).keep([poisoned(0)])
