"""The Terraform holds without a network or an account: format, types, and its own tests."""

import re
import shutil
from pathlib import Path

import pytest

from processor.local import terraform as module
from processor.local.terraform import ROOT, Terraform


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    offline = Terraform(working=tmp_path_factory.mktemp("terraform"))
    offline.init()
    return offline


def test_is_formatted(terraform: Terraform) -> None:
    terraform.run("fmt", "-check", "-recursive", "-diff")


def test_is_valid(terraform: Terraform) -> None:
    terraform.run("validate")


@pytest.fixture(scope="module")
def mocked(tmp_path_factory: pytest.TempPathFactory, attached: dict[str, str]) -> Terraform:
    offline = Terraform(working=tmp_path_factory.mktemp("mocked"), environ=attached)
    offline.init()
    return offline


@pytest.mark.slow
@pytest.mark.parametrize("file", sorted(path.name for path in ROOT.glob("tests/*.tftest.hcl")))
def test_does_what_it_says(mocked: Terraform, file: str) -> None:
    printed = mocked.run("test", f"-filter=tests/{file}")
    assert "Success!" in printed
    assert " 0 passed" not in printed


@pytest.mark.slow
def test_a_stream_changes_after_the_functions_on_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two versions of the token keys these must know both before a stream makes tokens of the newer."""
    copy = tmp_path / "terraform"
    shutil.copytree(ROOT, copy)
    versions = copy / "versions.tf"
    versions.write_text(versions.read_text().replace('backend "s3" {}', ""))  # a graph asks for the state
    monkeypatch.setattr(module, "ROOT", copy)
    terraform = Terraform(working=tmp_path / "working")
    terraform.init()
    graph = terraform.run("graph")
    assert '"module.stream.aws_lambda_function.this" -> "module.access.aws_lambda_alias.live";' in graph
    role = re.findall(r'"module.stream.data.aws_iam_policy_document.role" -> "(.+)";', graph)
    assert role
    assert not [name for name in role if "access" in name], "or every change there would seem one of the role"


@pytest.mark.parametrize("variables", sorted(ROOT.glob("environments/*.tfvars")), ids=lambda path: path.stem)
def test_an_environment_carries_its_name_and_locks_its_state(variables: Path) -> None:
    backend = variables.with_suffix(".backend.hcl").read_text()
    assert re.search(rf'^environment\s*= "{variables.stem}"$', variables.read_text(), re.MULTILINE)
    assert re.search(r"^use_lockfile\s*= true$", backend, re.MULTILINE)
    assert re.search(r"^encrypt\s*= true$", backend, re.MULTILINE)
