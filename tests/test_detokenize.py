"""Lawful re-identification: what opens for whom, what is told apart, and that the time tells nothing."""

from __future__ import annotations

import importlib
import json
import sys
import time
from base64 import b64encode
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws

import processor.access
import processor.crypto.tokens
from processor.asking import Asked, book_of, read
from processor.calls import Call, Voice
from processor.crypto import KeyRing
from processor.errors import TidegateError, Transient
from processor.rates import Rates
from processor.reidentification import Desk, reidentify
from processor.unwrapping import KEPT_MAX, Unwrapping
from tests.callers import ARN, callers, with_proof
from tests.desks import EVENT, KEYS, LEDGER, NOW, ROOTS, World, plan_of
from tests.fakes import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME = "tidegate-dev-detokenize"
ANN = {
    "customer_id": "C-1001",
    "email": "ann@example.com",
    "card": {"number": "4000001234567899"},
    "iban": "DE02120300000000202051",
    "limit": Decimal("12.50"),
    "photo": b"\x00\xff",
    "note": "call Ann",
    "amount": 7,
}
ASKED = {"policy": "payments", "purpose": "dispute", "ticket": "DSP-4711"}


@pytest.fixture
def world() -> Iterator[World]:
    with mock_aws():
        yield World()


def desk_of(world: World, keys: KeyRing = KEYS, **changes: Any) -> Desk:
    plan = plan_of(**changes)
    unwrap = Unwrapping(kms=world.kms, data_key_arn=world.data_key, policy=plan.name, clock=world.clock)
    return Desk(
        books={plan.name: book_of(plan, keys, unwrap)},
        callers=callers(NAME, time.time),
        rates=Rates(dynamodb=world.dynamodb, table=LEDGER, clock=world.clock),
        subjects=world.subjects(),
        record=world.record("detokenize"),
        clock=world.clock,
    )


@pytest.fixture
def desk(world: World) -> Desk:
    return desk_of(world)


@pytest.fixture
def event(world: World) -> dict[str, Any]:
    """What the gate let out of Ann's payment."""
    return world.sanitised(plan_of(), ANN)


def token(event: dict[str, Any], path: str = "email", **more: Any) -> dict[str, Any]:
    value = event
    for name in path.split("."):
        value = value[name]
    by_subject = {"subject": event["customer_id"]} if path in {"email", "card.number"} else {}
    return {"field": path, "token": value, **by_subject, **more}


def ask(desk: Desk, *tokens: Any, **changes: Any) -> dict[str, Any]:
    answer, _call = reidentify(desk, with_proof({**ASKED, "tokens": list(tokens), **changes}, NAME), "r-1")
    return answer


def values(desk: Desk, *tokens: Any, **changes: Any) -> list[Any]:
    answer = ask(desk, *tokens, **changes)
    assert "refused" not in answer, answer
    return list(answer["values"])


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


# --- The same work, whatever the answer ----------------------------------------------------------------


