"""Training: repeatable, refusing what it cannot learn from, measured on later records, released whole."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models import release, sources
from models.evaluation import figures
from models.rows import Rows, gather
from models.sources import Recorded, Simulated
from models.spec import Spec
from models.training import Trained, train
from processor.errors import ModelError
from processor.scoring import Step, load_scorer
from processor.scoring.artefact import read_manifest

RELEASED = Path(__file__).parents[2] / "models" / "payments_fraud"


def quiet(_step: str, _done: int) -> None:
    pass


def recorded(folder: Path, records: list[dict]) -> Recorded:
    path = folder / "records.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return Recorded(path)


@pytest.fixture(scope="module")
def records(spec: Spec) -> list[dict]:
    """The simulated payments as a table's export would have them."""
    return [image | {"amount": float(image["amount"])} for image in Simulated(spec).images()]


@pytest.fixture
def folder(tmp_path: Path, trained: Trained, tiny_folder: Path) -> Path:
    """A released tiny model."""
    release.write(trained, (tiny_folder / "model.yaml").read_bytes(), tmp_path / "model")
    return tmp_path / "model"


def test_training_again_gives_the_same_bytes(
    spec: Spec, trained: Trained, tiny_folder: Path, tmp_path: Path
) -> None:
    text = (tiny_folder / "model.yaml").read_bytes()
    first = release.write(trained, text, tmp_path / "first")
    again = release.write(train(spec, Simulated(spec), quiet), text, tmp_path / "again")
    assert (tmp_path / "first/arrays.npy").read_bytes() == (tmp_path / "again/arrays.npy").read_bytes()
    assert first.content == again.content


def test_another_seed_gives_another_forest(spec: Spec, trained: Trained) -> None:
    other = train(replace(spec, seed=1), Simulated(spec), quiet)
    assert not np.array_equal(other.scorer.forest.threshold, trained.scorer.forest.threshold)


def test_a_file_of_the_same_payments_trains_the_same_model(
    spec: Spec, trained: Trained, records: list[dict], tmp_path: Path
) -> None:
    from_file = train(spec, recorded(tmp_path, records), quiet)
    assert np.array_equal(from_file.scorer.forest.value, trained.scorer.forest.value)
    assert from_file.figures == trained.figures


def test_shares_and_medians_are_those_of_the_training_data(trained: Trained, records: list[dict]) -> None:
    by_name = {feature.name: feature for feature in trained.scorer.features.features}
    pos = sum(record["channel"] == "pos" for record in records) / len(records)
    assert by_name["channel"].shares["pos"] == pytest.approx(pos)
    assert by_name["amount"].median == pytest.approx(np.median([r["amount"] for r in records]), rel=0.1)


def test_it_is_measured_on_what_came_later(spec: Spec, trained: Trained, records: list[dict]) -> None:
    assert trained.figures["records"] == round(len(records) * spec.holdout)
    assert trained.training["records"] + trained.figures["records"] == len(records)
    assert 0.4 < trained.figures["auc"] < 0.9
    assert set(trained.figures["scenarios"]) <= {"1", "2", "3"}


def test_without_labels_there_is_only_an_alert_rate(spec: Spec, records: list[dict], tmp_path: Path) -> None:
    bare = [{"amount": r["amount"], "created_at": r["created_at"]} for r in records]
    read = tuple(feature for feature in spec.features if feature.of in bare[0])
    small = replace(spec, features=read, reads=("amount", "created_at"))
    unlabelled = train(small, recorded(tmp_path, bare), quiet)
    assert set(unlabelled.figures) == {"records", "imputed_share", "flag_at", "alert_rate"}
    manifest = release.write(unlabelled, b"", tmp_path / "out")
    assert "is not known" in (manifest.folder / "MODEL_CARD.md").read_text()


def test_too_few_records_are_refused(spec: Spec, records: list[dict], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"750 records to train on.*needs 1,000 or more"):
        train(spec, recorded(tmp_path, records[:1_000]), quiet)
    with pytest.raises(ModelError, match="0 records to train on"):
        train(spec, recorded(tmp_path, []), quiet)


def test_a_field_that_is_mostly_missing_is_refused_by_name(
    spec: Spec, records: list[dict], tmp_path: Path
) -> None:
    texts = [record | {"amount": str(record["amount"])} for record in records]
    with pytest.raises(ModelError, match="amount is missing or of the wrong type in 100% of the records"):
        train(spec, recorded(tmp_path, texts), quiet)


def test_records_without_a_time_are_left_out(spec: Spec, records: list[dict], tmp_path: Path) -> None:
    some = [*records[:2_000], *({"amount": 5} for _ in range(100))]
    found = train(spec, recorded(tmp_path, some), quiet)
    assert found.training["records"] + found.figures["records"] == 2_000


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('{"amount": 1}\n{"amount": ', r"records\.jsonl:2: is no JSON"),
        ("[1]\n", r"records\.jsonl:1: is no JSON object"),
        ("[" * 200_000, r"records\.jsonl:1: is no JSON"),
        ('{"a": "' + "x" * sources.LONGEST_LINE + '"}', r"records\.jsonl:1: is longer than"),
    ],
)
def test_a_bad_line_is_named_by_its_number_and_never_quoted(
    spec: Spec, tmp_path: Path, text: str, wanted: str
) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(text)
    with pytest.raises(ModelError, match=wanted) as raised:
        train(spec, Recorded(path), quiet)
    assert "amount" not in str(raised.value)


