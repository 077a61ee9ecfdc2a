from __future__ import annotations

from typing import Any

import boto3
import pytest
from moto import mock_aws

from processor.errors import Transient
from processor.keys import key_ring
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
