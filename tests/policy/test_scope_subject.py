"""`scope: subject`: whose data it is decides what comes out, and for who was erased nothing does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.crypto import InvalidToken, KeyRing
from processor.errors import Poison
from processor.policy import Sanitised, Sanitiser
from processor.policy.actions import ACTIONS, Keyed
from processor.policy.notes import REDACTED
from processor.policy.opening import openers
from processor.policy.people import People
from processor.stream import Change

if TYPE_CHECKING:
    from collections.abc import Callable

    from processor.policy import Plan

    PlanOf = Callable[..., Plan]
    Sanitise = Callable[..., Sanitised]

OLD, NEW = b"o" * 64, b"n" * 64
KEYS = KeyRing({1: OLD})
ROTATED = KeyRing({1: OLD, 2: NEW})
CUSTOMER = {"action": "pseudonymize", "domain": "customer", "normalize": "lower"}
VALUES = {
    "tokenize": "ann@example.com",
    "pseudonymize": "ann@example.com",
    "hash": "ann@example.com",
    "fpe": "12345678",
    "shift_dates": "2026-02-01",
    "encrypt": "a diagnosis",
}
BY_PERSON = [name for name, action in ACTIONS.items() if issubclass(action.options, Keyed)] + [
    "shift_dates",
    "encrypt",
]


def change(new: Any, old: Any = None, keys: Any = None) -> Change:
    kind = "REMOVE" if new is None else "MODIFY" if old else "INSERT"
    return Change("e1", kind, 1_793_016_000, "small", "1", keys or {}, new, old, expired=False)


def by_person(action: str) -> dict[str, Any]:
    return {"who": CUSTOMER, "field": {"action": action, "scope": "subject"}}


def test_all_actions_that_can_go_by_the_person_are_tested_here() -> None:
    assert set(BY_PERSON) == set(VALUES)


@pytest.mark.parametrize("action", BY_PERSON)
def test_one_value_of_two_people_comes_out_as_two_and_of_one_as_one(plan_of: PlanOf, action: str) -> None:
    sanitiser = Sanitiser(plan_of(by_person(action), subject="who"), KEYS)
    made: dict[str, set[str]] = {}
    for who in ("Ann", "ann ", "bob"):
        one = change({"who": who, "field": VALUES[action]})
        ((name,),) = sanitiser.people(one)
        out = sanitiser.sanitise(one, {name: name[-22:].encode() + b"of ten"}).new
        assert out
        made.setdefault(out["who"], set()).add(out["field"])
    assert len(made) == 2, "the subject's own spelling counts"
    assert all(len(fields) == 1 for fields in made.values())
    assert len(set.union(*made.values())) == 2


@pytest.mark.parametrize("action", BY_PERSON)
def test_of_an_erased_person_nothing_comes_out_and_it_is_counted(plan_of: PlanOf, action: str) -> None:
    sanitiser = Sanitiser(plan_of(by_person(action), subject="who"), KEYS)
    one = change({"who": "ann", "field": VALUES[action]}, {"who": "ann", "field": VALUES[action]})
    ((name,),) = sanitiser.people(one)
    done = sanitiser.sanitise(one, {name: None})
    assert done.new
    assert done.old
    assert (done.new["field"], done.old["field"]) == (REDACTED, REDACTED)
    assert (done.notes.erased, done.notes.mismatched) == (2, 0)
    assert done.new["who"] == name, "what is not the person's own leaves as before"


@pytest.mark.parametrize("action", BY_PERSON)
def test_without_a_person_nothing_comes_out(sanitise: Sanitise, action: str) -> None:
    done = sanitise(by_person(action), {"field": VALUES[action]}, subject="who")
    assert done.new == {"field": REDACTED}
    assert (done.notes.erased, done.notes.mismatched) == (0, 1)


def test_each_image_goes_by_its_own_person(plan_of: PlanOf) -> None:
    sanitiser = Sanitiser(plan_of(by_person("tokenize"), subject="who"), KEYS)
    one = change({"who": "ann", "field": "x"}, {"who": "bob", "field": "x"})
    names = {person[0] for person in sanitiser.people(one)}
    assert len(names) == 2
    ann = People(plan_of(by_person("tokenize"), subject="who"), KEYS).names("ann")
    assert ann
    done = sanitiser.sanitise(one, {name: None if name == ann[0] else b"b" * 32 for name in names})
    assert done.new
    assert done.old
    assert done.new["field"] == REDACTED
    assert done.old["field"].startswith("tok.field.1.")


def test_a_removal_without_images_is_of_the_person_in_its_key(plan_of: PlanOf) -> None:
    sanitiser = Sanitiser(plan_of(by_person("tokenize"), subject="who"), KEYS)
    assert len(sanitiser.people(change(None, None, {"who": "ann", "field": "x"}))) == 1
    assert sanitiser.people(change({}, None, {"who": "ann"})), "an image may be empty"
    assert not Sanitiser(plan_of({"who": CUSTOMER}, subject="who"), KEYS).people(change({"who": "ann"}))


@pytest.mark.parametrize(
    ("fields", "subject", "domain"),
    [
        ({"who": CUSTOMER}, "who", "customer"),
        ({"who": "keep"}, "who", "who"),
        ({"person.id": {"action": "tokenize"}}, "person.id", "id"),
        ({'["odd name"]': "drop"}, '["odd name"]', "subject"),
    ],
)
def test_people_are_of_the_domain_of_the_subject_s_rule(
    plan_of: PlanOf, fields: Any, subject: str, domain: str
) -> None:
    people = People(plan_of(fields, subject=subject), ROTATED)
    names = people.names(17)
    assert names
    assert [name.rpartition(".")[0] for name in names] == [f"psn.{domain}.2", f"psn.{domain}.1"]
    assert people.names("17") != names, "a number is another than its text"
    assert people.names(["17"]) is people.names(None) is None


def test_a_pseudonymized_subject_is_the_person_s_name(plan_of: PlanOf) -> None:
    plan = plan_of({"who": CUSTOMER}, subject="who")
    out = Sanitiser(plan, ROTATED).sanitise(change({"who": " ANN"})).new
    names = People(plan, ROTATED).names("ann")
    assert out
    assert names
    assert out["who"] == names[0]


# ── The way back ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("scope", ["domain", "subject"])
@pytest.mark.parametrize(
    "rule",
    [
        {"action": "tokenize", "class": "identifier"},
        {"action": "fpe"},
        {"action": "fpe", "keep_first": 2, "keep_last": 1, "keep": "-"},
        {"action": "fpe", "class": "pan", "keep_last": 4, "keep": " "},
    ],
    ids=str,
)
@given(digits=st.text("0123456789", min_size=15, max_size=15), secret=st.binary(min_size=32, max_size=32))
def test_what_can_be_opened_opens_to_the_value(
    plan_of: PlanOf, rule: dict[str, Any], scope: str, digits: str, secret: bytes
) -> None:
    plan = plan_of({"who": CUSTOMER, "field": {**rule, "scope": scope}}, subject="who")
    number = digits + str(-sum(doubled(digits)) % 10)
    one = change({"who": "ann", "field": number})
    out = Sanitiser(plan, KEYS).sanitise(one, {name: secret for (name,) in Sanitiser(plan, KEYS).people(one)})
    assert out.new
    opener = openers(plan, KEYS, unwrap=bytes)["field"]
    assert opener(out.new["field"], secret) == number
    assert opener.by_subject is opener.needs_subject is (scope == "subject")
    if scope == "subject":
        with pytest.raises(InvalidToken):
            opener(out.new["field"])
        if rule["action"] == "tokenize" and secret[::-1] != secret:
            with pytest.raises(InvalidToken):
                opener(out.new["field"], secret[::-1])


def doubled(digits: str) -> list[int]:
    """The summands of Luhn's check for what comes before the check digit."""
    twice = [int(digit) * (2 if at % 2 == 0 else 1) for at, digit in enumerate(reversed(digits))]
    return [number - 9 if number > 9 else number for number in twice]


