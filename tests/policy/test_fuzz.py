"""Hostile policies and hostile records: no exception but the declared ones, no more than linear time."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.crypto import KeyRing
from processor.errors import Poison, PolicyError
from processor.event import dumps
from processor.policy import Sanitiser, load_plan
from processor.policy.actions import ACTIONS, CLASSES
from processor.policy.detection import ENTITIES, REGIONS
from processor.policy.document import read_document
from processor.policy.kinds import keys_of
from processor.policy.plan import dump_plan, read_plan
from processor.stream import Change

KEYS = KeyRing({1: b"a root of at least thirty-two bytes"})
RELEASED = (Path(__file__).parents[2] / "policies" / "payments.yaml").read_bytes()

OPTIONS = sorted({name for action in ACTIONS.values() for name in keys_of(action.options)} | {"when"})
PATHS = ("a", "b", "c.d", "c.*", "c.*~", "e[*]", "e[*].f", 'g["h i"]', "*", "*~", "*.x")
WORDS = (
    *(
        "keep",
        "drop",
        "none",
        "subject",
        "domain",
        "year",
        "month",
        "zip3",
        "grid",
        "ip",
        "luhn",
        "E-[0-9]{4}",
    ),
    *('b == "x"', "b in [1, 2]", *CLASSES, *ENTITIES, *REGIONS),
)

junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 200)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(OPTIONS), inner, max_size=3),
    max_leaves=6,
)
rules = st.builds(
    lambda action, options: {"action": action, **options},
    st.sampled_from([*ACTIONS, "hide"]),
    st.dictionaries(st.sampled_from(OPTIONS), junk, max_size=3),
)
lines = (
    st.sampled_from(list(ACTIONS))
    | rules
    | st.lists(rules | st.sampled_from(list(ACTIONS)), max_size=3)
    | junk
)
documents = st.fixed_dictionaries(
    {
        "policy": st.just("fuzzed"),
        "version": st.just(1),
        "fields": st.dictionaries(
            st.sampled_from(PATHS) | st.text(max_size=6), lines, min_size=1, max_size=5
        ),
        "routes": st.just({"sns": {"events": "none"}}),
        "retention_days": st.just({"events": 1, "audit": 1, "quarantine": 1, "logs": 1, "ledger": 2}),
    },
    optional={
        "unknown": st.sampled_from(["drop", "redact", "quarantine"]) | junk,
        "subject": st.sampled_from(PATHS) | junk,
        "limits": st.just({"items": 2, "depth": 2, "text_characters": 100}) | junk,
        "recognizers": st.just({"staff": {"pattern": "E-[0-9]{4}"}}) | junk,
    },
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.binary(max_size=30)
    | st.text(max_size=30)
    | st.sampled_from(
        ["1960-02-29", "203.0.113.7", "ann@example.com", "4111 1111 1111 1111", "\ud800", "12345"]
    )
)
values = st.recursive(
    scalars | st.frozensets(st.text(max_size=5), max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abdfx") | st.text(), inner),
    max_leaves=10,
)
records = st.dictionaries(st.sampled_from("abceg") | st.text(max_size=3), values, max_size=5)


@settings(max_examples=300)
@given(document=documents, record=records)
def test_a_policy_is_refused_in_words_or_works_on_every_record(document: Any, record: dict[str, Any]) -> None:
    plan, problems = read_plan(document, "0" * 64)
    if plan is None:
        assert all(problem.message for problem in problems)
        return
    assert load_plan(dump_plan(plan)) == plan
    change = Change("e", "INSERT", 1_793_016_000, "fuzzed", "1", dict(record), record, record, expired=False)
    try:
        sanitised = Sanitiser(plan, KEYS).sanitise(change)
    except Poison:
        return
    dumps([sanitised.new, sanitised.old, sanitised.keys])


@settings(max_examples=200)
@given(
    at=st.integers(0, len(RELEASED)), cut=st.integers(0, 40), put=st.binary(max_size=8) | st.text(max_size=8)
)
def test_a_policy_file_that_somebody_sat_on_is_refused_in_words_or_read(at: int, cut: int, put: Any) -> None:
    data = (
        RELEASED[:at]
        + (put.encode("utf-8", "surrogatepass") if isinstance(put, str) else put)
        + RELEASED[at + cut :]
    )
    try:
        document = read_document(data, "payments.yaml")
    except PolicyError as error:
        places = [(finding.line, finding.column) for finding in error.findings]
    else:
        plan, problems = read_plan(document.data, "0" * 64)
        assert (plan is None) == bool(problems)
        places = [document.locate(problem.at, on_key=problem.on_key) for problem in problems]
    lines = data.count(b"\n") + 1
    assert all(1 <= line <= lines and column >= 1 for line, column in places)


HOSTILE = (
    "1",
    "1 ",
    "@",
    "a@b.",
    "+1 ",
    "4111-",
    "DE89 ",
    ":",
    "((",
    "a.b.c.",
    "-----BEGIN ",
    "\u200b1",
    "0x",
    "www.",
)


@pytest.mark.parametrize("sign", HOSTILE)
def test_a_record_four_times_as_long_does_not_take_sixteen_times_as_long(sign: str) -> None:
    fields = {"note": {"action": "scrub", "entities": list(REGIONS)}, "kept": "keep", "list[*]": "scrub"}
    plan, problems = read_plan(
        {
            "policy": "fuzzed",
            "version": 1,
            "fields": fields,
            "routes": {"sns": {"events": "none"}},
            "retention_days": {"events": 1, "audit": 1, "quarantine": 1, "logs": 1, "ledger": 2},
        },
        "0" * 64,
    )
    assert plan is not None, problems
    sanitiser = Sanitiser(plan, KEYS)

    def seconds(characters: int) -> float:
        text = (sign * characters)[:characters]
        record = {"note": text, "kept": text, "list": [sign] * (characters // 100)}
        change = Change("e", "INSERT", 0, "fuzzed", "1", {}, record, None, expired=False)
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            sanitiser.sanitise(change)
            best = min(best, time.process_time() - start)
        return best

    seconds(1_000)  # what is remembered is remembered
    assert seconds(20_000) < 10 * seconds(5_000) + 0.005
