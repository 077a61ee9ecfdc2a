"""Lambda's Python runtime as a folder: a virtual environment with what AWS's own runtime holds, and no more.

The function is run by it and not by the project's environment, so that what its package lacks is missed
here too.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from processor.errors import TidegateError
from processor.local.terraform import REPOSITORY

LOCK: Final = REPOSITORY / "requirements.runtime.lock"
HOME: Final = REPOSITORY / ".build" / "runtime"


def runtime_python(lock: Path = LOCK, home: Path = HOME) -> Path:
    """The runtime's Python, installed on first use and after a change of the lock or of our own Python.

    Raises:
        TidegateError: the packages could not be installed.
    """
    edition = sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = home / edition
    if not folder.exists():
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home, prefix="unfinished-") as unfinished:
            _install(lock, Path(unfinished, "runtime"))
            with suppress(OSError):  # somebody else was faster
                Path(unfinished, "runtime").rename(folder)
    return folder / "bin" / "python"


def _install(lock: Path, folder: Path) -> None:
    python = str(folder / "bin" / "python")
    options = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--requirement", str(lock)]
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [python, "-m", "pip", "install", *options],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise TidegateError(
                f"Python packages could not be installed from {lock.name}:\n{done.stderr.strip()}"
            )
