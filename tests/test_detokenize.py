"""Lawful re-identification: what opens for whom, and what is told apart."""

from __future__ import annotations

import importlib
import json
import sys
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws

import processor.access
from processor.calls import Call, Voice
from processor.crypto import KeyRing
from processor.errors import TidegateError, Transient
from processor.unwrapping import KEPT_MAX, Unwrapping
from tests.desks import (
    ANN,
    DETOKENIZE,
    EVENT,
    KEYS,
    NOW,
    PAYMENTS,
    ROOTS,
    World,
    ask,
    desk_of,
    plan_of,
    token,
    values,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from processor.reidentification import Desk


@pytest.fixture
def world() -> Iterator[World]:
    with mock_aws():
        yield World()


@pytest.fixture
def desk(world: World) -> Desk:
    return desk_of(world)


@pytest.fixture
def event(world: World) -> dict[str, Any]:
    """What the gate let out of Ann's payment."""
    return world.sanitised(plan_of(), ANN)


INVALID, ERASED = {"status": "invalid"}, {"status": "erased"}


def test_every_kind_of_token_opens_with_its_type(desk: Desk, event: dict[str, Any]) -> None:
    asked = [
        token(event),
        token(event, "iban"),
        token(event, "limit"),
        token(event, "photo"),
        token(event, "note", event_id=EVENT),
        token(event, "card.number", version=2),
    ]
    assert values(desk, *asked) == [
        {"value": "ann@example.com"},
        {"value": "DE02120300000000202051"},
        {"value": "12.5", "type": "number"},
        {"value": b64encode(b"\x00\xff").decode(), "type": "binary"},
        {"value": "call Ann"},
        {"value": "4000001234567899"},
    ]


def test_the_person_may_be_said_by_name_or_by_id(desk: Desk, event: dict[str, Any], world: World) -> None:
    opened = [{"value": "ann@example.com"}]
    assert values(desk, token(event, subject="C-1001")) == opened
    assert values(desk, token(event, subject=event["customer_id"])) == opened
    numbered = world.sanitised(plan_of(), {**ANN, "customer_id": 1001})
    for subject in (1001, "1001", numbered["customer_id"]):
        assert values(desk, token(numbered, subject=subject)) == opened
    assert values(desk, token(numbered, subject="01001")) == [INVALID]


def test_who_is_both_a_text_and_a_number_has_to_be_named(desk: Desk, world: World) -> None:
    both = [world.sanitised(plan_of(), {**ANN, "customer_id": one}) for one in (1001, "1001")]
    answer = ask(desk, token(both[0], subject="1001"))
    assert answer == {
        "refused": "tokens[0].subject is known as a text and as a number: give the person's name, psn.…"
    }
    assert values(desk, *map(token, both)) == [{"value": "ann@example.com"}] * 2


def test_what_is_no_token_of_this_person_is_invalid(desk: Desk, event: dict[str, Any], world: World) -> None:
    other = world.sanitised(plan_of(), {**ANN, "customer_id": "C-2002"})
    assert other["email"] != event["email"]
    foreign = KeyRing({2: b"x" * 32}).tokens("email", "identifier").seal(b"sx", b"y" * 32)
    asked = [
        token(event, subject="C-2002"),
        token(event, subject="C-never-seen"),
        token(event, token=foreign),
        token(event, token=event["email"][:-1] + ("A" if event["email"][-1] != "A" else "B")),
        token(event, token=event["iban"]),
        token(event, token="ann@example.com"),
        token(event, "iban", token=event["email"]),
        token(event, "note", event_id="another"),
        token(event, "note", event_id=EVENT, token="enc.AAAA.AAAA"),
        token(event, "note", event_id=EVENT, token="enc..AAAA"),
        token(event, "note", event_id=EVENT, token=f"enc.{'A' * 9000}.AAAA"),
    ]
    assert values(desk, *asked) == [INVALID] * len(asked)


def test_a_token_of_an_erased_person_says_so_and_of_nobody_else(
    desk: Desk, event: dict[str, Any], world: World
) -> None:
    other = world.sanitised(plan_of(), {**ANN, "customer_id": "C-2002"})
    names = desk.books["payments"].people.names("C-1001")  # type: ignore[union-attr]
    assert names is not None
    world.subjects().erase(names)
    for subject in (*names, "C-1001"):
        assert values(desk, token(event, subject=subject)) == [ERASED]
    assert values(desk, token(event), token(other)) == [ERASED, {"value": "ann@example.com"}]
    assert values(desk, token(event, token=other["email"])) == [ERASED]
    assert values(desk, token(event, subject="C-2002")) == [INVALID]
    # What does not go by the person is not theirs to take along.
    assert values(desk, token(event, "iban")) == [{"value": "DE02120300000000202051"}]


def test_one_tombstone_among_a_persons_names_is_enough(
    desk: Desk, event: dict[str, Any], world: World
) -> None:
    names = desk.books["payments"].people.names("C-1001")  # type: ignore[union-attr]
    assert names is not None
    world.subjects().erase(names[1:])
    assert values(desk, token(event, subject="C-1001")) == [ERASED]


def test_after_a_rotation_old_events_open_and_a_retired_name_does_not(world: World) -> None:
    first, both, second = KeyRing({1: ROOTS[1]}), KEYS, KeyRing({2: ROOTS[2]})
    old = world.sanitised(plan_of(), ANN, first)
    assert old["customer_id"].startswith("psn.customer.1.")
    assert values(desk_of(world, both), token(old)) == [{"value": "ann@example.com"}]
    new = world.sanitised(plan_of(), ANN, both)
    assert values(desk_of(world, both), token(old), token(new)) == [{"value": "ann@example.com"}] * 2
    # Whatever is still there under a name of the old version: it may be of somebody erased since.
    assert values(desk_of(world, second), token(new, subject=old["customer_id"])) == [INVALID]
    assert values(desk_of(world, second), token(new)) == [{"value": "ann@example.com"}]


# --- Several cases of one field ------------------------------------------------------------------------

MIXED = {
    "two domains": [
        {"when": "amount == 7", "action": "tokenize", "domain": "large"}, {"action": "tokenize"},
    ],
    "two scopes": [
        {"when": "amount == 7", "action": "tokenize", "scope": "subject"}, {"action": "tokenize"},
    ],
    "a token and a ciphertext": [
        {"when": "amount == 7", "action": "tokenize", "scope": "subject"}, {"action": "encrypt"},
    ],
    "two ciphertexts": [
        {"when": "amount == 7", "action": "encrypt", "scope": "subject"}, {"action": "encrypt"},
    ],
    "a token and fpe": [
        {"when": "amount == 7", "action": "tokenize", "scope": "subject"},
        {"action": "fpe", "alphabet": "alphanumeric", "keep": "@.", "domain": "card"},
    ],
}  # fmt: skip


def mixed(world: World, cases: Any, **changes: Any) -> tuple[Desk, list[dict[str, Any]]]:
    """A desk, and a token of each of the two cases of Ann's e-mail address."""
    fields = {**PAYMENTS["fields"], "email": cases}
    plan = plan_of(fields=fields)
    events = [world.sanitised(plan, {**ANN, "amount": amount, **changes}) for amount in (7, 1)]
    one = {"event_id": EVENT, "version": 2}
    return desk_of(world, fields=fields), [token(event, **one) for event in events]


@pytest.mark.parametrize("cases", MIXED.values(), ids=MIXED)
def test_whichever_case_made_it_opens(world: World, cases: Any) -> None:
    desk, tokens = mixed(world, cases)
    assert values(desk, *tokens) == [{"value": "ann@example.com"}] * 2
    assert values(desk, *[{**one, "event_id": "another", "token": "tok.email.1.AAAA"} for one in tokens]) == [
        INVALID, INVALID,
    ]  # fmt: skip


@pytest.mark.parametrize("cases", list(MIXED.values())[1:], ids=list(MIXED)[1:])
def test_what_does_not_go_by_the_person_opens_whoever_that_is(world: World, cases: Any) -> None:
    desk, (by_person, by_domain) = mixed(world, cases)
    opened = {"value": "ann@example.com"}
    nobody = {name: part for name, part in by_domain.items() if name != "subject"}
    assert values(desk, nobody, {**by_domain, "subject": "C-unseen"}) == [opened, opened]
    assert values(desk, {**by_person, "subject": "C-unseen"}) == [INVALID]
    people = desk.books["payments"].people
    assert people is not None
    world.subjects().erase(people.names("C-1001") or ())
    assert values(desk, by_domain, by_person) == [opened, ERASED]


def test_what_fpe_makes_of_the_wrong_secret_is_not_given_out(world: World, event: dict[str, Any]) -> None:
    desk = desk_of(world)
    one = token(event, "card.number", version=2)
    assert values(desk, {**one, "subject": "C-unseen"}) == [INVALID]
    people = desk.books["payments"].people
    assert people is not None
    world.subjects().erase(people.names("C-1001") or ())
    assert values(desk, one) == [ERASED]


# --- Data keys -----------------------------------------------------------------------------------------


def test_a_data_key_is_asked_for_once_in_a_while_and_dropped_for_newer_ones() -> None:
    asked: list[bytes] = []
    now = [0.0]

    class Kms:
        def decrypt(self, **call: Any) -> dict[str, bytes]:
            assert call["EncryptionContext"] == {"purpose": "tidegate.encrypt", "policy": "payments"}
            assert call["KeyId"] == "arn"
            asked.append(call["CiphertextBlob"])
            return {"Plaintext": b"key of " + call["CiphertextBlob"]}

    unwrap = Unwrapping(kms=Kms(), data_key_arn="arn", policy="payments", clock=lambda: now[0])
    assert [unwrap(b"a"), unwrap(b"a"), len(asked)] == [b"key of a", b"key of a", 1]
    now[0] = 300.0
    assert (unwrap(b"a"), len(asked)) == (b"key of a", 2)
    for number in range(KEPT_MAX):
        unwrap(b"%d" % number)
    assert (unwrap(b"a"), len(asked)) == (b"key of a", 3 + KEPT_MAX)
    assert "…" in repr(unwrap)


# --- The handler ---------------------------------------------------------------------------------------


class Context:
    aws_request_id = "r-1"


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Any, list[dict[str, Any]]]]:
    """What the handler does with an event if the journey goes as told, and the lines it writes."""

    def handle(event: Any, journey: Any) -> tuple[Any, list[dict[str, Any]]]:
        lines: list[str] = []
        voice = Voice(DETOKENIZE, lambda: NOW, lines.append)
        monkeypatch.setattr(processor.access, "detokenizing", lambda _package, _environ: (None, voice))
        monkeypatch.delitem(sys.modules, "processor.detokenize", raising=False)
        module = importlib.import_module("processor.detokenize")
        monkeypatch.delitem(sys.modules, "processor.detokenize")
        monkeypatch.setattr(module, "reidentify", journey)
        try:
            answer = module.handler(event, Context())
        except TidegateError as error:
            answer = error
        return answer, [json.loads(line) for line in lines]

    return handle


