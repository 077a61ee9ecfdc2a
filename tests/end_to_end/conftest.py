"""The whole gate, once for all of these tests."""

from collections.abc import Iterator

import pytest

from processor.local.scenario import Report, play
from processor.local.stage import Stage, standing
from tests.end_to_end.silent import Silent

PAYMENTS, SEED = 400, 3


@pytest.fixture(scope="package")
def stage() -> Iterator[Stage]:
    with standing(Silent()) as up:
        yield up


@pytest.fixture(scope="package")
def report(stage: Stage) -> Report:
    return play(stage, Silent(), payments=PAYMENTS, seed=SEED, measure_cold_starts=False)
