"""What a package brings, for people: written beside the zip, and kept by Terraform once it is applied.

`payments.zip` has `payments.release.json` beside it: the package's SHA-256, the compiled policy, the
columns of its events in Athena, and of the model what its manifest says of training, figures and gates; the
same of a model in its shadow. Terraform cannot look into a zip: it puts this file into its state, so that
the next plan can say what changes without asking AWS.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path
from typing import Any, Final

from processor.errors import PolicyError, TidegateError
from processor.policy.document import BYTES_MAX
from processor.policy.plan import load_plan
from processor.review.columns import table_of
from processor.scoring.artefact import MANIFEST, Manifest
from processor.settings import MODEL, POLICY, SHADOW

FORMAT: Final = "tidegate.release/1"
SUFFIX: Final = ".release.json"
ENTRY_BYTES_MAX: Final = 16 * BYTES_MAX
MODELS: Final = {"model": MODEL, "shadow": SHADOW}
"""Each model of a release, by its folder in the package."""

# What of a manifest is told. Not its examples, bins and files, and not where the data lay.
FIGURES: Final = ("average_precision", "auc", "precision", "recall", "alert_rate", "flag_at", "records")
TRAINING: Final = ("from", "to", "records", "frauds", "label_delay_days", "fingerprint")
RELEASE: Final = ("on", "against", "records", "from", "to", "gates")


def release_of(package: Path) -> dict[str, Any]:
    """What is in a stream's zip: `package`, `policy`, `table`, `model`, `shadow`; the last two may be None.

    Raises:
        TidegateError: it is no such zip, or cannot be read.
    """
    try:
        with package.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
            with zipfile.ZipFile(stream) as archive:
                compiled = _entry(archive, POLICY)
                manifests = {which: _entry(archive, f"{at}/{MANIFEST}") for which, at in MODELS.items()}
        if compiled is None:
            raise TidegateError(f"{package}: holds no {POLICY}; make it anew: make package")
        return {
            "format": FORMAT,
            "package": {"sha256": sha256},
            "policy": _policy(compiled),
            "table": table_of(load_plan(compiled)),
            **{which: data and model_of(data) for which, data in manifests.items()},
        }
    except OSError as error:
        raise TidegateError(f"{package}: cannot be read ({error.strerror}); make it: make package") from error
    except (PolicyError, zipfile.BadZipFile, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TidegateError(f"{package}: is no package of a stream; make it anew: make package") from error


def write_release(package: Path) -> Path:
    """Write what is in a package beside it.

    Raises:
        TidegateError: it is no package, or nothing can be written there.
    """
    file = package.with_suffix(SUFFIX)
    text = json.dumps(release_of(package), indent=2, ensure_ascii=False) + "\n"
    unfinished = file.with_suffix(f".{os.getpid()}.unfinished")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(file)
    except OSError as error:
        raise TidegateError(f"{file}: cannot be written ({error.strerror})") from error
    return file


def model_of(manifest: bytes) -> dict[str, Any]:
    """What a release says of the model with this manifest.

    Raises:
        ValueError, TypeError, AttributeError, KeyError: it is none.
    """
    content = json.loads(manifest)
    read = Manifest(Path(MANIFEST), hashlib.sha256(manifest).hexdigest(), content)
    training, release = content.get("training", {}), content.get("release")
    return {
        "id": read.model,
        "estimator": training.get("estimator", {}).get("kind"),
        "figures": _chosen(content.get("figures", {}), FIGURES),
        "training": _chosen(training, TRAINING),
        "release": release and _chosen(release, RELEASE),
        "forced": content.get("forced"),
    }


def _policy(compiled: bytes) -> dict[str, Any]:
    read = json.loads(compiled)
    policy = read["policy"]
    return {
        "name": policy["policy"],
        "version": policy["version"],
        "sha256": read["sha256"],
        "compiled": compiled.decode(),
    }


def _chosen(content: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: content[name] for name in names if name in content}


def _entry(archive: zipfile.ZipFile, name: str) -> bytes | None:
    """A file of the package; None if it has none of this name."""
    try:
        entry = archive.getinfo(name)
    except KeyError:
        return None
    if entry.file_size > ENTRY_BYTES_MAX:
        raise ValueError(f"{name} is larger than {ENTRY_BYTES_MAX:,} bytes")
    return archive.read(entry)
