"""Athena's columns come from the policy, and take all that the gate lets out under it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from processor.crypto import KeyRing
from processor.event import envelope_for
from processor.policy import Sanitiser
from processor.policy.source import compile_policy
from processor.review.columns import table_of
from processor.scoring import Fraud, Reason
from processor.stream import Change, decode
from tests.athena import Number, Table
from tests.builders import stream_record
from tests.conftest import KEYS, NOON
from tests.worlds import PAYMENTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from processor.policy import Plan

FRAUD = Fraud(
    score=0.997,
    flagged=True,
    reasons=(Reason("amount", 0.25),),
    model="payments_fraud@0123456789ab",
    imputed=1,
    features={"amount": 12.5, "age": None},
)


def table(plan: Plan) -> Table:
    made = table_of(plan)
    return Table("events", types(plan), "s3://bucket/events/x/dt=${dt}/", made["mapping"])


def read(plan: Plan, change: Change, fraud: Fraud | None = None, keys: KeyRing = KEYS) -> dict[str, Any]:
    line = envelope_for(plan, 1)(change, Sanitiser(plan, keys).sanitise(change), fraud).line
    event = json.loads(line, parse_float=Number, parse_int=Number)
    row = table(plan).row(event)
    assert row.keys() == {*event, "time_us"}, "a column for each member of an event"
    return row


def small(new: dict[str, Any]) -> Change:
    return Change("e1", "INSERT", NOON, "small", "1", {"id": new.get("id", "1")}, new, None, expired=False)


def types(plan: Plan) -> dict[str, str]:
    return {column["name"]: column["type"] for column in table_of(plan)["columns"]}


def test_what_a_path_reaches_becomes_its_type(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of({
        "id": "keep", "card.number": {"action": "mask", "keep_last": 4}, "card.pin": "drop", "gone": "drop",
        "items[*].sku": "keep", "items[*].note": "redact", "tags[*]": "keep", "contacts.*": "keep",
        "rooms.*.size": "keep", "either.a": "keep", "either[*].a": "keep", "secret.*": "drop",
    })  # fmt: skip
    assert types(plan)["new"] == types(plan)["old"]
    assert types(plan)["new"] == (
        "struct<id:string,card:struct<number:string>,items:array<struct<sku:string,note:string>>,tags:array<string>,"
        "contacts:map<string,string>,rooms:map<string,struct<size:string>>,either:string>"
    )


def test_names_that_no_column_has_are_mapped(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of({
        "e-mail": {"action": "hash", "previous": True}, "e_mail": "keep", "event-id": "keep",
        "createdAt": "keep", '["a b"].c': "keep",
    })  # fmt: skip
    made = table_of(plan)
    assert made["mapping"] == {
        "e_mail_2": "e-mail", "e_mail_previous": "e-mail~previous", "event_id_2": "event-id", "a_b": "a b",
    }  # fmt: skip
    assert made["fields"]['["a b"].c'] == {"value": 'new."a_b"."c"', "action": "keep"}
    two = KeyRing({1: b"a root of at least thirty-two bytes", 2: b"another root of thirty-two bytes"})
    row = read(
        plan,
        small({"e-mail": "x", "e_mail": "y", "event-id": "7", "createdAt": 5, "a b": {"c": "z"}}),
        keys=two,
    )
    assert (row["new"]["e_mail"], row["new"]["event_id_2"], row["event_id"]) == ("y", "7", "e1")
    assert (row["new"]["createdat"], row["new"]["a_b"]) == ("5", {"c": "z"})
    assert len({row["new"]["e_mail_2"], row["new"]["e_mail_previous"], None}) == 3


def test_numbers_are_texts_to_the_last_digit(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of({"id": "keep", "amount": "keep", "tags": "keep"})
    row = read(plan, small({"id": 1, "amount": Decimal(f"0.1{'0' * 30}1"), "tags": frozenset({"b", "a"})}))
    assert row["new"] == {"id": "1", "amount": f"0.1{'0' * 30}1", "tags": '["a", "b"]'}


def test_what_was_redacted_instead_of_a_map_is_no_struct(plan_of: Callable[..., Plan]) -> None:
    """Athena makes null of it, as the table asks; so that is what a reader has to expect."""
    with pytest.raises(AssertionError, match=r"event\.new\.card is no struct"):
        read(plan_of({"id": "keep", "card.number": "keep"}), small({"id": "1", "card": "4111"}))


def test_where_all_is_dropped_there_still_is_a_column(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of({"id": "drop", "*": "keep"})
    assert types(plan)["new"] == "map<string,string>"
    assert table_of(plan)["fields"] == {}
    assert types(plan_of({"id": "drop"}))["new"] == "map<string,string>"


def test_every_event_of_the_sample_policy_fits(policies: Path) -> None:
    plan, _ = compile_policy(policies / "payments.yaml")
    for at, payment in enumerate(PAYMENTS[:100]):
        row = read(
            plan,
            decode(stream_record(payment, old=payment if at % 2 else None, at=at)),
            FRAUD if at % 3 else None,
        )
        assert row["new"]["amount"] == str(payment["amount"])
        assert row["new"]["email"].startswith("tok.email.")
        assert len(row["new"]["items"]) == len(payment["items"])
    assert row["fraud"] is None or row["fraud"]["features"] == {"amount": 12.5, "age": None}


@pytest.mark.parametrize("name", ["payments", "customers"])
def test_no_kept_field_of_a_released_policy_lacks_a_column(name: str, policies: Path) -> None:
    plan, _ = compile_policy(policies / f"{name}.yaml")
    leaving = {rule.path for rule in plan.rules if rule.action != "drop" and "*" not in rule.path}
    assert set(table_of(plan)["fields"]) == leaving
