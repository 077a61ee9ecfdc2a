"""`tidegate audit`: what nobody touched is whole, and any one thing that somebody touched is named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from processor.cli import main
from processor.cli.audit import verification
from processor.review.trail import REMEDIES, Window
from tests.cli.audit_world import AUDIT, EVENTS, MOMENTS, TABLE, Crash, World, object_key
from tests.fakes import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.review.trail import Flaw

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["deliver", "crash", "fail", "restart", "remove", "detokenize", "erase", "fence"]),
        st.integers(0, 2),
        st.integers(0, 11),
        st.sampled_from(MOMENTS),
    ),
    min_size=1,
    max_size=25,
)
"""(what, by which of three environments, which batch, when it crashes)."""


def lived(steps: list[tuple[str, int, int, str]], world: World | None = None) -> World:
    """A world in which all that happened, and in which every batch was delivered at last."""
    world = world or World()
    gates = [world.gate() for _ in range(3)]
    doors = {kind: [world.chain(kind) for _ in range(3)] for kind in ("detokenize", "erase")}
    delivered, fenced = set(), set()
    for what, who, at, moment in steps:
        match what:
            case "deliver" if at not in fenced:
                world.deliver(gates[who], at)
                delivered.add(at)
            case "crash" if at not in fenced:
                world.fails(gates[who], at, moment, Crash())
                gates[who] = world.gate()
                delivered.add(at)
            case "fail" if at not in fenced:
                world.fails(gates[who], at, moment)
                delivered.add(at)
            case "restart":
                gates[who] = world.gate()
            case "remove":
                world.remove(gates[who], at, *range(who))
            case "detokenize" | "erase":
                world.record(doors[what][who], subjects=[f"psn.customer_id.1.{at:022}"])
            case "fence" if at not in delivered:
                world.fence(at)
                fenced.add(at)
    for at in delivered:
        world.deliver(gates[0], at)
    return world


def steps_of(*steps: tuple[str, int, int]) -> list[tuple[str, int, int, str]]:
    return [(*step, MOMENTS[0]) for step in steps]


WHOLE = steps_of(
    *(("deliver", at % 2, at) for at in range(8)),
    *(("detokenize", 0, at) for at in range(3)),
    ("erase", 0, 1),
    ("remove", 1, 5),
    ("fence", 0, 11),
)


@given(steps=STEPS)
def test_a_trail_that_nobody_touched_has_no_finding(steps: list[tuple[str, int, int, str]]) -> None:
    world = lived(steps)
    whole = world.verification()
    if not any(key.startswith(("manifests/", "records/", "events/")) for _, key in world.s3.objects):
        return
    flaws = list(whole.flaws(lambda _what, _done: None, lambda _total: None))
    assert {(flaw.kind, flaw.place) for flaw in flaws} == {("unwitnessed", key) for key in orphans(world)}
    assert orphans(world) <= whole.walked.unwitnessed.keys()
    count = len(world.s3.under("manifests/")) + len(world.s3.under("records/"))
    assert whole.walked.links == count
    assert whole.objects == len(world.s3.under("manifests/"))


def orphans(world: World) -> set[str]:
    """The links of chains without a head: their writers ended before they wrote it."""
    places = [place for place in world.s3.objects if place[1].startswith(("manifests/", "records/"))]
    chains = {f"chain {stream[7:]}/{chain}" for stream, chain in world.dynamodb.items}
    return {place[1] for place in places if chain_of(world, place)[0] not in chains}


def found(world: World) -> list[Flaw]:
    """What is wrong, but for what a crash leaves as well."""
    return [flaw for flaw in world.flaws() if flaw.kind != "unwitnessed"]


def witnessed(world: World) -> list[tuple[str, str]]:
    """The links that a successor or a head names: all but those whose writers ended before the head."""
    heads = {(item["stream"]["S"], item["intent"]["S"]): item for item in world.dynamodb.items.values()}
    places = []
    for place, call in world.s3.objects.items():
        if place[1].startswith(("manifests/", "records/")):
            said = json.loads(call["Body"])["chain"]
            head = heads.get((f"chains/{said['group']}", said["id"]))
            if head and said["link"] <= int(head["links"]["N"]):
                places.append(place)
    return sorted(places)


def chain_of(world: World, place: tuple[str, str]) -> tuple[str, int]:
    said = json.loads(world.s3.objects[place]["Body"])["chain"]
    return f"chain {said['group']}/{said['id']}", said["link"]


def names(flaws: list[Flaw], key: str, chain: tuple[str, int]) -> bool:
    """Whether some flaw names the key, or the number of the link in its chain, or the chain as gone."""
    return any(
        key in str(flaw) or (flaw.place == chain[0] and (flaw.kind == "gone" or str(chain[1]) in flaw.words))
        for flaw in flaws
    )


@given(steps=STEPS, data=st.data())
def test_any_byte_that_is_altered_is_found(steps: list[tuple[str, int, int, str]], data: Any) -> None:
    world = lived([*WHOLE, *steps])
    place = data.draw(st.sampled_from(witnessed(world)))
    chain, body = chain_of(world, place), bytearray(world.s3.objects[place]["Body"])
    # Chains have random ids, so the same draws may be about another record.
    body[data.draw(st.integers(0, 9_999)) % len(body)] ^= data.draw(st.integers(1, 255))
    world.s3.objects[place]["Body"] = bytes(body)
    flaws = found(world)
    assert names(flaws, place[1], chain) or any(flaw.place == chain[0] for flaw in flaws)


@given(steps=STEPS, data=st.data())
def test_any_link_that_is_removed_is_named(steps: list[tuple[str, int, int, str]], data: Any) -> None:
    world = lived([*WHOLE, *steps])
    place = data.draw(st.sampled_from(witnessed(world)))
    chain = chain_of(world, place)
    del world.s3.objects[place]
    flaws = found(world)
    assert any(
        flaw.kind in {"missing", "gone"} and flaw.place == chain[0] and names([flaw], place[1], chain)
        for flaw in flaws
    )


@given(steps=STEPS, data=st.data())
def test_links_that_change_places_are_named(steps: list[tuple[str, int, int, str]], data: Any) -> None:
    world = lived([*WHOLE, *steps])
    links = st.sampled_from([place for place in world.s3.objects if place[1].startswith(("man", "rec"))])
    one, other = data.draw(st.tuples(links, links).filter(lambda pair: pair[0] != pair[1]))
    first, second = world.s3.objects[one], world.s3.objects[other]
    first["Body"], second["Body"] = second["Body"], first["Body"]
    misplaced = {flaw.place for flaw in found(world) if flaw.kind == "misplaced"}
    assert misplaced == {one[1], other[1]}


@given(steps=STEPS, data=st.data())
def test_a_chain_that_is_removed_is_named(steps: list[tuple[str, int, int, str]], data: Any) -> None:
    world = lived([*WHOLE, *steps])
    chain, _ = chain_of(world, data.draw(st.sampled_from(witnessed(world))))
    for place in [place for place in world.s3.objects if place[1].startswith(("manifests/", "records/"))]:
        if chain_of(world, place)[0] == chain:
            del world.s3.objects[place]
    assert [flaw.place for flaw in found(world) if flaw.kind == "gone"] == [chain]


@given(steps=STEPS, data=st.data())
def test_a_copy_of_a_link_is_named(steps: list[tuple[str, int, int, str]], data: Any) -> None:
    world = lived([*WHOLE, *steps])
    bucket, key = data.draw(st.sampled_from(witnessed(world)))
    copy = key.replace(".json", "0.json")
    world.s3.objects[bucket, copy] = world.s3.objects[bucket, key] | {"Key": copy}
    flaws = found(world)
    assert {flaw.kind for flaw in flaws} == {"misplaced", "twice"}
    assert all(copy in str(flaw) for flaw in flaws)


@given(steps=STEPS, data=st.data())
def test_a_second_version_and_a_deletion_are_named(steps: list[tuple[str, int, int, str]], data: Any) -> None:
    world = lived([*WHOLE, *steps])
    links = st.sampled_from([place for place in world.s3.objects if place[1].startswith(("man", "rec"))])
    rewritten, deleted = data.draw(st.tuples(links, links).filter(lambda pair: pair[0] != pair[1]))
    world.s3.replace(rewritten, b"{}")
    world.s3.delete(deleted)
    told = sorted((flaw.kind, flaw.place) for flaw in found(world))
    assert told == [("deleted", deleted[1]), ("versions", rewritten[1])], "what was first is still walked"


@given(steps=STEPS, data=st.data())
def test_a_head_that_is_removed_is_named(steps: list[tuple[str, int, int, str]], data: Any) -> None:
    world = lived([*WHOLE, *steps])
    long = [name for name, item in world.dynamodb.items.items() if int(item["links"]["N"]) > 1]
    stream, chain = data.draw(st.sampled_from(long))
    del world.dynamodb.items[stream, chain]
    (flaw,) = found(world)
    assert (flaw.kind, flaw.place) == ("headless", f"chain {stream.removeprefix('chains/')}/{chain}")


def test_an_object_that_is_replaced_altered_or_gone_is_named() -> None:
    world = lived(WHOLE)
    world.s3.replace((EVENTS, object_key(1)), b"other events")
    world.s3.objects[EVENTS, object_key(2)]["ChecksumSHA256"] = "x"
    world.s3.delete((EVENTS, object_key(3)))
    del world.s3.objects[EVENTS, object_key(4)]
    found = {flaw.place: flaw.words for flaw in world.flaws()}
    assert found == {
        object_key(1): "its checksum and size and version are not what the manifest says",
        object_key(2): "its checksum is not what the manifest says",
        object_key(3): "the events of its manifest are not there",
        object_key(4): "the events of its manifest are not there",
    }


def test_an_object_is_missed_for_as_long_as_the_policy_keeps_it() -> None:
    world = lived(WHOLE)
    world.s3.delete((EVENTS, object_key(3)))
    world.now = NOW + 398 * 86_400
    assert [flaw.kind for flaw in world.flaws()] == ["object missing"]
    world.now = NOW + 400 * 86_400
    assert world.flaws() == []


def test_a_missing_or_altered_policy_is_named_once() -> None:
    world = lived(WHOLE)
    (place,) = [place for place in world.s3.objects if place[1].startswith("policies/")]
    kept = world.s3.objects[place]["Body"]
    for body in (b"not JSON", b"[]", kept.replace(b"abab", b"cdcd"), None):
        if body is None:
            del world.s3.objects[place]
        else:
            world.s3.objects[place]["Body"] = body
        assert [(flaw.kind, flaw.place) for flaw in world.flaws()] == [("policy", place[1])]


def test_an_object_without_a_manifest_is_named_unless_it_is_a_fence_or_new() -> None:
    world = lived(WHOLE)
    world.fails(world.gate(), 20, MOMENTS[0])
    assert [(flaw.kind, flaw.place) for flaw in world.flaws()] == [("unlisted", object_key(20))]
    soon = world.verification()
    soon.now = NOW + 60
    assert list(soon.flaws(lambda _what, _done: None, lambda _total: None)) == []
    assert (soon.young, soon.fences) == (1, 1)


def test_what_is_no_link_is_named() -> None:
    world = lived(WHOLE)
    place = AUDIT, "manifests/payments/dt=2026-11-23/x.json"
    world.s3.put_object(Bucket=AUDIT, Key=place[1], Body=b'{"secret of":"Jane"}', IfNoneMatch="*")
    (flaw,) = world.flaws()
    assert (flaw.kind, flaw.place) == ("unreadable", place[1])
    assert "Jane" not in str(flaw)


def test_a_window_of_days_is_walked_with_its_neighbours() -> None:
    world = World()
    gate = world.gate()
    for at, day in enumerate([20, 21, 21, 20, 22, 23, 22, 22, 22, 24]):  # late changes are of an older day
        world.deliver(gate, at, f"2026-11-{day}")
    window = Window("2026-11-22", "2026-11-22")
    assert world.flaws(window) == []
    assert world.verification(window).objects == 0
    del world.s3.objects[EVENTS, object_key(0, "2026-11-20")]
    assert world.flaws(window) == [], "that is another day"
    place = AUDIT, "manifests/payments/dt=2026-11-22/0a1b2c3d-7-7-0000000000000007.json"
    del world.s3.objects[place]
    assert [flaw.kind for flaw in world.flaws(window)] == ["unlisted", "missing"]


def test_one_policy_alone_is_walked_with_what_its_removals_erased() -> None:
    world = lived(WHOLE)
    gate = world.gate()
    world.deliver(gate, 30)
    world.remove(gate, 30)
    world.deliver(gate, 31)
    assert world.flaws() == world.flaws(policy="payments") == []
    (key,) = [
        key for key, body in world.s3.under("records/erase/").items() if gate._chain.id.encode() in body
    ]
    del world.s3.objects[AUDIT, key]
    assert [flaw.kind for flaw in world.flaws(policy="payments")] == ["missing"]


# The command, on moto: with versions and with the lock.


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setattr(verification, "YOUNG_S", 0)  # moto's clock is ours
    with mock_aws():
        s3, dynamodb = boto3.client("s3"), boto3.client("dynamodb")
        account = "123456789012"
        where = {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
        world = World(s3, dynamodb)
        world.audit, world.events = (f"tidegate-test-{name}-{account}" for name in ("audit", "events"))
        s3.create_bucket(Bucket=world.audit, ObjectLockEnabledForBucket=True, **where)
        s3.put_object_lock_configuration(
            Bucket=world.audit,
            ObjectLockConfiguration={
                "ObjectLockEnabled": "Enabled",
                "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 2557}},
            },
        )
        s3.create_bucket(Bucket=world.events, **where)
        s3.put_bucket_versioning(Bucket=world.events, VersioningConfiguration={"Status": "Enabled"})
        dynamodb.create_table(
            TableName=TABLE,
            KeySchema=[
                {"AttributeName": "stream", "KeyType": "HASH"},
                {"AttributeName": "intent", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "stream", "AttributeType": "S"},
                {"AttributeName": "intent", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        yield world


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, ["audit", *arguments])


def test_a_whole_trail_on_aws(aws: World) -> None:
    lived(WHOLE, aws)
    result = run("verify", "--env", "test")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "4 chains, 13 links, 8 objects of events: all as the gate left them\n"
    answer = json.loads(run("verify", "--env", "test", "--json").stdout)
    assert answer["findings"] == []
    assert (answer["chains"], answer["links"], answer["objects"], answer["fences"]) == (4, 13, 8, 1)


def test_findings_on_aws(aws: World) -> None:
    lived(WHOLE, aws)
    s3 = boto3.client("s3")
    first, second, third = (
        f"manifests/payments/dt=2026-11-23/0a1b2c3d-{at}-{at}-{at:016x}.json" for at in (1, 2, 3)
    )
    s3.put_object(Bucket=aws.audit, Key=first, Body=b"{}")
    s3.delete_object(Bucket=aws.audit, Key=second)
    version = s3.head_object(Bucket=aws.audit, Key=third)["VersionId"]
    s3.delete_object(Bucket=aws.audit, Key=third, VersionId=version, BypassGovernanceRetention=True)
    s3.put_object(Bucket=aws.events, Key=object_key(4), Body=b"", ChecksumAlgorithm="SHA256")
    result = run("verify", "--env", "test", "--json")
    assert result.exit_code == 1
    found = {(one["kind"], one["place"]) for one in json.loads(result.stdout)["findings"]}
    assert found >= {
        ("versions", first),
        ("deleted", second),
        ("unlisted", object_key(3)),
        ("object altered", object_key(4)),
    }
    (missing,) = [place for kind, place in found - {("versions", first)} if kind == "missing"]
    assert missing.startswith("chain stream/payments/")
    lines = run("verify", "--env", "test").stdout.splitlines()
    assert [line for line in lines if line.startswith(first)] == [
        f"{first}: it has 2 versions. {REMEDIES['versions']}"
    ]
    assert lines[-1] == "4 chains, 12 links, 7 objects of events: 5 findings"


def test_what_cannot_be_read_is_unusable(aws: World) -> None:
    result = run("verify", "--env", "test")
    assert result.exit_code == 2
    assert "holds no trail: is it the right environment?" in result.stderr
    result = run("verify", "--env", "other")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "NoSuchBucket" in result.stderr
    assert run("verify").exit_code == 2
    assert "--env" in run("verify").stderr
    lived(WHOLE, aws)
    assert run("verify", "--env", "test", "--since", "2026-11-24", "--until", "2026-11-23").exit_code == 2
    names = ("--audit-bucket", aws.audit, "--events-bucket", aws.events, "--ledger-table", TABLE)
    assert run("verify", *names, "--since", "2026-11-23").exit_code == 0
