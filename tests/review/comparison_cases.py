"""Pairs of policies and what their comparison says: `+` wider, `-` narrower, `~` neither."""

from typing import Any

DAYS = {"events": 400, "audit": 2557, "quarantine": 14, "logs": 90, "ledger": 21}
SCORE = {"model": "forest", "reads": ["a"], "flag_at": "p99"}
FLAGGED = {"sns": {"events": "flagged"}}


def tokens(**options: Any) -> dict[str, Any]:
    return {"action": "tokenize", **options}


CASES = [{"when": 'b == "x"', "action": "mask"}, "drop"]

FIELDS = {
    "more is seen": ({"a": "redact"}, {"a": "keep"}, ["+ a exposure"]),
    "a field is added": ({"b": "keep"}, {"b": "keep", "a": "mask"}, ["+ a exposure"]),
    "a field is added that does not leave": ({"b": "keep"}, {"b": "keep", "a": "drop"}, ["~ a action"]),
    "a rule inside a map": ({"a": "keep"}, {"a.b": "keep"}, ["+ a.b exposure", "- a exposure"]),
    "a rule inside a map that was dropped": (
        {"a": "drop", "z": "keep"},
        {"a.b": "mask", "z": "keep"},
        ["+ a exposure", "+ a.b exposure"],
    ),
    "an exception to a wildcard": (
        {"a.*": "keep"},
        {"a.*": "keep", "a.b": "drop"},
        ["- a.b exposure"],
    ),
    "names leave with a wildcard": ({"b": "keep"}, {"b": "keep", "a.*": "mask"},
        ["+ a.* exposure", "+ a.*~ exposure"]),
    "names get a rule": ({"a.*": "mask"}, {"a.*": "mask", "a.*~": "pseudonymize"}, ["- a.*~ exposure"]),
    "no name leaves where no value does": ({"b": "keep"}, {"b": "keep", "a.*": "drop"},
        ["~ a.* action", "~ a.*~ action"]),
    "items of a list": ({"a": "keep"}, {"a[*]": "keep"}, ["+ a[*] exposure", "- a exposure"]),
    "where wildcards cross": (
        {"a.*.*": "keep", "a.*.c": "drop"},
        {"a.*.*": "keep", "a.b.*": "mask"},
        ["+ a.*.c exposure", "+ a.b.c exposure", "- a.b.* exposure"],
    ),
    "where a rule for a whole value was in the way": (
        {"a.*.c": "keep", "a.b": "mask"},
        {"a.*.c": "keep"},
        ["+ a.b.c exposure", "- a.b exposure"],
    ),
    "characters at the end": (
        {"a": {"action": "mask", "keep_last": 2}},
        {"a": {"action": "mask", "keep_last": 4}},
        ["+ a keep_last"],
    ),
    "bits of an address": (
        {"a": {"action": "truncate", "v4": 16}},
        {"a": {"action": "truncate", "v4": 24, "v6": 32}},
        ["+ a v4", "- a v6"],
    ),
    "one group for the oldest": (
        {"a": {"action": "generalize", "to": "year"}},
        {"a": {"action": "generalize", "to": "year", "top": 89}},
        ["- a top"],
    ),
    "a finer part": (
        {"a": {"action": "generalize", "to": "year"}},
        {"a": {"action": "generalize", "to": "day"}},
        ["+ a exposure"],
    ),
    "entities": (
        {"a": {"action": "scrub", "entities": ["email", "card"]}},
        {"a": {"action": "scrub", "entities": ["email", "iban"]}},
        ["+ a entities", "- a entities"],
    ),
    "a region says all of its entities": (
        {"a": {"action": "scrub", "entities": ["ssn", "url"]}},
        {"a": {"action": "scrub", "entities": ["world", "ssn"]}},
        ["- a entities"],
    ),
    "how sure": (
        {"a": {"action": "scrub", "least": "possible"}},
        {"a": {"action": "scrub", "least": "certain"}},
        ["+ a least"],
    ),
    "let pass": ({"a": "keep"}, {"a": {"action": "keep", "allow": ["card"]}}, ["+ a allow"]),
    "another domain": ({"a": tokens()}, {"a": tokens(domain="mail")}, ["~ a joins"]),
    "another spelling": ({"a": tokens()}, {"a": tokens(normalize="email")}, ["~ a joins"]),
    "its own name is the domain": ({"a": tokens()}, {"a": tokens(domain="a")}, []),
    "a token for a name": (
        {"a": "pseudonymize"},
        {"a": "tokenize"},
        ["+ a exposure", "~ a joins", "~ a opens"],
    ),
    "no longer joins": ({"a": "pseudonymize"}, {"a": "redact"}, ["- a exposure", "~ a joins"]),
    "the same, sealed": ({"a": "encrypt"}, {"a": "redact"}, ["- a exposure", "~ a opens"]),
    "required": ({"a": {"action": "keep", "required": True}}, {"a": "keep"}, ["+ a required"]),
    "its class, to which tokens are bound": (
        {"a": tokens()},
        {"a": tokens(**{"class": "pan"})},
        ["~ a class", "~ a joins"],
    ),
    "what the key before made": ({"a": tokens()}, {"a": tokens(previous=True)}, ["~ a options"]),
    "its class": (
        {"a": {"action": "keep", "class": "pan"}},
        {"a": {"action": "keep", "class": "public"}},
        ["~ a class"],
    ),
    "cases": ({"a": "drop"}, {"a": CASES}, ["+ a exposure", "~ a cases"]),
    "one of the cases": ({"a": CASES}, {"a": [CASES[0], "redact"]}, ["+ a exposure"]),
    "another condition": (
        {"a": CASES},
        {"a": [{"when": 'b == "y"', "action": "mask"}, "drop"]},
        ["+ a exposure", "- a exposure", "~ a cases"],
    ),
    "a more careful case before": (
        {"a": "mask"},
        {"a": [{"when": 'b == "x"', "action": "drop"}, "mask"]},
        ["- a exposure", "~ a cases"],
    ),
}  # fmt: skip


