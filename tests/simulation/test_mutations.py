"""The product, broken on purpose: the simulator finds each break within its schedules, and as what it is."""

from __future__ import annotations

import pytest

from tests.simulation.mutants import MUTANTS, Mutant, broken
from tests.simulation.run import run
from tests.simulation.schedule import schedule

SCHEDULES = 500
FIRST = {
    "the fence is skipped: what is not there is taken for what will never be": 10,
    "the ledger is read before the intent is declared": 17,
    "only the first page of the ledger is read": 21,
    "a fenced key is tried again for ever": 17,
    "a key after a fence is the same for all runs": 412,
    "a replay goes back as far as it likes": 11,
    "a batch that failed comes again from its second record on": 23,
    "alerts are of what was held, too, because another run holds it": 119,
    "of alerts that failed, the last is reported": 13,
    "a chain goes on after a write that nobody knows of": 123,
    "people get another secret from each run": 22,
    "secrets are used for ever": 18,
}
"""The schedule that found a break when this was written, to be lived through before the others."""


@pytest.mark.slow
@pytest.mark.parametrize("one", MUTANTS, ids=[one.name for one in MUTANTS])
def test_a_break_is_found(one: Mutant) -> None:
    found = set()
    with broken(one):
        for seed in sorted(range(SCHEDULES), key=lambda seed: seed != FIRST.get(one.name, 0)):
            violation = run(schedule(seed)).violation
            if violation is not None:
                found.add(violation.name)
            if found & one.found_as:
                return
    pytest.fail(f"not found in {SCHEDULES} schedules, but {sorted(found)}")


def test_first_schedules_are_of_breaks_that_there_are() -> None:
    assert FIRST.keys() <= {one.name for one in MUTANTS}
    assert all(0 <= seed < SCHEDULES for seed in FIRST.values())


def test_what_was_broken_is_whole_again() -> None:
    before = [run(schedule(seed)).trace for seed in range(3)]
    for one in MUTANTS[:5]:
        with broken(one):
            pass
    assert [run(schedule(seed)).trace for seed in range(3)] == before
