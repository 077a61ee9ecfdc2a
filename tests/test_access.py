"""The start of the two functions on people: what they need, and that they are the real thing afterwards."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws

from processor.access import DETOKENIZE, ERASE, detokenizing, erasing
from processor.errors import PolicyError, SettingsError
from processor.policy.plan import dump_plan
from tests.callers import ACCOUNT, callers
from tests.desks import AUDIT, LEDGER, PEOPLE, World, plan_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "arn:aws:kms:eu-west-1:12345678901{}:key/a"
STARTS = {"detokenize": (detokenizing, DETOKENIZE), "erase": (erasing, ERASE)}


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    for name, value in (
        ("AWS_DEFAULT_REGION", "eu-west-1"), ("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "x"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    with mock_aws():
        world = World()
        token_key = world.kms.create_key(KeySpec="HMAC_512", KeyUsage="GENERATE_VERIFY_MAC")
        receipts = world.kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
        yield {
            "AUDIT_BUCKET": AUDIT,
            "LEDGER_TABLE": LEDGER,
            "SUBJECTS_TABLE": PEOPLE,
            "TOKEN_KEY_ARNS": json.dumps({"1": token_key["KeyMetadata"]["Arn"]}),
            "DATA_KEY_ARN": world.data_key,
            "RECEIPT_KEY_ARN": receipts["KeyMetadata"]["Arn"],
            "SUBJECTS_RECOVERY_DAYS": "7",
            "SUBJECT_CACHE_SECONDS": "60",
            "AWS_LAMBDA_FUNCTION_NAME": "tidegate-dev-x",
        }


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    for plan in (plan_of(), plan_of(policy="refunds")):
        (tmp_path / "policies" / f"{plan.name}.json").write_bytes(dump_plan(plan))
    return tmp_path


def test_both_functions_start_and_know_all_policies(environ: dict[str, str], package: Path) -> None:
    desk, _ = detokenizing(package, environ)
    assert list(desk.books) == ["payments", "refunds"]
    link = desk.record("detokenize", {"schema": "tidegate.access/1"})
    assert link.key.startswith("records/detokenize/dt=")
    office, voice = erasing(package, environ)
    assert list(office.policies) == ["payments", "refunds"]
    assert (office.in_force_s, office.recovery_days) == (60, 7)
    assert office.record("erase", {}).key.startswith("records/erase/dt=")
    assert voice
    # As botocore knows it, and no other.
    assert callers("tidegate-dev-x", time.time)._endpoint == office.callers._endpoint
    assert office.callers._account == desk.callers._account == ACCOUNT


@pytest.mark.parametrize("function", STARTS)
def test_all_that_is_missing_is_named_at_once(package: Path, function: str) -> None:
    start, needed = STARTS[function]
    with pytest.raises(SettingsError) as caught:
        start(package, {})
    assert all(name in str(caught.value) for name in needed)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"SUBJECTS_RECOVERY_DAYS": "a week"}, "SUBJECTS_RECOVERY_DAYS"),
        ({"TOKEN_KEY_ARNS": "[]"}, "TOKEN_KEY_ARNS"),
        ({"TOKEN_KEY_ARNS": '{"1": "alias/tidegate"}'}, "TOKEN_KEY_ARNS"),
        ({"TOKEN_KEY_ARNS": json.dumps({"1": KEY.format(1), "2": KEY.format(2)})}, "keys of one account"),
    ],
)
def test_what_cannot_be_read_is_named(
    environ: dict[str, str], package: Path, changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(SettingsError, match=why):
        erasing(package, environ | changes)


def test_a_package_without_policies_does_not_start(environ: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="holds no policy"):
        detokenizing(tmp_path, environ)
