"""What the function takes of its memory when a delivery is as large as they come."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from processor.policy.source import compile_policy
from processor.scoring import served_files
from tests.hostile.payloads import RECORDS_MAX, payload

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
LIMIT_MB = 256
# Eight bytes of JSON that become a dict and a list, 270 bytes: only to read such a payload takes 290 MB, and
# that is the runtime's before the function is called.
DENSE_MB = 384

SHAPES = [
    ("payments", False),
    ("small", True),
    ("text", True),
    ("unknown binary", False),
    ("unknown nulls", True),
    ("unknown numbers", False),
    ("items", True),
    ("set", False),
    ("attributes", True),
    ("map", False),
    ("numbers", False),
]
DENSE = [("deep", False), ("lists", True)]


@pytest.fixture(scope="module")
def measure(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    """What a function's process had of memory over deliveries of such shapes, all of which it handled."""
    folder = tmp_path_factory.mktemp("function")
    (folder / "policy.json").write_bytes(compile_policy(ROOT / "policies" / "payments.yaml")[1])
    (folder / "model").mkdir()
    for file in served_files(ROOT / "models" / "payments_fraud"):
        shutil.copy(file, folder / "model")

    def measure(*shapes: tuple[str, bool]) -> dict[str, Any]:
        files = []
        for at, (shape, poison) in enumerate(shapes):
            files.append(folder / f"{at}.json")
            files[-1].write_text(payload(shape, poison=poison, first=at * RECORDS_MAX))
        command = [sys.executable, "-m", "tests.hostile.function_process", folder, *files]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
        assert ran.returncode == 0, ran.stderr
        *told, last = map(json.loads, ran.stdout.splitlines())
        assert len(told) == len(shapes)
        for line, (shape, poison) in zip(told, shapes, strict=True):
            ended = line["EventsWritten"], line["RecordsQuarantined"]
            assert ended == ((0, line["Records"]) if poison else (line["Records"], 0)), shape
        memory: dict[str, Any] = last
        return memory

    return measure


@pytest.mark.slow
@pytest.mark.parametrize("shapes", [SHAPES[:6], SHAPES[6:]])
def test_deliveries_of_6_mb_are_handled_in_256_mb(
    measure: Callable[..., dict[str, Any]], shapes: list[tuple[str, bool]]
) -> None:
    memory = measure(*shapes)
    assert memory["strangers"] == [], "what the package has not is in the figure"
    assert memory["peak_mb"] < LIMIT_MB, memory


@pytest.mark.slow
def test_json_that_is_dense_takes_little_more_than_to_read_it(measure: Callable[..., dict[str, Any]]) -> None:
    memory = measure(*DENSE)
    assert memory["read_mb"] > LIMIT_MB, "then it is no exception any more"
    assert memory["peak_mb"] < DENSE_MB, memory
