"""Twice as much takes twice as long, and no shape of a record takes much longer than payments do.

Measured in time of the processor, best of some, without the collector of garbage, whose work depends on all
that is in the process: here the tests, too.
"""

from __future__ import annotations

import gc
import json
from time import process_time
from typing import TYPE_CHECKING, Any

import pytest

from tests.hostile.deliveries import astray, deliver
from tests.hostile.payloads import SHAPES, payload
from tests.worlds import World

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 3
TIMES_MAX = 3.2  # for twice the size: 2 where time is linear, 4 where it is quadratic
DEAREST = 30  # 12 were measured, for rows of digits in free text: from each a telephone number may begin
KB = 1_000
SIZE = 210 * KB


@pytest.fixture(autouse=True)
def _uncollected() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def seconds(text: str, rounds: int = ROUNDS) -> float:
    """The least time that a delivery takes through a gate that has nothing behind it."""
    times = []
    for _ in range(rounds):
        world = World()
        gate = world.gate()
        batch: list[Any] = json.loads(text)["Records"]
        begun = process_time()
        outcome = deliver(batch, gate, world)
        times.append(process_time() - begun)
        assert outcome.passed, outcome.error
    assert not astray(outcome, batch)
    return min(times)


@pytest.mark.slow
@pytest.mark.parametrize("poison", [False, True])
@pytest.mark.parametrize("shape", [name for name in SHAPES if name not in {"payments", "small"}])
def test_an_item_of_twice_the_size_takes_twice_the_time(shape: str, *, poison: bool) -> None:
    once, twice = (
        seconds(payload(shape, 4 * (item_bytes + 2 * KB), item_bytes=item_bytes, poison=poison))
        for item_bytes in (25 * KB, 50 * KB)
    )
    assert twice < TIMES_MAX * once


@pytest.mark.slow
@pytest.mark.parametrize("poison", [False, True])
@pytest.mark.parametrize("shape", ["payments", "small"])
def test_twice_the_records_take_twice_the_time(shape: str, *, poison: bool) -> None:
    once, twice = (seconds(payload(shape, size, poison=poison)) for size in (300 * KB, 600 * KB))
    assert twice < TIMES_MAX * once


@pytest.mark.slow
def test_no_shape_takes_many_times_as_long_as_payments() -> None:
    usual = seconds(payload("payments", SIZE))
    dear = {
        shape: max(seconds(payload(shape, SIZE, item_bytes=size), 1) / usual for size in (20 * KB, 99 * KB))
        for shape in SHAPES
    }
    assert max(dear.values()) < DEAREST, dear
