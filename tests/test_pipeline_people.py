"""The journey where it goes by the person: joins, erasures, removals."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from processor.crypto import KeyRing
from processor.errors import Transient
from processor.event import envelope_for
from processor.pipeline import Gate, pass_through
from processor.policy import Sanitiser
from processor.policy.people import People
from processor.policy.plan import read_plan
from processor.removals import Removals
from processor.telemetry import Tally
from tests.builders import TIME, kinesis_record, stream_record
from tests.fakes import refusal
from tests.worlds import ENCRYPTING, NOW, PAYMENTS, World, records


def by_sequence(world: World) -> dict[str, dict[str, Any]]:
    return {event["sequence"]: event for event in world.events()}


def names_of(gate: Gate, payment: dict[str, Any]) -> tuple[str, ...]:
    names = People(gate.plan, KeyRing({1: b"r" * 64})).names(payment["customer_id"])
    assert names
    return names


def test_an_email_of_two_people_joins_in_neither_and_of_one_in_all() -> None:
    world, payments_of = World(), {}
    for at, who in enumerate(["ann", "bob", "ann"]):
        payments_of[at] = {
            **PAYMENTS[0],
            "customer_id": who,
            "email": "both@example.com",
            "payment_id": f"p{at}",
        }
    pass_through(world.gate(), [stream_record(one, at=at) for at, one in payments_of.items()], Tally())
    ann, bob, again = (event["new"] for event in world.events())
    assert ann["email"] == again["email"] != bob["email"]
    assert ann["customer_id"] == again["customer_id"] != bob["customer_id"]


def test_new_records_of_an_erased_person_are_redacted_and_all_others_are_as_before() -> None:
    world, gone = World(), PAYMENTS[0]["customer_id"]
    gate = world.gate()
    pass_through(gate, records(30), Tally())
    before = {event["event_id"]: event for event in world.events()}
    history = dict(world.s3.objects)
    gate.subjects.erase(names_of(gate, PAYMENTS[0]))
    tally = Tally()
    again = [stream_record(payment, at=1000 + at) for at, payment in enumerate(PAYMENTS[:30])]
    pass_through(world.gate(), again, tally)
    assert {place: world.s3.objects[place] for place in history} == history, "history is unchanged"
    after = [event for event in world.events() if event["event_id"] not in before]
    mine = [one for at, one in enumerate(after) if PAYMENTS[at]["customer_id"] == gone]
    assert mine
    assert all(one["new"]["email"] == "[redacted]" for one in mine)
    assert tally.erased == len(mine)
    for old, new in zip(before.values(), after, strict=True):
        rest = {name: value for name, value in new["new"].items() if name != "email"}
        assert rest == {name: value for name, value in old["new"].items() if name != "email"}
        assert (new["new"]["email"] == old["new"]["email"]) is (new not in mine)


def test_a_batch_asks_for_its_people_once_whatever_their_number() -> None:
    world = World()
    pass_through(world.gate(), records(400), Tally())
    people = {payment["customer_id"] for payment in PAYMENTS}
    assert world.people.calls == {"BatchGetItem": -(-len(people) // 100), "PutItem": len(people)}
    world.people.calls.clear()
    gate = world.gate()
    pass_through(gate, records(90), Tally())
    pass_through(gate, records(90), Tally())
    assert world.people.calls == {"BatchGetItem": 1}


def test_people_that_cannot_be_had_stop_the_batch_and_quarantine_nothing() -> None:
    world, tally = World(), Tally()

    def trouble(_operation: str) -> None:
        raise refusal("ThrottlingException", "BatchGetItem")

    world.people.hook = trouble
    with pytest.raises(Transient, match="BatchGetItem on subjects: ThrottlingException"):
        pass_through(world.gate(), records(3), tally)
    assert (world.s3.objects, tally.quarantined) == ({}, 0)


def customers(world: World) -> Gate:
    """A gate on a table of people, whose removal erases them."""
    gate = world.gate()
    fields = {"customer_id": "pseudonymize", "email": {"action": "tokenize", "scope": "subject"}}
    document = {**ENCRYPTING, "fields": fields, "subject": "customer_id", "on_remove": "erase"}
    plan, problems = read_plan(document, gate.plan.sha256)
    assert plan is not None, problems
    removals = Removals(
        plan=plan,
        subjects=gate.subjects,
        chain=gate.audit._chain,
        function="tidegate-dev-customers",
        clock=lambda: NOW,
    )
    return replace(
        gate,
        plan=plan,
        judge=None,
        sanitiser=Sanitiser(plan, KeyRing({1: b"r" * 64})),
        envelope=envelope_for(plan, 1),
        removals=removals,
    )


def removal(who: str, at: int) -> dict[str, Any]:
    old = {"customer_id": who, "email": f"{who}@example.com"}
    return stream_record(None, old, at=at, key="customer_id")


def test_a_removal_forgets_the_person_after_its_event_and_is_recorded_once() -> None:
    world, tally = World(), Tally()
    delivered = [removal("ann", 1), removal("bob", 2)]
    pass_through(customers(world), delivered, tally)
    first, _ = world.events()
    assert first["old"]["email"].startswith("tok.email.1."), "the removal itself still joins"
    assert [set(item) for item in world.people.items.values()] == 2 * [{"subject", "created_at", "erased_at"}]
    assert tally.forgotten == 2
    (record,) = map(json.loads, world.s3.under("records/erase/").values())
    assert record["subjects"] == sorted(world.people.items)
    assert (record["kind"], record["who"]) == ("erase", "tidegate-dev-customers")
    assert record["reason"] == "removed from the table payments"
    assert record["policies"][0]["fields"] == ["email"]
    assert "ann" not in json.dumps(record)
    pass_through(customers(world), delivered, Tally())
    assert len(world.s3.under("records/erase/")) == 1, "the same removals are one record"


def test_an_older_change_that_comes_after_the_removal_does_not_bring_the_person_back() -> None:
    """By Kinesis it may: the change was made before, and the person is forgotten all the same."""
    world, tally = World(), Tally()
    ann = {"customer_id": "ann", "email": "ann@example.com"}
    came = [removal("ann", 9), stream_record(ann, at=1, key="customer_id"), removal("ann", 9)]
    for at, record in enumerate(came):
        pass_through(customers(world), [kinesis_record(record, at=at, arrived=TIME + 10 + at)], tally)
    removed, older = world.events()
    assert older["time_us"] < removed["time_us"]
    assert (older["new"]["email"], tally.erased) == ("[redacted]", 1)
    assert [set(item) for item in world.people.items.values()] == [{"subject", "created_at", "erased_at"}]
    assert tally.duplicates == 1, "the removal itself came twice, and is one event"
    assert len(world.s3.under("records/erase/")) == 1


def test_an_erasure_that_failed_half_way_is_finished_on_the_next_delivery() -> None:
    world, updates = World(), [0]

    def trouble(operation: str) -> None:
        updates[0] += operation == "UpdateItem"
        if updates[0] == 2:
            raise refusal("InternalServerError", operation)

    world.people.hook = trouble
    delivered = [removal(f"c{number}", number) for number in range(4)]
    with pytest.raises(Transient):
        pass_through(customers(world), delivered, Tally())
    assert not world.s3.under("records/erase/")
    world.people.hook = lambda _operation: None
    pass_through(customers(world), delivered, Tally())
    assert all("secret" not in item for item in world.people.items.values())
    assert len(world.s3.under("records/erase/")) == 1
    assert len(world.events()) == 4


def test_a_removal_of_something_else_is_held_back_rather_than_forgetting_its_owner() -> None:
    world, tally = World(), Tally()
    pass_through(customers(world), [stream_record(None, PAYMENTS[0])], tally)
    assert tally.quarantined == 1
    assert all("secret" in item for item in world.people.items.values())


def test_a_manifest_says_what_was_done_to_the_object_even_if_a_person_was_erased_in_between() -> None:
    world = World()

    def stop_before_manifest(moment: str) -> None:
        if moment == "before PutObject manifests":
            raise refusal("SlowDown", "PutObject", 503)

    world.s3.hook = stop_before_manifest
    gate = world.gate()
    with pytest.raises(Transient):
        pass_through(gate, records(5), Tally())
    gate.subjects.erase(names_of(gate, PAYMENTS[0]))
    world.s3.hook = lambda _moment: None
    pass_through(world.gate(), records(5), Tally())
    assert len(world.events()) == 5
    manifests = list(map(json.loads, world.s3.under("manifests/").values()))
    assert sum(manifest["records"] for manifest in manifests) == 5
    tokens = sum(str(event["new"]["email"]).startswith("tok.") for event in world.events())
    counts = [
        entry["count"] for manifest in manifests for entry in manifest["actions"] if entry["field"] == "email"
    ]
    assert sum(counts) == tokens == 5
    assert sum(manifest["notes"]["erased"] for manifest in manifests) == 0


def test_the_same_removals_in_another_cut_are_recorded_as_done_again() -> None:
    world = World()
    delivered = [removal("ann", 1), removal("bob", 2)]
    pass_through(customers(world), delivered, Tally())
    later = customers(world)
    later = replace(later, removals=_an_hour_later(later))
    pass_through(later, delivered[1:], Tally())
    again = sorted(json.loads(body)["again"] for body in world.s3.under("records/erase/").values())
    assert again == [False, True]


def _an_hour_later(gate: Gate) -> Removals:
    subjects, chain = gate.subjects, gate.audit._chain
    return Removals(
        plan=gate.plan,
        subjects=subjects,
        chain=chain,
        function="tidegate-dev-customers",
        clock=lambda: NOW + 3600,
    )