def test_files_that_cannot_be_read(spec: Spec, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        train(spec, Recorded(tmp_path / "none.jsonl"), quiet)
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\x00")
    with pytest.raises(ModelError, match="is not UTF-8"):
        train(spec, Recorded(tmp_path / "binary.jsonl"), quiet)


def test_too_many_lines_are_refused(spec: Spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MOST_RECORDS", 3)
    with pytest.raises(ModelError, match="more than 3 lines"):
        train(spec, recorded(tmp_path, [{"amount": 1}] * 4), quiet)


def test_the_alert_rate_on_the_training_data_is_the_one_promised(spec: Spec, trained: Trained) -> None:
    rows = gather(trained.scorer.features, spec, Simulated(spec), quiet)
    earlier = rows[: trained.training["records"]]
    assert figures(trained.scorer, earlier)["alert_rate"] == pytest.approx(0.005, abs=1 / len(earlier))


def test_figures_without_any_fraud_claim_nothing(trained: Trained) -> None:
    matrix = np.zeros((5, 6), dtype=np.float32)
    honest = Rows(matrix, np.arange(5.0), np.zeros(5, dtype=bool), np.zeros(5, dtype=np.int64))
    assert "auc" not in figures(trained.scorer, honest)


def test_a_release_is_intact_and_holds_nothing_else(folder: Path) -> None:
    assert release.findings(folder) == []
    assert sorted(path.name for path in folder.iterdir()) == [
        "MODEL_CARD.md",
        "arrays.npy",
        "manifest.json",
        "model.joblib",
        "model.yaml",
    ]


def test_a_release_scores_as_it_did_in_training(folder: Path, trained: Trained, records: list[dict]) -> None:
    loaded, steps = load_scorer(folder), [Step(None, record) for record in records[:200]]
    ours = [verdict._replace(model="") for verdict in loaded.score(steps, 0.9)]
    assert ours == [verdict._replace(model="") for verdict in trained.scorer.score(steps, 0.9)]


@pytest.mark.parametrize("name", ["MODEL_CARD.md", "arrays.npy", "model.joblib", "model.yaml"])
def test_a_changed_file_is_found(folder: Path, name: str) -> None:
    with (folder / name).open("ab") as file:
        file.write(b"\n")
    (finding,) = release.findings(folder)
    assert f"{name}: is not the file that manifest.json lists" in finding


def test_missing_and_extra_files_are_found_together(folder: Path) -> None:
    (folder / "model.joblib").unlink()
    (folder / "notes.txt").touch()
    missing, extra = release.findings(folder)
    assert "model.joblib: cannot be read" in missing
    assert "notes.txt: is not in manifest.json" in extra


def test_an_estimator_is_opened_only_if_it_is_the_listed_one(folder: Path) -> None:
    """The bytes would end the process if they were opened."""
    (folder / "model.joblib").write_bytes(b"cos\n_exit\n(I3\ntR.")
    with pytest.raises(ModelError, match=r"model\.joblib: is not the file"):
        release.load_estimator(read_manifest(folder))


def test_an_estimator_of_another_version_is_not_opened(folder: Path) -> None:
    manifest = read_manifest(folder)
    manifest.content["libraries"]["scikit-learn"] = "0.20"
    with pytest.raises(ModelError, match=r"was written by scikit-learn 0\.20"):
        release.load_estimator(manifest)


def test_arrays_of_another_forest_are_found(
    folder: Path, spec: Spec, trained: Trained, tmp_path: Path
) -> None:
    other = train(replace(spec, seed=1), Simulated(spec), quiet)
    mixed = replace(trained, scorer=other.scorer)
    release.write(mixed, (folder / "model.yaml").read_bytes(), tmp_path / "mixed")
    (finding,) = release.findings(tmp_path / "mixed")
    assert "do not give scikit-learn's scores" in finding


def test_a_release_that_fails_leaves_the_old_one_as_it_was(
    folder: Path, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def full(_self: Path, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ModelError, match=r"cannot be written \(No space left on device\)"):
        release.write(trained, b"other", folder)
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_release_replaces_the_one_before(folder: Path, spec: Spec) -> None:
    old = read_manifest(folder).sha256
    release.write(train(replace(spec, trees=5), Simulated(spec), quiet), b"model: other", folder)
    assert read_manifest(folder).sha256 != old
    assert release.findings(folder) == []


def test_the_released_model_is_intact_small_and_made_by_its_spec() -> None:
    assert release.findings(RELEASED) == []
    assert sum(path.stat().st_size for path in RELEASED.iterdir()) <= 2_000_000


def test_a_copy_of_the_release_is_the_same_model(tmp_path: Path) -> None:
    shutil.copytree(RELEASED, tmp_path / "copy")
    assert load_scorer(tmp_path / "copy").model == load_scorer(RELEASED).model
