"""Who acts in a world: the lanes of the event source mapping, other runs, who erases, who redrives."""

from __future__ import annotations

from collections import deque
from hashlib import blake2b
from random import Random
from typing import TYPE_CHECKING, Any, Final

from processor.errors import Transient
from processor.keys import key_ring
from processor.local.delivery import Batch, Entry, Rules, judge
from processor.policy.people import People
from processor.subjects import Subjects
from tests.simulation.environment import Killed
from tests.simulation.world import CALL_S

if TYPE_CHECKING:
    from collections.abc import Iterable

    from processor.local.delivery import Answer
    from tests.simulation.records import Told
    from tests.simulation.schedule import Run
    from tests.simulation.world import World

TAKEN: Final[Any] = {"batchItemFailures": []}
CACHED_S: Final = 61.0  # after so long, nobody may know a destroyed secret any more
DELIVERIES_MAX: Final = 250  # of one lane, without faults: more, and it will never come to rest


class Mapping:
    """The event source mapping: for each shard, after its parent, as many lanes as it may have."""

    def __init__(self, world: World) -> None:
        self.world = world
        schedule = world.schedule
        self.rules = Rules(
            batch_size=schedule.batch_size, retries=schedule.retries, bisect=schedule.bisect, partial=True
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
        self._waiting = deque(
            Entry(one.raw, one.sequence, self._world.now, 1000) for one in self._told.values()
        )
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
        if self._again:
            return self._again.popleft()
        if not self._waiting:
            return None
        size = self._chance.randint(1, self._mapping.rules.batch_size)  # what had come when it was polled
        return Batch(tuple(self._waiting.popleft() for _ in range(min(size, len(self._waiting)))))

    def _settle(self, batch: Batch, answer: Answer) -> None:
        verdict = judge(batch, answer, self._mapping.rules)
        for entry in verdict.done:
            self._world.witness.acknowledged(self._told[entry.sequence])
        for lost in verdict.lost:
            self._mapping.lost.append(self._records(lost.batch))
            self._world.lost(lost, self._shard)
        self._again.extendleft(reversed(verdict.again))
        if self._again and self._world.schedule.grows and self._chance.random() < 0.5:
            self._grow()

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
                more.append(self._waiting.popleft())
                room -= 1
        self._again.appendleft(Batch((*first.entries, *more), first.failures, first.deliveries))

    def _records(self, batch: Batch) -> tuple[Told, ...]:
        return tuple(self._told[entry.sequence] for entry in batch.entries)


def again(world: World, run: Run) -> None:
    """Another run over some records, until each was taken."""
    chance = Random(f"{world.schedule.seed}/run/{run}")
    world.wait(CALL_S * (run.begins - world.step))
    known = {one.index: one for one in world.schedule.records}
    left = [known[index] for index in run.records if index in known]
    while left:
        piece = left[: chance.randint(1, run.pieces)]
        redrive(world, piece, is_replay=run.is_replay)
        left = left[len(piece) :]


def redrive(world: World, records: list[Told], *, is_replay: bool = False) -> None:
    """Deliver records until they are taken."""
    for failures in range(DELIVERIES_MAX + len(world.schedule.faults)):
        if failures:
            world.back_off(failures)
        answer = world.invoke(records, is_replay=is_replay)
        assert answer is not None
        if answer.payload == TAKEN:
            for one in records:
                world.witness.acknowledged(one)
            return
    world.witness.violation("restless", "a run never came to its end")


def erase(world: World, step: int, subject: str) -> None:
    """Forget a person, asking again until it is done."""
    world.wait(CALL_S * (step - world.step))
    for failures in range(DELIVERIES_MAX):
        if failures:
            world.back_off(failures)
        environment = world.bare()
        dynamodb, kms = environment.clients["dynamodb"], environment.clients["kms"]
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
