"""A gate that is not sure of itself stays shut."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from processor.errors import ModelError, PolicyError, SettingsError, Transient
from processor.policy.source import compile_policy
from processor.scoring import served_files
from processor.start import start

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
REGION = "eu-west-1"


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        key = boto3.client("kms").create_key(KeySpec="HMAC_512", KeyUsage="GENERATE_VERIFY_MAC")
        yield {
            "EVENTS_BUCKET": "tidegate-events",
            "AUDIT_BUCKET": "tidegate-audit",
            "QUARANTINE_BUCKET": "tidegate-quarantine",
            "ALERTS_TOPIC_ARN": f"arn:aws:sns:{REGION}:123456789012:alerts",
            "LEDGER_TABLE": "tidegate-ledger",
            "SUBJECTS_TABLE": "tidegate-subjects",
            "PROFILES_TABLE": "tidegate-profiles",
            "DATA_KEY_ARN": f"arn:aws:kms:{REGION}:123456789012:key/data",
            "TOKEN_KEY_ARNS": json.dumps({"1": key["KeyMetadata"]["Arn"]}),
        }


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package's policy and model, as `tidegate package` lays them out."""
    (tmp_path / "policy.json").write_bytes(compile_policy(ROOT / "policies" / "payments.yaml")[1])
    (tmp_path / "model").mkdir()
    for file in served_files(ROOT / "models" / "payments_fraud"):
        shutil.copy(file, tmp_path / "model")
    return tmp_path


def edit(path: Path, change: Any) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_a_whole_package_starts(package: Path, environ: dict[str, str]) -> None:
    gate, _ = start(package, environ)
    assert gate.judge
    assert gate.judge.threshold == 0.995
    assert gate.judge.shadow is None
    assert gate.plan.name == "payments"


def test_a_missing_setting_stops_the_start(package: Path, environ: dict[str, str]) -> None:
    del environ["LEDGER_TABLE"]
    with pytest.raises(SettingsError, match="LEDGER_TABLE"):
        start(package, environ)


def test_a_missing_policy_stops_the_start(package: Path, environ: dict[str, str]) -> None:
    (package / "policy.json").unlink()
    with pytest.raises(PolicyError, match=r"is missing in the package\n.*make package"):
        start(package, environ)


def test_a_policy_of_another_format_stops_the_start(package: Path, environ: dict[str, str]) -> None:
    edit(package / "policy.json", lambda document: document.update(format="tidegate.plan/99"))
    with pytest.raises(PolicyError, match=r"format tidegate\.plan/1"):
        start(package, environ)


def test_an_altered_model_stops_the_start(package: Path, environ: dict[str, str]) -> None:
    arrays = package / "model" / "arrays.npy"
    data = bytearray(arrays.read_bytes())
    data[-1] ^= 1
    arrays.write_bytes(data)
    with pytest.raises(ModelError, match=r"arrays\.npy"):
        start(package, environ)


def test_a_model_that_reads_what_is_not_granted_stops_the_start(
    package: Path, environ: dict[str, str]
) -> None:
    def revoke(document: Any) -> None:
        document["policy"]["score"]["reads"] = ["created_at"]

    edit(package / "policy.json", revoke)
    with pytest.raises(ModelError, match=r"reads amount, .*, which the policy does not grant.*score\.reads"):
        start(package, environ)


def test_another_model_than_the_policy_names_stops_the_start(package: Path, environ: dict[str, str]) -> None:
    def rename(document: Any) -> None:
        document["policy"]["score"]["model"] = "loans_fraud"

    edit(package / "policy.json", rename)
    with pytest.raises(ModelError, match="the policy names loans_fraud"):
        start(package, environ)


def test_a_key_that_is_not_there_stops_the_start(package: Path, environ: dict[str, str]) -> None:
    environ["TOKEN_KEY_ARNS"] = json.dumps({"1": f"arn:aws:kms:{REGION}:123456789012:key/none"})
    with pytest.raises(Transient, match="kms:GenerateMac for token key version 1"):
        start(package, environ)


def test_a_policy_without_scoring_needs_no_model(package: Path, environ: dict[str, str]) -> None:
    def unscored(document: Any) -> None:
        del document["policy"]["score"]
        document["policy"]["routes"]["sns"]["events"] = "none"

    edit(package / "policy.json", unscored)
    shutil.rmtree(package / "model")
    gate, _ = start(package, environ)
    assert gate.judge is None
