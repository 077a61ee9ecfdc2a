"""Forgetting a person: who is meant, what is left, and the receipt that says so."""

from __future__ import annotations

import importlib
import json
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws

import processor.access
from processor.calls import Call, Voice
from processor.crypto import InvalidToken, KeyRing
from processor.erasure import Office, erase
from processor.errors import Transient
from processor.policy.opening import openers
from processor.policy.people import People
from processor.receipts import Signer, canonical, is_authentic
from tests.callers import ARN, callers, with_proof
from tests.desks import AUDIT, KEYS, NOW, PAYMENTS, ROOTS, World, plan_of
from tests.fakes import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy import Plan

NAME = "tidegate-dev-erase"
ANN = {"customer_id": "C-1001", "email": "ann@example.com", "iban": "DE02120300000000202051"}
REASON = "GDPR Art. 17, case DSR-2026-117"
COVERED = {"name": "payments", "version": 7, "sha256": "0" * 64, "fields": ["email", "card.number"]}


@pytest.fixture
def world() -> Iterator[World]:
    with mock_aws():
        yield World()


def office_of(world: World, *plans: Plan, keys: KeyRing = KEYS) -> Office:
    key = world.kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    return Office(
        policies={plan.name: (plan, People(plan, keys)) for plan in plans or [plan_of()]},
        callers=callers(NAME, time.time),
        subjects=world.subjects(),
        record=world.record("erase"),
        audit_bucket=AUDIT,
        signer=Signer(world.kms, key),
        in_force_s=60,
        recovery_days=7,
        clock=world.clock,
    )


@pytest.fixture
def office(world: World) -> Office:
    return office_of(world)


def ask(office: Office, subject: Any = "C-1001", **changes: Any) -> dict[str, Any]:
    request = {"subject": subject, "reason": REASON, **changes}
    answer, _call = erase(office, with_proof(request, NAME), "r-1")
    return answer


def names_of(value: Any, keys: KeyRing = KEYS, **changes: Any) -> tuple[str, ...]:
    names = People(plan_of(**changes), keys).names(value)
    assert names is not None
    return names


def test_the_receipt_says_what_when_by_whom_and_is_signed(world: World, office: Office) -> None:
    world.sanitised(plan_of(), ANN)
    receipt = ask(office)
    signature, record = receipt.pop("signature"), receipt.pop("record")
    assert receipt == {
        "schema": "tidegate.receipt/1",
        "subjects": list(names_of("C-1001")),
        "erased_at": "2026-11-23T21:04:05Z",
        "in_force_at": "2026-11-23T21:05:05Z",
        "backups_gone_at": "2026-11-30T21:04:05Z",
        "requested_by": ARN,
        "reason": REASON,
        "again": False,
        "policies": [COVERED],
    }
    public = world.kms.get_public_key(KeyId=signature["key"])["PublicKey"]
    whole = {**receipt, "record": record, "signature": signature}
    assert is_authentic(whole, public)
    assert not is_authentic({**whole, "erased_at": "2026-11-24T21:04:05Z"}, public)
    (written,) = world.records("erase")
    assert written.pop("chain")["group"] == "erase"
    assert written == {
        "schema": "tidegate.erasure/1",
        "kind": "erase",
        "time": "2026-11-23T21:04:05Z",
        "who": ARN,
        "reason": REASON,
        "subjects": list(names_of("C-1001")),
        "erased_at": "2026-11-23T21:04:05Z",
        "again": False,
        "policies": [COVERED],
        "request_id": "r-1",
    }
    assert record["bucket"] == AUDIT
    stored = world.s3.get_object(Bucket=AUDIT, Key=record["key"])["Body"].read()
    assert json.loads(stored)["reason"] == REASON


def test_nothing_that_is_left_opens_the_tokens(world: World, office: Office) -> None:
    event = world.sanitised(plan_of(), ANN)
    secrets = [bytes(item["secret"]["B"]) for item in world.people().values()]
    ask(office)
    left = world.people()
    assert set(left) == set(names_of("C-1001"))
    for item in left.values():
        assert item.keys() <= {"subject", "created_at", "erased_at", "previous"}
    opener = openers(plan_of(), KEYS, lambda _wrapped: b"")["email"]
    assert opener(event["email"], secrets[0]) == "ann@example.com"
    for name in left:
        with pytest.raises(InvalidToken):
            opener(event["email"], name.encode())
    again = world.sanitised(plan_of(), {**ANN, "card": {"number": "4000001234567899"}})
    assert (again["email"], again["card"]) == ("[redacted]", {"number": "[redacted]"})
    assert again["iban"] == event["iban"]


def test_again_gives_the_first_time_and_another_receipt(world: World, office: Office) -> None:
    world.sanitised(plan_of(), ANN)
    first = ask(office)
    world.now += 86_400
    second = ask(office)
    assert (first["again"], second["again"]) == (False, True)
    assert second["erased_at"] == first["erased_at"]
    assert [record["again"] for record in world.records("erase")] == [False, True]


def test_an_erasure_that_was_interrupted_is_finished(world: World, office: Office) -> None:
    for keys in (KeyRing({1: ROOTS[1]}), KEYS):  # so that the secret is there twice
        world.sanitised(plan_of(), ANN, keys)
    world.subjects().erase(names_of("C-1001")[1:])  # which does not lead to the newer one
    world.now += 3600
    assert ask(office, dry_run=True)["erased_at"] is None
    receipt = ask(office)
    assert (receipt["again"], receipt["erased_at"]) == (False, "2026-11-23T21:04:05Z")
    # A secret was there until now, so a backup of now has it.
    assert receipt["backups_gone_at"] == "2026-11-30T22:04:05Z"
    assert set(receipt["subjects"]) == set(world.people())
    assert all("erased_at" in item for item in world.people().values())


