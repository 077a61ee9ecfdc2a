"""A bad day: everything that a seed decides before it begins, so that parts of it can be left out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

from processor.local.delivery import FOREVER
from tests.simulation.editions import Variant
from tests.simulation.records import FIRST, POISONS, STREAM, Source, Told

FAULTS: Final = {
    "throttled": 6,  # refused for now, without effect; the client tries again
    "broken": 4,  # a 500 without effect; the client tries again
    "refused": 4,  # refused for good, without effect
    "unsent": 3,  # a timeout, without effect; the client tries again
    "unanswered": 8,  # a timeout after the effect; the client tries again
    "unanswered late": 6,  # a timeout, the effect comes later; the client tries again
    "killed before": 5,  # the function ends, without effect
    "killed after": 8,  # the function ends after the effect
    "killed late": 8,  # the function ends, the effect comes later
    "forgotten": 4,  # Lambda takes the invocation for failed and it goes on nevertheless
    "partly": 6,  # part of a batch request is left undone
    "clock": 2,  # the function's clock jumps
    "stalled": 2,  # a minute and more goes by
    "slow": 2,  # from here on the function is slow: its time runs short
}
"""What may happen at a call, with how often it does."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens at one call of all."""

    step: int
    kind: str
    number: int
    """How much later an effect comes, how far a clock jumps, how much is done: see the kind."""


@dataclass(frozen=True, slots=True)
class Run:
    """Another run over some of the records, beside the stream."""

    begins: int
    """The step."""
    records: tuple[int, ...]
    pieces: int
    """At most so many records at a time."""
    is_replay: bool


@dataclass(frozen=True, slots=True)
class Leap:
    """Hours in which nothing is delivered: the function is down, or the mapping is off."""

    begins: int
    """The step."""
    hours: float
    due: float
    """How likely an expired item is deleted afterwards, at each of two moments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A bad day."""

    seed: int
    table: str
    records: tuple[Told, ...]
    faults: tuple[Fault, ...] = ()
    deployments: tuple[tuple[int, Variant], ...] = ()
    """At which step what."""
    runs: tuple[Run, ...] = ()
    erasures: tuple[tuple[int, str], ...] = ()
    """At which step whose."""
    parallel: int = 1
    """Lanes of a shard."""
    batch_size: int = 10
    retries: int = -1
    bisect: bool = True
    grows: bool = False
    """Whether what is delivered again comes together with what came meanwhile."""
    switch: float = 0.0
    """The chance that at a call somebody else goes on."""
    cold: float = 0.0
    """The chance that an environment is new."""
    page: int = 1000
    """Items of a page of a query."""
    fifo: bool = False
    """Whether the topic of alerts is one that puts messages in order and takes each once."""
    again: bool = False
    """Whether everything is delivered once more in the end."""
    leaps: tuple[Leap, ...] = ()
    max_age_s: float = FOREVER
    """How old a record may get before the mapping gives it up."""
    backlog: bool = False
    """Whether all records were in the stream before the day began."""
    late_days: float = 0.0
    """How long after its end somebody replays all that the command lets through; 0: nobody does."""


@dataclass(frozen=True, slots=True)
class Menu:
    """What schedules may hold."""

    changing_poison: bool = True
    """Whether a deployment may turn records into such as cannot pass, or back."""
    alike: bool = True
    """Whether shards may number their records alike."""


def schedule(seed: int, menu: Menu = Menu()) -> Schedule:
    """The schedule of a seed."""
    chance = Random(seed)
    table = "members" if chance.random() < 0.25 else "payments"
    count, items = chance.randint(3, 24), chance.randint(2, 6)
    records = _records(chance, table, count, items, is_alike=menu.alike and chance.random() < 0.15)
    length = 14 * count  # calls, about, of a quiet day
    deployments = _deployments(chance, length, menu) if chance.random() < 0.4 else ()
    people = sorted(set().union(*(one.people for one in records)))
    return Schedule(
        seed=seed,
        table=table,
        records=records,
        faults=_faults(chance, length),
        deployments=deployments,
        runs=_runs(chance, length, count) if chance.random() < 0.5 else (),
        erasures=_erasures(chance, length, people) if chance.random() < 0.3 else (),
        parallel=chance.choice([1, 1, 2, 3]),
        batch_size=chance.choice([1, 3, 5, 10, 25]),
        retries=chance.choice([-1, -1, -1, 1, 3]),
        bisect=chance.random() < 0.8,
        grows=chance.random() < 0.4,
        switch=chance.choice([0.0, 0.1, 0.3, 0.6, 1.0]),
        cold=chance.choice([0.0, 0.1, 0.5]),
        page=chance.choice([3, 1000, 1000, 1000]),
        again=chance.random() < 0.3,
        fifo=chance.random() < 0.25,
        **_hours(chance, length),
    )


