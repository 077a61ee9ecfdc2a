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
        "erased": 0,
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


def test_every_limit_of_the_policy_is_met_with_a_redaction_that_is_counted(sanitise: Sanitise) -> None:
    limits = {"text_characters": 100, "items": 3, "depth": 3}
    fields = {
        "text": "tokenize",
        "blob": "keep",
        "set": "keep",
        "list[*]": "keep",
        "map.*": "keep",
        "deep.a.b.c": "keep",
        "near.a.b": "keep",
        "gone": "drop",
    }
    inside = {
        "text": "t" * 100,
        "blob": b"b" * 100,
        "set": frozenset("abc"),
        "list": [1, 2, 3],
        "map": {"a": 1, "b": 2, "c": 3},
        "near": {"a": {"b": 1}},
    }
    for name, value in inside.items():
        done = sanitise(fields, {name: value}, limits=limits)
        assert (done.notes.oversized, REDACTED in json.dumps(done.new)) == (0, False), name
    beyond = {
        "text": "t" * 101,
        "blob": b"b" * 101,
        "set": frozenset("abcd"),
        "list": [1, 2, 3, 4],
        "map": {"a": 1, "b": 2, "c": 3, "d": 4},
        "deep": {"a": {"b": {"c": 1}}},
    }
    for name, value in beyond.items():
        done = sanitise(fields, {name: value, "gone": "x" * 999}, limits=limits)
        where = {"deep": {"a": {"b": REDACTED}}}.get(name, REDACTED)
        assert (done.new, done.notes.oversized) == ({name: where}, 1)
    with pytest.raises(Poison, match=r"has more than the 3 attributes of limits\.items"):
        sanitise(fields, dict.fromkeys("abcd", 1), limits=limits)


def test_whoever_looks_for_everything_looks_for_the_policy_s_own_too(sanitise: Sanitise) -> None:
    own = {"staff": {"pattern": "E-[0-9]{6}", "bare": "likely"}}
    for entities, left in ((None, "[staff]"), (["staff"], "[staff]"), (["email"], "E-123456")):
        rule = {"action": "scrub"} | ({"entities": entities} if entities else {})
        done = sanitise({"note": rule}, {"note": "E-123456"}, recognizers=own)
        assert done.new == {"note": left}


def test_names_that_are_data_are_sanitised_like_values(sanitise: Sanitise) -> None:
    fields = {
        "by_mail.*": "keep",
        "by_mail.*~": {"action": "pseudonymize", "domain": "email"},
        "email": "pseudonymize",
    }
    done = sanitise(
        fields, {"by_mail": {"ann@example.com": 1, "bob@example.com": 2}, "email": "bob@example.com"}
    )
    assert done.new["by_mail"][done.new["email"]] == 2
    assert sorted(done.new["by_mail"].values()) == [1, 2]
    assert "example" not in json.dumps(done.new)
    assert done.notes.actions["by_mail.*~", "pseudonymize"] == 2


def test_names_that_come_out_the_same_are_told_apart_in_an_order_of_their_own(sanitise: Sanitise) -> None:
    fields = {"m.*": "keep", "m.*~": "redact", "m.x": "keep"}
    done = sanitise(fields, {"m": {"b": 2, "a": 1, "x": 0, "c": 3}})
    again = sanitise(fields, {"m": {"c": 3, "x": 0, "a": 1, "b": 2}})
    assert done.new == again.new == {"m": {REDACTED: 1, f"{REDACTED}#2": 2, f"{REDACTED}#3": 3, "x": 0}}


def test_names_that_may_not_leave_take_their_value_along(sanitise: Sanitise) -> None:
    done = sanitise({"m.*": "keep", "m.*~": "drop"}, {"m": {"a": 1}})
    assert (done.new, done.notes.dropped) == ({"m": {}}, 2)


def test_items_of_a_list_have_tokens_of_their_own(sanitise: Sanitise) -> None:
    values = ["a", "b", "a", 0, False, "", "0", Decimal("1.5")]
    got = sanitise({"list[*]": "tokenize"}, {"list": values}).new["list"]
    assert got[0] == got[2]
    assert (
        len(set(got)) == len(values) - 1
    )  # 0, false, the empty text and "0" are four values like any others
    assert REDACTED not in got


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
