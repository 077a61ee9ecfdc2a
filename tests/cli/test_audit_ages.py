"""`tidegate audit verify` over the years: what expired as it should is no finding, what did not is one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from processor.audit import manifest_key
from tests.cli.audit_world import AUDIT, EVENTS, World, object_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from processor.review.trail import Flaw

LATER, LATEST = "cd" * 32, "ef" * 32
DAY = "2026-11-23"


def kinds(flaws: Sequence[Flaw]) -> list[str]:
    return sorted(flaw.kind for flaw in flaws)


def lose(world: World, *keys: str) -> None:
    """For good, as the lifecycle does in the end."""
    for key in keys:
        del world.s3.objects[EVENTS if key.startswith("events/") else AUDIT, key]


def test_events_of_a_policy_that_keeps_them_for_shorter_now_are_not_missed() -> None:
    world = World()
    world.deliver(world.gate(), 1)
    lose(world, object_key(1))
    world.passes(80)
    assert kinds(world.flaws()) == ["object missing"]
    world.keeps(LATER, events=60)
    assert kinds(world.flaws()) == ["object missing"], "the version is not in force"
    world.deliver(world.gate(), 2, "2027-02-11")
    assert world.flaws() == []
    lose(world, object_key(2, "2027-02-11"))
    assert [flaw.place for flaw in world.flaws()] == [object_key(2, "2027-02-11")]
    world.passes(60)
    assert world.flaws() == world.flaws(policy="payments") == []


def test_events_of_a_policy_that_kept_them_for_shorter_once_are_missed() -> None:
    world = World()
    world.keeps(LATER, events=30)
    world.deliver(world.gate(), 1)
    world.passes(10)
    world.keeps(LATEST)
    world.deliver(world.gate(), 2, "2026-12-03")
    world.passes(100)
    lose(world, object_key(1), object_key(2, "2026-12-03"))
    assert [flaw.place for flaw in world.flaws()] == [object_key(2, "2026-12-03")]


def test_a_version_that_came_back_counts() -> None:
    world = World()
    world.keeps(LATER, events=30)
    world.deliver(world.gate(), 1)
    world.passes(10)
    world.keeps(LATEST)
    world.deliver(world.gate(), 2, "2026-12-03")
    world.passes(10)
    world.keeps(LATER, events=30)
    world.deliver(world.gate(), 3, "2026-12-13")
    world.passes(25)
    lose(world, object_key(2, "2026-12-03"))
    assert world.flaws() == []


def test_manifests_of_a_policy_that_keeps_them_for_shorter_now_are_not_missed() -> None:
    world = World()
    gate = world.gate()
    for at in range(4):
        world.deliver(gate, at)
    other = world.gate()
    world.deliver(other, 5)
    lose(world, *(manifest_key(object_key(at)) for at in (0, 2, 5)))
    lose(world, *(object_key(at) for at in (0, 2, 5)))
    world.passes(70)
    assert kinds(world.flaws()) == ["gone", "missing", "missing"]
    world.keeps(LATER, audit=60)
    world.deliver(world.gate(60), 9, "2027-02-01")
    assert world.flaws() == []


def test_markers_of_what_expired_are_no_finding() -> None:
    world = World()
    world.keeps(LATER, audit=60)
    gate, erase = world.gate(60), world.chain("erase", 60)
    world.deliver(gate, 1)
    world.remove(gate, 2)
    world.record(erase, subjects=[])
    records = list(world.s3.under("records/"))
    for key in (manifest_key(object_key(1)), *records):
        world.s3.delete((AUDIT, key))
    world.passes(58)
    assert kinds(world.flaws()) == ["deleted"] * 3
    world.passes(2)
    assert world.flaws() == []


def test_records_are_kept_as_long_as_the_longest_policy_asks() -> None:
    world = World()
    world.keeps(LATER, audit=60)
    gate = world.gate(60)
    world.deliver(gate, 1)
    world.remove(gate, 2)
    longer = json.loads(world.policy) | {"sha256": LATEST}
    longer["policy"] = longer["policy"] | {"policy": "loans", "retention_days": {"events": 1, "audit": 900}}
    key = f"policies/loans/{LATEST}.json"
    world.s3.put_object(Bucket=AUDIT, Key=key, Body=json.dumps(longer).encode(), IfNoneMatch="*")
    (record,) = world.s3.under("records/")
    lose(world, manifest_key(object_key(1)), object_key(1))
    world.passes(61)
    assert world.flaws() == [], "the erasure is there, the manifest before it no longer"
    world.dynamodb.items.clear()
    world.passes(61)
    assert world.flaws() == [], "the head is no longer there either"
    world.s3.delete((AUDIT, record))
    assert kinds(world.flaws()) == kinds(world.flaws(policy="payments")) == ["deleted"]
    world.passes(900)
    assert world.flaws() == []


@pytest.mark.parametrize("days", [1, 200])
def test_removals_are_whole_with_and_without_the_other_policies(days: int) -> None:
    world = World()
    gate = world.gate()
    for at in range(3):
        world.deliver(gate, at)
        world.remove(gate, at, at + 10, at + 20)
    world.passes(days)
    assert len(world.s3.under("records/erase/")) == 3
    assert world.flaws() == world.flaws(policy="payments") == []
    for key in world.s3.under("records/erase/"):
        world.s3.objects[AUDIT, key]["Key"] = key
    (first, *_) = world.s3.under("records/erase/")
    moved = first.replace(DAY, "2026-11-24").replace("-payments-", "-payments-0")
    world.s3.objects[AUDIT, moved] = world.s3.objects.pop((AUDIT, first))
    assert kinds(world.flaws()) == kinds(world.flaws(policy="payments")) == ["misplaced"]
