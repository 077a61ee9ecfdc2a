"""The dependencies of the Lambda packages: installed for the target, pruned, and compiled to bytecode."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from processor.cli.sbom import normal
from processor.errors import TidegateError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

REPOSITORY: Final = Path(__file__).resolve().parents[2]
LOCK: Final = REPOSITORY / "requirements.lambda.lock"
BUILD: Final = REPOSITORY / ".build"

# What of the wheels the function does not need. cryptography uses cffi's compiled half only, and the tables
# of stdnum are of other numbers than ours.
PRUNED: Final = (
    "bin", "cffi", "pycparser", "pycparser-*", "**/tests", "**/*.pyi",
    "stdnum/**/*.dat",
    "numpy/f2py", "numpy/distutils", "numpy/_core/include", "numpy/_core/lib", "numpy/random/lib",
)  # fmt: skip

ARCHITECTURES: Final = {"arm64": "aarch64", "x86_64": "x86_64"}  # Lambda's names, and those of wheels
GLIBCS: Final = ("2_34", "2_28", "2_27", "2_17")  # Amazon Linux 2023 has 2.34
PYTHONS: Final = ("3.12", "3.13")  # on Amazon Linux 2023; on older ones numpy does not run
TASK_ROOT: Final = "/var/task"  # where Lambda unpacks it


def installed(python: str, arch: str, on_step: Callable[[str], None]) -> Path:
    """The dependencies, installed for the target, pruned and compiled: made once per lock, then kept.

    Beside the folder stands which wheels it was made of, for `wheel_hashes`.
    """
    maker = _interpreter(python)
    recipe = [LOCK.read_text(), python, arch, *PRUNED, "bytecode" if maker else "source"]
    folder = BUILD / "wheels" / hashlib.sha256("\n".join(recipe).encode()).hexdigest()[:16]
    if folder.is_dir() and _beside(folder).is_file():
        return folder
    on_step(f"installing the dependencies for Python {python} on {arch}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=folder.parent, prefix="unfinished-"))
    try:
        target = [f"--platform=manylinux_{glibc}_{ARCHITECTURES[arch]}" for glibc in GLIBCS]
        target += ["--implementation=cp", f"--python-version={python}", "--only-binary=:all:"]
        exact = ["--no-deps", "--no-compile", "--require-hashes", f"--requirement={LOCK}"]
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        report = _beside(unfinished)
        _run(
            [*pip, *target, *exact, f"--report={report}", f"--target={unfinished}"],
            f"the package index did not give what {LOCK.name} names: check the network",
        )
        hashes = _hashes(json.loads(report.read_text(encoding="utf-8")))
        report.write_text(json.dumps(hashes), encoding="utf-8")
        for pattern in PRUNED:
            for path in list(unfinished.glob(pattern)):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        add_bytecode(unfinished, python, on_step)
        report.replace(_beside(folder))
        with suppress(OSError):  # somebody else was faster
            unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        _beside(unfinished).unlink(missing_ok=True)
    return folder


def wheel_hashes(folder: Path) -> dict[str, str]:
    """The SHA-256 of each wheel that a folder of dependencies was made of, by normal name."""
    hashes: dict[str, str] = json.loads(_beside(folder).read_text(encoding="utf-8"))
    return hashes


def _beside(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.json")


def _hashes(report: dict[str, Any]) -> dict[str, str]:
    """What pip says it installed: https://pip.pypa.io/en/stable/reference/installation-report/."""
    return {
        normal(one["metadata"]["name"]): one["download_info"]["archive_info"]["hashes"]["sha256"]
        for one in report["install"]
    }


def add_bytecode(tree: Path, python: str, on_step: Callable[[str], None]) -> bool:
    """Add bytecode for the target; False if no interpreter of its version is here.

    Lambda's file system is read-only: bytecode that is not in the package is made anew at every cold start,
    which takes longer than everything else there. Unchecked, because times in a zip say nothing.
    """
    interpreter = _interpreter(python)
    if interpreter is None:
        on_step(
            f"no python{python} here to compile with: cold starts will be slower. Install it to mend that."
        )
        return False
    compileall = [interpreter, "-I", "-m", "compileall", "-q", "--invalidation-mode=unchecked-hash"]
    _run([*compileall, "-s", tree, "-p", TASK_ROOT, tree], f"python{python} could not compile the package")
    return True


def _interpreter(python: str) -> str | None:
    """An interpreter of this version, ours if it is of it."""
    for candidate in (sys.executable, f"python{python}"):
        found = shutil.which(candidate)
        if found is None:
            continue
        # A name on the path may be a shim with nothing behind it: ask it.
        asked = subprocess.run(
            [found, "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=False,
        )
        if asked.stdout.strip() == python:
            return found
    return None


def _run(command: Sequence[str | Path], trouble: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        raise TidegateError(f"{trouble}.\n{last}")
