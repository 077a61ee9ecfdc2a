from __future__ import annotations

import json
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.event import Alert, alert_for, dumps, envelope_for, summary
from processor.policy import Notes, Sanitised
from processor.scoring import Fraud, Reason
from processor.stream import decode
from tests.builders import FIRST_SEQUENCE, event, stream_record

numbers = st.integers() | st.decimals(allow_nan=False, allow_infinity=False)
trees = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(trees)
def test_json_holds_every_digit(tree: Any) -> None:
    text = dumps(tree)
    assert text.isascii()
    assert "\n" not in text

    def exact(text: str) -> Any:
        return Decimal(text)

    def as_decimals(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: as_decimals(item) for name, item in value.items()}
        if isinstance(value, list):
            return [as_decimals(item) for item in value]
        return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value

    assert json.loads(text, parse_int=exact, parse_float=exact) == as_decimals(tree)


@pytest.mark.parametrize("value", [b"x", {1}, object(), Decimal("NaN"), float("nan")])
def test_json_refuses_what_it_has_no_place_for(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        dumps({"field": [value]})
    assert "b'x'" not in str(caught.value)


def test_a_lone_surrogate_stays_json() -> None:
    assert json.loads(dumps({"note": "\ud800"})) == {"note": "\ud800"}


def plan(events: str = "flagged", attributes: tuple[str, ...] = ()) -> Any:
    sns = SimpleNamespace(events=events, attributes=attributes)
    return SimpleNamespace(name="payments", version=7, sha256="ab" * 32, routes=SimpleNamespace(sns=sns))


NEW = {"payment_id": "psn.x", "amount": Decimal("12.50"), "card": {"network": "visa"}, "tags": ["a"]}


def sanitised(new: Any = NEW, old: Any = None) -> Sanitised:
    return Sanitised(
        {"payment_id": "psn.x"}, new, old, Notes((("amount", "keep"),), [1], scrubbed={"email": 1})
    )


def test_the_envelope_is_the_contract() -> None:
    change = decode(stream_record({"payment_id": "p-1"}, at=5))
    verdict = Fraud(
        score=0.997,
        flagged=True,
        reasons=(Reason("amount", 0.41),),
        model="payments_fraud@1f3c00000000",
        imputed=0,
    )
    made = envelope_for(plan(), 2)(change, sanitised(), verdict)
    assert json.loads(made.line) == {
        "schema": "tidegate.event/1",
        "event_id": f"{5:032x}",
        "type": "INSERT",
        "time": "2026-11-23T21:04:10Z",
        "table": "payments",
        "sequence": str(FIRST_SEQUENCE + 5),
        "expired": False,
        "keys": {"payment_id": "psn.x"},
        "new": {"payment_id": "psn.x", "amount": 12.5, "card": {"network": "visa"}, "tags": ["a"]},
        "old": None,
        "fraud": {
            "score": 0.997,
            "flagged": True,
            "reasons": [{"feature": "amount", "weight": 0.41}],
            "model": "payments_fraud@1f3c00000000",
        },
        "policy": {"name": "payments", "version": 7, "sha256": "ab" * 32, "key_version": 2},
        "notes": {
            "dropped": 0,
            "scrubbed": {"email": 1},
            "leaks": 0,
            "mismatched": 0,
            "oversized": 0,
            "erased": 0,
            "unknown": 0,
        },
    }
    assert '"amount":12.50' in made.line
    assert made.flagged


def test_attributes_are_sanitised_scalars() -> None:
    paths = ("card.network", "amount", "tags", "missing", '["odd name"]')
    change = decode(stream_record({"payment_id": "p-1"}))
    verdict = Fraud(score=0.5, flagged=False, reasons=(), model="m@1", imputed=0)
    made = envelope_for(plan(), 2)(change, sanitised(NEW | {"odd name": True}), verdict)
    assert alert_for(plan("all", attributes=paths))(made.line) == Alert(
        event_id=f"{0:032x}",
        sequence=str(FIRST_SEQUENCE),
        line=made.line,
        attributes={
            "type": "INSERT",
            "policy": "payments",
            "flagged": False,
            "score": Decimal("0.5"),
            "card.network": "visa",
            "amount": Decimal("12.50"),
            "odd_name": True,
        },
    )


@pytest.mark.parametrize(
    ("route", "routed"), [("all", [True, True]), ("flagged", [True, False]), ("none", [False, False])]
)
def test_an_alert_is_made_of_what_the_policy_routes(route: str, routed: list[bool]) -> None:
    make, alert = envelope_for(plan(), 2), alert_for(plan(route))
    change = decode(stream_record({"payment_id": "p-1"}))
    verdicts = [Fraud(score, score > 0.5, (), "m@1", 0) for score in (0.9, 0.1)]
    lines = [make(change, sanitised(), verdict).line for verdict in verdicts]
    assert [alert(line) is not None for line in lines] == routed


def test_a_removal_has_no_verdict_and_speaks_of_the_old_image() -> None:
    change = decode(stream_record(None, {"payment_id": "p-1"}))
    made = envelope_for(plan(), 2)(change, sanitised(None, NEW), None)
    assert json.loads(made.line)["fraud"] is None
    assert not made.flagged
    assert alert_for(plan())(made.line) is None
    told = alert_for(plan("all", attributes=("amount",)))(made.line)
    assert told is not None
    assert told.attributes == {"type": "REMOVE", "policy": "payments", "amount": Decimal("12.50")}


def test_the_summary_counts() -> None:
    events = [event(0, score=0.999), event(1, score=0.1), event(2)]
    events[0].notes.scrubbed["email"] = 2
    counted = summary(events, plan(), "payments_fraud@0123456789ab", (2, 1))
    assert counted == {
        "records": 3,
        "flagged": 1,
        "imputed": 0,
        "policy": {"name": "payments", "version": 7, "sha256": "ab" * 32},
        "model": "payments_fraud@0123456789ab",
        "key_versions": {"tokens": 2, "ring": [2, 1]},
        "actions": [{"field": "amount", "action": "keep", "count": 3}],
        "notes": {
            "dropped": 6,
            "unknown": 0,
            "mismatched": 0,
            "oversized": 0,
            "erased": 0,
            "leaks": 0,
            "scrubbed": {"email": 2},
        },
    }
    assert summary(events[::-1], plan(), "payments_fraud@0123456789ab", (2, 1)) == counted
