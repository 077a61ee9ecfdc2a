"""A release: whole or not at all, found out when anything in it is not what it was."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models import release
from models.card import SEEN
from models.sources import Simulated
from models.spec import Spec
from models.training import Trained
from processor.errors import ModelError
from processor.scoring import Step, load_scorer, served_files
from processor.scoring.artefact import read_manifest

RELEASED = Path(__file__).parents[2] / "models" / "payments_fraud"


def quiet(_step: str, _done: int) -> None:
    pass


@pytest.fixture
def folder(tmp_path: Path, trained: Trained, tiny_folder: Path) -> Path:
    """A released tiny model."""
    release.write(trained, (tiny_folder / "model.yaml").read_bytes(), tmp_path / "model")
    return tmp_path / "model"


def edit(folder: Path, **entries: Any) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def test_a_release_is_intact_and_holds_nothing_else(folder: Path) -> None:
    assert release.findings(folder) == []
    assert release.warnings(folder) == []
    assert sorted(path.name for path in folder.iterdir()) == [
        "MODEL_CARD.md",
        "arrays.npy",
        "calibration.svg",
        "drift_baseline.svg",
        "importance.svg",
        "manifest.json",
        "model.joblib",
        "model.yaml",
        "precision_recall.svg",
        "score_histogram.svg",
    ]
    served = {path.name for path in served_files(folder)}
    assert served == {"arrays.npy", "manifest.json"}, "pictures are for people"
    text = (folder / "MODEL_CARD.md").read_text()
    assert all(f"({name})" in text for name in SEEN), "each is shown"


def test_a_release_scores_as_it_did_in_training(folder: Path, spec: Spec, trained: Trained) -> None:
    loaded = load_scorer(folder)
    steps = [Step(None, changed.after) for changed in Simulated(spec).changes(quiet)][:200]
    ours = [verdict._replace(model="") for verdict in loaded.score(steps, 0.9).verdicts]
    assert ours == [verdict._replace(model="") for verdict in trained.scorer.score(steps, 0.9).verdicts]


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


def test_without_a_manifest_entry_it_is_not_opened(folder: Path) -> None:
    files = read_manifest(folder).content["files"]
    del files["model.joblib"]
    edit(folder, files=files)
    with pytest.raises(ModelError, match=r"does not list model\.joblib"):
        release.load_estimator(read_manifest(folder))


def test_other_versions_are_a_warning_that_names_both(folder: Path) -> None:
    libraries = read_manifest(folder).content["libraries"]
    edit(folder, libraries=libraries | {"scikit-learn": "0.20"})
    (warning,) = release.warnings(folder)
    assert "was trained with scikit-learn 0.20, and 1." in warning
    assert release.findings(folder) == []


def test_other_golden_scores_are_found(folder: Path) -> None:
    golden = read_manifest(folder).content["golden"]
    golden["raw"][3] = (float.fromhex(golden["raw"][3]) + 1e-6).hex()
    edit(folder, golden=golden)
    (finding,) = release.findings(folder)
    assert "golden rows whose scores are others" in finding
    for broken in ({}, None, {"rows": [], "raw": [], "scores": []}, golden | {"rows": [["x"]]}):
        edit(folder, golden=broken)
        assert "golden rows" in release.findings(folder)[0]


def test_arrays_of_another_forest_are_found(
    folder: Path, trained: Trained, other: Trained, tmp_path: Path
) -> None:
    mixed = replace(trained, scorer=other.scorer, golden=other.golden)
    release.write(mixed, (folder / "model.yaml").read_bytes(), tmp_path / "mixed")
    (finding,) = release.findings(tmp_path / "mixed")
    assert "do not give scikit-learn's scores" in finding


def test_golden_scores_of_another_forest_are_not_released(
    trained: Trained, other: Trained, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="golden rows whose scores are others"):
        release.write(replace(trained, golden=other.golden), b"", tmp_path / "mixed")
    assert list((tmp_path / "mixed").iterdir()) == []


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


def test_a_release_replaces_the_one_before(folder: Path, trained: Trained) -> None:
    old = read_manifest(folder).sha256
    release.write(trained, b"model: other", folder)
    assert read_manifest(folder).sha256 != old
    assert release.findings(folder) == []


def test_the_released_model_is_intact_small_and_made_by_its_spec() -> None:
    assert release.findings(RELEASED) == []
    assert sum(path.stat().st_size for path in RELEASED.iterdir()) <= 2_000_000


def test_a_copy_of_the_release_is_the_same_model(tmp_path: Path) -> None:
    shutil.copytree(RELEASED, tmp_path / "copy")
    assert load_scorer(tmp_path / "copy").model == load_scorer(RELEASED).model


def test_what_the_old_one_had_beside_the_new_one_s_files_is_removed(folder: Path) -> None:
    (folder / "notes.txt").touch()
    manifest = read_manifest(folder)
    files = {
        name: (folder / name).read_bytes()
        for name in manifest.content["files"]
        if name != release.CARD and not name.endswith(".svg")
    }
    release.place(manifest.content, files, folder)
    assert not list(folder.glob("*.svg"))
    assert (folder / "notes.txt").exists(), "what is nobody's file is left alone"
    assert "svg" not in (folder / "MODEL_CARD.md").read_text()