def _records(chance: Random, table: str, count: int, items: int, *, is_alike: bool) -> tuple[Told, ...]:
    source = Source(table, chance, items, people=chance.randint(1, 3))
    shards = chance.choice([1, 1, 2])
    shard_of = {item: str(item % shards) for item in range(items)}
    split = chance.randrange(count) if chance.random() < 0.3 else count
    poison = chance.choice([0.0, 0.1, 0.4])
    large = 0.15 if chance.random() < 0.03 else 0.0
    sequence = FIRST
    records = []
    for index in range(count):
        if index == split:
            shard_of = {item: f"{shard}.{item // shards % 2}" for item, shard in shard_of.items()}
        sequence += chance.choice([1, 1, 7])
        kind = chance.choice(list(POISONS)) if chance.random() < poison else ""
        told = source.write(index, sequence, shard_of, kind, is_large=chance.random() < large)
        records.append(told)
    if is_alike:
        return _numbered_alike(records)
    if chance.random() < 0.15:
        _confused(chance, records)
    return tuple(records)


def _confused(chance: Random, records: list[Told]) -> None:
    """Let records say of themselves what others say, too: an event id, or be of another table's stream."""
    for at, one in enumerate(records):
        if chance.random() < 0.2 and one.poison != "stream":
            records[at] = replace(one, raw={**one.raw, "eventSourceARN": STREAM.format(table="others")})
    first, second = sorted(chance.sample(range(len(records)), 2))
    raw = {**records[second].raw, "eventID": records[first].raw["eventID"]}
    records[second] = replace(records[second], raw=raw, is_twin=True)
    records[first] = replace(records[first], is_twin=True)


def _numbered_alike(records: list[Told]) -> tuple[Told, ...]:
    """The same with sequence numbers that each shard counts by itself."""
    counted: dict[str, int] = {}
    alike = []
    for one in records:
        root = one.shard.partition(".")[0]
        sequence = counted[root] = counted.get(root, FIRST) + 1
        body = {**one.raw["dynamodb"], "SequenceNumber": str(sequence)}
        alike.append(replace(one, raw={**one.raw, "dynamodb": body}, sequence=sequence))
    return tuple(alike)


def _faults(chance: Random, length: int) -> tuple[Fault, ...]:
    rate = chance.choice([0.0, 0.01, 0.03, 0.03, 0.1, 0.1, 0.25])
    end = int(length * chance.choice([0.3, 1.0, 1.0, 3.0]))
    lasting = chance.choice([0.0, 0.0, 0.3, 0.7])
    kinds, weights = list(FAULTS), list(FAULTS.values())
    faults: list[Fault] = []
    for step in range(1, end + 1):
        again = faults and faults[-1].step == step - 1 and chance.random() < lasting
        if again:
            faults.append(Fault(step, faults[-1].kind, chance.randrange(1, 90)))
        elif chance.random() < rate:
            faults.append(Fault(step, chance.choices(kinds, weights)[0], chance.randrange(1, 90)))
    return tuple(faults)


def _deployments(chance: Random, length: int, menu: Menu) -> tuple[tuple[int, Variant], ...]:
    steps = sorted(chance.randrange(length) for _ in range(chance.randint(1, 3)))
    variant, made = Variant(), []
    for step in steps:
        what = chance.choice(["policy", "policy", "keys", "model"])
        if what == "keys":
            variant = replace(variant, keys=(1, 2) if variant.keys == (1,) else (1, 2, 3))
        elif what == "model":
            variant = replace(variant, model="contrary" if variant.model == "first" else "first")
        else:
            policies = {"first", "second", *(["strict"] if menu.changing_poison else [])} - {variant.policy}
            variant = replace(variant, policy=chance.choice(sorted(policies)))
        made.append((step, variant))
    return tuple(made)


def _hours(chance: Random, length: int) -> dict[str, Any]:
    """How much time goes by, and what the mapping says to it: never to wait as long as the stream."""
    if chance.random() < 0.7:
        return {"max_age_s": chance.choice([FOREVER, FOREVER, FOREVER, 60, 3600])}
    hours = [0.5, 3.0, 11.0, 13.0, 23.5, 30.0, 50.0]
    leaps = [
        Leap(chance.randrange(length), chance.choice(hours), chance.choice([0.0, 0.5, 1.0]))
        for _ in range(chance.choice([0, 1, 1, 2]))
    ]
    return {
        "leaps": tuple(sorted(leaps, key=lambda leap: leap.begins)),
        "max_age_s": chance.choice([3600, 43_200, 43_200, 86_399]),
        "backlog": chance.random() < 0.3,
        "late_days": chance.choice([0.0, 0.5, 1.5, 2.5, 4.0]),
    }


def _erasures(chance: Random, length: int, people: list[str]) -> tuple[tuple[int, str], ...]:
    return tuple((chance.randrange(length // 2), person) for person in chance.sample(people, 1))


def _runs(chance: Random, length: int, count: int) -> tuple[Run, ...]:
    runs = []
    for _ in range(chance.choice([1, 1, 2, 5])):
        first = chance.randrange(count)
        some = range(first, min(count, first + chance.randint(1, count)))
        if chance.random() < 0.3:
            some = [one for one in some if chance.random() < 0.6] or [first]  # type: ignore[assignment]
        begins = chance.randrange(length) if chance.random() < 0.7 else 0
        runs.append(Run(begins, tuple(some), chance.randint(1, count), chance.random() < 0.5))
    return tuple(runs)