class Work:
    """Counts derivations, decryptions and lookups."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, dynamodb: Any) -> None:
        self.done: Counter[str] = Counter()
        tokens = processor.crypto.tokens
        derive, cipher = tokens.HKDF, tokens.AESSIV
        count = self.done

        def hkdf(**options: Any) -> Any:
            count["derivations"] += 1
            return derive(**options)

        class Siv:
            def __init__(self, key: bytes) -> None:
                self._inner = cipher(key)

            def decrypt(self, *arguments: Any) -> Any:
                count["decryptions"] += 1
                return self._inner.decrypt(*arguments)

            def encrypt(self, *arguments: Any) -> Any:
                return self._inner.encrypt(*arguments)

        monkeypatch.setattr(tokens, "HKDF", hkdf)
        monkeypatch.setattr(tokens, "AESSIV", Siv)
        dynamodb.meta.events.register("before-call.dynamodb.*", self._lookup)

    def _lookup(self, model: Any, params: Any, **_more: Any) -> None:
        self.done[model.name] += 1
        if model.name == "BatchGetItem":
            (request,) = json.loads(params["body"])["RequestItems"].values()
            self.done["names"] += len(request["Keys"])


def test_every_answer_costs_the_same_work(
    world: World, event: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    erased = world.sanitised(plan_of(), {**ANN, "customer_id": "C-2002"})
    work = Work(monkeypatch, world.dynamodb)
    desk = desk_of(world)
    people = desk.books["payments"].people
    assert people is not None
    names = people.names("C-2002")
    assert names is not None
    world.subjects().erase(names)
    good = event["email"]
    altered = good[:-2] + ("A" if good[-2] != "A" else "B") + good[-1]
    cases = {
        "opened": token(event, subject="C-1001"),
        "of another person": token(event, token=erased["email"], subject="C-1001"),
        "erased": token(erased, subject="C-2002"),
        "forged of an erased person": token(event, token=altered, subject="C-2002"),
        "unseen": token(event, subject="C-3003"),
        "altered": token(event, token=altered, subject="C-1001"),
        "of another domain": token(event, token=event["iban"], subject="C-1001"),
        "of no form": token(event, token="ann@example.com", subject="C-1001"),
        "of an unknown version": token(event, token=good.replace(".2.", ".9."), subject="C-1001"),
        "not in its one form": token(event, token=good + "=", subject="C-1001"),
        "empty inside": token(event, token="tok.email.2.AAAA", subject="C-1001"),
    }
    told, costs = {}, {}
    for case, one in cases.items():
        work.done.clear()
        (value,) = values(desk, one)
        told[case] = value.get("status", "opened")
        costs[case] = dict(work.done)
    assert Counter(told.values()) == {"opened": 1, "erased": 2, "invalid": 8}
    expected = {
        "derivations": 1, "decryptions": 1, "BatchGetItem": 1, "names": 2, "UpdateItem": 1, "PutItem": 1,
    }  # fmt: skip
    assert costs == dict.fromkeys(cases, expected)


def test_all_people_of_a_request_are_looked_up_at_once(
    world: World, event: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work(monkeypatch, world.dynamodb)
    asked = [token(event, subject=f"C-{number}") for number in range(50)]
    values(desk_of(world), *asked)
    assert (work.done["BatchGetItem"], work.done["names"]) == (1, 100)


# --- Limits, permissions, rates ------------------------------------------------------------------------

ONE = {"field": "iban", "token": "tok.iban.2.x"}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"policy": "refunds"}, "policy must be one of payments"),
        ({"policy": None}, "policy must be one of payments"),
        ({"purpose": "curiosity"}, "the policy has no such purpose; it has dispute, delivery"),
        ({"purpose": "Ann wants to know"}, "purpose must be the name"),
        ({"purpose": None}, "purpose must be the name"),
        ({"ticket": "for Ann Smith"}, "ticket must be 3 to 64"),
        ({"ticket": "AB"}, "ticket must be 3 to 64"),
        ({"ticket": None}, "ticket must be 3 to 64"),
        ({"tokens": []}, "tokens must be a list of 1 to 100"),
        ({"tokens": [ONE] * 101}, "tokens must be a list of 1 to 100"),
        ({"tokens": [ONE] * 100, "purpose": "delivery"}, r"tokens[0].field must be one of"),
        ({"tokens": "tok.iban.2.x"}, "tokens must be a list"),
        ({"tokens": [ONE, "tok"]}, "tokens[1] must be an object"),
        ({"tokens": [{**ONE, "more": 1}]}, "tokens[0] must be an object"),
        ({"tokens": [{**ONE, "field": "amount"}]}, "tokens[0].field must be one of"),
        ({"tokens": [{**ONE, "token": ""}]}, "tokens[0].token must be a text of 1 to 1,000,000"),
        ({"tokens": [{**ONE, "token": "x" * 1_000_001}]}, "tokens[0].token must be a text of 1 to"),
        ({"tokens": [{**ONE, "token": 1}]}, "tokens[0].token must be a text"),
        ({"tokens": [{"field": "email", "token": "x"}]}, "tokens[0].subject is needed: email goes by"),
        ({"tokens": [{"field": "email", "token": "x", "subject": True}]}, "tokens[0].subject must be a text"),
        ({"tokens": [{"field": "email", "token": "x", "subject": "s" * 2049}]}, "tokens[0].subject must be"),
        (
            {"tokens": [{"field": "email", "token": "x", "subject": "psn.other.1." + "x" * 22}]},
            "not a name as",
        ),
        ({"tokens": [{"field": "email", "token": "x", "subject": "psn.customer.1.x"}]}, "not a name as"),
        ({"tokens": [{"field": "note", "token": "x"}]}, "tokens[0].event_id must be a text"),
        ({"tokens": [{"field": "card.number", "token": "x", "subject": "s"}]}, "tokens[0].version is needed"),
        ({"tokens": [{**ONE, "version": 3}]}, "tokens[0].version must be one of the token keys': 2, 1"),
        ({"tokens": [{**ONE, "version": True}]}, "tokens[0].version must be one of"),
        ({"more": 1}, "the request has 1 unknown parts"),
    ],
)
def test_what_is_beyond_a_limit_is_refused_and_recorded(
    desk: Desk, world: World, changes: dict[str, Any], why: str
) -> None:
    answer = ask(
        desk, *changes.pop("tokens", [ONE]) if isinstance(changes.get("tokens"), list) else [ONE], **changes
    )
    assert set(answer) == {"refused"}
    assert why in answer["refused"]
    (record,) = world.records("detokenize")
    assert (record["granted"], record["refused"], record["who"]) == (False, answer["refused"], ARN)
    assert record["outcomes"] == {"opened": 0, "erased": 0, "invalid": 0}
    assert "Ann" not in json.dumps(record, ensure_ascii=False)
    assert not world.dynamodb.query(
        TableName=LEDGER,
        KeyConditionExpression="stream = :rates",
        ExpressionAttributeValues={":rates": {"S": f"rates/{ARN.rpartition('/')[0]}"}},
    )["Items"]


def test_a_caller_without_proof_is_refused_and_recorded_as_nobody(desk: Desk, world: World) -> None:
    answer, call = reidentify(desk, {**ASKED, "tokens": [ONE]}, "r-1")
    assert "needs a proof" in answer["refused"]
    assert "needs a proof" in call.refused
    answer, _ = reidentify(desk, ["not", "an", "object"], "r-2")
    assert answer == {"refused": "the request is not a JSON object"}
    first, second = world.records("detokenize")
    assert (first["who"], first["policy"], first["ticket"]) == (None, None, None)
    assert second["chain"]["previous"] is not None


def test_a_callers_hour_has_an_end(desk: Desk, event: dict[str, Any], world: World) -> None:
    assert len(values(desk, *[token(event)] * 100)) == 100
    answer = ask(desk, *[token(event)] * 21)
    assert answer == {
        "refused": "at most 120 values an hour may be opened for dispute: ask later, or for fewer"
    }
    assert len(values(desk, *[token(event)] * 20)) == 20
    assert "refused" in ask(desk, token(event))
    assert values(desk, token(event), purpose="delivery") == [{"value": "ann@example.com"}]
    world.now += 3600
    assert values(desk, token(event)) == [{"value": "ann@example.com"}]
    assert [record["granted"] for record in world.records("detokenize")] == [
        True,
        False,
        True,
        False,
        True,
        True,
    ]


# --- The audit trail, before the answer ----------------------------------------------------------------


def test_the_record_says_who_why_what_and_how_much_and_no_value(
    desk: Desk, event: dict[str, Any], world: World
) -> None:
    asked = [
        token(event),
        token(event, subject="C-1001"),
        token(event, subject="C-3003"),
        token(event, "iban"),
    ]
    answer = ask(desk, *asked)
    (record,) = world.records("detokenize")
    chain = record.pop("chain")
    unseen = desk.books["payments"].people.names("C-3003")  # type: ignore[union-attr]
    assert unseen is not None
    assert record == {
        "schema": "tidegate.access/1",
        "kind": "detokenize",
        "time": "2026-11-23T21:04:05Z",
        "who": ARN,
        "purpose": "dispute",
        "ticket": "DSP-4711",
        "policy": {"name": "payments", "version": 7, "sha256": "0" * 64},
        "fields": {"email": 3, "iban": 1},
        "subjects": sorted([event["customer_id"], unseen[0]]),
        "outcomes": {"opened": 3, "erased": 0, "invalid": 1},
        "granted": True,
        "refused": "",
        "request_id": "r-1",
    }
    assert (chain["group"], chain["link"]) == ("detokenize", 1)
    key = f"records/detokenize/dt=2026-11-23/210405-{chain['id']}-1.json"
    assert answer["record"]["key"] == key
    assert len(answer["record"]["sha256"]) == 64
    text = json.dumps(record)
    assert not [value for value in ("ann@", "C-1001", "DE02", event["email"]) if value in text]


class Broken:
    """A client of which one operation fails."""

    def __init__(self, client: Any, operation: str) -> None:
        self._client, self._operation = client, operation

    def __getattr__(self, name: str) -> Any:
        return self._fail if name == self._operation else getattr(self._client, name)

    def _fail(self, **_call: Any) -> None:
        raise refusal("InternalServerError", self._operation)


@pytest.mark.parametrize(
    ("client", "operation"),
    [
        ("dynamodb", "batch_get_item"),
        ("dynamodb", "update_item"),
        ("dynamodb", "put_item"),
        ("s3", "put_object"),
        ("kms", "decrypt"),
    ],
)
def test_where_aws_fails_on_the_way_nothing_is_answered(
    world: World, event: dict[str, Any], client: str, operation: str
) -> None:
    setattr(world, client, Broken(getattr(world, client), operation))
    asked = [token(event), token(event, "note", event_id=EVENT)]
    with pytest.raises(Transient, match="InternalServerError") as caught:
        ask(desk_of(world), *asked)
    assert "jane.doe" not in str(caught.value)


def test_the_answer_waits_for_its_record(world: World, event: dict[str, Any]) -> None:
    desk = desk_of(world)
    order: list[str] = []

    def record(kind: str, document: Any) -> Any:
        order.append("recorded")
        return world.record("detokenize")(kind, document)

    watched = Desk(**{name: getattr(desk, name) for name in desk.__slots__} | {"record": record})
    ask(watched, token(event))
    order.append("answered")
    assert order == ["recorded", "answered"]


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
        voice = Voice(NAME, lambda: NOW, lines.append)
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
        "level": "INFO", "message": "answered", "Function": NAME, "Requests": 1,
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


def test_no_value_and_no_token_stands_in_a_repr(desk: Desk, event: dict[str, Any]) -> None:
    asked = Asked()
    read({**ASKED, "tokens": [token(event)]}, desk.books, asked)
    assert event["email"] not in repr(asked) + repr(desk)
    assert "Signature" not in repr(desk)
