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
from tests.review.comparison_cases import CASES, DAYS, FIELDS, MORE

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


@pytest.mark.parametrize(("before", "after", "expected"), FIELDS.values(), ids=FIELDS)
def test_fields(before: dict[str, Any], after: dict[str, Any], expected: list[str]) -> None:
    old, new = plan(before), plan(after)
    assert said(compare(old, new)) == expected
    assert said(compare(new, old)) == mirrored(expected)


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

NAMES = ("a", "b")
SEGMENTS = st.sampled_from([".a", ".b", ".*", "[*]"])
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


@st.composite
def edits(draw: Callable[..., Any]) -> tuple[Plan, Plan]:
    """A policy before and after one line of it was added, removed or rewritten."""
    fields = draw(st.dictionaries(PATHS, BODIES, min_size=2, max_size=6))
    fields |= {f"{path}~": draw(ACTIONS) for path in fields if path.endswith("*") and draw(st.booleans())}
    edited = draw(st.sampled_from(sorted(fields)) | PATHS)
    after = {path: body for path, body in fields.items() if path != edited}
    if edited not in fields or draw(st.booleans()):
        after[edited] = draw(BODIES)
    made = [readable(one) for one in (fields, after)]
    if draw(st.booleans()):
        made.reverse()
    old, new = made
    assume(old is not None and new is not None)
    assert old is not None
    assert new is not None
    return old, new


KINDS = ("text", "map", "list", "set")


def whole(variant: int, place: str = "v", depth: int = 0) -> dict[str, Any]:
    """A record with all names at three levels; variants differ in what is a text, a map, a list or a set."""
    record: dict[str, Any] = {}
    for index, name in enumerate((*NAMES, "other")):
        here, kind = f"{place}-{name}", KINDS[(variant + index + variant // 4 * depth) % 4]
        if kind == "set":
            record[name] = frozenset({f"({here}-1)", f"({here}-2)"})
        elif kind == "text" or depth == 2:
            # Conditions look for an x.
            record[name] = "x" if (variant + index) % 3 == 0 else f"({here})"
        elif kind == "map":
            record[name] = whole(variant, here, depth + 1)
        else:
            record[name] = [f"({here}-0)", whole(variant, f"{here}-1", depth + 1)]
    return record


RECORDS = [whole(variant) for variant in range(12)]


def texts(value: Any, place: tuple[Any, ...] = ()) -> dict[str, tuple[Any, ...]]:
    """The texts of a record that are nowhere else in it, each with where it is."""
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list | frozenset):
        pairs = list(enumerate(value))
    else:
        return {} if value == "x" else {value: place}
    return {text: at for step, item in pairs for text, at in texts(item, (*place, step)).items()}


def leaving(one: Plan, record: dict[str, Any]) -> set[str] | None:
    """The raw texts in what leaves, None if nothing does."""
    change = Change("", "INSERT", 1_793_016_000, "small", "", {}, record, None, expired=False)
    try:
        text = dumps(Sanitiser(one, KEYS).sanitise(change).new)
    except Poison:
        return None
    return {raw for raw in texts(record) if f'"{raw}"' in text}


def reaches(subject: str, place: tuple[Any, ...]) -> bool:
    """Whether a path names a place or something that it is in; a name that does not leave takes its value."""
    path = paths.parse(subject)
    return len(path) <= len(place) and all(
        segment == step
        or (segment in {paths.Wild.NAME, paths.Wild.KEY} and isinstance(step, str))
        or (segment is paths.Wild.ITEM and isinstance(step, int))
        for segment, step in zip(path, place, strict=False)
    )


@given(edits())
def test_nothing_shows_anew_that_is_not_called_wider_there(edit: tuple[Plan, Plan]) -> None:
    """The comparison against the sanitiser itself: whatever leaves as it is and did not, is told."""
    wider: list[str] | None = None
    for record in RECORDS:
        before, after = (leaving(one, record) for one in edit)
        # That a record is held back, or is not any more, is told by itself.
        anew = after - before if before is not None and after is not None else set()
        if anew and wider is None:
            wider = [one.subject for one in compare(*edit).of(WIDER)]
        for text in anew:
            assert any(reaches(subject, texts(record)[text]) for subject in wider or ()), (text, wider)


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
