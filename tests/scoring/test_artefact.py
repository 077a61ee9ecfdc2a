"""An artefact is used only if every file in it is the one that the manifest means."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from timeit import repeat

import numpy as np
import pytest

from processor.errors import ModelError
from processor.scoring import load_scorer, served_files
from processor.scoring.artefact import pack, read_manifest, unpack

RELEASED = Path(__file__).parents[2] / "models" / "payments_fraud"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the package holds: the served files and nothing else."""
    for path in served_files(RELEASED):
        shutil.copy(path, tmp_path)
    return tmp_path


def edit(folder: Path, **entries: object) -> None:
    """Changes the manifest."""
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def forge(folder: Path, data: bytes) -> None:
    """Changes the arrays, and the manifest so that their checksum is right."""
    (folder / "arrays.npy").write_bytes(data)
    files = {"arrays.npy": {"sha256": hashlib.sha256(data).hexdigest()}}
    edit(folder, files=files)


def test_the_served_files_are_all_it_needs(folder: Path) -> None:
    scorer = load_scorer(folder)
    assert set(scorer.reads) == {"amount", "created_at", "customer_id", "terminal_id", "status"}
    assert (
        scorer.model
        == f"payments_fraud@{hashlib.sha256((folder / 'manifest.json').read_bytes()).hexdigest()[:12]}"
    )


def test_files_that_nothing_lists_are_not_touched(folder: Path) -> None:
    (folder / "model.joblib").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    load_scorer(folder)


@pytest.mark.parametrize("name", ["manifest.json", "arrays.npy"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=rf"{name}: cannot be read.*tidegate model train"):
        load_scorer(folder)


@pytest.mark.parametrize("position", [0, 200, 100_000, -1])
def test_one_changed_byte_of_the_arrays_is_found(folder: Path, position: int) -> None:
    data = bytearray((folder / "arrays.npy").read_bytes())
    data[position] ^= 1
    (folder / "arrays.npy").write_bytes(data)
    with pytest.raises(ModelError, match=r"arrays\.npy: is not the file that manifest\.json lists.*restore"):
        load_scorer(folder)


def test_another_format_says_which_one_is_read(folder: Path) -> None:
    edit(folder, format="tidegate.model/2")
    with pytest.raises(ModelError, match=r"format 'tidegate\.model/2'.*reads 'tidegate\.model/1'"):
        load_scorer(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": 1}', "[" * 100_000])
def test_a_manifest_that_is_none_is_refused(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_text(text)
    with pytest.raises(ModelError, match=r"manifest\.json: is"):
        load_scorer(folder)


@pytest.mark.parametrize(
    "entries",
    [
        {"files": {}},
        {"files": None},
        {"features": []},
        {"features": [{"name": "amount"}]},
        {"features": [{"name": "a", "kind": "guess", "of": "a", "median": 1}]},
        {"forest": {}},
        {"forest": {"depth": 999, "aggregation": "isolation", "scale": 1.0}},
        {"forest": {"depth": 9, "aggregation": "vote", "scale": 1.0}},
    ],
)
def test_a_manifest_that_does_not_fit_its_arrays_is_refused(folder: Path, entries: dict[str, object]) -> None:
    edit(folder, **entries)
    with pytest.raises(ModelError, match="restore the folder from version control"):
        load_scorer(folder)


def test_a_model_without_a_name_is_refused(folder: Path) -> None:
    edit(folder, model=None)
    with pytest.raises(ModelError, match=r"manifest\.json: names no model"):
        load_scorer(folder)


def test_arrays_with_a_right_checksum_are_still_looked_at(folder: Path) -> None:
    sound = (folder / "arrays.npy").read_bytes()
    for data in (b"", sound[:100], sound[:-8], sound + b"more", b"\x80\x04N."):
        forge(folder, data)
        with pytest.raises(ModelError, match=r"arrays\.npy: does not fit"):
            load_scorer(folder)


def test_a_pickle_in_the_arrays_is_never_opened(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "objects.npy"
    np.save(path, np.array([{"any": "object"}]), allow_pickle=True)
    forge(folder, path.read_bytes())
    with pytest.raises(ModelError, match="does not fit"):
        load_scorer(folder)


def test_packed_arrays_come_back_as_they_were() -> None:
    data = (RELEASED / "arrays.npy").read_bytes()
    forest, calibration = unpack(data, read_manifest(RELEASED).content["forest"], 4)
    assert pack(forest, calibration) == data


def test_it_loads_in_the_time_of_some_checksums(folder: Path) -> None:
    """A cold start pays for it: twice what is usual is noticed, and is still half of what is allowed."""
    data = (folder / "arrays.npy").read_bytes()
    checksum = min(repeat(lambda: hashlib.sha256(data).digest(), number=1, repeat=9))
    assert min(repeat(lambda: load_scorer(folder), number=1, repeat=9)) < 45 * checksum


def test_scoring_imports_numpy_and_nothing_else(folder: Path) -> None:
    """In a fresh process: what it loads is what a cold start pays for."""
    program = (
        "import sys; from pathlib import Path; from processor.scoring import Step, load_scorer; "
        f"load_scorer(Path({str(folder)!r})).score([Step(None, {{'amount': 1}})], 0.0); "
        "print(*{name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)); "
        "print(*{'zipfile', 'pickle'} & set(sys.modules))"
    )
    root = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {[str(root), *sys.path]!r}; {program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    packages, archives = (set(line.split()) for line in run.stdout.split("\n")[:2])
    assert packages - {"__main__", "org"} == {"numpy", "processor"}
    assert "zipfile" not in archives
