"""Two models on the same later records, and a candidate that is let in or not, by command."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from models import release
from models.measuring import Released, measurement
from models.sources import Simulated
from models.spec import Spec
from models.training import Trained
from processor.cli import main
from processor.errors import ModelError
from processor.scoring.artefact import read_manifest
from processor.scoring.profiles import DAY_S

LENIENT = {"alert_rate": {"at_most": 0.5}}


def quiet(_step: str, _done: int) -> None:
    pass


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["model", *map(str, arguments)])


def written(trained: Trained, folder: Path, text: bytes, **changes: Any) -> Path:
    """An artefact whose spec has other gates or groups."""
    spec = yaml.safe_load(text) | changes
    release.write(trained, yaml.safe_dump(spec, sort_keys=False).encode(), folder)
    return folder


@pytest.fixture
def text(tiny_folder: Path) -> bytes:
    return (tiny_folder / "model.yaml").read_bytes()


@pytest.fixture
def in_use(tmp_path: Path, trained: Trained, text: bytes) -> Path:
    return written(trained, tmp_path / "in-use", text, gates=LENIENT)


@pytest.fixture
def candidate(tmp_path: Path, other: Trained, text: bytes) -> Path:
    return written(other, tmp_path / "candidate", text, gates=LENIENT)


@pytest.fixture(scope="module")
def records(spec: Spec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The simulated payments as a table's export would have them."""
    path = tmp_path_factory.mktemp("records") / "records.jsonl"
    found = [changed.after for changed in Simulated(spec).changes(quiet)]
    path.write_text(
        "".join(json.dumps(image | {"payment_id": str(at)}) + "\n" for at, image in enumerate(found) if image)
    )
    return path


def test_evaluate_finds_what_training_found(in_use: Path, trained: Trained) -> None:
    told = run("evaluate", in_use, "--json")
    assert told.exit_code == 0, told.output
    answer = json.loads(told.stdout)
    figures = answer["figures"]
    assert figures["records"] == trained.figures["records"]
    assert figures["ranking"]["auc"]["value"] == pytest.approx(trained.figures["auc"], abs=2e-3)
    assert answer["known_cards_left_out"] > 0
    assert figures["fraud"]["amount"] > 0
    assert figures["intervals"]["by"] == "card"
    shown = run("evaluate", in_use).stdout
    assert "average precision" in shown
    assert "card precision@100" in shown


def test_evaluate_on_a_file_is_as_on_the_simulator(in_use: Path, records: Path) -> None:
    answers = [
        json.loads(run("evaluate", in_use, *data, "--json").stdout)["figures"]
        for data in ((), ("--data", records))
    ]
    for figures in answers:
        figures.pop("segments")  # kinds of fraud, which a table does not know
    assert answers[0] == answers[1]


def test_evaluate_against_another_measures_both_on_the_same_records(candidate: Path, in_use: Path) -> None:
    told = run("evaluate", candidate, "--against", in_use, "--json")
    answer = json.loads(told.stdout)
    compared = answer["comparison"]["figures"]["auc"]
    alone = json.loads(run("evaluate", in_use, "--json").stdout)["figures"]["ranking"]["auc"]["value"]
    assert compared["reference"] == pytest.approx(alone)
    assert compared["candidate"] == answer["figures"]["ranking"]["auc"]["value"]
    assert "difference" in run("evaluate", candidate, "--against", in_use).stdout


def test_what_it_was_trained_on_is_not_measured(in_use: Path) -> None:
    model = Released.load(in_use)
    seen = measurement([model], [], quiet)
    assert seen.rows.time.min() >= model.known_at
    with pytest.raises(ModelError, match=r"--from: .* is before"):
        measurement([model], [], quiet, start=model.known_at - DAY_S)
    later = measurement([model], [], quiet, start=model.known_at + DAY_S)
    assert 0 < len(later.rows) < len(seen.rows)


