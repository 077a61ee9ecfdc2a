"""Each benchmark runs, so that none rots unseen: for a blink, with no word on how fast anything is."""

from __future__ import annotations

from dataclasses import asdict, is_dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.benchmarks import backfill, detection, estimators, fpe, replay, sanitise, stages, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

ELSEWHERE = Path("of-no-interpreter")


def numbers(found: Any) -> Iterator[float]:
    if is_dataclass(found) and not isinstance(found, type):
        found = asdict(found)
    if isinstance(found, dict):
        for one in found.values():
            yield from numbers(one)
    elif isinstance(found, tuple | list):
        for one in found:
            yield from numbers(one)
    elif isinstance(found, int | float):
        yield found


@pytest.fixture(autouse=True)
def _blink(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, value in (
        (stages, "SECONDS", 0.0),
        (stages, "ROUNDS_MIN", 1),
        (stages, "BATCHES", (1, 3)),
        (tokens, "CALLS", 1),
        (tokens, "ROUNDS", 1),
        (fpe, "ROUNDS", 1),
        (fpe, "VALUES", 20),
        (detection, "TIMED", 2),
        (detection, "ROUNDS", 1),
        (detection, "PEERS", ELSEWHERE),
        (estimators, "BATCHES", (1, 3)),
        (estimators, "ROWS", 2_000),
        (estimators, "RELEASED_ROWS", 500),
        (replay, "CUSTOMERS", 20),
        (backfill, "ITEMS", 20),
        (backfill, "CHUNK_ITEMS", 10),
        (backfill, "ROUNDS", 1),
    ):
        monkeypatch.setattr(module, name, value)


@pytest.mark.parametrize(
    "measure",
    [
        stages.measure,
        backfill.measure,
        sanitise.measure,
        tokens.measured,
        fpe.measure,
        replay.measure,
        pytest.param(detection.measure, marks=pytest.mark.slow),
        pytest.param(lambda: estimators.measure(ELSEWHERE), marks=pytest.mark.slow),
    ],
    ids=["stages", "backfill", "sanitise", "tokens", "fpe", "replay", "detection", "estimators"],
)
def test_a_benchmark_measures(measure: Any) -> None:
    found = list(numbers(measure()))
    assert found
    assert all(isfinite(one) for one in found)


def test_what_is_released_scores_as_scikit_learn_does() -> None:
    released = estimators.released(ELSEWHERE)
    assert 0 <= released["largest_difference"] < 1e-9
    assert set(released["us"]) == set(released["scikit_learn_us"]) == {1, 3}


def test_every_benchmark_is_run_by_make_bench() -> None:
    folder = Path(__file__).parent / "benchmarks"
    names = {path.stem for path in folder.glob("*.py") if "\ndef main" in path.read_text(encoding="utf-8")}
    makefile = (folder.parents[1] / "Makefile").read_text(encoding="utf-8")
    alone = {"detection_peers", "estimators_shap"}  # started by the others, with interpreters of their own
    assert {name for name in names - alone if f"-m tests.benchmarks.{name}\n" not in makefile} == set()
    assert names > alone
