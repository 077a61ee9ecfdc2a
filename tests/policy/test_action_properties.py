"""What holds for every action, whatever its options and whatever it meets."""

import dataclasses
import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from processor.crypto import KeyRing, to_plaintext
from processor.policy import Sanitiser
from processor.policy.actions import ACTIONS, OMITTED, Means, Options
from processor.policy.actions.bucket import Bucket
from processor.policy.actions.exact import Amount
from processor.policy.actions.fpe import Fpe
from processor.policy.actions.generalize import DEGREES, REVEALED, Generalize
from processor.policy.actions.hash import Hash
from processor.policy.actions.mask import Mask
from processor.policy.actions.scrub import Scrub
from processor.policy.actions.shift_dates import ShiftDates
from processor.policy.actions.truncate import Truncate
from processor.policy.detection import ENTITIES
from processor.policy.kinds import Choice, Flag, Many, Problem, Section, Text, Whole, keys_of
from processor.policy.notes import Mismatch, Notes, Record
from processor.policy.plan import dump_plan, load_plan
from processor.policy.sections import EntityName, Limits
from processor.stream import Change

Sanitise = Callable[..., Any]

REDACTED = "[redacted]"
KEYS = KeyRing({1: b"a root of at least thirty-two bytes"})
DATA_KEY = KEYS.data_key()
NOON = 1_793_016_000

