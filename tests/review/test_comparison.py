"""Comparing two policies: what each difference is called, and that nothing is missed."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from processor.crypto import KeyRing
from processor.errors import Poison
from processor.event import dumps
from processor.policy import Plan, Sanitiser, paths
from processor.policy.plan import read_plan
from processor.review.comparison import Comparison, compare
from processor.review.differences import Verdict
from processor.review.outcomes import Resolver, feasible, meet
from processor.stream import Change

DAYS = {"events": 400, "audit": 2557, "quarantine": 14, "logs": 90, "ledger": 21}
SCORE = {"model": "forest", "reads": ["a"], "flag_at": "p99"}
FLAGGED = {"sns": {"events": "flagged"}}
KEYS = KeyRing({1: b"a root of at least thirty-two bytes"})
WIDER, NARROWER, NEUTRAL = Verdict
BACK = {"+": "-", "-": "+", "~": "~"}


def readable(fields: dict[str, Any], **more: Any) -> Plan | None:
    document = {"policy": "small", "version": 1, "fields": fields, "retention_days": DAYS, **more}
    return read_plan({"routes": {"sns": {"events": "none"}}, **document}, "0" * 64)[0]


def plan(fields: dict[str, Any] | None = None, **more: Any) -> Plan:
    made = readable(fields or {"a": "keep"}, **more)
    assert made is not None
    return made


def said(comparison: Comparison) -> list[str]:
    return sorted(f"{one.verdict.value} {one.subject} {one.aspect}" for one in comparison.differences)


def mirrored(lines: list[str]) -> list[str]:
    return sorted(BACK[line[0]] + line[1:] for line in lines)


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


@pytest.mark.parametrize(("before", "after", "expected"), FIELDS.values(), ids=FIELDS)
def test_fields(before: dict[str, Any], after: dict[str, Any], expected: list[str]) -> None:
    old, new = plan(before), plan(after)
    assert said(compare(old, new)) == expected
    assert said(compare(new, old)) == mirrored(expected)


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


@pytest.mark.parametrize(("before", "after", "expected"), MORE.values(), ids=MORE)
def test_other_sections(before: dict[str, Any], after: dict[str, Any], expected: list[str]) -> None:
    old, new = plan(**before), plan(**after)
    assert said(compare(old, new)) == expected
    assert said(compare(new, old)) == mirrored(expected)


def test_the_widest_comes_first_and_says_by_how_much() -> None:
    found = compare(
        plan({"a": "redact", "b": "drop", "c": "keep", "d": "tokenize"}),
        plan({"a": "mask", "b": "keep", "c": "redact", "d": {"action": "tokenize", "normalize": "email"}}),
    )
    assert [(one.subject, one.verdict) for one in found.differences] == [
        ("b", WIDER),
        ("a", WIDER),
        ("c", NARROWER),
        ("d", NEUTRAL),
    ]
    assert (found.differences[0].exposure, found.differences[0].widening) == ((0, 100), 100)
    assert [one.subject for one in found.of(WIDER)] == ["b", "a"]
    assert (found.differences[1].before, found.differences[1].said) == ("redact", "")


def test_what_comes_and_what_goes_is_said() -> None:
    found = compare(plan({"a": "keep"}), plan({"b": "keep"}))
    assert {(one.subject, one.before, one.after, one.said) for one in found.differences} == {
        ("b", "no rule: drop", "keep", "added"),
        ("a", "keep", "no rule: drop", "removed"),
    }


def test_the_version_and_the_bytes_of_the_file_are_no_difference() -> None:
    assert compare(plan(), plan(version=2)).differences == ()


# ── Laws ───────────────────────────────────────────────────────────────────────────────────────────────────

NAMES = ("a", "b", "c")
SEGMENTS = st.sampled_from([".a", ".b", ".c", ".*", "[*]"])
PATHS = st.tuples(st.sampled_from(NAMES), st.lists(SEGMENTS, max_size=3)).map(
    lambda parts: parts[0] + "".join(parts[1])
)
ACTIONS = st.sampled_from(["keep", "drop", "redact", "mask", "pseudonymize"]) | st.builds(
    lambda count, required: {"action": "mask", "keep_last": count, "required": required},
    st.integers(0, 6),
    st.booleans(),
)
CONDITIONS = st.sampled_from([f'{name} {compare} "x"' for name in NAMES for compare in ("==", "!=")])


def _case(when: str, body: Any) -> dict[str, Any]:
    return {"when": when, **(body if isinstance(body, dict) else {"action": body})}


BODIES = ACTIONS | st.tuples(
    st.lists(st.builds(_case, CONDITIONS, ACTIONS), min_size=1, max_size=3), ACTIONS
).map(lambda parts: [*parts[0], parts[1]])


@st.composite
def plans(draw: Callable[..., Any]) -> Plan:
    fields = draw(st.dictionaries(PATHS, BODIES, min_size=1, max_size=5))
    fields |= {f"{path}~": draw(ACTIONS) for path in fields if path.endswith("*") and draw(st.booleans())}
    made = readable(
        {path: body for path, body in fields.items() if path},
        unknown=draw(st.sampled_from(["drop", "redact", "quarantine"])),
        limits={"items": draw(st.integers(100, 102))},
    )
    assume(made is not None)
    assert made is not None
    return made


@given(plans())
def test_a_policy_differs_in_nothing_from_itself(one: Plan) -> None:
    assert compare(one, one).differences == ()


@given(plans(), plans())
def test_what_is_wider_one_way_is_narrower_the_other(one: Plan, other: Plan) -> None:
    assert said(compare(other, one)) == mirrored(said(compare(one, other)))


LEAVES = st.sampled_from(["x", "leaf"])


def _marked(value: Any, place: str = "v") -> Any:
    """A record with a text of its own at each leaf, and `x` where conditions look for it."""
    if isinstance(value, dict):
        return {name: _marked(item, f"{place}-{name}") for name, item in value.items()}
    if isinstance(value, list):
        return [_marked(item, f"{place}-{index}") for index, item in enumerate(value)]
    if isinstance(value, frozenset):
        return frozenset(f"({place}-set-{item})" for item in value)
    return value if value == "x" else f"({place})"


RECORDS = st.dictionaries(
    st.sampled_from([*NAMES, "other"]),
    st.recursive(
        LEAVES | st.frozensets(LEAVES, min_size=1),
        lambda inner: (
            st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from([*NAMES, "other"]), inner)
        ),
        max_leaves=8,
    ),
    max_size=4,
).map(_marked)


def _shown(one: Plan, record: dict[str, Any]) -> set[str] | None:
    """The raw texts in what leaves, None if nothing does."""
    change = Change("", "INSERT", 1_793_016_000, "small", "", {}, record, None, expired=False)
    try:
        text = dumps(Sanitiser(one, KEYS).sanitise(change).new)
    except Poison:
        return None
    return {raw for raw in _texts(record) if f'"{raw}"' in text}


def _texts(value: Any) -> set[str]:
    if isinstance(value, dict | list | frozenset):
        return {
            text for item in (value.values() if isinstance(value, dict) else value) for text in _texts(item)
        }
    return {value} - {"x"}


@given(plans(), plans(), st.lists(RECORDS, min_size=3, max_size=6))
def test_nothing_shows_anew_that_is_not_called_wider(old: Plan, new: Plan, records: list[Any]) -> None:
    """The comparison against the sanitiser itself: whatever leaves as it is and did not, is told."""
    anew = set[str]()
    for record in records:
        before, after = _shown(old, record), _shown(new, record)
        anew |= (after or set()) - (before if before is not None else after or set())
    if anew:
        assert compare(old, new).of(WIDER)


@given(plans())
def test_every_rule_is_what_its_own_path_meets(one: Plan) -> None:
    """And so every rule can show up in a comparison."""
    resolver = Resolver(one)
    for first, indices in resolver.lines.items():
        path = paths.parse(one.rules[first].path)
        met = [outcome.rule for outcome in resolver.outcomes(path)]
        # A name leaves with its value or not at all.
        if path[-1] is not paths.Wild.KEY:
            assert met == [one.rules[index] for index in indices]


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("a.*.c", "a.b.*", "a.b.c"),
        ("a.*", "a.b.c", "a.b.c"),
        ("a.*.c", "a.b", "a.b.c"),
        ("a.*~", "a.*~", "a.*~"),
        ("a.b", "a.c", None),
        ("a[*]", "a.*", None),
        ("a.*~", "a.*", None),
    ],
)
def test_where_paths_meet(one: str, other: str, both: str | None) -> None:
    for pair in ((one, other), (other, one)):
        met = meet(*map(paths.parse, pair))
        assert (met and paths.render(met)) == both


def test_conditions_of_one_text_hold_in_both_policies_or_in_none() -> None:
    one = Resolver(plan({"a": CASES})).outcomes(("a",))
    other = Resolver(plan({"a": [CASES[0], {"when": 'b == "y"', "action": "keep"}, "redact"]})).outcomes(
        ("a",)
    )
    assert [(old.action, new.action) for old, new in feasible(one, other)] == [
        ("mask", "mask"),
        ("drop", "keep"),
        ("drop", "redact"),
    ]