def test_a_dry_run_tells_and_does_nothing(world: World, office: Office) -> None:
    world.sanitised(plan_of(), ANN)
    before = world.people()
    world.now += 3600
    preview = ask(office, dry_run=True)
    assert preview == {
        "dry_run": True,
        "subjects": list(names_of("C-1001")),
        "seen_since": "2026-11-23T21:04:05Z",
        "erased_at": None,
        "in_force_at": "2026-11-23T22:05:05Z",
        "backups_gone_at": "2026-11-30T22:04:05Z",
        "requested_by": ARN,
        "policies": [COVERED],
    }
    assert world.people() == before
    assert world.records("erase") == []
    ask(office)
    told = ask(office, dry_run=True)
    assert (told["erased_at"], told["in_force_at"]) == ("2026-11-23T22:04:05Z", "2026-11-23T22:05:05Z")


def test_whom_nobody_has_seen_is_erased_only_if_that_is_said(world: World, office: Office) -> None:
    assert "nobody is known by this" in ask(office, "C-4004")["refused"]
    assert "nobody is known by this" in ask(office, "C-4004", dry_run=True)["refused"]
    assert world.people() == {}
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


def test_after_a_rotation_all_names_are_erased(world: World) -> None:
    old = KeyRing({1: ROOTS[1]})
    world.sanitised(plan_of(), ANN, old)
    ask(office_of(world))
    assert set(world.people()) == set(names_of("C-1001"))
    for keys in (old, KEYS, KeyRing({2: ROOTS[2]})):
        assert world.sanitised(plan_of(), ANN, keys)["email"] == "[redacted]"


def test_who_was_erased_before_a_rotation_stays_so(world: World) -> None:
    old = KeyRing({1: ROOTS[1]})
    world.sanitised(plan_of(), ANN, old)
    ask(office_of(world, keys=old))
    world.now += 86_400
    receipt = ask(office_of(world))
    assert (receipt["again"], receipt["erased_at"]) == (True, "2026-11-23T21:04:05Z")
    assert receipt["backups_gone_at"] == "2026-11-30T21:04:05Z"
    assert set(world.people()) == set(names_of("C-1001"))


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
        ({"as": "name"}, "as must be text or number"),
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
    assert (world.people(), world.records("erase")) == ({}, [])


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
    assert not [item for item in world.people().values() if "erased_at" in item]


def test_where_no_output_goes_by_the_person_nothing_can_be_erased(world: World) -> None:
    office = office_of(world)
    nothing = Office(**{name: getattr(office, name) for name in Office.__slots__} | {"policies": {}})
    assert "there is nothing to erase" in ask(nothing)["refused"]


class Denied:
    """A client of which one operation fails."""

    def __init__(self, client: Any, operation: str) -> None:
        self._client, self._operation = client, operation

    def __getattr__(self, name: str) -> Any:
        return self._fail if name == self._operation else getattr(self._client, name)

    def _fail(self, **_call: Any) -> None:
        raise refusal("AccessDeniedException", self._operation)


@pytest.mark.parametrize(
    ("client", "operation"),
    [("dynamodb", "get_item"), ("dynamodb", "update_item"), ("s3", "put_object"), ("kms", "sign")],
)
def test_what_fails_on_the_way_is_mended_by_asking_again(world: World, client: str, operation: str) -> None:
    world.sanitised(plan_of(), ANN)
    works = getattr(world, client)
    setattr(world, client, Denied(works, operation))
    with pytest.raises(Transient, match="AccessDeniedException") as caught:
        ask(office_of(world))
    assert "C-1001" not in str(caught.value)
    setattr(world, client, works)
    assert "signature" in ask(office_of(world))
    assert all("erased_at" in item for item in world.people().values())


def test_the_function_never_reads_a_secret(world: World) -> None:
    world.sanitised(plan_of(), ANN)
    read: list[str] = []

    def heard(params: Any, model: Any, **_more: Any) -> None:
        body = json.loads(params["body"])
        read.append(model.name)
        assert model.name in {"GetItem", "UpdateItem", "PutItem"}
        if model.name == "GetItem":
            assert "secret" not in body["ProjectionExpression"]

    office = office_of(world)
    world.dynamodb.meta.events.register("before-call.dynamodb.*", heard)
    ask(office)
    assert "UpdateItem" in read


# --- The handler ---------------------------------------------------------------------------------------


def test_the_handler_answers_and_tells_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    voice = Voice(NAME, lambda: NOW, lines.append)
    monkeypatch.setattr(processor.access, "erasing", lambda _package, _environ: (None, voice))
    monkeypatch.delitem(sys.modules, "processor.erase", raising=False)
    module = importlib.import_module("processor.erase")
    monkeypatch.delitem(sys.modules, "processor.erase")
    monkeypatch.setattr(
        module, "erase", lambda _office, event, request: ({**event, "r": request}, Call({"DryRuns": 1}))
    )

    class Context:
        aws_request_id = "r-1"

    assert module.handler({"a": 1}, Context()) == {"a": 1, "r": "r-1"}
    (line,) = map(json.loads, lines)
    assert (line["Function"], line["DryRuns"], line["message"]) == (NAME, 1, "answered")


def test_a_receipt_is_one_document(world: World, office: Office) -> None:
    world.sanitised(plan_of(), ANN)
    receipt = ask(office)
    assert canonical(json.loads(json.dumps(receipt))) == canonical(receipt)
