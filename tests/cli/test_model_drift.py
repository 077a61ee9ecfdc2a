"""`tidegate model drift`: from what the function printed to what has changed."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from models.drift import Baseline
from processor.cli import main
from processor.scoring.drift import Bins, spread
from processor.telemetry import Tally, Telemetry

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("amount", "hour")
RECORDS = 2_000


def world(seed: int = 0) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    matrix = np.column_stack([random.gamma(2, 30, RECORDS), random.integers(0, 24, RECORDS)])
    return matrix.astype(np.float32), random.random(RECORDS)


BASELINE = Baseline.learn(NAMES, *world())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What `drift --log` needs of a model."""
    made = tmp_path / "model"
    made.mkdir()
    manifest = {"format": "tidegate.model/1", "model": "payments_fraud", "baseline": BASELINE.content()}
    (made / "manifest.json").write_text(json.dumps(manifest))
    return made


def run(*arguments: object, stdin: str = "") -> Result:
    return CliRunner().invoke(main, ["model", "drift", *map(str, arguments)], input=stdin)


def model_of(folder: Path) -> str:
    from processor.scoring.artefact import read_manifest  # noqa: PLC0415

    return read_manifest(folder).model


def printed(model: str, matrix: Any, scores: Any) -> list[str]:
    """What the function says of these records, in batches of 100."""
    bins = Bins.restored(BASELINE.content(), NAMES)
    lines: list[str] = []
    telemetry = Telemetry("payments", model, lambda: 1.5, lines.append, features=NAMES)
    for at in range(0, len(matrix), 100):
        rows, those = matrix[at : at + 100], scores[at : at + 100]
        found = spread(bins, rows, those)
        telemetry.batch(Tally(records=100, deciles=found.deciles, spread=found.columns))
    return lines


def test_what_is_as_in_training_is_no_finding(folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("\n".join(printed(model_of(folder), *world(seed=1))))
    told = run(folder, "--log", log, "--json")
    assert told.exit_code == 0, told.output
    answer = json.loads(told.stdout)
    assert (answer["batches"], answer["of_other_models"], answer["drifted"]) == (20, 0, [])
    assert answer["drift"][0]["name"] == "score"
    assert all(one["records"] == RECORDS for one in answer["drift"])


def test_what_has_changed_is_named_and_exits_1(folder: Path) -> None:
    matrix, scores = world(seed=1)
    matrix[:, 0] *= 3
    lines = ["START RequestId: 1", *printed(model_of(folder), matrix, scores), "{", '{"drift": 1}', "END"]
    told = run(folder, "--log", "-", stdin="\n".join(f"2026-11-25T07:00:00 {line}" for line in lines))
    assert told.exit_code == 1
    assert "amount" in told.stdout.splitlines()[2]
    assert "drifted" in told.stdout.splitlines()[2]
    assert "stable" in told.stdout.splitlines()[1], "the score"


def test_logs_add_up_and_may_be_packed(folder: Path, tmp_path: Path) -> None:
    lines = printed(model_of(folder), *world(seed=1))
    (tmp_path / "one.gz").write_bytes(gzip.compress("\n".join(lines[:7]).encode()))
    (tmp_path / "two").write_text("\n".join(lines[7:]))
    parts = json.loads(run(folder, "--log", tmp_path / "one.gz", "--log", tmp_path / "two", "--json").stdout)
    whole = json.loads(run(folder, "--log", "-", "--json", stdin="\n".join(lines)).stdout)
    assert parts == whole
    beside = json.loads(run(folder, "--log", tmp_path / "one.gz", tmp_path / "two", "--json").stdout)
    assert beside == whole, "as a shell expands --log folder/*"


def test_other_models_are_left_out_and_told(folder: Path) -> None:
    model = model_of(folder)
    mine, others = printed(model, *world(1)), printed(model[:-1] + "?", *world(2))
    answer = json.loads(run(folder, "--log", "-", "--json", stdin="\n".join(mine + others)).stdout)
    assert (answer["batches"], answer["of_other_models"]) == (20, 20)
    refused = run(folder, "--log", "-", stdin="\n".join(others))
    assert refused.exit_code == 2
    assert "no line tells of drift of payments_fraud@" in refused.stderr
    assert "20 lines are of other models" in refused.stderr


@pytest.mark.parametrize(
    "drift",
    [
        None,
        {"score": [1], "features": {}},
        {"score": [0] * 11, "features": {"amount": [0] * 11, "hour": ["jane"] * 11}},
        {"score": [0] * 11, "features": {"amount": [0] * 11, "hour": [-1] * 11}},
        {"score": [0] * 11, "features": {"amount": [0] * 11, "hour": [0] * 3}},
        {"score": [0] * 11, "features": {"amount": [0] * 11, "hour": [0] * 11, "jane": [0]}},
    ],
)
def test_what_does_not_fit_is_refused_without_quoting_it(folder: Path, drift: Any) -> None:
    line = json.dumps({"_aws": {}, "Model": model_of(folder), "drift": drift})
    refused = run(folder, "--log", "-", stdin=line)
    assert refused.exit_code == 2
    assert "-:1: tells of drift in bins that are not those of payments_fraud@" in refused.stderr
    assert "jane" not in refused.output


def test_a_log_that_is_not_there_and_one_that_is_no_gzip(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.gz").write_text("none")
    for name in ("missing", "bad.gz"):
        refused = run(folder, "--log", tmp_path / name)
        assert (refused.exit_code, "cannot be read" in refused.stderr) == (2, True)


def test_one_of_log_and_data_is_needed_and_a_baseline(folder: Path) -> None:
    assert run(folder).exit_code == 2
    assert run(folder, "--log", "-", "--data", "x.csv").exit_code == 2
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"baseline": {}}))
    refused = run(folder, "--log", "-")
    assert (refused.exit_code, "has no baseline" in refused.stderr) == (2, True)
