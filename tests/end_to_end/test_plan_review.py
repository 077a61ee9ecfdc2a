"""What was applied is known from the state, and the next plan says what would change in it."""

import os
import re
import zipfile
from pathlib import Path

import pytest

from processor.local.planning import reviewed
from processor.local.stage import PACKAGE, POLICY, Stage
from processor.local.terraform import ROOT
from processor.policy.plan import dump_plan
from processor.policy.source import read_source
from processor.review.release import release_of, write_release

pytestmark = pytest.mark.slow


def wider(folder: Path) -> Path:
    """What was applied, as far as a release tells of it, under a policy that keeps people's names."""
    text = re.sub(r"(?m)^  name:.*$", "  name: {action: keep, class: identifier}", POLICY.read_text())
    policy = folder / POLICY.name
    policy.write_text(text)
    package = folder / PACKAGE.name
    with zipfile.ZipFile(PACKAGE) as old, zipfile.ZipFile(package, "w") as new:
        new.writestr("policy.json", dump_plan(read_source(policy).plan))
        new.writestr("model/manifest.json", old.read("model/manifest.json"))
    write_release(package)
    return package


def test_the_state_says_what_is_in_force(stage: Stage) -> None:
    release = stage.outputs["deployed"]["payments"]
    assert release == release_of(PACKAGE)
    assert re.fullmatch(r"payments_fraud@[0-9a-f]{12}", release["model"]["id"])


def test_a_plan_says_what_would_be_wider(
    stage: Stage, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    package = wider(tmp_path)
    table = '{hash_key = "payment_id", ttl_attribute = "expires_at"}'
    payments = f'{{table = {table}, package = "{os.path.relpath(package, ROOT)}"}}'
    customers = '{table = {hash_key = "customer_id"}, source = "kinesis"}'
    streams = f"{{payments = {payments}, customers = {customers}}}"
    assert reviewed(stage.terraform, ROOT, "plan", [f"-var=streams={streams}"]) == 0
    printed = capfd.readouterr().out
    assert printed.startswith(
        "customers: no change: policy customers, version 1\n\npayments: changes: policy (1 wider)\n"
    )
    assert re.search(r"\+  name  exposure +5 → 100  redact → keep", printed)
    assert f"model: as before ({release_of(PACKAGE)['model']['id']})" in printed
    above, _, own = printed.partition("Terraform used the selected providers")
    assert "make package" in above, "for the zip is not what lies in policies/"
    assert "deployed               = (sensitive value)" in own
    assert "tidegate.plan/1" not in own, "or the plan would print whole policies"
