"""The promises of the sanitiser: what no rule names does not leave, and what a rule hides stays hidden."""

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.errors import Poison

Sanitise = Callable[..., Any]

REDACTED = "[redacted]"
CARD = "4111 1111 1111 1111"

names = st.text(min_size=1, max_size=12)
scalars = (
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(max_size=20) | st.binary(max_size=9)
)
trees = st.recursive(
    scalars | st.frozensets(st.text(max_size=5), max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)
records = st.dictionaries(names, trees, max_size=5)
FIELDS = {
    "a": "keep",
    "b": {"action": "tokenize", "normalize": "lower"},
    "c.d": "pseudonymize",
    "c.*": "redact",
    "e[*].f": {"action": "mask", "keep_last": 2},
    "g": "scrub",
    "h": "drop",
    "i": {"action": "generalize", "to": "year"},
}
known = st.fixed_dictionaries({}, optional=dict.fromkeys("abcdefghi", trees))


def shuffled(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {name: shuffled(tree[name]) for name in reversed(tree)}
    return [shuffled(item) for item in tree] if isinstance(tree, list) else tree


def is_json_ready(tree: Any) -> bool:
    if isinstance(tree, dict):
        return all(type(name) is str and is_json_ready(item) for name, item in tree.items())
    if isinstance(tree, list):
        return all(map(is_json_ready, tree))
    return tree is None or type(tree) in {str, int, Decimal, bool}


@given(record=known | records)
def test_is_total_deterministic_and_blind_to_the_order_of_keys(
    sanitise: Sanitise, record: dict[str, Any]
) -> None:
    done = sanitise(FIELDS, record)
    again = sanitise(FIELDS, shuffled(record))
    assert is_json_ready(done.new)
    assert (done.new, done.notes.as_event()) == (again.new, again.notes.as_event())
    assert done.notes.actions == again.notes.actions


@given(record=records, unknown=st.sampled_from(["drop", "redact"]))
def test_what_no_rule_names_never_leaves(sanitise: Sanitise, record: dict[str, Any], unknown: str) -> None:
    record.pop("named", None)
    done = sanitise({"named": "keep"}, record, unknown=unknown)
    assert done.notes.unknown == len(record)
    assert set(done.new.values()) <= {REDACTED}
    assert set(done.new) <= (set(record) if unknown == "redact" else set())


@given(value=st.text(max_size=40), action=st.sampled_from(["drop", "redact", "tokenize", "pseudonymize"]))
def test_hidden_values_do_not_show_in_any_form(sanitise: Sanitise, value: str, action: str) -> None:
    secret = f"{value}!secret!"
    text = json.dumps(sanitise({"field": action}, {"field": secret}).new, ensure_ascii=False)
    raw = secret.encode("utf-8", "surrogatepass")
    for form in (secret, json.dumps(secret)[1:-1], b64encode(raw).decode().rstrip("="), raw.hex()):
        assert form not in text


def test_a_tree_of_rules(sanitise: Sanitise) -> None:
    fields = {
        "address.*": "redact",
        "address.country": "keep",
        "items[*].sku": "keep",
        "items[*].tags[*]": "pseudonymize",
        'odd["a.b"]': "keep",
    }
    new = {
        "address": {"city": "Ulm", "country": "DE", "geo": {"lat": 1}},
        "items": [{"sku": "A", "gift": "x", "tags": ["t"]}, {"sku": 7}, "loose", None],
        "odd": {"a.b": 1, "a": {"b": 2}},
    }
    done = sanitise(fields, new)
    assert done.new["address"] == {"city": REDACTED, "country": "DE", "geo": REDACTED}
    assert done.new["items"][1:] == [{"sku": 7}, REDACTED, None]
    assert done.new["items"][0]["tags"][0].startswith("psn.tags.1.")
    assert set(done.new["items"][0]) == {"sku", "tags"}
    assert done.new["odd"] == {"a.b": 1}


def test_every_image_is_sanitised(sanitise: Sanitise) -> None:
    done = sanitise(
        {"id": "keep", "name": "redact"}, {"id": 2, "name": "B"}, old={"id": 1, "x": 0}, keys={"id": 2}
    )
    assert (done.keys, done.new, done.old) == ({"id": 2}, {"id": 2, "name": REDACTED}, {"id": 1})
    gone = sanitise({"id": "keep"}, None, old={"id": 1}, keys={"id": 1})
    assert (gone.new, gone.old) == (None, {"id": 1})


def test_everything_is_counted_by_the_policy_s_own_names(sanitise: Sanitise) -> None:
    fields = {
        "items[*].sku": "keep",
        "note": "scrub",
        "card": "drop",
        "year": {"action": "generalize", "to": "year"},
    }
    note = "a@example.com or b@example.com or 4111111111111111"
    done = sanitise(
        fields, {"items": [{"sku": 1}, {"sku": 2}], "note": note, "card": 1, "new": 1, "year": "?"}
    )
    assert done.notes.actions == Counter(
        {("items[*].sku", "keep"): 2, ("note", "scrub"): 1, ("card", "drop"): 1}
    )
    assert done.notes.as_event() == {
        "dropped": 2,
        "scrubbed": {"card": 1, "email": 2},
        "leaks": 0,
        "mismatched": 1,
        "oversized": 0,
        "unknown": 1,
    }


def test_the_guard_stops_what_a_rule_lets_out_by_mistake(sanitise: Sanitise) -> None:
    fields = {
        "ref": "keep",
        "tags": "keep",
        "blob": "keep",
        "ok": {"action": "keep", "allow": ["card"]},
        "m.*": "keep",
    }
    done = sanitise(
        fields,
        {
            "ref": f"paid with {CARD}",
            "tags": frozenset({"a", "ann@example.com"}),
            "blob": CARD.encode(),
            "ok": CARD,
            "m": {"ann@example.com": 1, "plain": 4111111111111111},
        },
    )
    assert done.new == {
        "ref": REDACTED,
        "tags": [REDACTED, "a"],
        "blob": REDACTED,
        "ok": CARD,
        "m": {"plain": REDACTED},
    }
    assert done.notes.leaks == 5


def test_texts_too_long_to_be_searched_do_not_leave(sanitise: Sanitise) -> None:
    done = sanitise({"note": "keep"}, {"note": "a" * 100_001})
    assert (done.new, done.notes.oversized) == ({"note": REDACTED}, 1)


def test_an_unknown_field_may_hold_a_record_back_without_being_named(
    sanitise: Sanitise,
) -> None:
    with pytest.raises(Poison) as caught:
        sanitise({"a.b": "keep"}, {"a": {"ann@example.com": 1}}, unknown="quarantine")
    assert (caught.value.reason, caught.value.path) == ("there is a field that no rule names", "a.?")


@pytest.mark.parametrize("record", [{}, {"card": {}}, {"card": "4111"}, {"card": None}])
def test_a_required_field_holds_back_a_record_without_it(sanitise: Sanitise, record: dict[str, Any]) -> None:
    fields = {"card.number": {"action": "mask", "required": True}}
    with pytest.raises(Poison) as caught:
        sanitise(fields, record)
    assert caught.value.path == "card.number"
    assert sanitise(fields, {"card": {"number": None}}, old=record).new == {"card": {"number": None}}
    with pytest.raises(Poison):
        sanitise(fields, None, old=record)
