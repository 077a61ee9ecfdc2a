"""What the README and docs/ say of policies, commands, variables, files and rows of the house is so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from processor.cli import main
from processor.policy.actions import ACTIONS
from processor.policy.document import read_document
from processor.policy.kinds import keys_of
from processor.policy.plan import read_plan
from processor.policy.sections import Purpose
from processor.scoring.features import FIELD_KINDS, PROFILE_KINDS
from tests.test_layers import ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
HEAD = "policy: shown\nversion: 1\n"
TAIL = """routes: {sns: {events: none}}
retention_days: {events: 1, audit: 1, quarantine: 1, logs: 1, ledger: 2}
"""
OF_ALL = {"class", "required"}
"""Options of every action: the table leaves them out."""


def table(page: str, *header: str) -> list[list[str]]:
    """The cells of the one table of a page that has this header."""
    lines = page.splitlines()
    (start,) = [at for at, line in enumerate(lines) if cells(line) == list(header)]
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append(cells(line))
    return rows


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]


def commands() -> Iterator[tuple[str, str]]:
    """Every `tidegate …` line that a page shows, joined where it goes on, with the page's name."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        for found in re.finditer(r"^ {4,}(?:.*\| )?(tidegate .*)$", text, re.MULTILINE):
            yield page.name, found[1]


def test_its_policy_compiles() -> None:
    (shown,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    document = read_document((HEAD + shown + TAIL).encode(), "README.md")
    plan, problems = read_plan(document.data, "0" * 64)
    assert plan is not None, problems
    assert plan.purposes == (Purpose(name="fraud_investigation", fields=("email",), values_per_hour=50),)
    assert plan.subject_fields == ("email",)


def test_its_table_of_actions_is_the_registry() -> None:
    rows = table(README, "action", "options", "what leaves", "opens", "joins")
    shown = {row[0].strip("`"): row[1:] for row in rows}
    assert list(shown) == list(ACTIONS)
    for name, action in ACTIONS.items():
        options, _, opens, joins = shown[name]
        assert bool(opens) == action.reversible, name
        assert (joins == "✓") == action.joinable, name
        said = set(re.findall(r"\w+", options)) - {"or", "and"}
        assert said == set(keys_of(action.options)) - OF_ALL, name


def test_the_kinds_of_features_are_the_registry() -> None:
    page = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
    shown = [name for row in table(page, "kind", "of", "what it is") for name in re.findall(r"\w+", row[0])]
    assert sorted(shown) == sorted({**FIELD_KINDS, **PROFILE_KINDS})


def test_variables_that_it_names_are_terraform_s() -> None:
    known = set(re.findall(r'^variable "(\w+)"', (ROOT / "terraform/variables.tf").read_text(), re.MULTILINE))
    rows = table(README, "variable", "default", "what it decides")
    assert {row[0].strip("`") for row in rows} <= known


@pytest.mark.parametrize(("page", "shown"), list(commands()))
def test_a_command_that_is_shown_exists_and_has_these_options(page: str, shown: str) -> None:
    words = shlex.split(re.sub(r"\s[<>].*", "", shown), comments=True)[1:]
    command: click.Command = main
    context = click.Context(command)
    while isinstance(command, click.Group):
        found = command.get_command(context, words.pop(0))
        assert found is not None, f"{page}: {shown}"
        command = found
    options = {name for one in command.params for name in one.opts}
    assert {word for word in words if word.startswith("-") and word != "-"} <= options, f"{page}: {shown}"


def test_commands_are_shown() -> None:
    shown = {(page, " ".join(line.split()[1:3])) for page, line in commands()}
    for words in ("detokenize --env", "erase --env", "audit verify", "audit show", "audit receipt"):
        assert ("README.md", words) in shown
    assert ("rotation.md", "keys status") in shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (page.parent / target).exists(), target
    # In a list of files of one folder, the folder stands before the first only.
    places = [
        ROOT,
        page.parent,
        *(
            ROOT / name
            for name in ("tests", "tests/crypto", "terraform", "processor", "models/payments_fraud")
        ),
    ]
    for name in re.findall(r"`([\w./-]+\.(?:py|tf|tfvars|yaml|md))`", text):
        assert any((place / name).exists() for place in places), name


def test_the_rows_of_the_house_are_those_under_test() -> None:
    shown = {
        row[0]: set(re.findall(r"`(\w+)(?:\.py|/)`", row[1]))
        for row in table(CONTRIBUTING, "row", "modules", "may do")
    }
    assert shown == {row: set(rooms) for row, rooms in ROWS.items()}
