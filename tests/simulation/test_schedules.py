"""Two hundred bad days. Twenty thousand: `make simulate`."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from processor.local.delivery import FOREVER
from tests.simulation.editions import ROOT
from tests.simulation.records import LARGE
from tests.simulation.run import run
from tests.simulation.schedule import FAULTS, schedule
from tests.simulation.shrink import shrunk, told

CHUNK = 50


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 200, CHUNK))
def test_nothing_is_lost_doubled_or_leaked(first: int) -> None:
    for seed in range(first, first + CHUNK):
        if run(schedule(seed)).violation is not None:
            pytest.fail(told(*shrunk(schedule(seed))), pytrace=False)


def test_a_seed_is_one_day() -> None:
    for seed in (3, 4, 5):
        first, second = run(schedule(seed)), run(schedule(seed))
        assert first.trace == second.trace
        assert schedule(seed) == schedule(seed)


@pytest.mark.slow
def test_a_seed_is_one_day_in_every_process() -> None:
    """Sets come in another order in each: nothing may go by it."""
    script = (
        "from tests.simulation.run import run\n"
        "from tests.simulation.schedule import schedule\n"
        "print([run(schedule(seed)).trace for seed in range(20)])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": order, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for order in ("1", "2")
    }
    assert len(said) == 1


def test_the_days_have_all_that_can_happen() -> None:
    days = [schedule(seed) for seed in range(500)]
    assert {fault.kind for day in days for fault in day.faults} == FAULTS.keys()
    assert {one.shard for day in days for one in day.records} >= {"0", "1", "0.0", "0.1"}
    for part in ("deployments", "runs", "erasures"):
        assert sum(bool(getattr(day, part)) for day in days) > 50
    assert sum(not day.faults for day in days) > 50, "and quiet days, too"
    assert sum(bool(day.leaps) and bool(day.faults) for day in days) > 50
    assert sum(bool(day.late_days) for day in days) > 50
    assert sum(day.fifo for day in days) > 50
    assert sum(day.max_age_s != FOREVER for day in days) > 50
    assert any(LARGE in str(one.raw) for day in days for one in day.records)
