"""Packages of streams as small as can be, and plans of Terraform that would deploy them."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from typing import TYPE_CHECKING, Any

from processor.policy.plan import dump_plan
from processor.policy.source import read_source
from processor.review.release import release_of

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """\
policy: cards
version: 3
fields:
  id: {action: keep, required: true}
  card: redact
  note: keep
routes: {sns: {events: none}}
retention_days: {events: 400, audit: 2557, quarantine: 14, logs: 90, ledger: 21}
"""
MASKED = "card: {action: mask, keep_last: 4}"
"""Instead of `card: redact`, wider."""
WIDER = POLICY.replace("card: redact", MASKED).replace("version: 3", "version: 4")


def manifest(**changes: Any) -> dict[str, Any]:
    """What a model's manifest says, examples, bins and files apart."""
    content: dict[str, Any] = {
        "format": "tidegate.model/1",
        "model": "cards_fraud",
        "figures": {
            "records": 40117,
            "flag_at": "p99.5",
            "alert_rate": 0.00344,
            "auc": 0.8656,
            "average_precision": 0.7276,
            "scenarios": {"1": {"records": 17, "recall": 0.0}},
        },
        "training": {
            "from": "2026-05-27T00:00:56Z",
            "to": "2026-07-08T02:07:39Z",
            "records": 402490,
            "frauds": 3614,
            "estimator": {"kind": "blend", "blend": [{"kind": "random_forest"}]},
            "data": ["/home/somebody/cards.csv"],
            "fingerprint": "86310698a07e73b5c4cfd4c283b216b50bf339c7a8ddc9176af65ae498448460",
        },
        "golden": {"values": [[44.5, "4111111111111111"]]},
    }
    return content | changes


def released(against: str | None, *, passed: bool = True) -> dict[str, Any]:
    """What a release through its gates adds to a manifest."""
    said = "average precision 0.750, of the model in use 0.728 (difference +0.004 to +0.041)"
    gates = [
        {"gate": "arrays", "passed": True, "said": "files, golden scores and arrays are as in training"},
        {"gate": "average_precision", "passed": passed, "said": said},
    ]
    period = {"records": 30000, "from": "2026-07-20T00:00:00Z", "to": "2026-08-03T00:00:00Z"}
    return {"on": "2026-08-04", "against": against, **period, "data": ["s3://somewhere"], "gates": gates}


def package(
    file: Path,
    policy: str = POLICY,
    model: dict[str, Any] | None = None,
    shadow: dict[str, Any] | None = None,
    *,
    allowed: dict[str, Any] | None = None,
    code: str = "",
) -> Path:
    """A zip with what a release tells of."""
    file.parent.mkdir(parents=True, exist_ok=True)
    source = file.with_name("cards.yaml")
    source.write_text(policy)
    entries = {"policy.json": dump_plan(read_source(source).plan, allowed).decode(), "processor/x.py": code}
    for folder, content in {"model": model, "shadow": shadow}.items():
        if content is not None:
            entries[f"{folder}/manifest.json"] = json.dumps(content)
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in entries.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return file


def hash_of(file: Path) -> str:
    """As Lambda has it."""
    return base64.b64encode(hashlib.sha256(file.read_bytes()).digest()).decode()


def planned(root: Path, old: Path | None, new: Path | None, *, recorded: bool = True) -> dict[str, Any]:
    """What `terraform show -json` says of a plan that puts one package after another.

    Args:
        root: the folder of Terraform.
        old: the zip in force, None before the first apply.
        new: the zip to come, None if the stream goes.
        recorded: whether the state says what is in force.
    """
    before = old and {"filename": str(old), "source_code_hash": hash_of(old)}
    after = new and {"filename": f"./{new.relative_to(root)}", "source_code_hash": hash_of(new)}
    state = {"cards": release_of(old)} if old and recorded else None
    function = {"address": 'module.stream["cards"].aws_lambda_function.this', "type": "aws_lambda_function"}
    other = {"address": "aws_kms_key.data", "type": "aws_kms_key", "change": {"before": None, "after": {}}}
    return {
        "variables": {"policies_folder": {"value": "../policies"}},
        "resource_changes": [other, {**function, "change": {"before": before, "after": after}}],
        "output_changes": {"deployed": {"before": state, "after_unknown": True}},
    }