# Signs that forms are made of, so that values come near to one; and any others, lone surrogates included.
NEAR = "0123456789-+.:/@TZW eE,()[]*aA"
texts = st.one_of(
    st.text(NEAR, max_size=30),
    st.text(st.characters(exclude_categories=()), max_size=30),
    st.dates().map(str),
    st.datetimes().map(str),
    st.decimals().map(str),
    st.ip_addresses().map(str),
    st.emails(),
    st.sampled_from(["4111 1111 1111 1111", "02139-4307", "https://a.example/b", "52.5,13.4", "1984-W10"]),
)
numbers = st.one_of(
    st.integers(),
    st.integers(-(10**140), 10**140),
    st.integers(0, 2 * 10**12),
    st.decimals(),
    st.sampled_from(["1E+125", "1E-130", "9.9E+999999", "-0", "0E-999", "NaN", "sNaN", "-Infinity"]).map(
        Decimal
    ),
)
scalars = st.one_of(st.booleans(), st.binary(max_size=20), texts, numbers)
values = st.recursive(
    st.one_of(
        scalars, st.floats(), st.frozensets(texts, max_size=3), st.frozensets(st.integers(), max_size=3)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=5,
)


def option_of(kind: Any) -> st.SearchStrategy[Any]:  # noqa: PLR0911  one a kind
    match kind:
        case Whole(least, most):
            return st.integers(least, most)
        case Amount(least, most):
            return st.one_of(st.floats(least, most), st.integers(int(least) + 1, most), st.integers(1, 100))
        case Choice(names):
            return st.sampled_from(sorted(names))
        case Text(pattern):
            return st.from_regex(pattern, fullmatch=True)
        case Many(inner, least):
            return st.lists(option_of(inner), min_size=least, max_size=6, unique=True)
        case EntityName():
            return st.sampled_from(sorted(ENTITIES))
        case Flag():
            return st.just(value=False)
    raise AssertionError(f"a strategy for {kind} is missing here")


@st.composite
def rules(draw: st.DrawFn) -> tuple[str, Options]:
    """An action and options that the policy's check lets pass."""
    name = draw(st.sampled_from(sorted(ACTIONS)))
    section = Section(ACTIONS[name].options)
    said = {
        key: draw(option_of(field.metadata["kind"]))
        for key, field in keys_of(section.type).items()
        if field.default is dataclasses.MISSING or draw(st.booleans())
    }
    problems: list[Problem] = []
    options = section.read(said, (), problems)
    while problems:  # leaves out what contradicts the rest
        assume(problems[0].at and problems[0].at[0] in said)
        del said[problems[0].at[0]]
        problems = []
        options = section.read(said, (), problems)
    domain = {"domain": "some"} if getattr(options, "domain", "") is None else {}
    return name, dataclasses.replace(options, **domain)


def transform(name: str, options: Options) -> Callable[[Any], Any]:
    means = Means(keys=KEYS, path="field", policy="small", limits=Limits(), data_key=lambda: DATA_KEY)
    built = ACTIONS[name].build(options, means)
    return lambda value: built(value, Record(NOON, Notes((), []), "e1", secret=b"s" * 32))


@given(rules(), values)
@settings(max_examples=1500, deadline=None)
def test_an_action_gives_a_scalar_or_a_mismatch_and_the_same_each_time(
    rule: tuple[str, Options], value: Any
) -> None:
    act = transform(*rule)
    try:
        acted = act(value)
    except Mismatch:
        with pytest.raises(Mismatch):
            act(value)
        return
    assert acted is OMITTED or type(acted) in {str, int, Decimal, bool, bytes}
    assert act(value) == acted


@given(rules(), values)
@settings(max_examples=500, deadline=None)
def test_what_leaves_the_gate_is_ready_for_json(
    plan_of: Callable[..., Any], rule: tuple[str, Options], value: Any
) -> None:
    plan = plan_of({"who": "drop", "field": "redact"}, subject="who")
    used = dataclasses.replace(plan.rules[1], action=rule[0], options=rule[1])
    plan = dataclasses.replace(plan, rules=(plan.rules[0], used))
    change = Change(
        "e1", "INSERT", NOON, "small", "1", {}, {"who": "C1", "field": value}, None, expired=False
    )
    done = Sanitiser(plan, KEYS).sanitise(change)
    json.dumps(done.new, default=str)
    assert done.notes.mismatched + done.notes.oversized + done.notes.counts[1] >= (value != frozenset())


@pytest.mark.parametrize("name", sorted(ACTIONS))
@pytest.mark.parametrize(("falsy", "other"), [(0, 7), (Decimal(0), Decimal(7)), (False, True), (b"", b"a")])
def test_falsy_values_are_treated_like_any_other(name: str, falsy: Any, other: Any) -> None:
    required = {"generalize": {"to": "year"}}.get(name, {})
    options = ACTIONS[name].options(**required)
    if hasattr(options, "domain") and options.domain is None:
        options = dataclasses.replace(options, domain="some")
    act = transform(name, options)

    def outcome(value: Any) -> bool:
        try:
            return act(value) is not None
        except Mismatch:
            return False

    assert outcome(falsy) == outcome(other)


@given(
    st.lists(scalars, min_size=2, max_size=10),
    st.sampled_from(["pseudonymize", "tokenize", "hash", "encrypt"]),
)
def test_no_two_items_of_a_list_have_one_token(sanitise: Sanitise, items: list[Any], action: str) -> None:
    plain = {}
    for item in items:
        try:
            plain[to_plaintext(item)] = item
        except (ValueError, InvalidOperation):
            continue
    new = sanitise({"field[*]": action}, {"field": list(plain.values())}).new
    assert len(set(new["field"])) == len(plain)
    assert REDACTED not in new["field"]


@given(rules())
@settings(deadline=None)
def test_exposure_stays_in_the_range_of_its_action(rule: tuple[str, Options]) -> None:
    name, options = rule
    assert 0 <= options.revealed <= 1
    least, most = ACTIONS[name].exposure
    assert least <= ACTIONS[name].exposure_of(options) <= most


def test_the_registry_is_in_the_order_of_exposure_and_encloses_what_it_lists() -> None:
    least = [action.exposure[0] for action in ACTIONS.values()]
    assert least == sorted(least)
    assert list(ACTIONS) == [
        "drop", "redact", "encrypt", "pseudonymize", "hash", "tokenize", "fpe", "bucket", "generalize",
        "mask", "truncate", "shift_dates", "scrub", "keep",
    ]  # fmt: skip


# From careful to generous.
RISING: dict[str, list[Options]] = {
    "hash": [Hash(), Hash(keyed_by="none")],
    "fpe by ends": [
        Fpe(keep_last=last, keep_first=first) for first, last in [(0, 0), (0, 4), (6, 4), (8, 8)]
    ],
    "mask by ends": [Mask(keep_last=last) for last in (0, 2, 4, 6, 12)],
    "mask by length": [Mask(keep_last=4, length="fixed"), Mask(keep_last=4), Mask(keep_last=4, keep="-")],
    "bucket by edges": [Bucket(edges=tuple(range(count))) for count in (1, 2, 5, 20)],
    "bucket by width": [Bucket(width=width) for width in (10**6, 1000, 50, 1, 0.01)],
    "bucket by step": [Bucket(step=width) for width in (1000, 50, 1)],
    "bucket by digits": [Bucket(), *(Bucket(digits=digits) for digits in (2, 3, 6))],
    "dates": [Generalize(to=to) for to in ("year", "quarter", "month", "week", "day", "hour")],
    "years": [Generalize(to="year", top=60), Generalize(to="year")],
    "ages": [
        Generalize(to="age", band=20, top=89),
        Generalize(to="age", band=10, top=89),
        Generalize(to="age", band=2, top=89),
        Generalize(to="age", top=89),
    ],
    "bands": [Generalize(to="age", band=band) for band in (50, 10, 2)],
    "postcodes": [Generalize(to="zip3"), Generalize(to="zip3", low_population="keep")],
    "grid": [Generalize(to="grid", degrees=side) for side in (45, 1, 0.1, 0.01, DEGREES.least)],
    "addresses": [Generalize(to="domain"), Generalize(to="host")],
    "v4": [Truncate(v4=bits) for bits in (8, 16, 24, 32)],
    "v6": [Truncate(v6=bits) for bits in (32, 48, 64, 128)],
    "dates by days": [ShiftDates(days=days) for days in (3650, 365, 30, 1)],
    "scrub by level": [Scrub(least=least) for least in ("possible", "likely", "certain")],
    "scrub by entities": [Scrub(), Scrub(entities=("email", "card")), Scrub(entities=("email",))],
}


@pytest.mark.parametrize("what", sorted(RISING))
def test_more_generous_options_reveal_more(what: str) -> None:
    revealed = [options.revealed for options in RISING[what]]
    assert revealed == sorted(set(revealed))


def test_each_part_has_a_place_in_the_order() -> None:
    kind: Any = keys_of(Generalize)["to"].metadata["kind"]
    assert set(REVEALED) == set(kind.names)


bounded = st.decimals(-(10**20), 10**20, allow_nan=False, places=6)
widths = st.one_of(st.integers(1, 10**6), st.floats(0.001, 1000), st.sampled_from([0.1, 0.05, 3]))


@given(bounded, widths, st.integers(-50, 50))
def test_a_number_lies_in_its_range(number: Decimal, width: float, start: int) -> None:
    label = transform("bucket", Bucket(width=width, start=start))(number)
    low, high = (Fraction(end) for end in (label.split(" to ") if " to " in label else label.split("-")))
    assert low <= Fraction(number) < high
    assert high - low == Fraction(str(width))
    assert (low - start) % Fraction(str(width)) == 0


@given(bounded, widths)
def test_a_multiple_is_the_nearest(number: Decimal, step: float) -> None:
    exact_step = Fraction(str(step))
    rounded = Fraction(transform("bucket", Bucket(step=step))(number))
    assert rounded % exact_step == 0
    assert abs(rounded - Fraction(number)) <= exact_step / 2


@given(bounded, bounded, st.lists(st.integers(-1000, 1000), min_size=1, max_size=5, unique=True).map(sorted))
def test_ranges_between_edges_keep_the_order(one: Decimal, other: Decimal, edges: list[int]) -> None:
    act = transform("bucket", Bucket(edges=tuple(edges)))
    labels = [act(Decimal(edges[0]) - 1), *(act(edge) for edge in edges)]
    assert len(set(labels)) == len(labels)
    low, high = sorted((one, other))
    assert labels.index(act(low)) <= labels.index(act(high))


@given(
    st.decimals(-90, 90, places=7), st.decimals(-180, 180, places=7), st.sampled_from([0.001, 0.1, 0.3, 5])
)
def test_a_place_lies_in_its_cell(latitude: Decimal, longitude: Decimal, degrees: float) -> None:
    corner = transform("generalize", Generalize(to="grid", degrees=degrees))(f"{latitude:f},{longitude:f}")
    for side, written in zip((latitude, longitude), corner.split(","), strict=True):
        assert Fraction(written) <= Fraction(side) < Fraction(written) + Fraction(str(degrees))


@given(st.text(st.characters(exclude_characters="*-"), max_size=40), st.integers(0, 12), st.integers(0, 12))
def test_a_mask_shows_its_ends_and_nothing_else(text: str, first: int, last: int) -> None:
    masked = transform("mask", Mask(keep_first=first, keep_last=last))(text)
    assert len(masked) == len(text)
    shown = masked.replace("*", "")
    assert shown == ("" if len(text) <= first + last else text[:first] + text[len(text) - last :])
    fixed = transform("mask", Mask(keep_first=first, keep_last=last, length="fixed"))(text)
    assert fixed.replace("*", "") == shown
    assert fixed.count("*") == 8


@given(rules())
@settings(deadline=None)
def test_a_rule_compiles_and_is_read_back_as_it_was(
    plan_of: Callable[..., Any], rule: tuple[str, Options]
) -> None:
    plan = plan_of({"who": "drop", "field": "redact"}, subject="who")
    used = dataclasses.replace(plan.rules[1], action=rule[0], options=rule[1])
    plan = dataclasses.replace(plan, rules=(plan.rules[0], used))
    assert load_plan(dump_plan(plan)) == plan
