"""The artefact: a model as files. Nothing in it is used before its checksum was found to be the manifest's.

`manifest.json` names every file with its SHA-256, the features with what training learnt, and the forest's
shape. `arrays.npy` holds the arrays one after the other, each as `numpy.save` writes it: no archive to open
(zipfile alone takes 10 ms to import), no pickle to trust. The other files are for people and for retraining.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from processor.errors import ModelError
from processor.scoring.calibration import Calibration
from processor.scoring.drift import Bins
from processor.scoring.features import restore
from processor.scoring.kernel import Categories, Forest, Member, Widening
from processor.scoring.scorer import Scorer

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from processor.policy.sections import ScoreRule

FORMAT: Final = "tidegate.model/1"
MANIFEST: Final = "manifest.json"
ARRAYS: Final = "arrays.npy"
LARGEST_BYTES: Final = 64 * 1024 * 1024
# The order in arrays.npy, with the type that each has there.
STORED: Final = {
    "column": "<i2",  # of each node; -1 for a leaf
    "threshold": "<f4",  # of each inner node
    "value": "<f8",  # of each leaf
    "weight": "<f4",  # of each leaf
    "above": "<i2",
    "absent": "<i2",
    "categories": "<i4",  # feature, known categories and columns, of each feature that has any
    "known": "<f4",  # their categories, one after the other
    "right": "|u1",  # which of them go right, eight in a byte
    "raw": "<f8",
    "share": "<f8",
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """The manifest of an artefact, read but not yet believed."""

    folder: Path
    sha256: str
    content: dict[str, Any]

    @property
    def model(self) -> str:
        """The model's name and the artefact it is, for every event that it scores."""
        return f"{self.content['model']}@{self.sha256[:12]}"


def load_scorer(folder: Path) -> Scorer:
    """The model in the folder, ready to score.

    Raises:
        ModelError: a file is missing, altered or of another format. It names the file and what to do.
    """
    manifest = read_manifest(folder)
    data = checked(manifest, ARRAYS)
    path = folder / ARRAYS
    try:
        features = restore(manifest.content)
        forest, calibration = unpack(data, manifest.content["forest"], len(features.names))
        baseline = manifest.content.get("baseline")
        bins = Bins.restored(baseline, features.names) if baseline else None
        model = manifest.model
    except (KeyError, TypeError, ValueError, EOFError) as error:
        raise ModelError(f"{path}: does not fit {MANIFEST} ({error}); {_MEND}") from error
    if flaw := forest.flaw() or calibration.flaw():
        raise ModelError(f"{path}: has {flaw}; {_MEND}")
    return Scorer(model=model, features=features, forest=forest, calibration=calibration, bins=bins)


def granted_scorer(folder: Path, rule: ScoreRule) -> Scorer:
    """The model in the folder, if it is the one that the policy's rule names and reads what the rule grants.

    Raises:
        ModelError: it is another one, reads more, has another label, no such threshold, or cannot be loaded.
    """
    scorer = load_scorer(folder)
    if scorer.model.partition("@")[0] != rule.model:
        raise ModelError(f"{folder}: holds the model {scorer.model}, and the policy names {rule.model}")
    if ungranted := sorted(set(scorer.reads) - set(rule.reads)):
        raise ModelError(
            f"{folder}: the model {scorer.model} reads {', '.join(ungranted)}, which the policy does not "
            "grant: add it to score.reads, or use a model that reads less"
        )
    label, said = scorer.features.label, rule.label
    if label and said and (label.field, label.equals) != (said.path, said.equals):
        raise ModelError(
            f"{folder}: to the model {scorer.model}, fraud is {label.field}: {label.equals!r}, and the "
            f"policy says {said.path}: {said.equals!r}: say the same in score.label, or train it anew"
        )
    scorer.threshold(rule.flag_at)
    return scorer


def served_files(folder: Path) -> tuple[Path, ...]:
    """The files that the function needs, for the package to copy."""
    return folder / MANIFEST, folder / ARRAYS


