"""`tidegate model train`, `score`, `verify`, `card`: what people see and what scripts read."""

import csv
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner, Result
from threadpoolctl import threadpool_limits

from models.sources import Simulated
from models.spec import load_spec
from processor.cli import main
from processor.cli.model import model
from processor.scoring import Memory, Step, load_scorer
from processor.scoring.profiles import DAY_S

RELEASED = Path(__file__).parents[2] / "models" / "payments_fraud"
START = 1_775_260_800.0  # 4 April 2026, when the world's burn-in is over


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["model", *map(str, arguments)])


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Gradient boosting starts threads for every tree, which costs more than trees this small."""
    with threadpool_limits(1, user_api="openmp"):
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model, trained by the command."""
    content = yaml.safe_load((RELEASED / "model.yaml").read_text())
    content["estimator"] = {"kind": "random_forest", "n_estimators": 5, "max_leaf_nodes": 16}
    content["label"]["after_days"], content["warm_up_days"] = 2, 2
    content["simulator"] |= {
        "customers": 120,
        "terminals": 200,
        "days": 24,
        "burn_in_days": 3,
        "compromised_terminals_per_day": 0.5,
        "compromised_customers_per_day": 0.6,
    }
    made = tmp_path_factory.mktemp("model")
    (made / "model.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    trained = run("train", made)
    assert trained.exit_code == 0, trained.output
    assert "average precision" in trained.stdout
    assert "random_forest, as released" in trained.stdout
    assert "isolation_forest on raw numbers" in trained.stdout
    return made


@pytest.fixture(scope="module")
def images(folder: Path) -> list[dict[str, Any]]:
    found = Simulated(load_spec(folder)).changes(lambda _step, _done: None)
    return [changed.after for changed in found if changed.after is not None]


@pytest.fixture(scope="module")
def data(images: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny world's payments as the handbook's table: other names, and packed."""
    path = tmp_path_factory.mktemp("data") / "handbook.csv.gz"
    with gzip.open(path, "wt", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["transaction_id", "time", "customer_id", "terminal_id", "amount", "fraud"])
        for at, image in enumerate(images):
            lines.writerow(
                [
                    *(f"{at:07}", image["created_at"], image["customer_id"], image["terminal_id"]),
                    *(image["amount"], int(image["status"] == "chargeback")),
                ]
            )
    return path


def test_train_elsewhere_leaves_the_spec_s_folder_alone(folder: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    trained = run("train", folder, "--out", tmp_path / "new", "--json")
    answer = json.loads(trained.stdout)
    assert trained.exit_code == 0
    assert answer["folder"] == str(tmp_path / "new")
    assert answer["model"].startswith("payments_fraud@")
    assert (tmp_path / "new/arrays.npy").read_bytes() == before["arrays.npy"]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_train_on_a_period_of_a_file_with_other_names(folder: Path, data: Path, tmp_path: Path) -> None:
    trained = run(
        *("train", folder, "--data", data, "--from", "2026-04-07", "--to", "2026-04-17"),
        *("--label-delay", "3d", "--out", tmp_path / "new", "--json"),
    )
    assert trained.exit_code == 0, trained.stderr
    training = json.loads((tmp_path / "new/manifest.json").read_text())["training"]
    assert (training["from"], training["to"]) == ("2026-04-07T00:00:00Z", "2026-04-17T00:00:00Z")
    assert training["label_delay_days"] == 3
    assert training["file"] == "handbook.csv.gz"


def test_scores_are_those_that_the_function_gives(
    folder: Path, data: Path, images: list[dict[str, Any]], tmp_path: Path
) -> None:
    """One by one, labels coming back as modifications when they are due."""
    out = tmp_path / "scores.csv"
    scored = run("score", folder, "--data", data, "--from", "2026-04-15", "--to", "2026-04-17", "--out", out)
    assert scored.exit_code == 0, scored.stderr
    assert "scores of payments_fraud@" in scored.stdout
    with out.open() as file:
        header, *lines = csv.reader(file)
    assert header == ["transaction_id", "score"]
    first, last = START + 11 * DAY_S, START + 13 * DAY_S
    wanted = [at for at, image in enumerate(images) if first <= image["created_at"] < last]
    assert [name for name, _ in lines] == [f"{at:07}" for at in wanted]

    scorer, memory, due = load_scorer(folder), Memory(), []
    scores = []
    for at, image in enumerate(images[: wanted[-1] + 1]):
        seen = {name: value for name, value in image.items() if name != "status"}
        while due and due[0]["created_at"] + 2 * DAY_S <= image["created_at"]:
            then = due.pop(0)
            scorer.score([Step(then, then | {"status": "chargeback"})], 1.0, memory)
        (verdict,) = scorer.score([Step(None, seen)], 1.0, memory).verdicts
        due += [seen] if image["status"] == "chargeback" else []
        scores += [verdict.score] if at in wanted else []
    assert np.array_equal([float(score) for _, score in lines], scores)


def test_score_says_what_it_lacks(folder: Path, images: list[dict[str, Any]], tmp_path: Path) -> None:
    data = tmp_path / "payments.jsonl"
    data.write_text("\n".join(map(json.dumps, images[:50])))
    arguments = ["score", folder, "--data", data, "--from", "2026-04-01", "--out", tmp_path / "scores.csv"]
    for end, words in (("2026-05-01", "without payment_id"), ("2026-04-02", "no record in the period")):
        refused = run(*arguments, "--to", end)
        assert (refused.exit_code, words in refused.stderr) == (2, True)
    assert run(*arguments).exit_code == 2
    assert "a day as 2026-11-23" in run(*arguments, "--to", "soon").stderr
    assert not (tmp_path / "scores.csv").exists()


def test_verify(folder: Path, tmp_path: Path) -> None:
    assert run("verify", folder).exit_code == 0
    assert json.loads(run("verify", folder, "--json").stdout)["findings"] == []
    altered = tmp_path / "altered"
    run("train", folder, "--out", altered)
    (altered / "MODEL_CARD.md").write_text("finds everything")
    found = run("verify", altered, "--json")
    assert found.exit_code == 1
    assert len(json.loads(found.stdout)["findings"]) == 1


def test_other_libraries_are_a_warning(folder: Path, tmp_path: Path) -> None:
    run("train", folder, "--out", tmp_path / "old")
    manifest = json.loads((tmp_path / "old/manifest.json").read_text())
    manifest["libraries"]["scikit-learn"] = "0.20"
    (tmp_path / "old/manifest.json").write_text(json.dumps(manifest))
    found = run("verify", tmp_path / "old")
    assert found.exit_code == 0
    assert "warning: " in found.stderr
    assert "scikit-learn 0.20" in found.stderr


def test_without_labels_it_says_what_it_is(
    folder: Path, images: list[dict[str, Any]], tmp_path: Path
) -> None:
    data = tmp_path / "payments.jsonl"
    bare = [{name: value for name, value in image.items() if name != "status"} for image in images]
    data.write_text("\n".join(map(json.dumps, bare)))
    trained = run("train", folder, "--data", data, "--out", tmp_path / "new")
    assert trained.exit_code == 0, trained.stderr
    assert "note: no record has a label" in trained.stderr
    assert "isolation forest" in trained.stderr


def test_data_may_be_what_a_shell_made_of_a_pattern(folder: Path, data: Path, tmp_path: Path) -> None:
    arguments = ["--from", "2026-04-15", "--to", "2026-04-16", "--out", tmp_path / "scores.csv", "--json"]
    once, twice = (
        json.loads(run("score", folder, "--data", data, *more, *arguments).stdout)["records"]
        for more in ([], [data])
    )
    assert twice == 2 * once > 100
    refused = run("train", folder, data)
    assert (refused.exit_code, "write --data before it" in refused.stderr) == (2, True)


def test_card(folder: Path) -> None:
    assert "# Model card: payments_fraud" in run("card", folder).stdout
    answer = json.loads(run("card", folder, "--json").stdout)
    assert answer["card"].startswith("# Model card")
    assert "auc" in answer["figures"]


@pytest.mark.parametrize("command", ["train", "verify", "card"])
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
    assert (refused.exit_code, "bad.jsonl" in refused.stderr) == (2, True)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("delay", ["7w", "-1d", "d", "1.5d", "9999d"])
def test_a_delay_is_a_number_of_days(folder: Path, delay: str) -> None:
    refused = run("train", folder, f"--label-delay={delay}")
    assert (refused.exit_code, "a number of days, as 7d" in refused.stderr) == (2, True)


@pytest.mark.parametrize("name", ["", "train", "score", "verify", "card"])
def test_help_teaches_with_an_example(name: str) -> None:
    shown = run(*([name] if name else []), "--help")
    assert shown.exit_code == 0
    assert "Example: " in shown.stdout
    assert "tidegate model " in shown.stdout
    assert model.name == "model"
