"""Each value of an event has the rule that made it, and none is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from processor.event import dumps
from processor.policy import Sanitiser
from processor.review.lineage import Traced, lineage
from processor.stream import Change
from tests.conftest import KEYS, NOON

if TYPE_CHECKING:
    from collections.abc import Callable

    from processor.policy import Plan

RECORD = {
    "id": 7,
    "email": "jane@example.com",
    "name": "Jane Doe",
    "age": "a text where a number is wanted",
    "country": "DE",
    "items": [{"sku": "a"}, {"sku": "b"}],
    "emails": {"jane@example.com": {"verified": True}, "joe@example.com": {"verified": False}},
    "tags": frozenset({"x", "y"}),
    "phone": "+49 30 1",
    "secret": "s",
    "odd": {"Jane": 1},
}
FIELDS = {
    "id": {"action": "pseudonymize", "domain": "person"},
    "email": {"action": "tokenize", "class": "identifier"},
    "name": "redact",
    "age": {"action": "bucket", "edges": [18, 65]},
    "country": "keep",
    "items[*].sku": "keep",
    "emails.*~": {"action": "tokenize", "domain": "email", "class": "identifier"},
    "emails.*.verified": "keep",
    "tags[*]": "keep",
    "phone": [{"when": 'country == "DE"', "action": "hash"}, "redact"],
    "secret": "drop",
}


def traced(plan: Plan, **images: Any) -> dict[str, Traced]:
    change = Change("e1", "MODIFY", NOON, "small", "1", {}, None, None, expired=False)
    for name, value in images.items():
        object.__setattr__(change, name, value)
    sanitised = Sanitiser(plan, KEYS).sanitise(change)
    event = json.loads(dumps({"keys": sanitised.keys, "new": sanitised.new, "old": sanitised.old}))
    return {one.path: one for one in lineage(plan, event)}


def test_each_value_has_its_rule(plan_of: Callable[..., Plan]) -> None:
    found = traced(plan_of(FIELDS, unknown="redact"), new=RECORD, old=RECORD, keys={"id": 7})
    told = {
        path: ([rule.action for rule in one.rules], dict(one.values), dict(one.forms))
        for path, one in found.items()
    }
    both = {"new": 1, "old": 1}
    assert told == {
        "id": (["pseudonymize"], {"keys": 1, **both}, {"psn.person.1": 3}),
        "email": (["tokenize"], both, {"tok.email.1": 2}),
        "name": (["redact"], both, {"[redacted]": 2}),
        "age": (["bucket"], both, {"[redacted]": 2}),
        "country": (["keep"], both, {}),
        "items[*].sku": (["keep"], {"new": 2, "old": 2}, {}),
        "emails.*~": (["tokenize"], {"new": 2, "old": 2}, {"tok.email.1": 4}),
        "emails.*.verified": (["keep"], {"new": 2, "old": 2}, {}),
        "tags[*]": (["keep"], {"new": 2, "old": 2}, {}),
        "phone": (["hash", "redact"], both, {}),
        "*": ([], both, {"[redacted]": 2}),
    }


def test_no_value_and_no_key_of_a_record_is_told(plan_of: Callable[..., Plan]) -> None:
    said = repr(list(traced(plan_of(FIELDS, unknown="redact"), new=RECORD).values()))
    assert not any(word in said.lower() for word in ("jane", "joe", "doe", "'x'"))


def test_a_token_that_was_in_the_source_is_no_token_of_ours(plan_of: Callable[..., Plan]) -> None:
    text = KEYS.tokens("email").seal(b"sx")
    assert traced(plan_of({"note": "keep"}), new={"note": text})["note"].forms == {}


def test_what_a_rule_lets_out_whole_is_that_rules(plan_of: Callable[..., Plan]) -> None:
    found = traced(plan_of({"a": "keep", "b": "redact"}), new={"a": None, "b": {"c": [1, 2]}})
    assert {path: dict(one.values) for path, one in found.items()} == {"a": {}, "b": {"new": 1}}