def test_records_that_are_all_from_the_time_of_training_are_refused(
    in_use: Path, records: Path, tmp_path: Path
) -> None:
    early = tmp_path / "early.jsonl"
    lines = records.read_text().splitlines(keepends=True)
    early.write_text("".join(lines[: len(lines) // 2]))
    refused = run("evaluate", in_use, "--data", early)
    assert refused.exit_code == 2
    assert "later ones are needed" in refused.stderr


def test_a_training_on_other_times_forbids_nothing(in_use: Path, records: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved.jsonl"
    lines = [json.loads(line) for line in records.read_text().splitlines()]
    moved.write_text(
        "".join(json.dumps(one | {"created_at": one["created_at"] - 3650 * DAY_S}) + "\n" for one in lines)
    )
    answer = json.loads(run("evaluate", in_use, "--data", moved, "--json").stdout)
    assert answer["figures"]["records"] + answer["known_cards_left_out"] == len(lines)
    assert answer["known_cards_left_out"] > 0, "a desk knows them"


def test_a_candidate_that_passes_takes_the_place(candidate: Path, in_use: Path) -> None:
    before = read_manifest(in_use).model
    told = run("release", candidate, in_use, "--json")
    assert told.exit_code == 0, told.output
    answer = json.loads(told.stdout)
    manifest = read_manifest(in_use)
    assert (answer["released"], answer["model"]) == (True, manifest.model)
    assert answer["against"] == manifest.content["release"]["against"] == before
    assert (in_use / "arrays.npy").read_bytes() == (candidate / "arrays.npy").read_bytes()
    assert {one["gate"]: one["passed"] for one in manifest.content["release"]["gates"]} == {
        "arrays": True, "average_precision": True, "auc": True, "alert_rate": True,
    }  # fmt: skip
    assert "forced" not in manifest.content
    assert release.findings(in_use) == []
    card = (in_use / "MODEL_CARD.md").read_text()
    assert f"Judged beside `{before}`" in card
    assert "| alert rate | passed |" in card


def test_the_first_model_needs_no_other(candidate: Path, tmp_path: Path) -> None:
    told = run("release", candidate, tmp_path / "first")
    assert told.exit_code == 0, told.output
    assert "there is no model in use to compare with" in told.stdout
    assert release.findings(tmp_path / "first") == []


def test_a_candidate_that_is_refused_changes_nothing_and_by_force_its_reason_is_kept(
    other: Trained, in_use: Path, text: bytes, tmp_path: Path
) -> None:
    strict = written(other, tmp_path / "strict", text, gates={"auc": {"at_least": 1}, **LENIENT})
    before = {path.name: path.read_bytes() for path in in_use.iterdir()}
    refused = run("release", strict, in_use)
    assert refused.exit_code == 1
    assert "REFUSED  auc" in refused.stdout
    assert "is not released: auc" in refused.stdout
    assert {path.name: path.read_bytes() for path in in_use.iterdir()} == before
    forced = run("release", strict, in_use, "--force", "the desk asked for it")
    assert forced.exit_code == 0
    assert "by force" in forced.stdout
    content = read_manifest(in_use).content
    assert content["forced"] == {"reason": "the desk asked for it", "gates": ["auc"]}
    assert "in spite of auc:** the desk asked for it" in (in_use / "MODEL_CARD.md").read_text()
    assert release.findings(in_use) == []


def test_a_reason_that_is_none_is_no_reason(candidate: Path, in_use: Path) -> None:
    for reason in ("", "  ", "one\ntwo", "x" * 501):
        assert run("release", candidate, in_use, "--force", reason).exit_code == 2


def test_an_unfair_one_and_one_that_flags_too_much_are_refused(
    other: Trained, in_use: Path, text: bytes, tmp_path: Path
) -> None:
    gates = {
        "alert_rate": {"flag_at": 0.5, "at_most": 0.02},
        "disparity": {"groups": ["shop"], "alert_rate_ratio_at_least": 0.9999},
    }
    groups = {"shop": "merchant_category"}
    unfair = written(other, tmp_path / "unfair", text, gates=gates, groups=groups)
    answer = json.loads(run("release", unfair, in_use, "--json").stdout)
    stopped = {one["gate"] for one in answer["gates"] if not one["passed"]}
    assert stopped >= {"alert_rate", "alert_rate_ratio_at_least of shop"}


def test_altered_files_are_refused(candidate: Path, in_use: Path) -> None:
    with (candidate / "MODEL_CARD.md").open("a") as file:
        file.write("it is perfect")
    answer = json.loads(run("release", candidate, in_use, "--json").stdout)
    assert [one["gate"] for one in answer["gates"] if not one["passed"]] == ["arrays"]


def test_another_model_and_itself_are_refused(candidate: Path, in_use: Path) -> None:
    itself = run("release", in_use, in_use)
    assert (itself.exit_code, "is the model in use" in itself.stderr) == (2, True)
    path = in_use / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model": "loans"}))
    another = run("release", candidate, in_use)
    assert (another.exit_code, "holds loans" in another.stderr) == (2, True)


def test_drift_is_told_of_records(in_use: Path, records: Path) -> None:
    told = run("drift", in_use, "--data", records, "--json")
    assert told.exit_code in {0, 1}, told.output
    assert "drift" in json.loads(told.stdout)
    empty = run("drift", in_use, "--data", records, "--from", "2040-01-01")
    assert (empty.exit_code, "no record in the period" in empty.stderr) == (2, True)
