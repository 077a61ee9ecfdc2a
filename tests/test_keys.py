from __future__ import annotations

from typing import Any

import boto3
import pytest
from moto import mock_aws

from processor.crypto import open_sealed
from processor.errors import Transient
from processor.keys import DataKeys, key_ring
from tests.fakes import refusal


@mock_aws
def test_the_same_kms_keys_give_the_same_tokens_at_every_start() -> None:
    kms = boto3.client("kms", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    arns = {
        version: kms.create_key(KeySpec="HMAC_512", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["Arn"]
        for version in (1, 2)
    }
    token = key_ring(kms, {1: arns[1]}).tokens("email").seal(b"x")
    assert key_ring(kms, {1: arns[1]}).tokens("email").seal(b"x") == token
    both = key_ring(kms, arns).tokens("email")
    assert both.open(token) == b"x"
    assert both.seal(b"x") != token


def test_a_gate_without_its_keys_does_not_start() -> None:
    class Denied:
        def generate_mac(self, **_call: Any) -> None:
            raise refusal("AccessDeniedException", "GenerateMac")

    with pytest.raises(Transient, match=r"kms:GenerateMac for token key version 1: AccessDeniedException"):
        key_ring(Denied(), {1: "arn"})


@mock_aws
def test_data_keys_are_made_when_needed_and_opened_by_kms_under_their_context() -> None:
    kms = boto3.client("kms", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    now = [0.0]
    keys = DataKeys(kms=kms, data_key_arn=arn, policy="payments", clock=lambda: now[0])

    def unwrap(wrapped: bytes) -> bytes:
        context = {"purpose": "tidegate.encrypt", "policy": "payments"}
        plaintext: bytes = kms.decrypt(CiphertextBlob=wrapped, EncryptionContext=context)["Plaintext"]
        return plaintext

    first = keys()
    assert open_sealed(first.seal(b"value", b"place"), unwrap, b"place") == b"value"
    now[0] = 3599.0
    assert keys() is first
    now[0] = 3600.0
    assert keys() is not first
    assert "…" in repr(keys)


def test_a_data_key_is_worn_after_so_many_values(monkeypatch: pytest.MonkeyPatch) -> None:
    class Made:
        def generate_data_key(self, **_call: Any) -> dict[str, bytes]:
            return {"Plaintext": bytes(32), "CiphertextBlob": b"wrapped"}

    monkeypatch.setattr("processor.keys.SEALS_MAX", 2)
    keys = DataKeys(kms=Made(), data_key_arn="arn", policy="payments", clock=lambda: 0.0)
    first = keys()
    assert keys() is first
    assert keys() is not first


def test_a_data_key_that_cannot_be_had_is_for_later() -> None:
    class Throttled:
        def generate_data_key(self, **_call: Any) -> None:
            raise refusal("ThrottlingException", "GenerateDataKey")

    keys = DataKeys(kms=Throttled(), data_key_arn="arn", policy="payments", clock=lambda: 0.0)
    with pytest.raises(Transient, match=r"kms:GenerateDataKey for values: ThrottlingException"):
        keys()
