from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import click
import pytest
from click.testing import CliRunner

from processor.cli import COMMANDS, main
from processor.errors import TidegateError


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_teaches(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert "Example" in result.output or "example" in result.output


def test_the_help_lists_all_without_importing_any() -> None:
    code = "import sys, processor.cli as cli\ntry: cli.main(['--help'])\nexcept SystemExit: pass\n"
    code += "print(*sorted(name for name in sys.modules if name.startswith('processor.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *helped, imported = done.stdout.splitlines()
    assert all(any(line.strip().startswith(name) for line in helped) for name in COMMANDS)
    assert imported.split() == ["processor.cli", "processor.errors"]


def failing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    @click.command()
    def broken() -> None:
        raise error

    monkeypatch.setitem(COMMANDS, "detect", ("processor.cli.broken:broken", ""))
    module = import_module("processor.cli.lines")
    monkeypatch.setattr(module, "broken", broken, raising=False)
    monkeypatch.setitem(COMMANDS, "detect", ("processor.cli.lines:broken", ""))


def test_an_expected_error_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, TidegateError("the model is missing: train it"))
    result = CliRunner().invoke(main, ["detect"])
    assert (result.exit_code, result.stderr) == (2, "tidegate: the model is missing: train it\n")


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, ModuleNotFoundError("No module named 'sklearn'", name="sklearn"))
    result = CliRunner().invoke(main, ["detect"])
    assert result.exit_code == 2
    assert "pip install 'tidegate[train]'" in result.stderr


def test_an_unknown_command_is_refused() -> None:
    assert CliRunner().invoke(main, ["mask"]).exit_code == 2
