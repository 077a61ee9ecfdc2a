"""`tidegate report`: for a terminal, as JSON, as a page; and what its exit code says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from processor.cli import main
from tests.processed import POLICY, PROCESSING, outputs

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "cards.yaml"
    file.write_text(POLICY + PROCESSING)
    return file


@pytest.fixture
def known(tmp_path: Path) -> Path:
    file = tmp_path / "outputs.json"
    file.write_text(outputs())
    return file


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["report", *map(str, arguments)])


def test_a_terminal_gets_text(policy: Path, known: Path) -> None:
    done = run("--policy", policy, "--outputs", known, "--strict")
    assert done.exit_code == 0
    for words in (
        "Example Cards Ltd",
        "g) Security measures",
        "tidegate-prod-detokenize-caller",
        "dies with the person",
    ):
        assert words in done.stdout
    assert "not stated" not in done.output


def test_what_is_not_stated_shows_and_fails_where_it_has_to(policy: Path) -> None:
    policy.write_text(POLICY)
    done = run("--policy", policy)
    assert done.exit_code == 0
    assert "not stated: who is the controller: add processing.controller" in done.stdout
    assert "not stated: 6" in done.stderr
    assert run("--policy", policy, "--strict").exit_code == 1


def test_a_page_and_json_go_together(policy: Path, known: Path, tmp_path: Path) -> None:
    page = tmp_path / "cards.html"
    done = run("--policy", policy, "--outputs", known, "--html", page, "--json")
    assert done.exit_code == 0
    made = json.loads(done.stdout)
    assert (made["format"], made["policy"]["version"], made["lacks"]) == ("tidegate.processing/1", 3, [])
    assert page.read_text().startswith("<!doctype html>")
    assert "Example Cards Ltd" in page.read_text()


def test_what_cannot_be_used_is_told(policy: Path, known: Path, tmp_path: Path) -> None:
    known.write_text("{}")
    assert run("--policy", policy, "--outputs", known).exit_code == 2
    assert run("--policy", policy, "--html", tmp_path / "no" / "page.html").exit_code == 2
    policy.write_text("policy: cards\n")
    assert run("--policy", policy).exit_code == 2