_MEND: Final = "restore the folder from version control, or make it again with `tidegate model train`"


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the folder, if it is of this format.

    Raises:
        ModelError: there is none, or it is of another format.
    """
    path = folder / MANIFEST
    data = _read(path)
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: is no JSON; {_MEND}") from error
    found = content.get("format") if isinstance(content, dict) else None
    if found != FORMAT:
        raise ModelError(
            f"{path}: is of format {found!r}, and this version reads {FORMAT!r}; "
            "make the artefact again with `tidegate model train`"
        )
    if not isinstance(content.get("model"), str):
        raise ModelError(f"{path}: names no model; {_MEND}")
    return Manifest(folder, hashlib.sha256(data).hexdigest(), content)


def checked(manifest: Manifest, name: str) -> bytes:
    """A file of the artefact, read once, and only if it is the one that the manifest means.

    Raises:
        ModelError: it is missing, altered, or not in the manifest.
    """
    path = manifest.folder / name
    try:
        expected = manifest.content["files"][name]["sha256"]
    except (KeyError, TypeError) as error:
        raise ModelError(f"{manifest.folder / MANIFEST}: does not list {name}; {_MEND}") from error
    data = _read(path)
    if hashlib.sha256(data).hexdigest() != expected:
        raise ModelError(f"{path}: is not the file that {MANIFEST} lists (SHA-256 differs); {_MEND}")
    return data


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise ModelError(f"{path}: is larger than {LARGEST_BYTES:,} bytes; {_MEND}")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); {_MEND}") from error


def described(forest: Forest) -> dict[str, Any]:
    """The manifest's entry `forest`."""
    return {
        "trees": forest.trees,
        "nodes": len(forest.left),
        "depth": forest.depth,
        "members": [member._asdict() for member in forest.members],
    }


def pack(forest: Forest, calibration: Calibration) -> bytes:
    """The content of `arrays.npy`: of a forest what `Forest.grown` cannot work out."""
    leaf = forest.left == np.arange(len(forest.left))
    made = forest.widening.categories
    arrays = {
        "column": np.where(leaf, -1, forest.column),
        "threshold": forest.threshold[~leaf],
        "value": forest.value[leaf],
        "weight": forest.weight[leaf],
        "above": forest.widening.above,
        "absent": forest.widening.absent,
        "categories": np.array([(one.feature, len(one.known), one.right.shape[1]) for one in made]).ravel(),
        "known": np.concatenate([*(one.known for one in made), []]),
        "right": np.packbits(np.concatenate([*(one.right.ravel() for one in made), []]).astype(bool)),
        "raw": calibration.raw,
        "share": calibration.share,
    }
    out = BytesIO()
    for name, stored in STORED.items():
        packed = arrays[name].astype(stored)
        if not np.array_equal(packed, arrays[name]):
            raise ModelError(f"{ARRAYS}: {name} does not fit the type {stored}; train fewer or smaller trees")
        np.save(out, packed, allow_pickle=False)
    return out.getvalue()


def unpack(data: bytes, shape: dict[str, Any], features: int) -> tuple[Forest, Calibration]:
    """The forest and calibration in `arrays.npy`, by the manifest's entry `forest`.

    Raises:
        KeyError, TypeError, ValueError, EOFError: they are not in there.
    """
    arrays = _columns(data)
    members = [
        Member(str(one["aggregation"]), int(one["trees"]), float(one["scale"]), float(one.get("share", 1)))
        for one in shape["members"]
    ]
    forest = Forest.grown(
        arrays["column"],
        arrays["threshold"],
        arrays["value"],
        arrays["weight"],
        members=members,
        features=features,
        widening=_widening(arrays),
    )
    found = described(forest)
    if differ := [name for name in ("trees", "nodes", "depth") if shape[name] != found[name]]:
        raise ValueError(f"another number of {' and '.join(differ)}")
    return forest, Calibration(arrays["raw"], arrays["share"])


def _columns(data: bytes) -> dict[str, NDArray[Any]]:
    stream = BytesIO(data)
    arrays = {name: np.load(stream, allow_pickle=False) for name in STORED}
    for name, kind in STORED.items():
        if arrays[name].ndim != 1 or arrays[name].dtype != np.dtype(kind):
            raise ValueError(f"{name} is not one column of {kind}")
    if stream.read(1):
        raise ValueError("there is more than the arrays")
    return arrays


def _widening(arrays: dict[str, NDArray[Any]]) -> Widening:
    made, known, bits = [], arrays["known"], arrays["right"]
    right = np.unpackbits(bits).astype(bool)
    for feature, categories, columns in arrays["categories"].reshape(-1, 3).tolist():
        if min(categories, columns) < 1:
            raise ValueError("no categories, or no columns of them")
        cells = (categories + 1) * columns
        made.append(Categories(feature, known[:categories], right[:cells].reshape(categories + 1, columns)))
        known, right = known[categories:], right[cells:]
    if len(known) or len(right) >= 8 or right.any():  # noqa: PLR2004 - what fills up the last byte
        raise ValueError("more categories than are described")
    return Widening(arrays["above"].astype(np.intp), arrays["absent"].astype(np.intp), tuple(made))
