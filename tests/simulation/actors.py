"""Who acts in a world: the lanes of the event source mapping, who erases, and time."""

from __future__ import annotations

from collections import deque
from hashlib import blake2b
from random import Random
from typing import TYPE_CHECKING, Any, Final

from processor.errors import Transient
from processor.keys import key_ring
from processor.local.delivery import Batch, Entry, Rules, judge, sift
from processor.policy.people import People
from processor.subjects import Subjects
from tests.simulation.environment import Client, Killed
from tests.simulation.world import CALL_S

if TYPE_CHECKING:
    from collections.abc import Iterable

    from processor.local.delivery import Answer, Lost
    from tests.simulation.records import Told
    from tests.simulation.schedule import Leap
    from tests.simulation.world import World

TAKEN: Final[Any] = {"batchItemFailures": []}
HOUR_S: Final = 3600.0
CACHED_S: Final = 61.0  # after so long, nobody may know a destroyed secret any more
DELIVERIES_MAX: Final = 250  # of one lane, without faults: more, and it will never come to rest


class Mapping:
    """The event source mapping: for each shard, after its parent, as many lanes as it may have."""

    def __init__(self, world: World) -> None:
        self.world = world
        schedule = world.schedule
        self.rules = Rules(
            batch_size=schedule.batch_size,
            retries=schedule.retries,
            max_age_s=schedule.max_age_s,
            bisect=schedule.bisect,
            partial=True,
        )
        self._shards: dict[str, list[Told]] = {}
        for one in schedule.records:
            self._shards.setdefault(one.shard, []).append(one)
        self._open: dict[str, int] = {}
        self.lost: list[tuple[Told, ...]] = []

    def start(self) -> None:
        """Begin with the shards that have no parent."""
        roots = {shard.partition(".")[0] for shard in self._shards}
        for shard in sorted(roots):
            self._start(shard)

    def _start(self, shard: str) -> None:
        lanes: dict[int, list[Told]] = {}
        for one in self._shards.get(shard, ()):
            lanes.setdefault(_share(one.item, self.world.schedule.parallel), []).append(one)
        self._open[shard] = len(lanes)
        for number, records in sorted(lanes.items()):
            self.world.turns.spawn(Lane(self, shard, number, records).run)
        if not lanes:
            self.ended(shard)

    def ended(self, shard: str) -> None:
        """A lane has nothing left; children wait for the last of their parent's."""
        self._open[shard] -= 1
        if self._open[shard] <= 0:
            for child in sorted(self._shards):
                if child.startswith(f"{shard}."):
                    self._start(child)


def _share(item: int, of: int) -> int:
    """Which lane an item's changes go through."""
    return blake2b(str(item).encode(), digest_size=1).digest()[0] % of


class Lane:
    """One share of a shard: its batches, one at a time."""

    def __init__(self, mapping: Mapping, shard: str, number: int, records: Iterable[Told]) -> None:
        self._mapping, self._world, self._shard = mapping, mapping.world, shard
        self._told = {one.sequence: one for one in records}
        self._waiting = deque(self._told.values())
        self._again: deque[Batch] = deque()
        self._chance = Random(f"{self._world.schedule.seed}/{shard}/{number}")
        self._deliveries = self._failed = 0

    def run(self) -> None:
        """Deliver until nothing is left, or until another actor does so."""
        while (batch := self._take()) is not None:
            answer = self._world.invoke(self._records(batch), go_on=lambda failed: self._go_on(batch, failed))
            if answer is None:
                return
            self._settle(batch, answer)
            self._failed = 0 if answer.payload == TAKEN else self._failed + 1
            if self._failed:
                self._world.back_off(self._failed)
        self._mapping.ended(self._shard)

    def _go_on(self, batch: Batch, failed: Answer) -> None:
        self._settle(batch, failed)
        self.run()

    def _take(self) -> Batch | None:
        self._deliveries += 1
        if self._deliveries > DELIVERIES_MAX + len(self._world.schedule.faults):
            self._world.witness.violation("restless", f"shard {self._shard} was delivered over and over")
        while (batch := self._next()) is not None:
            kept, old, forgotten = sift(batch, self._mapping.rules, self._world.now)
            if forgotten:
                self._world.witness.violation("forgotten", "the stream lost records, and nobody was told")
            self._give_up(old)
            if kept is not None:
                return kept
        return None

    def _next(self) -> Batch | None:
        if self._again:
            return self._again.popleft()
        if not self._waiting:
            return None
        size = self._chance.randint(1, self._mapping.rules.batch_size)  # what had come when it was polled
        return Batch(tuple(self._polled() for _ in range(min(size, len(self._waiting)))))

    def _polled(self) -> Entry:
        one = self._waiting.popleft()
        return Entry(one.raw, one.sequence, self._world.came(one), 1000)

    def _settle(self, batch: Batch, answer: Answer) -> None:
        verdict = judge(batch, answer, self._mapping.rules)
        for entry in verdict.done:
            self._world.witness.acknowledged(self._told[entry.sequence])
        self._give_up(verdict.lost)
        self._again.extendleft(reversed(verdict.again))
        if self._again and self._world.schedule.grows and self._chance.random() < 0.5:
            self._grow()

    def _give_up(self, losses: Iterable[Lost]) -> None:
        for lost in losses:
            self._mapping.lost.append(self._records(lost.batch))
            self._world.lost(lost, self._shard)

    def _grow(self) -> None:
        """What came meanwhile joins what comes again."""
        first = self._again.popleft()
        room = max(self._mapping.rules.batch_size - len(first.entries), 0)
        more: list[Entry] = []
        while room and (self._again or self._waiting):
            if self._again:
                other = self._again.popleft()
                more += other.entries[:room]
                if len(other.entries) > room:
                    self._again.appendleft(other.part(room))
                room -= min(room, len(other.entries))
            else:
                more.append(self._polled())
                room -= 1
        self._again.appendleft(Batch((*first.entries, *more), first.failures, first.deliveries))

    def _records(self, batch: Batch) -> tuple[Told, ...]:
        return tuple(self._told[entry.sequence] for entry in batch.entries)


def erase(world: World, step: int, subject: str) -> None:
    """Forget a person, asking again until it is done."""
    world.wait(CALL_S * (step - world.step))
    for failures in range(DELIVERIES_MAX):
        if failures:
            world.back_off(failures)
        environment = world.bare()
        dynamodb, kms = (Client(environment, service) for service in ("dynamodb", "kms"))
        try:
            arns = world.witness.key_arns(environment.edition)
            people = People(environment.edition.plan, key_ring(kms, arns))
            subjects = Subjects(dynamodb=dynamodb, table="subjects", clock=world.time.time)
            subjects.erase(people.names(subject) or ())
        except (Transient, Killed):
            continue
        world.log(f"erased {subject}")
        world.witness.erased(subject)
        if world.chance.random() < 0.5:
            world.elapse(CACHED_S, None)
        return
    world.witness.violation("restless", "an erasure never came to its end")


def leap(world: World, what: Leap) -> None:
    """Let hours go by; what expires meanwhile is deleted at once, a little later, or not at all."""
    world.wait(CALL_S * (what.begins - world.step))
    world.leap(what.hours * HOUR_S)
    for _ in range(2):
        world.dynamodb.expire(lambda: world.chance.random() < what.due)
        world.wait(CALL_S * world.chance.randrange(1, 60))
