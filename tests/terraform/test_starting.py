"""Starting Terraform: where the provider comes from, and what is said when it cannot start."""

import os
import stat
from pathlib import Path

import pytest

from processor.errors import TidegateError
from processor.local import terraform
from processor.local.terraform import AWS, Terraform, main, plugin_dir


def fake_terraform(folder: Path, script: str) -> dict[str, str]:
    """An environment whose only program is a `terraform` that runs the given shell script."""
    program = folder / "terraform"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {"PATH": f"{folder}:/bin:/usr/bin"}


def test_a_mirror_that_is_named_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / AWS).mkdir(parents=True)
    monkeypatch.setenv("TF_PLUGIN_DIR", str(tmp_path))
    assert plugin_dir() == tmp_path


def test_a_named_mirror_without_the_provider_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_PLUGIN_DIR", str(tmp_path))
    with pytest.raises(TidegateError, match="correct or unset it"):
        plugin_dir()


def test_a_mirror_is_found_in_the_usual_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plugins" / AWS).mkdir(parents=True)
    (tmp_path / "another").mkdir()
    monkeypatch.delenv("TF_PLUGIN_DIR", raising=False)
    monkeypatch.setattr(terraform, "MIRRORS", (str(tmp_path),))
    assert plugin_dir() == tmp_path / "plugins"


def test_without_a_mirror_the_registry_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_PLUGIN_DIR", raising=False)
    monkeypatch.setattr(terraform, "MIRRORS", (str(tmp_path),))
    assert plugin_dir() is None


def test_a_missing_terraform_is_named(tmp_path: Path) -> None:
    with pytest.raises(TidegateError, match=r"1\.10 or later.*the PATH has none"):
        Terraform(environ={"PATH": str(tmp_path)}).init()


@pytest.mark.parametrize("version", ["1.9.8", "0.15.5"])
def test_an_old_terraform_is_refused(tmp_path: Path, version: str) -> None:
    environ = fake_terraform(tmp_path, f"""echo '{{"terraform_version": "{version}"}}'""")
    with pytest.raises(TidegateError, match=f"the PATH has {version}"):
        Terraform(environ=environ).init()


def test_an_unreachable_registry_is_explained(tmp_path: Path) -> None:
    script = """
    [ "$1" = version ] && echo '{"terraform_version": "1.13.0"}' && exit 0
    echo 'Initializing...'
    echo 'Error: Failed to query available provider packages' >&2
    exit 1
    """
    with pytest.raises(TidegateError) as failed:
        Terraform(environ=fake_terraform(tmp_path, script)).init()
    assert str(failed.value).startswith("terraform init failed.\nError: Failed to query")
    assert "TF_PLUGIN_DIR" in str(failed.value)


def test_an_unknown_environment_is_refused_with_those_that_exist() -> None:
    with pytest.raises(TidegateError, match="no environment prd; there are dev, local, prod, staging"):
        Terraform("prd")


def test_environments_never_share_a_working_folder(tmp_path: Path) -> None:
    environ = fake_terraform(tmp_path, 'echo "$TF_DATA_DIR"')
    folders = {name: Terraform(name, environ=environ).run("output") for name in ("dev", "prod", None)}
    assert len(set(folders.values())) == 3


def test_every_line_is_passed_on_and_every_option_passed_in(tmp_path: Path) -> None:
    lines: list[str] = []
    environ = fake_terraform(tmp_path, 'for option in "$@"; do echo "$option"; done; echo complaint >&2')
    dev = Terraform("dev", variables={"runtime": "python3.11"}, environ=environ, on_line=lines.append)
    dev.apply()
    assert lines[0] == "apply"
    assert lines[-1] == "complaint"
    assert {"-var-file=environments/dev.tfvars", "-var=runtime=python3.11", "-auto-approve"} < set(lines)
    assert lines.index("-var-file=environments/dev.tfvars") < lines.index("-var=runtime=python3.11")


def test_outputs_come_as_python_values(tmp_path: Path) -> None:
    script = """echo '{"buckets": {"sensitive": false, "value": {"events": "an-events-bucket"}}}'"""
    dev = Terraform("dev", environ=fake_terraform(tmp_path, script))
    assert dev.output() == {"buckets": {"events": "an-events-bucket"}}


def test_a_cli_configuration_that_is_not_there_is_forgotten(tmp_path: Path) -> None:
    environ = fake_terraform(tmp_path, 'echo "[$TF_CLI_CONFIG_FILE]"')
    missing = {**environ, "TF_CLI_CONFIG_FILE": str(tmp_path / "missing")}
    present = {**environ, "TF_CLI_CONFIG_FILE": os.devnull}
    assert Terraform(environ=missing).run("version").strip() == "[]"
    assert Terraform(environ=present).run("version").strip() == f"[{os.devnull}]"


@pytest.mark.parametrize("arguments", [[], ["plan"], ["conjure", "dev"], ["plan", "prd"]])
def test_wrong_usage_says_what_is_right(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    printed = capsys.readouterr().err
    assert "plan|apply" in printed or "there are dev" in printed
