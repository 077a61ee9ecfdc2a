"""Run a schedule: the world is set up, acts, comes to rest and is looked at."""

from __future__ import annotations

import os
import random
import secrets
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from io import StringIO
from typing import TYPE_CHECKING, Any, Final, Self

import processor.start
from tests.simulation import actors, replays
from tests.simulation.editions import compiled_plan, packaged_model
from tests.simulation.endings import at_rest
from tests.simulation.environment import Client
from tests.simulation.witness import Violation
from tests.simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from tests.simulation.schedule import Schedule

NOT_SHIPPED: Final = ("processor.cli", "processor.local", "processor.review")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a schedule."""

    violation: Violation | None
    steps: int
    faults: int
    invocations: int
    trace: tuple[str, ...]


def run(schedule: Schedule) -> Outcome:
    """Live through a schedule."""
    world = World(schedule)
    violation = None
    with _sandbox(world):
        try:
            _live(world)
        except Violation as found:
            violation = found
    invocations = sum("invoked" in line for line in world.trace)
    return Outcome(violation, world.step, world.struck, invocations, tuple(world.trace))


def _live(world: World) -> None:
    mapping = actors.Mapping(world)
    mapping.start()
    for other in world.schedule.runs:
        world.turns.spawn(partial(replays.again, world, other))
    for step, subject in world.schedule.erasures:
        world.turns.spawn(partial(actors.erase, world, step, subject))
    for leap in world.schedule.leaps:
        world.turns.spawn(partial(actors.leap, world, leap))
    world.turns.run()
    # Then somebody mends what was broken, and brings back what was given up.
    world.is_calm = True
    for lost in mapping.lost:
        world.turns.spawn(partial(replays.redrive, world, list(lost)))
        world.turns.run()
    world.rest()
    if world.schedule.again:
        written, held = dict(world.witness.where), dict(world.witness.held)
        world.turns.spawn(partial(replays.redrive, world, list(world.schedule.records)))
        world.turns.run()
        if (written, held) != (world.witness.where, world.witness.held):
            world.witness.violation("twice", "what was all there was written again")
    at_rest(world, mapping)
    if world.schedule.late_days:
        world.turns.spawn(partial(replays.late, world))
        world.turns.run()
        at_rest(world, mapping, is_late=True)


class _Serial:
    """A pool of one: in an order of its own, and like a real one, it goes on when a task fails."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __call__(self, _workers: int | None = None) -> _Serial:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, work: Callable[..., Any], *arguments: Iterable[Any]) -> list[Any]:
        tasks = list(enumerate(zip(*arguments, strict=False)))
        tasks.sort(key=repr_of)  # they may come out of a set, whose order is another in each process
        self._world.chance.shuffle(tasks)
        done: dict[int, Any] = {}
        failure: Exception | None = None
        for at, task in tasks:
            if failure is not None and self._world.chance.random() < 0.5:
                continue
            try:
                done[at] = work(*task)
            except Exception as error:  # noqa: BLE001  raised below
                failure = failure or error
        if failure is not None:
            raise failure
        return [done[at] for at in range(len(tasks))]


def repr_of(task: tuple[int, Any]) -> str:
    """What a task is about, whatever its place."""
    return repr(task[1])


@contextmanager
def _sandbox(world: World) -> Iterator[None]:
    """Let the product have the world's time, its chance and its clients, and nothing else."""
    out = StringIO()
    world.witness.out = _Heard(out)
    replaced = {
        id(time): world.time,
        id(time.sleep): world.time.sleep,
        id(random): world.chance,
        id(random.random): world.chance.random,
        id(random.uniform): world.chance.uniform,
        id(os.urandom): world.chance.randbytes,
        id(secrets.token_bytes): world.chance.randbytes,
        id(secrets.token_hex): lambda count: world.chance.randbytes(count).hex(),
        id(ThreadPoolExecutor): _Serial(world),
    }
    patches = [(module, name, original, replaced[key]) for module, name, original, key in _impure()]
    start = processor.start
    patches += [
        (start, "connect", start.connect, lambda *names, **options: _connect(world, *names, **options)),
        (start, "load_plan", start.load_plan, compiled_plan),
        (start, "granted_scorer", start.granted_scorer, packaged_model),
    ]
    stdout, sys.stdout = sys.stdout, out
    for module, name, _, other in patches:
        setattr(module, name, other)
    try:
        yield
    finally:
        for module, name, original, _ in patches:
            setattr(module, name, original)
        sys.stdout = stdout


class _Heard(list[str]):
    """What was printed, as one text."""

    def __init__(self, out: StringIO) -> None:
        super().__init__()
        self._out = out

    def __iter__(self) -> Iterator[str]:
        return iter([self._out.getvalue()])


def _connect(world: World, *names: str, patience: Any = None, once: Collection[str] = ()) -> tuple[Any, ...]:
    clients = tuple(Client(world.here(), name) for name in names)
    clients += tuple(Client(world.here(), name, 1) for name in once)
    for client in clients if patience is not None else ():
        patience.watch(client)
    return clients


@cache
def _impure() -> list[tuple[Any, str, Any, int]]:
    """Where the product holds what tells the time, makes chance or runs things at once."""
    impure = {
        id(one)
        for one in (
            *(time, time.sleep, random, random.random, random.uniform, os.urandom),
            *(secrets.token_bytes, secrets.token_hex, ThreadPoolExecutor),
        )
    }
    found = []
    for title, module in sorted(sys.modules.items()):
        if title.startswith("processor.") and not title.startswith(NOT_SHIPPED):
            places = [(name, value) for name, value in vars(module).items() if id(value) in impure]
            found += [(module, name, value, id(value)) for name, value in places]
    return found
