"""An artefact as files: written whole or not at all, verified, and read again by those who retrain."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import tempfile
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from warnings import catch_warnings, simplefilter

import joblib
import numpy as np

from models.card import card
from models.estimators import require_parity
from models.seen import drawn
from models.spec import SPEC
from processor.errors import ModelError
from processor.scoring.artefact import (
    ARRAYS,
    FORMAT,
    MANIFEST,
    checked,
    described,
    load_scorer,
    pack,
    read_manifest,
)
from processor.scoring.features import describe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from models.training import Trained
    from processor.scoring.artefact import Manifest

ESTIMATOR: Final = "model.joblib"
CARD: Final = "MODEL_CARD.md"
LIBRARIES: Final = ("numpy", "scikit-learn", "joblib")
PARITY_ROWS: Final = 1_000
CLOSE: Final = 1e-9  # golden scores: the last bits of a power differ between processors


def write(trained: Trained, spec_text: bytes, out: Path) -> Manifest:
    """The artefact, in the folder, with the spec that it was made from.

    Raises:
        ModelError: it cannot be written, or does not score as in training.
    """
    estimator = BytesIO()
    joblib.dump(trained.estimator, estimator, compress=("xz", 6))
    files = {
        SPEC: spec_text,
        ESTIMATOR: estimator.getvalue(),
        ARRAYS: pack(trained.scorer.forest, trained.scorer.calibration),
        **drawn(trained),
    }
    return place(_content(trained), files, out)


def place(content: dict[str, Any], files: Mapping[str, bytes], out: Path) -> Manifest:
    """An artefact of this manifest and these files, in the folder, with its card.

    Everything is made aside and then moved into place, the manifest last: whenever it stops, the folder holds
    the old artefact, or the new one, or one that does not pass its own checksums and is refused.

    Args:
        content: of the manifest; it gets the checksums of the files.
        files: all but the manifest and the card.
        out: the folder. What the artefact that was there had beside these files is removed.

    Raises:
        ModelError: it cannot be written, or does not score as in training.
    """
    files = {**files, CARD: card(content, [name for name in files if name.endswith(".svg")]).encode()}
    content = content | {
        "files": {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            for name, data in sorted(files.items())
        }
    }
    manifest = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    try:
        out.mkdir(parents=True, exist_ok=True)
        before = _listed(out)
        aside = Path(tempfile.mkdtemp(prefix=".train-", dir=out))
        try:
            for name, data in (files | {MANIFEST: manifest.encode()}).items():
                (aside / name).write_bytes(data)
            _golden(aside)
            for name in (*files, MANIFEST):
                (aside / name).replace(out / name)
        finally:
            shutil.rmtree(aside)
        for name in before - files.keys():
            (out / name).unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(f"{out}: cannot be written ({error.strerror})") from error
    return read_manifest(out)


def _listed(folder: Path) -> set[str]:
    """The files of the artefact in a folder, where there is one."""
    try:
        listed = read_manifest(folder).content["files"]
    except (ModelError, KeyError):
        return set()
    return {name for name in listed if isinstance(name, str) and Path(name).name == name} - {MANIFEST}


def _content(trained: Trained) -> dict[str, Any]:
    """Of the manifest, all but the files."""
    return {
        "format": FORMAT,
        "model": trained.spec.model,
        "reads": list(trained.scorer.reads),
        **describe(trained.scorer.features),
        "forest": described(trained.scorer.forest),
        "training": trained.training,
        "figures": trained.figures,
        "comparison": trained.comparison,
        "baseline": trained.baseline,
        "golden": trained.golden,
        "libraries": libraries(),
    }


def libraries() -> dict[str, str]:
    """The versions that a forest depends on: with the same ones, training gives the same arrays."""
    return {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


def warnings(folder: Path) -> list[str]:
    """In which libraries this machine differs from the one that trained the artefact, in words.

    Raises:
        ModelError: there is no manifest.
    """
    listed = read_manifest(folder).content.get("libraries")
    then = listed if isinstance(listed, dict) else {}
    return [
        f"{folder / ESTIMATOR}: was trained with {name} {then.get(name)}, and {now} is installed"
        for name, now in libraries().items()
        if name in LIBRARIES and then.get(name) != now
    ]


def load_estimator(manifest: Manifest) -> Any:
    """The scikit-learn estimator, for those who retrain. Never called by the function.

    A joblib file runs code when it is opened: it is opened only if it is the one that the manifest means.

    Raises:
        ModelError: it is another file, or this version of scikit-learn cannot read it.
    """
    data = checked(manifest, ESTIMATOR)
    try:
        return joblib.load(BytesIO(data))
    except Exception as error:  # noqa: BLE001 - of another version, anything may be missing
        differ = "; ".join(warnings(manifest.folder)) or "though its libraries are the same"
        raise ModelError(
            f"{manifest.folder / ESTIMATOR}: cannot be opened ({type(error).__name__}): {differ}; install "
            "the versions that it was trained with, or train again"
        ) from None


def findings(folder: Path) -> list[str]:
    """What is wrong with the artefact in the folder: all of it, in words. Nothing, for one to rely on.

    Raises:
        ModelError: there is no manifest of this format to compare with.
    """
    manifest = read_manifest(folder)
    listed = manifest.content.get("files")
    if not isinstance(listed, dict):
        raise ModelError(
            f"{folder / MANIFEST}: lists no files; make the artefact again with `tidegate model train`"
        )
    found = [str(error) for name in sorted(listed) if (error := _failure(checked, manifest, name))]
    found += [
        f"{path}: is not in {MANIFEST}; remove it"
        for path in sorted(folder.iterdir())
        if path.name not in listed and path.name != MANIFEST
    ]
    if not found:
        found += [
            str(error) for check in (load_scorer, _golden, _parity) if (error := _failure(check, folder))
        ]
    return found


def _failure(check: Any, *arguments: Any) -> ModelError | None:
    try:
        check(*arguments)
    except ModelError as error:
        return error
    return None


def _parity(folder: Path) -> None:
    """Compares the arrays with what they were made from, on made-up rows across its thresholds."""
    scorer = load_scorer(folder)
    low, high = _range(scorer.forest.threshold)
    random = np.random.default_rng(0)
    rows = random.uniform(low, high, (PARITY_ROWS, scorer.forest.features)).astype(np.float32)
    with catch_warnings():
        simplefilter("ignore")  # of other versions: `warnings` says it, and parity tells whether it matters
        require_parity(scorer.forest, load_estimator(read_manifest(folder)), rows)


def _golden(folder: Path) -> None:
    """Compares the scores of the rows that the manifest carries with those that training had.

    Raises:
        ModelError: they are others, or there are none.
    """
    scorer, golden = load_scorer(folder), read_manifest(folder).content.get("golden")
    try:
        rows = np.array(golden["rows"], dtype=np.float32)  # type: ignore[index]
        then = [[float.fromhex(score) for score in golden[name]] for name in ("raw", "scores")]  # type: ignore[index]
        raw = scorer.forest.scores(rows)
        now = [raw, scorer.calibration.percentile(raw)]
        same = len(rows) > 0 and np.allclose(now, then, rtol=0, atol=CLOSE)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ModelError(
            f"{folder / MANIFEST}: carries no golden rows with their scores; train again"
        ) from None
    if not same:
        raise ModelError(
            f"{folder / MANIFEST}: carries golden rows whose scores are others than in training: this "
            "machine works them out differently, or the arrays are of another model"
        )


def _range(threshold: np.ndarray[Any, np.dtype[np.float32]]) -> tuple[float, float]:
    splits = threshold[np.isfinite(threshold)]
    return (float(splits.min()), float(splits.max())) if len(splits) else (0.0, 1.0)
