"""`tidegate model`: what people see and what scripts read."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from processor.cli import main
from processor.cli.model import model

RELEASED = Path(__file__).parents[2] / "models" / "payments_fraud"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["model", *map(str, arguments)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model, trained by the command."""
    content = yaml.safe_load((RELEASED / "model.yaml").read_text())
    content["estimator"] |= {"trees": 5, "samples": 32}
    content["simulator"] |= {"customers": 100, "terminals": 200, "days": 16, "burn_in_days": 2}
    made = tmp_path_factory.mktemp("model")
    (made / "model.yaml").write_text(yaml.safe_dump(content))
    trained = run("train", made)
    assert trained.exit_code == 0, trained.output
    assert "average precision" in trained.stdout
    return made


def test_train_elsewhere_leaves_the_spec_s_folder_alone(folder: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    trained = run("train", folder, "--out", tmp_path / "new", "--json")
    answer = json.loads(trained.stdout)
    assert trained.exit_code == 0
    assert answer["folder"] == str(tmp_path / "new")
    assert answer["model"].startswith("payments_fraud@")
    assert (tmp_path / "new/arrays.npy").read_bytes() == before["arrays.npy"]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_verify(folder: Path, tmp_path: Path) -> None:
    assert run("verify", folder).exit_code == 0
    assert json.loads(run("verify", folder, "--json").stdout)["findings"] == []
    altered = tmp_path / "altered"
    run("train", folder, "--out", altered)
    (altered / "MODEL_CARD.md").write_text("finds everything")
    found = run("verify", altered, "--json")
    assert found.exit_code == 1
    assert len(json.loads(found.stdout)["findings"]) == 1


def test_evaluate_gives_the_figures_of_training(folder: Path) -> None:
    figures = json.loads((folder / "manifest.json").read_text())["figures"]
    evaluated = run("evaluate", folder, "--json")
    assert evaluated.exit_code == 0
    assert json.loads(evaluated.stdout)["figures"] == figures
    assert "alert rate" in run("evaluate", folder).stdout


def test_evaluate_on_records_of_your_own(folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "mine.jsonl"
    lines = [{"amount": 10 + hour, "created_at": f"2026-11-23T{hour:02}:00:00Z"} for hour in range(24)]
    data.write_text("\n".join(map(json.dumps, lines)))
    evaluated = run("evaluate", folder, "--data", data, "--json")
    assert json.loads(evaluated.stdout)["figures"]["records"] == 24
    data.write_text("")
    empty = run("evaluate", folder, "--data", data)
    assert (empty.exit_code, "holds no record" in empty.stderr) == (2, True)


def test_a_model_of_recorded_data_is_not_measured_on_the_simulator(folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "mine.jsonl"
    lines = [{"amount": n % 97, "created_at": 1_790_000_000 + 600 * n} for n in range(2_000)]
    data.write_text("\n".join(map(json.dumps, lines)))
    assert run("train", folder, "--data", data, "--out", tmp_path / "new").exit_code == 0
    refused = run("evaluate", tmp_path / "new")
    assert (refused.exit_code, "--data" in refused.stderr) == (2, True)


def test_card(folder: Path) -> None:
    assert "# Model card: payments_fraud" in run("card", folder).stdout
    answer = json.loads(run("card", folder, "--json").stdout)
    assert answer["card"].startswith("# Model card")
    assert "auc" in answer["figures"]


@pytest.mark.parametrize("command", ["train", "verify", "evaluate", "card"])
def test_a_folder_that_is_no_model_is_unusable_in_one_line(command: str, tmp_path: Path) -> None:
    refused = run(command, tmp_path)
    assert refused.exit_code == 2
    assert refused.stderr.startswith("tidegate: ")
    assert refused.stderr.count("\n") == 1
    assert refused.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_bad_data_leaves_nothing_behind(folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "bad.jsonl"
    data.write_text("no json")
    refused = run("train", folder, "--data", data, "--out", tmp_path / "new")
    assert (refused.exit_code, "bad.jsonl:1: is no JSON" in refused.stderr) == (2, True)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in model.commands)])
def test_help_teaches_with_an_example(arguments: list[str]) -> None:
    shown = run(*arguments)
    assert shown.exit_code == 0
    assert "Example: " in shown.stdout
    assert "tidegate model " in shown.stdout
