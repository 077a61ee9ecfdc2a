"""Forgetting a person: what is left, the receipt that says so, and the record of all that is asked."""

from __future__ import annotations

import importlib
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws

import processor.access
from processor.calls import Call, Voice
from processor.crypto import InvalidToken, KeyRing
from processor.erasure import Office
from processor.errors import Transient
from processor.policy.opening import openers
from processor.receipts import canonical, is_authentic
from tests.callers import ARN
from tests.desks import AUDIT, KEYS, NOW, ROOTS, World, plan_of
from tests.fakes import refusal
from tests.offices import ANN, COVERED, NAME, REASON, ask, names_of, office_of

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def world() -> Iterator[World]:
    with mock_aws():
        yield World()


@pytest.fixture
def office(world: World) -> Office:
    return office_of(world)


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


def test_the_dates_count_from_when_the_last_secret_was_gone(world: World) -> None:
    class Slow:
        def __getattr__(self, name: str) -> Any:
            return getattr(world.dynamodb, name)

        def update_item(self, **call: Any) -> Any:
            world.now += 20  # DynamoDB throttles
            return world.dynamodb.update_item(**call)

    world.sanitised(plan_of(), ANN)
    office = office_of(world)
    slow = {"subjects": world.subjects(Slow())}
    receipt = ask(Office(**{name: getattr(office, name) for name in Office.__slots__} | slow))
    assert receipt["erased_at"] == "2026-11-23T21:04:05Z"
    assert receipt["in_force_at"] == "2026-11-23T21:05:45Z"
    assert receipt["backups_gone_at"] == "2026-11-30T21:04:45Z"


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
    told = preview.pop("record")
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
    (record,) = world.records("erase")
    key = f"records/erase/dt=2026-11-23/220405-{record.pop('chain')['id']}-1.json"
    assert (told["bucket"], told["key"]) == (AUDIT, key)
    assert record == {
        "schema": "tidegate.erasure/1",
        "kind": "erase",
        "time": "2026-11-23T22:04:05Z",
        "who": ARN,
        "reason": REASON,
        "subjects": list(names_of("C-1001")),
        "dry_run": True,
        "policies": [COVERED],
        "request_id": "r-1",
    }
    ask(office)
    told = ask(office, dry_run=True)
    assert (told["erased_at"], told["in_force_at"]) == ("2026-11-23T22:04:05Z", "2026-11-23T22:05:05Z")


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


class Denied:
    """A client of which one operation fails."""

    def __init__(self, client: Any, operation: str) -> None:
        self._client, self._operation = client, operation

    def __getattr__(self, name: str) -> Any:
        return self._fail if name == self._operation else getattr(self._client, name)

    def _fail(self, **_call: Any) -> None:
        raise refusal("AccessDeniedException", self._operation)


@pytest.mark.parametrize("changes", [{"dry_run": True}, {"subject": "C-4004"}])
def test_nothing_is_told_that_is_not_recorded(world: World, changes: dict[str, Any]) -> None:
    world.sanitised(plan_of(), ANN)
    world.s3 = Denied(world.s3, "put_object")
    with pytest.raises(Transient, match="AccessDeniedException"):
        ask(office_of(world), **changes)


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