def test_encrypted_values_open_in_their_own_event(plan_of: PlanOf) -> None:
    plan = plan_of({"who": CUSTOMER, "field": "encrypt"}, subject="who")
    data_key = KEYS.data_key()
    out = Sanitiser(plan, KEYS, lambda: data_key).sanitise(change({"who": "ann", "field": 12})).new
    assert out
    opener = openers(plan, KEYS, KEYS.unwrap)["field"]
    assert opener.by_event
    assert opener(out["field"], event_id="e1") == 12
    with pytest.raises(InvalidToken):
        opener(out["field"], event_id="e2")


def test_cases_of_one_field_are_told_apart(plan_of: PlanOf) -> None:
    cases = [
        {"when": 'country == "DE"', "action": "tokenize", "scope": "subject"},
        {"when": 'country == "FR"', "action": "encrypt"},
        {"action": "fpe"},
    ]
    plan = plan_of({"who": CUSTOMER, "country": "keep", "field": cases}, subject="who")
    opener = openers(plan, KEYS, KEYS.unwrap)["field"]
    for country in ("DE", "FR", "US"):
        one = change({"who": "ann", "country": country, "field": "12345678"})
        out = Sanitiser(plan, KEYS).sanitise(
            one, {name: b"s" * 32 for (name,) in Sanitiser(plan, KEYS).people(one)}
        )
        assert out.new
        assert opener(out.new["field"], b"s" * 32, "e1") == "12345678", country
        if country == "DE":
            with pytest.raises(InvalidToken):
                opener(out.new["field"], None, "e1")
        else:
            assert opener(out.new["field"], None, "e1") == "12345678", "the person's key is no part of it"
    assert opener.by_subject
    assert not opener.needs_subject


