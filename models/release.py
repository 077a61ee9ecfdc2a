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

import joblib
import numpy as np

from models.card import card
from models.spec import SPEC
from models.training import require_parity
from processor.errors import ModelError
from processor.scoring.artefact import ARRAYS, FORMAT, MANIFEST, checked, load_scorer, pack, read_manifest
from processor.scoring.features import describe

if TYPE_CHECKING:
    from models.training import Trained
    from processor.scoring.artefact import Manifest

ESTIMATOR: Final = "model.joblib"
CARD: Final = "MODEL_CARD.md"
LIBRARIES: Final = ("numpy", "scikit-learn", "joblib")
PARITY_ROWS: Final = 1_000


def write(trained: Trained, spec_text: bytes, out: Path) -> Manifest:
    """The artefact, in the folder, with the spec that it was made from.

    Everything is made aside and then moved into place, the manifest last: whenever it stops, the folder holds
    the old artefact, or the new one, or one that does not pass its own checksums and is refused.
    """
    estimator = BytesIO()
    joblib.dump(trained.estimator, estimator, compress=("xz", 6))
    files = {
        SPEC: spec_text,
        ESTIMATOR: estimator.getvalue(),
        ARRAYS: pack(trained.scorer.forest, trained.scorer.calibration),
        CARD: card(trained).encode(),
    }
    manifest = json.dumps(_manifest(trained, files), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    try:
        out.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".train-", dir=out))
        try:
            for name, data in (files | {MANIFEST: manifest.encode()}).items():
                (aside / name).write_bytes(data)
            load_scorer(aside)
            for name in (*files, MANIFEST):
                (aside / name).replace(out / name)
        finally:
            shutil.rmtree(aside)
    except OSError as error:
        raise ModelError(f"{out}: cannot be written ({error.strerror})") from error
    return read_manifest(out)


def _manifest(trained: Trained, files: dict[str, bytes]) -> dict[str, Any]:
    forest = trained.scorer.forest
    return {
        "format": FORMAT,
        "model": trained.spec.model,
        "reads": list(trained.spec.reads),
        **describe(trained.scorer.features),
        "forest": {
            "aggregation": forest.aggregation,
            "trees": len(forest.roots),
            "nodes": len(forest.left),
            "depth": forest.depth,
            "scale": forest.scale,
        },
        "files": {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            for name, data in sorted(files.items())
        },
        "training": trained.training,
        "figures": trained.figures,
        "libraries": libraries(),
    }


def libraries() -> dict[str, str]:
    """The versions that a forest depends on: with the same ones, training gives the same arrays."""
    return {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


def load_estimator(manifest: Manifest) -> Any:
    """The scikit-learn forest, for those who retrain. Never called by the function.

    A joblib file runs code when it is opened: it is opened only if it is the one that the manifest means, and
    only by the version of scikit-learn that wrote it.

    Raises:
        ModelError: it is another file, or of another version.
    """
    written_by = manifest.content.get("libraries", {}).get("scikit-learn")
    if written_by != version("scikit-learn"):
        raise ModelError(
            f"{manifest.folder / ESTIMATOR}: was written by scikit-learn {written_by}, and "
            f"{version('scikit-learn')} is installed; install that version, or train again"
        )
    return joblib.load(BytesIO(checked(manifest, ESTIMATOR)))


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
        found += [str(error) for check in (load_scorer, _parity) if (error := _failure(check, folder))]
    return found


def _failure(check: Any, *arguments: Any) -> ModelError | None:
    try:
        check(*arguments)
    except ModelError as error:
        return error
    return None


def _parity(folder: Path) -> None:
    """Compares the arrays with the forest that they were made from, on made-up rows across its thresholds."""
    scorer = load_scorer(folder)
    low, high = _range(scorer.forest.threshold)
    random = np.random.default_rng(0)
    rows = random.uniform(low, high, (PARITY_ROWS, scorer.forest.features)).astype(np.float32)
    require_parity(scorer.forest, load_estimator(read_manifest(folder)), rows)


def _range(threshold: np.ndarray[Any, np.dtype[np.float32]]) -> tuple[float, float]:
    splits = threshold[np.isfinite(threshold)]
    return (float(splits.min()), float(splits.max())) if len(splits) else (0.0, 1.0)
