"""Lambda's runtime as a folder: made once per lock, whole or not at all."""

from pathlib import Path

import pytest

from processor.errors import TidegateError
from processor.local.runtime import HOME, LOCK, runtime_python

pytestmark = pytest.mark.slow


def test_what_cannot_be_installed_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    lock = tmp_path / "broken.lock"
    lock.write_text("this is no requirement\n")
    with pytest.raises(TidegateError, match=r"could not be installed from broken\.lock"):
        runtime_python(lock, tmp_path / "home")
    assert list((tmp_path / "home").iterdir()) == []


def test_the_runtime_is_made_once() -> None:
    first = runtime_python()
    assert first.is_relative_to(HOME)
    assert runtime_python() == first
    packages = {path.name for path in first.parents[1].glob("lib/*/site-packages/*")}
    assert {"boto3", "awslambdaric"} <= packages
    assert not {"numpy", "cryptography", "moto"} & packages
    assert LOCK.exists()
