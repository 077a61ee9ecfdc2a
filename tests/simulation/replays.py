"""Who sends records a second time: other runs beside the stream, redrives, replays by the command's rules."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from processor.cli.replay.age import DAY_S, oldest
from processor.errors import TidegateError
from tests.simulation.actors import CALL_S, DELIVERIES_MAX, TAKEN

if TYPE_CHECKING:
    from tests.simulation.records import Told
    from tests.simulation.schedule import Run
    from tests.simulation.world import World


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


def late(world: World) -> None:
    """Days later: whatever the command lets through is replayed."""
    world.leap(world.schedule.late_days * DAY_S)
    world.dynamodb.expire()
    chance, left = Random(f"{world.schedule.seed}/late"), list(world.schedule.records)
    while left:
        piece = left[: chance.randint(1, len(left))]
        redrive(world, piece, is_replay=True)
        left = left[len(piece) :]


def redrive(world: World, records: list[Told], *, is_replay: bool = False) -> None:
    """Deliver records until they are taken: those that are young enough."""
    for failures in range(DELIVERIES_MAX + len(world.schedule.faults)):
        if failures:
            world.back_off(failures)
        some = _young(world, records, is_replay=is_replay)
        if not some:
            return
        answer = world.invoke(some, is_replay=is_replay)
        assert answer is not None
        if answer.payload == TAKEN:
            for one in some:
                world.witness.acknowledged(one)
            return
    world.witness.violation("restless", "a run never came to its end")


def _young(world: World, records: list[Told], *, is_replay: bool) -> list[Told]:
    """What can be sent again: what the stream has, or what the command does not refuse.

    A day without hours going by is over before anything is too old.
    """
    if not is_replay:
        return [one for one in records if world.is_kept(one)]
    if not world.schedule.leaps and not world.schedule.late_days:
        return records
    try:
        since = oldest(_Operator(world), world.schedule.table, older=False, clock=lambda: world.now)  # type: ignore[arg-type]
    except TidegateError:
        return []
    return [one for one in records if _age(world, one) >= since()]


def _age(world: World, one: Told) -> float:
    """By which the command goes: when it was put into quarantine, or else when it came to the stream."""
    held = world.witness.held.get(one.index)
    return world.witness.held_at[held[0]] if held else world.came(one)


class _Operator:
    """Who replays, with what the command asks of AWS."""

    env = "dev"

    def __init__(self, world: World) -> None:
        self._s3 = world.s3
        self.environ = {"AUDIT_BUCKET": "audit"}

    permit = "read the policies"

    def client(self, _service: str) -> Any:
        return self

    def get_object(self, **call: Any) -> Any:
        return self._s3.get_object(**call)

    def get_paginator(self, _operation: str) -> Any:
        return SimpleNamespace(paginate=self._pages)

    def _pages(self, *, Bucket: str, Prefix: str) -> list[dict[str, Any]]:  # noqa: N803  AWS's names
        return [{"Contents": [{"Key": key} for key in self._s3.within(Bucket, Prefix)]}]
