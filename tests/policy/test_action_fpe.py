"""fpe: of one form with the value, joins, opens with the key; refused at the check or redacted if unsafe."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.crypto import KeyRing
from processor.crypto.pan import luhn_remainder
from processor.policy.plan import read_plan

Sanitise = Callable[..., Any]

REDACTED = "[redacted]"
KEYS = KeyRing({1: b"a root of at least thirty-two bytes"})
DAYS = {"events": 400, "audit": 2557, "quarantine": 14, "logs": 90, "ledger": 21}
CARD = "4111111111111111"


def problems_of(rule: dict[str, Any]) -> list[tuple[Any, str]]:
    document = {
        "policy": "small",
        "version": 1,
        "fields": {"field": rule},
        "routes": {"sns": {"events": "none"}},
        "retention_days": DAYS,
    }
    return [(one.at[2:], one.message) for one in read_plan(document, "0" * 64)[1]]


@pytest.mark.parametrize(
    ("options", "value", "form"),
    [
        ({}, "123456", "[0-9]{6}"),
        ({}, 1234567, "[0-9]{7}"),
        ({}, Decimal(1234567), "[0-9]{7}"),
        ({"keep": "-"}, "123-45-6789", "[0-9]{3}-[0-9]{2}-[0-9]{4}"),
        ({"keep_first": 2, "keep_last": 1}, "GB1234567", "GB[0-9]{6}7"),
        ({"alphabet": "hex"}, "00ff00", "[0-9a-f]{6}"),
        ({"alphabet": "lower"}, "annlee", "[a-z]{6}"),
        ({"alphabet": "upper"}, "ANNLEE", "[A-Z]{6}"),
        ({"alphabet": "alphanumeric"}, "Ann1", "[0-9A-Za-z]{4}"),
        ({"characters": "ACGT"}, "ACGTACGTAC", "[ACGT]{10}"),
        ({"length": 9}, "123456789", "[0-9]{9}"),
        ({"class": "pan", "keep_last": 4}, CARD, "[0-9]{12}1111"),
        ({"class": "pan", "keep_first": 6, "keep_last": 4}, int(CARD), "411111[0-9]{6}1111"),
        ({"class": "pan", "keep": " "}, "4111 1111 1111 1111", "[0-9]{4}( [0-9]{4}){3}"),
    ],
)
def test_the_form_stays(sanitise: Sanitise, options: dict[str, Any], value: Any, form: str) -> None:
    token = sanitise({"field": {"action": "fpe", **options}}, {"field": value}).new["field"]
    assert re.fullmatch(form, token)
    assert token != str(value)


@pytest.mark.parametrize(
    ("options", "value"),
    [
        ({}, "12345"),
        ({}, ""),
        ({}, 0),
        ({}, False),
        ({}, -1234567),
        ({}, Decimal("1234567.5")),
        ({}, Decimal("NaN")),
        ({}, b"1234567"),
        ({}, "123 4567"),
        ({}, "12345678\n"),
        ({}, "1234567\N{ARABIC-INDIC DIGIT FIVE}"),
        ({}, "1" * 1025),
        ({"keep_first": 4, "keep_last": 4}, "1234567"),
        ({"keep_first": 4, "keep_last": 4}, "1234567890123"),
        ({"alphabet": "hex"}, "00FF00"),
        ({"length": 9}, "12345678"),
        ({"length": 9, "keep": "-"}, "1234-5678"),
        ({"class": "pan"}, "4111111111111112"),
        ({"class": "pan", "keep_first": 6, "keep_last": 4}, "378282246310005"),
        ({"luhn": "invalid"}, "card"),
    ],
)
def test_what_is_not_of_the_form_or_too_short_is_redacted(
    sanitise: Sanitise, options: dict[str, Any], value: Any
) -> None:
    done = sanitise({"field": {"action": "fpe", **options}}, {"field": value})
    assert done.new == {"field": REDACTED}
    assert done.notes.mismatched == 1


@pytest.mark.parametrize(
    ("options", "place", "words"),
    [
        ({"alphabet": "hex", "characters": "ACGT"}, "characters", "the same thing twice"),
        ({"characters": "ACCT"}, "characters", "twice in characters"),
        ({"characters": "AC-T", "keep": "-"}, "keep", "a separator is one"),
        ({"class": "pan", "luhn": "any"}, "luhn", "another card's"),
        ({"length": 5}, "length", "100,000 values"),
        ({"length": 9, "keep_last": 4}, "length", "100,000 values"),
        ({"length": 3, "keep_last": 4}, "length", "1 values"),
        ({"class": "pan", "alphabet": "hex"}, "alphabet", "made of digits"),
        ({"class": "pan", "keep_last": 5}, "keep_last", "at most 4"),
        ({"class": "pan", "length": 11}, "length", "12 to 19 digits"),
        ({"class": "pan", "length": 15, "keep_first": 6, "keep_last": 4}, "length", "too few of 15"),
        ({"class": "pan", "keep_first": 8, "keep_last": 4}, None, "too few of 16"),
    ],
)
def test_the_check_refuses_what_cannot_be_safe(options: dict[str, Any], place: str, words: str) -> None:
    ((at, message),) = problems_of({"action": "fpe", **options})
    assert at == ((place,) if place else ())
    assert words in message


def test_the_check_passes_what_can() -> None:
    assert problems_of({"action": "fpe", "class": "pan", "length": 19, "keep_first": 8, "keep_last": 4}) == []
    assert problems_of({"action": "fpe", "class": "pan", "length": 15, "keep_first": 5, "keep_last": 4}) == []
    assert problems_of({"action": "fpe", "length": 10, "keep_last": 4}) == []


def test_a_card_number_of_another_class_is_one_too(sanitise: Sanitise) -> None:
    rule = {"field": {"action": "fpe", "luhn": "invalid", "keep_last": 4}}
    assert luhn_remainder(sanitise(rule, {"field": CARD}).new["field"])


def test_fields_of_one_domain_join_and_the_key_opens_them(sanitise: Sanitise) -> None:
    fields = {
        "payer": {"action": "fpe", "domain": "account"},
        "payee": {"action": "fpe", "domain": "account"},
        "other": "fpe",
    }
    new = sanitise(fields, dict.fromkeys(fields, "12345678")).new
    assert new["payer"] == new["payee"] != new["other"]
    assert KEYS.fpe("account", "0123456789").decrypt(new["payer"]) == "12345678"


@given(values=st.sets(st.text("0123456789", min_size=6, max_size=7), min_size=2, max_size=20))
def test_no_two_values_have_one_token(sanitise: Sanitise, values: set[str]) -> None:
    listed = sorted(values)
    tokens = sanitise({"field[*]": "fpe"}, {"field": listed}).new["field"]
    assert len(set(tokens)) == len(listed)
    assert [len(token) for token in tokens] == [len(value) for value in listed]
