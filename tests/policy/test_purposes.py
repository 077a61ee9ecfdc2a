"""What a purpose lists is what it opens, in one policy and between those that one function serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from processor.crypto import InvalidToken, KeyRing
from processor.policy import Sanitiser
from processor.policy.contradictions import disagreements
from processor.policy.opening import openers
from processor.policy.people import People, spelling
from processor.stream import Change

if TYPE_CHECKING:
    from collections.abc import Callable

    from processor.policy import Plan

    PlanOf = Callable[..., Plan]

KEYS = KeyRing({1: b"o" * 64})
CUSTOMER = {"action": "pseudonymize", "domain": "customer", "normalize": "lower"}


def change(new: Any) -> Change:
    return Change("e1", "INSERT", 1_793_016_000, "small", "1", {}, new, None, expired=False)


def found(plans: list[Plan]) -> list[str]:
    return list(disagreements(plans))


SHARED = {"domain": "d", "class": "identifier"}


@pytest.mark.parametrize(
    ("a", "b", "listed"),
    [
        ({"action": "tokenize", **SHARED}, {"action": "tokenize", **SHARED}, ["a", "b"]),
        ({"action": "tokenize", **SHARED}, {"action": "tokenize", **SHARED, "domain": "e"}, ["a"]),
        ({"action": "tokenize", **SHARED}, {"action": "tokenize", **SHARED, "scope": "subject"}, ["a"]),
        ({"action": "tokenize", **SHARED}, {"action": "fpe", **SHARED}, ["a"]),
        ({"action": "tokenize", **SHARED}, {"action": "pseudonymize", **SHARED}, ["a"]),
        ({"action": "encrypt"}, {"action": "encrypt"}, ["a"]),
    ],
    ids=str,
)
def test_a_purpose_lists_what_it_opens(plan_of: PlanOf, a: Any, b: Any, listed: list[str]) -> None:
    """Where the plan is compiled, a token of b does not open as one of a; where both are listed it may."""
    fields = {"who": CUSTOMER, "a": a, "b": b}
    plan = plan_of(fields, subject="who", purposes={"fraud": {"fields": listed}})
    if b["action"] == "pseudonymize" or "b" in listed:
        return
    data_key = KEYS.data_key()
    one = change({"who": "ann", "b": "12345678"})
    sanitiser = Sanitiser(plan, KEYS, lambda: data_key)
    out = sanitiser.sanitise(one, {name: b"s" * 32 for (name,) in sanitiser.people(one)}).new
    assert out
    opening = openers(plan, KEYS, KEYS.unwrap)
    assert opening["b"](out["b"], b"s" * 32, "e1") == "12345678"
    with pytest.raises(InvalidToken):
        opening["a"](out["b"], b"s" * 32, "e1")


def test_two_policies_agree_on_what_their_purposes_open(plan_of: PlanOf) -> None:
    delivery = {"delivery": {"fields": ["contact.mail"]}}
    one = plan_of({"contact.mail": "tokenize"}, purposes=delivery)
    closed = plan_of({"mail": "tokenize"}, policy="hr", purposes={"pay": {"fields": ["mail"]}})
    (said,) = found([one, closed])[:1]
    assert said == (
        "small: the purpose delivery opens contact.mail, and with it mail of hr, which has its domain (mail) "
        "and is in no purpose delivery there. List it in one, or give one of them another `domain`."
    )
    names = {"delivery": {"fields": ["mail"]}, "pay": {"fields": ["mail"]}}
    same = {"delivery": {"fields": ["contact.mail"]}, "pay": {"fields": ["contact.mail"]}}
    both = plan_of({"mail": "tokenize"}, policy="hr", purposes=names)
    assert found([plan_of({"contact.mail": "tokenize"}, purposes=same), both]) == []
    for other in ({"action": "tokenize", "domain": "staff"}, "encrypt", "hash"):
        apart = plan_of({"mail": other}, policy="hr")
        assert found([one, apart]) == []


def test_two_policies_agree_on_how_their_people_are_spelled(plan_of: PlanOf) -> None:
    plans = [
        plan_of({"who": {**CUSTOMER, **more}, "field": {"action": "hash", "scope": scope}}, **about)
        for more, scope, about in [
            ({}, "subject", {"subject": "who"}),
            ({"normalize": "upper"}, "subject", {"subject": "who", "policy": "other"}),
            (
                {"normalize": "upper", "domain": "courier"},
                "subject",
                {"subject": "who", "policy": "couriers"},
            ),
            ({"normalize": "upper"}, "domain", {"subject": "who", "policy": "nobody"}),
        ]
    ]
    (said,) = found(plans)
    assert said.startswith("small and other share the people of the domain customer,")
    assert "normalize: lower, and upper" in said


@pytest.mark.parametrize(
    ("subject", "rule", "normal"),
    [
        ("who", CUSTOMER, "lower"),
        ("who", {"action": "fpe", "domain": "customer"}, "none"),
        ("person.id", "keep", "none"),
        ("person.id", "tokenize", "none"),
        ('["odd name"]', "drop", "none"),
    ],
)
def test_the_check_knows_people_as_the_gate_does(
    plan_of: PlanOf, subject: str, rule: Any, normal: str
) -> None:
    plan = plan_of({subject: rule}, subject=subject)
    assert spelling(plan) == (People(plan, KEYS).domain, normal)
