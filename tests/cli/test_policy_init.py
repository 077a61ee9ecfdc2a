"""`tidegate policy init`: a file to work on, and never one lost."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from processor.cli.policy.check import check
from processor.cli.policy.init import init

SAMPLE = '{"customer_id": "C1", "name": "Ann Example", "amount": 7.50}\n{"customer_id": "C2", "name": null}\n'


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sample in the working folder."""
    monkeypatch.chdir(tmp_path)
    Path("orders.jsonl").write_text(SAMPLE)
    return Path("orders.jsonl")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(init, [str(argument) for argument in arguments])


def test_the_draft_passes_the_check_with_its_own_sample(sample: Path) -> None:
    done = run("--sample", sample, "--out", "orders.yaml")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "tidegate: orders.yaml: 3 rules, 0 of them to decide\n"
    text = Path("orders.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=schema.json\n")
    assert "\npolicy: orders\nversion: 1\n" in text
    assert "Ann" not in text
    checked = CliRunner().invoke(check, ["orders.yaml", "--sample", str(sample)])
    assert checked.exit_code == 0, checked.output
    assert "fields in them that no rule names:\n  none" in checked.stdout


def test_without_a_file_it_is_on_stdout(sample: Path) -> None:
    run("--sample", sample, "--out", "orders.yaml")
    done = run("--sample", sample)
    assert (done.exit_code, done.stdout) == (0, Path("orders.yaml").read_text())


def test_a_file_is_overwritten_by_force_only(sample: Path) -> None:
    Path("orders.yaml").write_text("precious")
    done = run("--sample", sample, "--out", "orders.yaml")
    assert (done.exit_code, Path("orders.yaml").read_text()) == (2, "precious")
    assert "orders.yaml: is there already; --force overwrites it" in done.stderr
    assert run("--sample", sample, "--out", "orders.yaml", "--force").exit_code == 0
    assert Path("orders.yaml").read_text() != "precious"


def test_for_scripts(sample: Path) -> None:
    sample.write_text('{"user_id": "a", "odd": "x"}')
    answer = json.loads(run("--sample", sample, "--json").stdout)
    assert "policy: orders" in answer.pop("text")
    assert answer == {
        "policy": "orders",
        "file": None,
        "rules": 2,
        "subject": "user_id",
        "undecided": ["odd"],
    }


@pytest.mark.parametrize(
    ("file", "name"), [("Orders of May.jsonl", "orders_of_may"), ("2026-orders.v2.jsonl", "orders")]
)
def test_the_name_is_that_of_the_sample_as_far_as_it_can_be(sample: Path, file: str, name: str) -> None:
    assert f"\npolicy: {name}\n" in run("--sample", sample.rename(file)).stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--name", "Orders"), "a policy's name is a lower-case letter"),
        (("--name", "orders", "--out", "other.yaml"), "belongs in a file orders.yaml"),
        (("--out", "absent/orders.yaml"), "cannot be written: No such file or directory"),
    ],
)
def test_what_cannot_be_is_said(sample: Path, arguments: tuple[str, ...], words: str) -> None:
    done = run("--sample", sample, *arguments)
    assert done.exit_code == 2
    assert words in done.stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "holds no record with a field"),
        ("{}", "holds no record with a field"),
        ('{"name": "Ann"}\n{"name": "Bob"', "line 2: not JSON from column 15 on"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_an_unusable_sample_exits_2_and_leaves_no_file(sample: Path, content: str | None, words: str) -> None:
    if content is None:
        sample.unlink()
    else:
        sample.write_text(content)
    done = run("--sample", sample, "--out", "orders.yaml")
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Ann" not in done.stderr
    assert not Path("orders.yaml").exists()
