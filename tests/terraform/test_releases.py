"""The state says what is in force: what an apply brought about, and not what one that failed was to bring."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from processor.local.terraform import ROOT
from processor.review.release import write_release
from tests.packages import POLICY, WIDER, package

AROUND = """
locals { streams = { cards = { package = "cards.zip" } } }
variable "canary" { default = {} }
variable "fails" { type = bool }
module "stream" {
  source = "./stream"
  fails  = var.fails
}
"""
STREAM = """
variable "fails" { type = bool }
resource "terraform_data" "function" {
  triggers_replace = filesha256("cards.zip")
  provisioner "local-exec" { command = var.fails ? "false" : "true" }
}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """What terraform/ says of releases, around a stream that fails to change when it is told to."""
    (tmp_path / "stream").mkdir()
    (tmp_path / "stream/main.tf").write_text(STREAM)
    (tmp_path / "main.tf").write_text(AROUND)
    shutil.copy(ROOT / "releases.tf", tmp_path)
    outputs = (ROOT / "outputs.tf").read_text()
    (deployed,) = re.findall(r'^output "deployed" \{.*?^\}', outputs, re.MULTILINE | re.DOTALL)
    (tmp_path / "outputs.tf").write_text(deployed)
    terraform(tmp_path, "init")
    return tmp_path


def terraform(root: Path, verb: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = ["terraform", verb, "-no-color", *options]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def applied(root: Path, policy: str, *, fails: bool) -> bool:
    """Whether the apply of a package with this policy went through."""
    write_release(package(root / "cards.zip", policy))
    return terraform(root, "apply", "-auto-approve", f"-var=fails={json.dumps(fails)}").returncode == 0


def version_in_force(root: Path) -> int:
    deployed: dict[str, Any] = json.loads(terraform(root, "output", "-json", "deployed").stdout)
    version: int = deployed["cards"]["policy"]["version"]
    return version


def test_an_apply_that_fails_leaves_it_as_it_was(root: Path) -> None:
    assert applied(root, POLICY, fails=False)
    assert version_in_force(root) == 3
    assert not applied(root, WIDER, fails=True)
    assert version_in_force(root) == 3
    assert applied(root, WIDER, fails=False)
    assert version_in_force(root) == 4
