"""What a package is made of, as a software bill of materials: CycloneDX 1.6, JSON.

It stands in the zip and beside it: each dependency as the wheel that was installed, each of our modules, the
policies and the model, with their hashes. It holds neither a time nor a number of its own, so that the same
package has the same bill. https://cyclonedx.org/docs/1.6/json/
"""

from __future__ import annotations

import hashlib
import json
from email.parser import HeaderParser
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from processor.errors import TidegateError
from processor.settings import MODEL, SHADOW

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

SBOM: Final = "sbom.cdx.json"
"""Its name in a package."""
SUFFIX: Final = ".cdx.json"
"""Of its name beside one."""
SCHEMA: Final = "http://cyclonedx.org/schema/bom-1.6.schema.json"
LICENCE: Final = "Apache-2.0"
CLASSIFIER: Final = "License :: OSI Approved :: "


def bill(
    name: str,
    about: Mapping[str, str],
    wheels: Iterable[tuple[Path, str]],
    modules: Mapping[str, bytes],
    files: Mapping[str, bytes],
) -> bytes:
    """The bill of a package.

    Args:
        name: of the package, such as payments.
        about: what it was built for: names and values.
        wheels: of each dependency its METADATA and the wheel's SHA-256 in hexadecimal.
        modules: our code, by path in the package.
        files: policies and models, by path in the package.

    Raises:
        TidegateError: a METADATA names no distribution or version.
    """
    ours = version("tidegate")
    root = {
        "type": "application",
        "bom-ref": f"tidegate/{name}",
        "name": f"tidegate-{name}",
        "version": ours,
        "licenses": [{"expression": LICENCE}],
    }
    code = {
        "type": "library",
        "bom-ref": "tidegate/processor",
        "name": "tidegate",
        "version": ours,
        "licenses": [{"expression": LICENCE}],
        "components": [_file("file", path, modules[path]) for path in sorted(modules)],
    }
    parts = [*sorted((_wheel(*one) for one in wheels), key=_ref), code, *_data(files)]
    content = {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "lifecycles": [{"phase": "build"}],
            "component": root,
            "properties": [{"name": f"tidegate:{key}", "value": about[key]} for key in sorted(about)],
        },
        "components": parts,
        "dependencies": [
            {"ref": _ref(root), "dependsOn": [_ref(part) for part in parts]},
            *({"ref": _ref(part)} for part in parts),
        ],
    }
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def _wheel(metadata: Path, sha256: str) -> dict[str, Any]:
    headers = HeaderParser().parsestr(metadata.read_text(encoding="utf-8"), headersonly=True)
    name, release = headers["Name"], headers["Version"]
    if not name or not release:
        raise TidegateError(
            f"{metadata}: names no distribution or version; remove its folder and build again"
        )
    purl = f"pkg:pypi/{normal(name)}@{release}"
    said = [text.removeprefix(CLASSIFIER) for text in headers.get_all("Classifier", ()) if CLASSIFIER in text]
    if expression := headers["License-Expression"]:
        licences: list[dict[str, Any]] = [{"expression": expression}]
    else:
        licences = [{"license": {"name": text}} for text in said or [headers["License"] or "not stated"]]
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": release,
        "purl": purl,
        "hashes": _hashes(sha256),
        "licenses": licences,
    }


def _data(files: Mapping[str, bytes]) -> Iterable[dict[str, Any]]:
    """The policies, then each model with the files that it is made of."""
    for path in sorted(files):
        if path.partition("/")[0] not in {MODEL, SHADOW}:
            yield _file("data", path, files[path]) | {"data": [{"type": "configuration"}]}
    for folder in (MODEL, SHADOW):
        if held := sorted(path for path in files if path.startswith(f"{folder}/")):
            yield {
                "type": "machine-learning-model",
                "bom-ref": f"tidegate/{folder}",
                "name": folder,
                "components": [_file("data", path, files[path]) for path in held],
            }


def _file(kind: str, path: str, content: bytes) -> dict[str, Any]:
    hashes = _hashes(hashlib.sha256(content).hexdigest())
    return {"type": kind, "bom-ref": path, "name": path, "hashes": hashes}


def _hashes(sha256: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": sha256}]


def _ref(part: Mapping[str, Any]) -> str:
    return str(part["bom-ref"])


def normal(name: str) -> str:
    """A distribution's name as indexes compare it: https://packaging.python.org/specifications/name-normalization/."""
    return "-".join(part for part in name.lower().replace("_", "-").replace(".", "-").split("-") if part)
