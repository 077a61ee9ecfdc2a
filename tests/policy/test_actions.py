"""Each action on each sort of value: what comes out, and that anything else is redacted and counted."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

Sanitise = Callable[..., Any]

REDACTED = "[redacted]"
ABSENT = object()

# action with options: [(value, what leaves)]; redacted here means a mismatch, but for redact itself.
CASES: dict[str, list[tuple[Any, Any]]] = {
    "keep": [
        ("text", "text"),
        ("", ""),
        (12, 12),
        (Decimal("1.10"), Decimal("1.10")),
        (False, False),
        (None, None),
        (b"\x00\xff", "AP8="),
        (frozenset({"b", "a"}), ["a", "b"]),
        (frozenset({10, 9, Decimal("9.5")}), [9, Decimal("9.5"), 10]),
        ({"a": 1}, REDACTED),
        ([1], REDACTED),
        (1 << 500, REDACTED),
        (Decimal("1E+400"), REDACTED),
    ],
    "drop": [("text", ABSENT), (None, ABSENT), ({"a": 1}, ABSENT), ([1], ABSENT)],
    "redact": [("text", REDACTED), (None, REDACTED), ({"a": 1}, REDACTED), ([1], REDACTED), (0, REDACTED)],
    "mask": [("4111", "****"), ("", ""), (-12, "***"), (True, REDACTED), (b"ab", REDACTED)],
    "mask keep_last=4": [("4111111111111111", "************1111"), ("4111", "****"), (12345, "*2345")],
    "mask keep_first=2 keep_last=2 char=#": [("abcdef", "ab##ef"), ("abcd", "####")],
    "mask keep_last=4 keep=-": [("4111-1111-1111-1111", "****-****-****-1111")],
    "generalize to=year": [
        ("1984-03-05", "1984"),
        ("1984", "1984"),
        ("1984-03", "1984"),
        ("2026-12-31T23:30:00-05:00", "2027"),
        (448_000_000, "1984"),
        (448_000_000_000, "1984"),
        (1984, "1984"),
        (Decimal("448000000.5"), "1984"),
        ("soon", REDACTED),
        ("", REDACTED),
        (True, REDACTED),
        (Decimal("1E+100"), REDACTED),
        ("9" * 5000, REDACTED),
    ],
    "generalize to=year top=89": [("1984-03-05", "1984"), ("1937-01-01", "1937"), ("1936-12-31", "<=1936")],
    "generalize to=quarter": [("1984-03-31", "1984-Q1"), ("1984-04", "1984-Q2"), ("1984", REDACTED)],
    "generalize to=month": [("1984-03-05T21:04:05Z", "1984-03"), ("1984-03", "1984-03")],
    "generalize to=day": [("1984-03-05T23:04:05-02:00", "1984-03-06"), ("1984-03", REDACTED)],
    "generalize to=hour": [
        ("1984-03-05T21:04:05Z", "1984-03-05T21:00Z"),
        ("1984-03-05 21:04", "1984-03-05T21:00"),
        ("1984-03-05", REDACTED),
    ],
    "generalize to=zip3": [
        ("02139", "021"),
        ("SW1A 1AA", "SW1"),
        ("02139-4307", "021"),
        ("1010", REDACTED),
        (2139, REDACTED),
    ],
    "generalize to=domain": [
        ("Ann@Example.COM", "example.com"),
        ("ann", REDACTED),
        ("@example.com", REDACTED),
        ("a@b@c d.com", REDACTED),
    ],
    "generalize to=initials": [("Ann-Lee Öz", "A. L. Ö."), ("李 娜", "李. 娜."), ("  ", REDACTED)],
    "truncate": [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("203.0.113", REDACTED),
        ("203.0.113.077", REDACTED),
        ("fe80::1%eth0", REDACTED),
        (3405803853, REDACTED),
    ],
    "truncate v4=16 v6=32": [("203.0.113.77", "203.0.0.0/16"), ("2001:db8:1:2::3", "2001:db8::/32")],
    "scrub": [
        ("mail ann@example.com now", "mail [email] now"),
        ("card 4111 1111 1111 1111", "card [card]"),
        ("nothing here", "nothing here"),
        (4111111111111111, REDACTED),
        ("a" * 100_001, REDACTED),
    ],
}


@pytest.mark.parametrize(
    ("written", "value", "leaves"), [(written, *case) for written, cases in CASES.items() for case in cases]
)
def test_an_action(sanitise: Sanitise, written: str, value: Any, leaves: Any) -> None:
    action, *options = written.split()
    body: dict[str, Any] = {"action": action}
    for option in options:
        name, _, text = option.partition("=")
        body[name] = int(text) if text.isdigit() else text
    done = sanitise({"field": body}, {"field": value})
    assert done.new.get("field", ABSENT) == leaves
    assert type(done.new.get("field", ABSENT)) is type(leaves)
    counted = done.notes.mismatched + done.notes.oversized
    assert counted == (leaves == REDACTED and action != "redact")


@pytest.mark.parametrize(
    ("normalize", "spellings"),
    [
        ("lower", ["Ann", "ann", " ANN ", "\N{FULLWIDTH LATIN CAPITAL LETTER A}nn"]),
        (
            "email",
            ["Ann@example.com", "ann@EXAMPLE.com ", "ann @example.com", "ann@exam\N{SOFT HYPHEN}ple.com"],
        ),
        ("digits", ["+44 7700 900123", "+447700900123", "44-7700-900123", "٤٤ 7700 900123"]),
    ],
)
@pytest.mark.parametrize("action", ["tokenize", "pseudonymize"])
def test_spellings_of_one_value_join(
    sanitise: Sanitise, action: str, normalize: str, spellings: list[str]
) -> None:
    rule = {"field": {"action": action, "normalize": normalize}}
    assert len({sanitise(rule, {"field": spelling}).new["field"] for spelling in spellings}) == 1
    apart = {sanitise({"field": action}, {"field": spelling}).new["field"] for spelling in spellings}
    assert len(apart) == len(spellings)


@pytest.mark.parametrize("action", ["tokenize", "pseudonymize"])
def test_fields_of_one_domain_join_and_others_do_not(sanitise: Sanitise, action: str) -> None:
    fields = {
        "payer": {"action": action, "domain": "person"},
        "payee": {"action": action, "domain": "person"},
        "clerk": action,
    }
    new = sanitise(fields, dict.fromkeys(fields, "C1")).new
    assert new["payer"] == new["payee"] != new["clerk"]
    assert new["clerk"].split(".")[1] == "clerk"


@pytest.mark.parametrize("action", ["tokenize", "pseudonymize"])
@pytest.mark.parametrize("value", [{"a": 1}, ["a"]])
def test_keyed_actions_reach_into_containers_by_paths_only(
    sanitise: Sanitise, action: str, value: Any
) -> None:
    assert sanitise({"field": action}, {"field": value}).new == {"field": REDACTED}


def test_digits_that_are_none_are_redacted(sanitise: Sanitise) -> None:
    rule = {"phone": {"action": "tokenize", "normalize": "digits"}}
    assert sanitise(rule, {"phone": "unknown"}).new == {"phone": REDACTED}