BOTH = {"a": "tokenize", "b": "tokenize"}
OWN = {"a": {"action": "tokenize", "scope": "subject"}}
RECOGNISER = {"pattern": "[0-9]{6}", "context": ["staff"]}
MORE = {
    "unknown fields by name": ({"unknown": "drop"}, {"unknown": "redact"}, ["+ unknown exposure"]),
    "held back no more": ({"unknown": "quarantine"}, {"unknown": "drop"}, ["+ unknown exposure"]),
    "another policy": ({"policy": "small"}, {"policy": "other"}, ["~ policy name"]),
    "nobody's data": ({"subject": "a"}, {}, ["+ subject name"]),
    "a recogniser": ({"recognizers": {"staff": RECOGNISER}}, {}, ["+ recognizers entities"]),
    "another pattern": (
        {"recognizers": {"staff": RECOGNISER}},
        {"recognizers": {"staff": RECOGNISER | {"pattern": "[0-9]{7}"}}},
        ["+ recognizers.staff pattern", "- recognizers.staff pattern"],
    ),
    "check digits": (
        {"recognizers": {"staff": RECOGNISER}},
        {"recognizers": {"staff": RECOGNISER | {"checksum": "luhn"}}},
        ["+ recognizers.staff checksum"],
    ),
    "how sure alone": (
        {"recognizers": {"staff": RECOGNISER}},
        {"recognizers": {"staff": RECOGNISER | {"bare": "likely", "context": ["staff", "crew"]}}},
        ["- recognizers.staff bare", "- recognizers.staff context"],
    ),
    "larger": ({"limits": {"items": 10}}, {"limits": {"items": 11}}, ["+ limits.items size"]),
    "a purpose": (
        {"fields": {"a": "tokenize"}},
        {"fields": {"a": "tokenize"}, "purposes": {"fraud": {"fields": ["a"]}}},
        ["+ purposes purposes"],
    ),
    "a purpose that opens more": (
        {"fields": BOTH, "purposes": {"fraud": {"fields": ["a"]}}},
        {"fields": BOTH, "purposes": {"fraud": {"fields": ["a", "b"], "values_per_hour": 50}}},
        ["+ purposes.fraud fields", "- purposes.fraud values_per_hour"],
    ),
    "removals that erase": (
        {"fields": OWN, "subject": "a"},
        {"fields": OWN, "subject": "a", "on_remove": "erase"},
        ["- on_remove erasure"],
    ),
    "a grant": (
        {"score": SCORE},
        {"score": SCORE | {"reads": ["a", "b"]}},
        ["+ score.reads grant"],
    ),
    "scored at all": ({}, {"score": SCORE}, ["+ score.reads grant", "~ score.model name"]),
    "flags that alert nobody": (
        {"score": SCORE},
        {"score": SCORE | {"flag_at": "p50"}},
        ["~ score.flag_at threshold"],
    ),
    "more alerts": (
        {"score": SCORE, "routes": FLAGGED},
        {"score": SCORE | {"flag_at": "p98.5"}, "routes": FLAGGED},
        ["+ score.flag_at threshold"],
    ),
    "who knows which alerts": (
        {"score": SCORE, "routes": FLAGGED},
        {"score": SCORE | {"flag_at": 0.9}, "routes": FLAGGED},
        ["+ score.flag_at threshold", "- score.flag_at threshold"],
    ),
    "another truth": (
        {"score": SCORE},
        {"score": SCORE | {"label": {"field": "a", "equals": "x", "after_days": 7}}},
        ["~ score.label label"],
    ),
    "all are alerts": (
        {"score": SCORE, "routes": FLAGGED},
        {"score": SCORE, "routes": {"sns": {"events": "all", "attributes": ["a"]}}},
        ["+ routes.sns.attributes attributes", "+ routes.sns.events events"],
    ),
    "kept longer": (
        {},
        {"retention_days": DAYS | {"logs": 120, "quarantine": 7}},
        ["+ retention_days.logs days", "- retention_days.quarantine days"],
    ),
}
