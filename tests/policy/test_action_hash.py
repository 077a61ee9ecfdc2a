"""hash: in full, under the domain's key or, said so, under none."""

import hashlib
import re
from collections.abc import Callable
from typing import Any

import pytest

from processor.policy.actions import ACTIONS
from processor.policy.actions.hash import Hash

Sanitise = Callable[..., Any]


def test_a_hash_is_whole_and_nothing_that_guessing_finds(sanitise: Sanitise) -> None:
    hashed = sanitise({"email": "hash"}, {"email": "ann@example.com"}).new["email"]
    assert re.fullmatch("[0-9a-f]{64}", hashed)
    assert hashed != hashlib.sha256(b"ann@example.com").hexdigest()


def test_fields_of_one_domain_join_and_others_do_not(sanitise: Sanitise) -> None:
    fields = {
        "payer": {"action": "hash", "domain": "person"},
        "payee": {"action": "hash", "domain": "person"},
        "clerk": "hash",
    }
    new = sanitise(fields, dict.fromkeys(fields, "C1")).new
    assert new["payer"] == new["payee"] != new["clerk"]


@pytest.mark.parametrize(
    ("value", "text"), [("C1", "C1"), (7, "7"), ("7", "7"), (0, "0"), ("", ""), (b"\x00", "\x00")]
)
def test_without_a_key_it_is_what_others_make_of_the_text(sanitise: Sanitise, value: Any, text: str) -> None:
    rule = {"field": {"action": "hash", "key": "none"}}
    assert sanitise(rule, {"field": value}).new["field"] == hashlib.sha256(text.encode()).hexdigest()


def test_the_text_is_the_normalised_one(sanitise: Sanitise) -> None:
    rule = {"field": {"action": "hash", "key": "none", "normalize": "email"}}
    hashed = sanitise(rule, {"field": " Ann@Example.COM"}).new["field"]
    assert hashed == hashlib.sha256(b"ann@example.com").hexdigest()


def test_without_a_key_it_is_as_exposed_as_what_can_be_guessed() -> None:
    exposure_of = ACTIONS["hash"].exposure_of
    assert exposure_of(Hash()) < ACTIONS["tokenize"].exposure[0]
    assert exposure_of(Hash(keyed_by="none")) >= ACTIONS["truncate"].exposure[0]
