"""What `make plan` and `make apply` print and do, with a Terraform that only says what it was asked."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from processor.local import planning
from processor.local.terraform import Terraform
from tests.packages import WIDER, package, planned

SCRIPT = """#!/bin/sh
echo "$@" >> {calls}
case "$*" in
  plan*) echo 'aws_kms_key.data: Refreshing state... [id=1]'; echo "Plan: 1 to change."; {warning} ;;
  show*-json*) cat {plan} ;;
  show*) echo "Terraform's own plan" ;;
esac
"""

Make = Callable[..., Terraform]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "terraform").mkdir()
    return tmp_path / "terraform"


@pytest.fixture
def make(tmp_path: Path, root: Path) -> Make:
    """A Terraform whose plan puts a wider policy in force."""

    def made(*, applyable: bool = True, warning: str = ":") -> Terraform:
        old, new = package(root / "old/cards.zip"), package(root / "new/cards.zip", WIDER)
        plan = tmp_path / "plan.json"
        plan.write_text(json.dumps(planned(root, old, new) | {"applyable": applyable}))
        program = tmp_path / "terraform-program" / "terraform"
        program.parent.mkdir()
        program.write_text(SCRIPT.format(calls=tmp_path / "calls", plan=plan, warning=warning))
        program.chmod(0o755)
        environ = {"PATH": f"{program.parent}:/bin:/usr/bin"}
        return Terraform("dev", environ=environ, on_line=planning.progress)

    return made


def calls(root: Path) -> list[list[str]]:
    """What Terraform was asked."""
    return [line.split() for line in (root.parent / "calls").read_text().splitlines()]


def say(monkeypatch: pytest.MonkeyPatch, answer: str | None) -> None:
    def typed(_prompt: str) -> str:
        if answer is None:
            raise EOFError
        if answer == "^C":
            raise KeyboardInterrupt
        return answer

    monkeypatch.setattr("builtins.input", typed)


def test_what_changes_stands_above_the_plan(
    make: Make, root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert planning.reviewed(make(), root, "plan", ["-var=runtime=python3.13"]) == 0
    printed = capfd.readouterr()
    assert printed.out.startswith("cards: changes: policy (1 wider)\n")
    assert printed.out.index("Plan: 1 wider") < printed.out.index("Terraform's own plan")
    assert printed.err == "aws_kms_key.data: Refreshing state... [id=1]\n"
    asked = calls(root)
    assert [words[0] for words in asked] == ["plan", "show", "show"]
    assert {"-var-file=environments/dev.tfvars", "-var=runtime=python3.13", "-input=false"} < set(asked[0])
    (saved,) = [word.removeprefix("-out=") for word in asked[0] if word.startswith("-out=")]
    assert asked[1][-1] == asked[2][-1] == saved
    assert not Path(saved).exists(), "and nobody can read the state from what is left"


def test_warnings_are_not_lost(make: Make, root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    lines = ["Warning: a check failed", "", "it says so", "─" * 40, "Saved the plan to: x"]
    warning = "; ".join(f'echo "{line}"' for line in lines)
    planning.reviewed(make(warning=warning), root, "plan", [])
    assert capfd.readouterr().out.endswith("Terraform's own plan\n\nWarning: a check failed\n\nit says so\n")


def test_a_plan_can_be_kept(make: Make, root: Path) -> None:
    assert planning.reviewed(make(), root, "plan", ["-out=/tmp/kept"]) == 0
    assert "-out=/tmp/kept" in calls(root)[0]


@pytest.mark.parametrize("answer", ["no", "y", "", "^C", None])
def test_only_a_yes_applies(
    make: Make,
    root: Path,
    answer: str | None,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    say(monkeypatch, answer)
    assert planning.reviewed(make(), root, "apply", []) == 1
    asked, _, _ = capfd.readouterr().out.partition("Do you want")
    assert asked.endswith("Terraform's own plan\n\ncards: changes: policy (1 wider)\n"), "said once more"
    assert [words[0] for words in calls(root)] == ["plan", "show", "show"]


def test_what_is_applied_is_the_plan_that_was_shown(
    make: Make, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(monkeypatch, "yes")
    options = ["-var=runtime=python3.13", "-parallelism=3"]
    assert planning.reviewed(make(), root, "apply", options) == 0
    asked = calls(root)
    (saved,) = [word.removeprefix("-out=") for word in asked[0] if word.startswith("-out=")]
    assert asked[-1] == ["apply", "-parallelism=3", saved], "Terraform takes no variables beside a saved plan"


def test_approval_can_be_given_before(make: Make, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    say(monkeypatch, None)
    assert planning.reviewed(make(), root, "apply", ["-auto-approve"]) == 0
    asked = calls(root)
    assert asked[-1][0] == "apply"
    assert "-auto-approve" not in asked[0]


def test_where_nothing_is_to_be_done_nobody_is_asked(
    make: Make, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(monkeypatch, None)
    assert planning.reviewed(make(applyable=False), root, "apply", []) == 0
    assert [words[0] for words in calls(root)] == ["plan", "show", "show"]


def test_what_cannot_be_told_stops_nothing(make: Make, root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    terraform = make()
    (root.parent / "plan.json").write_text("{}")
    assert planning.reviewed(terraform, root, "plan", []) == 0
    printed = capfd.readouterr().out
    assert printed.startswith("What changes of policies and models cannot be told: ")
    assert "Terraform's own plan" in printed


@pytest.mark.parametrize(
    ("options", "bare"), [(["-json"], True), (["-destroy"], True), (["-var=a=b"], False)]
)
def test_terraform_is_left_alone_where_its_own_answer_is_wanted(options: list[str], *, bare: bool) -> None:
    assert planning.is_bare(options) is bare
