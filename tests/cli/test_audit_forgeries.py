"""What somebody could do who writes to the buckets, or empties them: all of it is named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from processor.audit import manifest_key, policy_key
from processor.cli import main
from processor.cli.audit import place as place_of
from tests.cli.audit_world import AUDIT, EVENTS, SHA256, SUMMARY, World, object_key
from tests.fakes import checksum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from processor.review.trail import Flaw

FORGED = b"forged events"


def kinds(flaws: Sequence[Flaw]) -> list[str]:
    return sorted(flaw.kind for flaw in flaws)


@pytest.fixture
def world() -> World:
    world = World()
    gate, erase = world.gate(), world.chain("erase")
    for at in range(3):
        world.deliver(gate, at)
        world.record(erase, subjects=[], policies=[{"name": "payments"}])
    assert world.flaws() == []
    return world


def manifest_of_forged_events(world: World) -> tuple[str, dict[str, Any]]:
    key = object_key(99)
    world.s3.put_object(Bucket=EVENTS, Key=key, Body=FORGED, IfNoneMatch="*", ChecksumSHA256=checksum(FORGED))
    described = {
        "bucket": EVENTS,
        "key": key,
        "version_id": world.s3.objects[EVENTS, key]["VersionId"],
        "bytes": len(FORGED),
        "sha256": checksum(FORGED),
    }
    return manifest_key(key), {**SUMMARY, "object": described}


def test_a_manifest_of_another_group_is_misplaced_whichever_policy_is_asked_for(world: World) -> None:
    key, manifest = manifest_of_forged_events(world)
    world.forge(key, manifest, group="stream/other")
    for policy in (None, "payments"):
        assert ("misplaced", key) in {(flaw.kind, flaw.place) for flaw in world.flaws(policy=policy)}


def test_a_chain_of_one_link_is_named_unless_it_is_of_just_now(world: World) -> None:
    key, manifest = manifest_of_forged_events(world)
    world.forge(key, manifest, group="stream/payments")
    record = f"records/erase/dt=2026-11-23/210405-{'f' * 16}-1.json"
    world.forge(record, {"kind": "erase", "who": "arn:aws:iam::123456789012:user/ceo"})
    assert {(flaw.kind, flaw.place) for flaw in world.flaws()} == {
        ("unwitnessed", key),
        ("unwitnessed", record),
    }
    assert [flaw.place for flaw in world.flaws(policy="payments")] == [key]
    soon = world.verification()
    soon.now = world.now + 60
    assert list(soon.flaws(lambda _what, _done: None, lambda _total: None)) == []
    assert soon.walked.unwitnessed == {key: world.now, record: world.now}


def test_unwitnessed_links_are_named_the_newest_in_words_and_all_for_programs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place_of, "connect", lambda *_names: world.place())
    keys = []
    for at in range(5):
        world.passes(0.0001)
        keys.append(f"records/erase/dt=2026-11-23/210405-{at:016}-1.json")
        world.forge(keys[-1], {"kind": "erase"}, id=f"{at:016}")
    result = CliRunner().invoke(main, ["audit", "verify", "--env", "test", "--json"])
    assert json.loads(result.stdout)["unwitnessed"] == keys[::-1]
    text = CliRunner().invoke(main, ["audit", "verify", "--env", "test"]).stdout
    assert "5 links named by no other record" in text
    assert f"vouches for {keys[4]}, {keys[3]}, {keys[2]} and 2 older." in text


def test_a_policy_of_which_nothing_is_left_but_its_heads_is_missed(world: World) -> None:
    gone = [place for place in world.s3.objects if "/payments/" in place[1]]
    for place in gone:
        if not place[1].startswith("policies/"):
            del world.s3.objects[place]
    assert kinds(world.flaws()) == kinds(world.flaws(policy="payments")) == ["gone"]
    del world.s3.objects[AUDIT, policy_key("payments", SHA256)]
    assert kinds(world.flaws()) == kinds(world.flaws(policy="payments")) == ["gone"]


def test_a_stream_of_which_only_erasures_are_left_is_missed() -> None:
    world = World()
    gate = world.gate()
    world.deliver(gate, 1)
    world.remove(gate, 2)
    world.deliver(gate, 3)
    for place in [place for place in world.s3.objects if not place[1].startswith("records/")]:
        del world.s3.objects[place]
    assert kinds(world.flaws()) == ["missing", "missing"]


def test_what_records_name_is_asked_of_the_ledger_only_if_it_can_be_a_policy(world: World) -> None:
    names: list[Any] = ["x" * 3000, "", "Über", 7, None, {"name": "payments"}, "a\ud800"]
    erase = world.chain("erase")
    world.record(erase, policies=[{"name": name} for name in names] + [7], policy=names)
    assert world.flaws() == []


def test_a_policy_that_was_rewritten_or_deleted_is_named_and_the_first_goes(world: World) -> None:
    place = AUDIT, policy_key("payments", SHA256)
    world.s3.replace(place, world.policy.replace(b'"events": 400', b'"events": 1'))
    assert [(flaw.kind, flaw.place) for flaw in world.flaws()] == [("versions", place[1])]
    world.s3.delete(place)
    assert kinds(world.flaws()) == ["deleted", "versions"]


def test_a_manifest_that_names_no_policy_is_no_reason_to_stop(world: World) -> None:
    named = (None, 7, {"sha256": "\ud800" * 9}, {"name": "../x", "sha256": "y" * 5000})
    for at, policy in enumerate(named):
        key = object_key(50 + at)
        world.s3.put_object(Bucket=EVENTS, Key=key, Body=b"", IfNoneMatch="*", ChecksumSHA256=checksum(b""))
        manifest = {"object": {"key": key, "bytes": 0, "sha256": checksum(b"")}, "policy": policy}
        world.forge(manifest_key(key), manifest, group="stream/payments", id=f"{at:016}")
    assert kinds(world.flaws()) == ["policy", *["unwitnessed"] * 4]
