"""Who is meant by an id, and which requests to forget somebody are refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws

from processor.erasure import Office, erase
from tests.callers import ARN
from tests.desks import PAYMENTS, World, plan_of
from tests.offices import ANN, REASON, ask, names_of, office_of

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def world() -> Iterator[World]:
    with mock_aws():
        yield World()


@pytest.fixture
def office(world: World) -> Office:
    return office_of(world)


def test_whom_nobody_has_seen_is_erased_only_if_that_is_said(world: World, office: Office) -> None:
    assert "nobody is known by this" in ask(office, "C-4004")["refused"]
    assert "nobody is known by this" in ask(office, "C-4004", dry_run=True)["refused"]
    assert world.people() == {}
    # It says who is not known: whom was asked for is on the record.
    refused, looked_up = world.records("erase")
    assert refused["subjects"] == looked_up["subjects"] == list(names_of("C-4004"))
    assert refused["refused"].startswith("nobody is known by this")
    assert refused.keys() & {"dry_run", "erased_at", "again"} == set()
    assert looked_up["dry_run"] is True
    assert ask(office, "C-4004", unseen=True)["again"] is False
    assert world.sanitised(plan_of(), {**ANN, "customer_id": "C-4004"})["email"] == "[redacted]"


def test_an_id_of_digits_is_whichever_is_known(world: World, office: Office) -> None:
    world.sanitised(plan_of(), {**ANN, "customer_id": 1001})
    assert ask(office, "1001")["subjects"] == list(names_of(1001))
    world.sanitised(plan_of(), {**ANN, "customer_id": "2002"})
    assert ask(office, "2002")["subjects"] == list(names_of("2002"))
    assert "nobody is known" in ask(office, "02002")["refused"]
    world.sanitised(plan_of(), {**ANN, "customer_id": 3003})
    assert ask(office, 3003)["subjects"] == list(names_of(3003))


def test_who_is_both_has_to_be_said_which(world: World, office: Office) -> None:
    for one in (1001, "1001"):
        world.sanitised(plan_of(), {**ANN, "customer_id": one})
    assert 'say "as": "text" or "as": "number"' in ask(office, "1001")["refused"]
    assert ask(office, "1001", **{"as": "text"})["subjects"] == list(names_of("1001"))
    assert "erased_at" not in world.people()[names_of(1001)[0]]
    assert ask(office, "1001", **{"as": "number"})["subjects"] == list(names_of(1001))


def test_an_unseen_id_of_digits_is_erased_both_ways(world: World, office: Office) -> None:
    receipt = ask(office, "1001", unseen=True)
    assert set(receipt["subjects"]) == {*names_of(1001), *names_of("1001")}
    for one in (1001, "1001"):
        assert world.sanitised(plan_of(), {**ANN, "customer_id": one})["email"] == "[redacted]"


def test_a_binary_id_has_to_be_said_to_be_one(world: World, office: Office) -> None:
    world.sanitised(plan_of(), {**ANN, "customer_id": b"\x01\xff"})
    assert "nobody is known by this" in ask(office, "Af8=")["refused"]
    assert ask(office, "Af8=", **{"as": "binary"})["subjects"] == list(names_of(b"\x01\xff"))
    for odd in ("Af8", "Af9=", "=", "é", "A f8="):
        assert "not written in base64" in ask(office, odd, **{"as": "binary"})["refused"]


def test_policies_that_share_their_people_are_covered_together(world: World) -> None:
    refunds = plan_of(PAYMENTS, policy="refunds", version=2)
    world.sanitised(refunds, ANN)
    receipt = ask(office_of(world, plan_of(), refunds))
    assert [one["name"] for one in receipt["policies"]] == ["payments", "refunds"]
    assert world.sanitised(plan_of(), ANN)["email"] == "[redacted]"


def test_other_spellings_of_one_domain_are_erased_too(world: World) -> None:
    fields = {
        **PAYMENTS["fields"],
        "customer_id": {**PAYMENTS["fields"]["customer_id"], "normalize": "lower"},
    }
    refunds = plan_of(PAYMENTS, policy="refunds", fields=fields)
    world.sanitised(plan_of(), ANN)
    office = office_of(world, plan_of(), refunds)
    assert set(ask(office)["subjects"]) == {*names_of("C-1001"), *names_of("c-1001")}
    assert ask(office)["again"] is True
    assert world.sanitised(refunds, ANN)["email"] == "[redacted]"


def test_of_policies_about_different_people_one_has_to_be_said(world: World) -> None:
    fields = {**PAYMENTS["fields"], "customer_id": {"action": "pseudonymize", "domain": "courier"}}
    office = office_of(world, plan_of(), plan_of(PAYMENTS, policy="couriers", fields=fields))
    world.sanitised(plan_of(), ANN)
    said = ask(office)["refused"]
    assert said == "the policies are about different people: say `policy`, one of couriers, payments"
    assert [one["name"] for one in ask(office, policy="payments")["policies"]] == ["payments"]
    assert "nobody is known" in ask(office, policy="couriers")["refused"]
    assert "policy must be one" in ask(office, policy="refunds")["refused"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"subject": ""}, "subject must be a text of 1 to 2,048"),
        ({"subject": None}, "subject must be a text"),
        ({"subject": True}, "subject must be a text"),
        ({"subject": "s" * 2049}, "subject must be a text"),
        ({"subject": "psn.customer.2." + "x" * 22}, "subject must be as it is in the source table"),
        ({"reason": ""}, "reason must be a text of 1 to 200"),
        ({"reason": " "}, "reason must be a text of 1 to 200"),
        ({"reason": "x" * 201}, "reason must be a text of 1 to 200"),
        ({"reason": "case 1\ncase 2"}, "reason must be one line"),
        ({"reason": "ann@example.com wrote"}, "there seems to be: email"),
        ({"reason": "card 4111 1111 1111 1111"}, "there seems to be: card"),
        ({"reason": "request of c-1001, by letter"}, "reason must not hold the subject"),
        ({"dry_run": 1}, "dry_run must be true or false"),
        ({"unseen": "yes"}, "unseen must be true or false"),
        ({"as": "name"}, "as must be text, number or binary"),
        ({"as": "number"}, "subject is not written as a number is"),
        ({"policy": 1}, "policy must be one"),
        ({"force": True}, "the request has 1 unknown parts"),
    ],
)
def test_what_cannot_be_granted_is_refused_without_a_value(
    world: World, office: Office, changes: dict[str, Any], why: str
) -> None:
    answer = ask(office, **{"subject": "C-1001", **changes})
    assert set(answer) == {"refused"}
    assert why in answer["refused"]
    assert not [value for value in ("ann@", "4111", "C-1001", "c-1001") if value in answer["refused"]]
    (record,) = world.records("erase")
    assert (record["who"], record["refused"]) == (ARN, answer["refused"])
    text = json.dumps(record)
    assert not [value for value in ("ann@", "4111", "C-1001", "c-1001") if value in text]
    assert world.people() == {}


@pytest.mark.parametrize("reason", [REASON, "asked for by letter", "CCPA 1798.105", "closed account #10012"])
def test_ordinary_reasons_pass(world: World, office: Office, reason: str) -> None:
    world.sanitised(plan_of(), ANN)
    assert ask(office, reason=reason)["reason"] == reason


def test_without_a_proof_nobody_is_erased(world: World, office: Office) -> None:
    world.sanitised(plan_of(), ANN)
    for request in ({"subject": "C-1001", "reason": REASON}, ["C-1001"]):
        answer, call = erase(office, request, "r-1")
        assert set(answer) == {"refused"}
        assert call.refused
    assert [(record["who"], record["subjects"]) for record in world.records("erase")] == [(None, [])] * 2
    assert not [item for item in world.people().values() if "erased_at" in item]


def test_where_no_output_goes_by_the_person_nothing_can_be_erased(world: World) -> None:
    office = office_of(world)
    nothing = Office(**{name: getattr(office, name) for name in Office.__slots__} | {"policies": {}})
    assert "there is nothing to erase" in ask(nothing)["refused"]
