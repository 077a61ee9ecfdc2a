"""`tidegate audit receipt`: what the erase function signed, checked with and without AWS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from moto import mock_aws

from processor.cli import main
from processor.receipts import Signer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECEIPT = {
    "schema": "tidegate.receipt/1",
    "subjects": ["psn.customer.1.aaaaaaaaaaaaaaaaaaaaaa"],
    "erased_at": "2026-11-23T10:00:00Z",
    "in_force_at": "2026-11-23T10:01:00Z",
    "backups_gone_at": "2026-12-28T10:00:00Z",
    "requested_by": "arn:aws:sts::123456789012:assumed-role/dpo/bob",
    "reason": "GDPR 17, Anfrage für Müller",
    "again": False,
}


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        yield boto3.client("kms")


def signed(kms: Any, file: Path, alias: str = "", **more: Any) -> str:
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    if alias:
        kms.create_alias(AliasName=alias, TargetKeyId=key)
    file.write_text(json.dumps(Signer(kms, key).signed(RECEIPT | more)))
    return str(key)


def check(*arguments: Any) -> Any:
    return CliRunner().invoke(main, ["audit", "receipt", *map(str, arguments)])


def test_a_receipt_of_the_environment(kms: Any, tmp_path: Path) -> None:
    file = tmp_path / "receipt.json"
    key = signed(kms, file, "alias/tidegate-test-receipts")
    result = check(file, "--env", "test")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"{file}: signed by {key} and unaltered\n")
    answer = json.loads(check(file, "--env", "test", "--json").stdout)
    assert (answer["authentic"], answer["key"], answer["public_key"]) == (True, key, None)
    assert answer["subjects"] == RECEIPT["subjects"]


def test_an_altered_receipt(kms: Any, tmp_path: Path) -> None:
    file = tmp_path / "receipt.json"
    signed(kms, file, "alias/tidegate-test-receipts")
    file.write_text(file.read_text().replace("2026-11-23", "2026-11-22"))
    result = check(file, "--env", "test")
    assert result.exit_code == 1
    assert "do not trust it: the signature is not that of this key" in result.stdout


def test_a_receipt_by_a_key_of_ones_own(kms: Any, tmp_path: Path) -> None:
    file, other = tmp_path / "receipt.json", tmp_path / "other.json"
    key = signed(kms, file, "alias/tidegate-test-receipts")
    signed(kms, other)
    result = check(other, "--env", "test")
    assert result.exit_code == 1
    assert f"it names another key than {key}, with which test signs receipts" in result.stdout
    named = json.loads(other.read_text())
    named["signature"]["key"] = key
    other.write_text(json.dumps(named))
    result = check(other, "--env", "test")
    assert result.exit_code == 1
    assert "the signature is not that of this key" in result.stdout


def test_it_has_to_be_said_whose_signature_it_must_be(
    kms: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "receipt.json"
    signed(kms, file, "alias/tidegate-test-receipts")
    result = check(file)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Say --env ENV, or give the key: --public-key FILE." in result.stderr
    monkeypatch.setenv("TIDEGATE_ENV", "test")
    assert check(file).exit_code == 0


def test_offline_with_the_key_in_pem(kms: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, pem = tmp_path / "receipt.json", tmp_path / "key.pem"
    key = signed(kms, file)
    public = load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
    pem.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    monkeypatch.setattr(boto3, "client", None)
    named = json.loads(file.read_text())
    named["signature"]["key"] = claimed = f"{key}-of-somebody-else"  # which is not part of what is signed
    file.write_text(json.dumps(named))
    result = check(file, "--public-key", pem, "--env", "test")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"{file}: signed by the key in {pem} and unaltered\n")
    assert claimed not in result.stdout
    answer = json.loads(check(file, "--public-key", pem, "--json").stdout)
    assert (answer["authentic"], answer["key"], answer["public_key"]) == (True, None, str(pem))
    file.write_text(file.read_text().replace("false", "true"))
    assert check(file, "--public-key", pem).exit_code == 1


@pytest.mark.usefixtures("kms")
def test_what_cannot_be_checked(tmp_path: Path) -> None:
    file, pem = tmp_path / "receipt.json", tmp_path / "key.pem"
    pem.write_text("no key")
    assert check(file, "--public-key", pem).exit_code == 2
    for text in ("no JSON", "[]", "{}", json.dumps(RECEIPT)):
        file.write_text(text)
        assert "receipt.json" in check(file, "--public-key", pem).stderr
    file.write_text(json.dumps(RECEIPT | {"signature": {"key": "mine"}}))
    result = check(file, "--public-key", pem)
    assert result.exit_code == 2
    assert "not a public key in PEM" in result.stderr
    assert check(file, "--public-key", tmp_path / "none.pem").exit_code == 2
    result = check(file, "--env", "test")
    assert result.exit_code == 2
    assert "NotFoundException" in result.stderr
