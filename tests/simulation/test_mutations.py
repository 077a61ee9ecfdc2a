"""The product, broken on purpose: the simulator finds each break within its schedules, and as what it is."""

from __future__ import annotations

import pytest

from tests.simulation.mutants import MUTANTS, Mutant, broken
from tests.simulation.run import run
from tests.simulation.schedule import schedule

SCHEDULES = 500


@pytest.mark.slow
@pytest.mark.parametrize("one", MUTANTS, ids=[one.name for one in MUTANTS])
def test_a_break_is_found(one: Mutant) -> None:
    found = set()
    with broken(one):
        for seed in range(SCHEDULES):
            violation = run(schedule(seed)).violation
            if violation is not None:
                found.add(violation.name)
            if found & one.found_as:
                return
    pytest.fail(f"not found in {SCHEDULES} schedules, but {sorted(found)}")


def test_what_was_broken_is_whole_again() -> None:
    before = [run(schedule(seed)).trace for seed in range(3)]
    for one in MUTANTS[:5]:
        with broken(one):
            pass
    assert [run(schedule(seed)).trace for seed in range(3)] == before
