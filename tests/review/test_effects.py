"""What a change of a policy does to a sample, place by place."""

from collections.abc import Callable
from typing import Any

from processor.crypto import KeyRing
from processor.review import effects as effects_module
from processor.review.effects import ABSENT, Effects, effects

PlanOf = Callable[..., Any]
KEYS = KeyRing({1: b"a root of at least thirty-two bytes"})
NOON = 1_793_016_000


def seen(old: Any, new: Any, *records: dict[str, Any]) -> Effects:
    return effects(old, new, records, keys=KEYS, now=NOON)


def counts(found: Effects) -> dict[str, tuple[int, int, int]]:
    return {path: (one.changed, one.came, one.went) for path, one in found.fields.items()}


def test_the_same_policy_changes_nothing(plan_of: PlanOf) -> None:
    plan = plan_of({"id": "keep", "mail": "tokenize", "scan": "encrypt"})
    found = seen(plan, plan, {"id": 1, "mail": "ann@example.com", "scan": "x"})
    assert (found.records, found.changed, found.fields) == (1, 0, {})


def test_items_of_a_list_count_each(plan_of: PlanOf) -> None:
    old = plan_of({"lines[*].sku": "keep", "lines[*].price": "keep"})
    new = plan_of({"lines[*].sku": "redact"})
    found = seen(old, new, {"lines": [{"sku": "x", "price": 1}, {"sku": "z"}]}, {"lines": []})
    assert counts(found) == {"lines[*].sku": (2, 0, 0), "lines[*].price": (0, 0, 1)}
    assert found.changed == 1
    assert found.fields["lines[*].sku"].shown == [("x", "[redacted]"), ("z", "[redacted]")]
    assert found.fields["lines[*].price"].shown == [(1, ABSENT)]
    assert found.fields["lines[*].price"].after == "no rule: drop"


def test_names_that_only_a_wildcard_reaches_are_not_said(plan_of: PlanOf) -> None:
    old, new = plan_of({"by.*": "keep", "by.total": "keep"}), plan_of({"by.*": "mask"})
    found = seen(old, new, {"by": {"ann": "x", "bob": "z", "total": "t"}})
    assert counts(found) == {"by.*": (2, 0, 0), "by.total": (1, 0, 0)}


def test_a_map_that_becomes_a_text_goes_and_comes(plan_of: PlanOf) -> None:
    found = seen(plan_of({"a.b": "keep"}), plan_of({"a": "redact"}), {"a": {"b": 1}})
    assert counts(found) == {"a.b": (0, 0, 1), "a": (0, 1, 0)}


def test_unknown_names_that_are_data_are_said_by_their_shape(plan_of: PlanOf) -> None:
    old, new = plan_of({"id": "keep"}), plan_of({"id": "keep"}, unknown="redact")
    found = seen(old, new, {"id": 1, 'of "ann"': "x", "extra": 2})
    assert not any("ann" in path for path in found.fields)
    assert len(found.fields) == 2


def test_what_is_remembered_has_an_end(plan_of: PlanOf, monkeypatch: Any) -> None:
    monkeypatch.setattr(effects_module, "FIELDS_MAX", 2)
    old, new = plan_of({"id": "keep"}), plan_of({"id": "keep"}, unknown="redact")
    found = seen(old, new, {f"x{n}": n for n in range(5)})
    assert sorted(found.fields) == ["(further fields)", "x0", "x1"]
    assert found.fields["(further fields)"].came == 3