@given(st.text(max_size=60) | st.sampled_from(["tok.field.1.AAAA", "enc.A.B", "tok.field.1.", "psn.x.1.y"]))
def test_what_was_never_made_does_not_open(plan_of: PlanOf, text: str) -> None:
    plan = plan_of({"field": "tokenize", "other": "encrypt"})
    for opener in openers(plan, KEYS, unwrap=lambda _wrapped: b"k" * 32).values():
        with pytest.raises(InvalidToken, match=r"^this is not a token that these keys can open$"):
            opener(text)


def test_fpe_has_to_be_told_the_key_once_there_are_two(plan_of: PlanOf) -> None:
    plan = plan_of({"field": "fpe", "mail": "tokenize"})
    assert not openers(plan, KEYS, unwrap=bytes)["field"].by_version
    rotated = openers(plan, ROTATED, unwrap=bytes)
    assert rotated["field"].by_version
    assert not rotated["mail"].by_version
    old = Sanitiser(plan, KEYS).sanitise(change({"field": "12345678"})).new
    assert old
    assert rotated["field"](old["field"], version=1) == "12345678"
    with pytest.raises(InvalidToken):
        rotated["field"](old["field"], version=3)


# ── Companions ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("action", [name for name in BY_PERSON if name not in {"shift_dates", "encrypt"}])
@pytest.mark.parametrize("scope", ["domain", "subject"])
def test_a_companion_is_what_the_key_before_made(plan_of: PlanOf, action: str, scope: str) -> None:
    rule = {"action": action, "scope": scope, "previous": True}
    plan = plan_of({"who": CUSTOMER, "field": rule}, subject="who")
    one = change({"who": "ann", "field": VALUES[action]})
    alone, both = (
        Sanitiser(plan, keys).sanitise(
            one, {names[0]: b"s" * 32 for names in Sanitiser(plan, keys).people(one)}
        )
        for keys in (KEYS, ROTATED)
    )
    assert alone.new
    assert both.new
    assert set(alone.new) == {"who", "field"}, "one key makes no companion"
    assert both.new["field~previous"] == alone.new["field"] != both.new["field"]
    assert both.notes.counts == alone.notes.counts, "a companion counts for nothing"


def test_no_companion_stands_beside_what_is_redacted(plan_of: PlanOf) -> None:
    cases = [{"when": 'country == "DE"', "action": "tokenize", "previous": True}, "redact"]
    plan = plan_of(
        {
            "who": CUSTOMER,
            "country": "keep",
            "of.person": {"action": "tokenize", "scope": "subject", "previous": True},
            "cases": cases,
        },
        subject="who",
    )
    sanitiser = Sanitiser(plan, ROTATED)
    one = change({"who": "ann", "of": {"person": "x"}, "cases": "x"})
    done = sanitiser.sanitise(one, {names[0]: None for names in sanitiser.people(one)})
    assert done.new
    assert done.new["of"] == {"person": REDACTED}
    assert "cases~previous" not in done.new
    assert done.notes.erased == 1


