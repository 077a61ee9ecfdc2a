"""What detokenize refuses, and the record of every request, granted or not, before its answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws

from processor.asking import Asked, read
from processor.errors import Transient
from processor.reidentification import Desk, reidentify
from tests.callers import ARN, Sts
from tests.desks import ANN, ASKED, EVENT, LEDGER, World, ask, desk_of, plan_of, token, values
from tests.fakes import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator


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
        ({"ticket": "ann.smith"}, "with a digit, as GDPR-2026/117"),
        ({"ticket": "020-7946-0123"}, "ticket must not hold personal data; there seems to be: phone"),
        ({"ticket": "4111111111111111"}, "there seems to be: card"),
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
    text = json.dumps(record, ensure_ascii=False)
    assert not [value for value in ("Ann", "ann.smith", "7946", "4111") if value in text]
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


def test_the_record_of_a_refusal_says_what_was_read_until_then(
    desk: Desk, event: dict[str, Any], world: World
) -> None:
    asked = [token(event), token(event, "iban"), token(event)]
    assert "refused" in ask(desk, *asked, {"field": "amount", "token": "x"})
    (record,) = world.records("detokenize")
    assert (record["granted"], record["fields"]) == (False, {"email": 2, "iban": 1})
    assert record["subjects"] == [event["customer_id"]]


def test_a_caller_of_another_account_is_refused_and_recorded(world: World) -> None:
    stranger = "arn:aws:iam::210987654321:user/eve"
    assert "of the AWS account 210987654321" in ask(desk_of(world, sts=Sts(stranger)), ONE)["refused"]
    (record,) = world.records("detokenize")
    assert (record["who"], record["granted"], record["fields"]) == (stranger, False, {})


@pytest.mark.parametrize("ticket", ["INC0012345", "CHG-20261123-0042", "REQ/2026/117", "#4711", "T-1"])
def test_ordinary_tickets_pass(desk: Desk, event: dict[str, Any], world: World, ticket: str) -> None:
    values(desk, token(event, "iban"), ticket=ticket)
    assert [record["ticket"] for record in world.records("detokenize")] == [ticket]


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
    people = desk.books["payments"].people
    assert people is not None
    ann, unseen = people.names("C-1001"), people.names("C-3003")
    assert ann
    assert unseen
    assert event["customer_id"] in ann
    assert record == {
        "schema": "tidegate.access/1",
        "kind": "detokenize",
        "time": "2026-11-23T21:04:05Z",
        "who": ARN,
        "purpose": "dispute",
        "ticket": "DSP-4711",
        "policy": {"name": "payments", "version": 7, "sha256": "0" * 64},
        "fields": {"email": 3, "iban": 1},
        "subjects": sorted([*ann, *unseen]),
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


def test_no_value_and_no_token_stands_in_a_repr(desk: Desk, event: dict[str, Any]) -> None:
    asked = Asked()
    read({**ASKED, "tokens": [token(event)]}, desk.books, asked)
    assert event["email"] not in repr(asked) + repr(desk)
    assert "Signature" not in repr(desk)
