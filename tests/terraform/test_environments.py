"""What each environment decides, planned with its own variables, policies and packages."""

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import xform_name

from processor.local import terraform as module
from processor.local.terraform import REPOSITORY, ROOT, Terraform

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
PRICES = "processor/review/prices.json"  # which the dashboard goes by
SHOWN = "$BUCKET"
SUFFIX = ".tftest.hcl"
TESTED = sorted(
    path.name.removesuffix(".tftest.hcl") for path in ROOT.glob("tests/environments/*.tftest.hcl")
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """terraform/ and policies/, with an empty package for each policy: Terraform only hashes them."""
    folder = tmp_path_factory.mktemp("fresh")
    shutil.copytree(ROOT, folder / "terraform")
    shutil.copytree(REPOSITORY / "policies", folder / "policies")
    (folder / PRICES).parent.mkdir(parents=True)
    shutil.copyfile(REPOSITORY / PRICES, folder / PRICES)
    (folder / ".build").mkdir()
    policies = [path for path in folder.glob("policies/*.yaml") if not path.name.endswith(".examples.yaml")]
    for name in ["access", *(path.stem for path in policies)]:
        (folder / f".build/{name}.zip").write_bytes(b"")
    return folder / "terraform"


def test_all_but_the_embedded_one_are_held_to_something() -> None:
    known = {path.stem for path in ROOT.glob("environments/*.tfvars")}
    assert set(TESTED) == known - {"local"}


@pytest.mark.slow
@pytest.mark.parametrize("name", TESTED)
def test_an_environment_is_what_it_is_for(
    copy: Path, name: str, attached: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROOT", copy)
    offline = Terraform(working=copy.parent / "working", environ=attached)
    offline.init()
    printed = offline.run(
        "test",
        "-test-directory=tests/environments",
        f"-filter=tests/environments/{name}{SUFFIX}",
        f"-var-file=environments/{name}.tfvars",
    )
    assert "Success!" in printed
    assert " 0 passed" not in printed


def bootstrap() -> list[list[str]]:
    """The words of the README's commands that make the bucket of a state."""
    text = README.replace("\\\n", " ")
    return [shlex.split(line) for line in re.findall(r"^ {4}(aws s3api .*)$", text, re.MULTILINE)]


def test_a_state_s_bucket_is_made_in_three_commands() -> None:
    """There is no `aws` here to try them: each operation and option is looked up in AWS's own model."""
    shown = bootstrap()
    assert [words[2] for words in shown] == [
        "create-bucket",
        "put-bucket-versioning",
        "put-bucket-encryption",
    ]
    model: Any = boto3.client("s3", region_name="eu-west-1").meta.service_model
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    for _, _, verb, *words in shown:
        shape = model.operation_model(operations[verb]).input_shape
        options = dict(zip(words[::2], words[1::2], strict=True))
        known = {f"--{xform_name(name, '-')}": name for name in shape.members} | {"--region": ""}
        assert options.keys() <= known.keys()
        assert {known[name] for name in options} >= set(shape.required_members)
        assert options["--bucket"] == SHOWN
        given = options.get("--server-side-encryption-configuration")
        if given:
            (rule,) = json.loads(given)["Rules"]
            assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"


@pytest.mark.parametrize("name", TESTED)
def test_a_backend_is_in_the_region_of_its_environment(name: str) -> None:
    said = [
        re.findall(r'^region\s*= "(.+)"$', (ROOT / f"environments/{name}.{kind}").read_text(), re.MULTILINE)
        for kind in ("tfvars", "backend.hcl")
    ]
    assert said[0] == said[1]
    assert len(said[0]) == 1