def test_a_companion_takes_no_attribute_s_place(plan_of: PlanOf) -> None:
    plan = plan_of({"*": "keep", "mail": {"action": "tokenize", "previous": True}})
    done = Sanitiser(plan, ROTATED).sanitise(change({"mail": "x", "mail~previous": "raw"})).new
    assert done
    assert done["mail~previous"].startswith("tok.mail.1.")
    assert "raw" in done.values(), "it leaves by its own rule, under another name"


# ── What a policy cannot say ──────────────────────────────────────────────────────────────────────────────


def test_classes_of_one_domain_are_one(plan_of: PlanOf) -> None:
    with pytest.raises(AssertionError, match="share the domain mail and not the class"):
        plan_of(
            {
                "a": {"action": "tokenize", "domain": "mail", "class": "identifier"},
                "b": {"action": "tokenize", "domain": "mail"},
            }
        )


@pytest.mark.parametrize(
    ("fields", "more", "words"),
    [
        ({"a": {"action": "hash", "key": "none", "scope": "subject"}}, {}, "scope: without a key"),
        ({"a": {"action": "hash", "key": "none", "previous": True}}, {}, "previous: without a key"),
        ({"a[*]": {"action": "hash", "previous": True}}, {}, "has no name of its own"),
        ({"a": "tokenize"}, {"on_remove": "erase", "subject": "a"}, "nothing that an erasure would reach"),
        ({"a": "hash"}, {"purposes": {"fraud": {"fields": ["a"]}}}, "a cannot be opened: hash is one-way"),
        ({"a": "tokenize"}, {"purposes": {"fraud": {"fields": ["b"]}}}, "unknown field 'b'"),
        ({"a": "tokenize"}, {"purposes": {"Fraud": {"fields": ["a"]}}}, "a lower-case letter"),
        ({"a": "tokenize"}, {"purposes": {"fraud": {"fields": []}}}, "1 to 100 items"),
        (
            {"c": "keep", "a": [{"when": "c == 1", "action": "fpe"}, {"action": "fpe", "keep_last": 1}]},
            {"purposes": {"fraud": {"fields": ["a"]}}},
            "nothing tells which case of fpe",
        ),
        (
            {"mail": "tokenize", "contact.mail": "tokenize"},
            {"purposes": {"fraud": {"fields": ["mail"]}}},
            r"mail has the domain of contact\.mail \(mail\): whoever opens one .*List contact\.mail, too",
        ),
        (
            {"a": {"action": "fpe", "domain": "d"}, "b": {"action": "fpe", "domain": "d", "keep_last": 1}},
            {"purposes": {"fraud": {"fields": ["b"]}}},
            "b has the domain of a",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(plan_of: PlanOf, fields: Any, more: Any, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        plan_of(fields, **more)


# ── Erasing by removal ────────────────────────────────────────────────────────────────────────────────────


def test_a_removal_erases_the_person_in_its_key_where_the_policy_says_so(plan_of: PlanOf) -> None:
    plan = plan_of(by_person("tokenize"), subject="who", on_remove="erase")
    sanitiser = Sanitiser(plan, KEYS)
    removal = change(None, {"who": "ann", "field": "x"}, {"who": "ann"})
    assert sanitiser.removed(removal) in sanitiser.people(removal)
    assert sanitiser.removed(replace(removal, expired=True)) is not None
    assert sanitiser.removed(change({"who": "ann"}, {"who": "ann"}, {"who": "ann"})) is None
    keeping = Sanitiser(plan_of(by_person("tokenize"), subject="who"), KEYS)
    assert keeping.removed(removal) is None


def test_a_removal_that_does_not_say_whom_to_erase_is_held_back(plan_of: PlanOf) -> None:

    sanitiser = Sanitiser(plan_of(by_person("tokenize"), subject="who", on_remove="erase"), KEYS)
    payment = change(None, {"who": "ann", "field": "x"}, {"payment": "p1"})
    assert sanitiser.removed(payment) is None
    with pytest.raises(Poison, match="the key does not say who the person is"):
        sanitiser.sanitise(payment)
