"""`tidegate audit show --subject`, on what the functions on people and the gate's removals write."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from moto import mock_aws

from processor.cli import main
from processor.cli.audit import place as place_of
from processor.cli.audit.place import Place
from processor.crypto import KeyRing
from processor.removals import Removals
from processor.stream import Change
from tests import offices
from tests.desks import ANN, AUDIT, KEYS, LEDGER, NOW, ROOTS, World, ask, desk_of, plan_of, token
from tests.offices import names_of, office_of

if TYPE_CHECKING:
    from collections.abc import Iterator

OLD = KeyRing({1: ROOTS[1]})
BOB = {**ANN, "customer_id": "C-2002"}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with mock_aws():
        world = World()
        place = Place(world.s3, world.dynamodb, AUDIT, AUDIT, LEDGER)
        monkeypatch.setattr(place_of, "connect", lambda *_names: place)
        yield world


def show(name: str) -> dict[str, Any]:
    result = CliRunner().invoke(main, ["audit", "show", "--env", "test", "--subject", name, "--json"])
    assert result.exit_code == 0, result.stderr
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def told(answer: dict[str, Any]) -> tuple[list[str], list[str]]:
    return [one["kind"] for one in answer["records"]], [one["kind"] for one in answer["not_erased"]]


def opened(world: World, who: dict[str, Any], *, keys: KeyRing = KEYS, by: str | None = None) -> None:
    event = world.sanitised(plan_of(), who, keys)
    answer = ask(desk_of(world, keys), token(event, subject=by or who["customer_id"]))
    assert answer["values"] == [{"value": ANN["email"]}]


def removed(world: World, *people: tuple[str, ...]) -> None:
    removals = Removals(
        plan=plan_of(),
        subjects=world.subjects(),
        chain=world.chain("stream/payments"),
        function="tidegate-dev-payments",
        clock=world.clock,
    )
    change = Change("e1", "REMOVE", int(NOW), "payments", "1", {}, None, {}, expired=False)
    removals.forget([(one, change) for one in people])


def test_records_from_before_and_after_a_rotation_are_of_one_person(world: World) -> None:
    opened(world, ANN, keys=OLD)
    opened(world, ANN)
    opened(world, BOB, keys=OLD)
    for name in names_of("C-1001"):
        answer = show(name)
        assert answer["names"] == sorted(names_of("C-1001"))
        assert told(answer) == (["detokenize", "detokenize"], [])


def test_people_who_stand_in_one_record_are_not_taken_for_one(world: World) -> None:
    removed(world, names_of("C-1001"), names_of("C-2002"), names_of("C-3003"))
    events = [world.sanitised(plan_of(), {**ANN, "customer_id": f"D-{number}"}) for number in (1, 2)]
    desk = desk_of(world)
    for by in (["D-1", "D-2"], [names_of("D-1")[0], names_of("D-2")[1]]):
        ask(desk, *(token(event, subject=one) for event, one in zip(events, by, strict=True)))
    assert show(names_of("C-2002")[0])["names"] == sorted(names_of("C-2002"))
    for name, records in ((names_of("D-1")[0], 2), (names_of("D-2")[1], 2), (names_of("D-2")[0], 1)):
        answer = show(name)
        assert answer["names"] == [name]
        assert len(answer["records"]) == records


def test_dry_runs_and_refusals_are_listed_apart_from_erasures(world: World) -> None:
    world.sanitised(plan_of(), ANN)
    office = office_of(world)
    assert offices.ask(office, dry_run=True)["dry_run"]
    assert "refused" in offices.ask(office, reason="for C-1001")
    (name, older) = names_of("C-1001")
    assert told(show(name)) == ([], ["erase", "erase"])
    text = CliRunner().invoke(main, ["audit", "show", "--env", "test", "--subject", older]).stdout
    assert "No erasure and no detokenization names this person.\n\nLooked up for an erasure" in text
    assert "erase (dry run)" in text
    assert "erase (refused)" in text
    assert "C-1001" not in text
    assert "erased_at" in offices.ask(office)
    answer = show(older)
    assert answer["names"] == sorted((name, older))
    assert told(answer) == (["erase"], ["erase", "erase"])
    assert "dry_run" not in answer["records"][0]


def test_who_may_be_two_is_not_taken_for_one(world: World) -> None:
    for customer in (1001, "1001"):
        world.sanitised(plan_of(), {**ANN, "customer_id": customer})
    refusal = offices.ask(office_of(world), "1001")["refused"]
    assert refusal.startswith("there is a person by this text and one by this number")
    for customer in (1001, "1001"):
        (name, _) = names_of(customer)
        answer = show(name)
        assert answer["names"] == [name]
        assert told(answer) == ([], ["erase"])