def test_one_line_says_what_became_of_a_call_in_counts(handle: Any) -> None:
    def journey(_desk: Any, _event: Any, request_id: str) -> Any:
        return {"values": [request_id]}, Call({"ValuesOpened": 2, "TokensErased": 1, "TokensInvalid": 0})

    answer, (line,) = handle({}, journey)
    assert answer == {"values": ["r-1"]}
    (directive,) = line.pop("_aws")["CloudWatchMetrics"]
    assert line == {
        "level": "INFO", "message": "answered", "Function": DETOKENIZE, "Requests": 1,
        "ValuesOpened": 2, "TokensErased": 1, "TokensInvalid": 0, "RequestsRefused": 0, "RequestsFailed": 0,
    }  # fmt: skip
    assert {metric["Name"] for metric in directive["Metrics"]} == {
        name for name, value in line.items() if isinstance(value, int)
    }


def test_a_refusal_is_an_answer(handle: Any) -> None:
    answer, (line,) = handle({}, lambda *_: ({"refused": "no"}, Call(refused="no")))
    assert answer == {"refused": "no"}
    assert (line["level"], line["message"], line["RequestsRefused"]) == ("WARN", "refused: no", 1)


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (Transient("dynamodb:BatchGetItem: Throttled"), "dynamodb:BatchGetItem: Throttled"),
        (KeyError("ann@example.com"), "KeyError at tests/test_detokenize.py:"),
    ],
)
def test_a_failure_answers_nothing_and_says_no_value(handle: Any, failure: Exception, said: str) -> None:
    def journey(*_: Any) -> Any:
        raise failure

    answer, (line,) = handle({}, journey)
    assert isinstance(answer, TidegateError)
    assert said in str(answer)
    assert line["message"].startswith(f"failed: {said}")
    assert (line["level"], line["RequestsFailed"]) == ("ERROR", 1)
    assert "ann@" not in json.dumps(line) + str(answer)
