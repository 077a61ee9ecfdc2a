"""Features: read from raw values as the table holds them, never an error, missing ones counted."""

import math
import time
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.scoring.features import (
    FIELD_KINDS,
    PROFILE_KINDS,
    Feature,
    FeatureSet,
    Label,
    Memory,
    Step,
    instant,
    number,
)
from processor.scoring.features.values import LARGEST
from processor.scoring.profiles import Profile

MONDAY_NIGHT = "2026-11-23T03:30:00Z"
SATURDAY_NOON = "2026-11-21T12:00:00Z"

# Whatever a DynamoDB item can hold, and what only a file can.
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(),
    st.floats(),
    st.text(max_size=20),
    st.datetimes().map(str),
    st.sampled_from([b"1", frozenset({"1"}), [1], {"a": 1}]),
)


def one(kind: str, value: object, **learnt: object) -> float:
    """One feature of one value, before medians."""
    features = FeatureSet([Feature("f", kind, "x", **learnt)])  # type: ignore[arg-type]
    return float(measure(features, [{"x": value}])[0, 0])


def measure(features: FeatureSet, images):
    return features.measure([Step(None, image) for image in images], Memory())


@pytest.mark.parametrize(
    ("value", "expected"),
    [(Decimal("12.34"), 12.34), (7, 7.0), (0, 0.0), (10**400, LARGEST), (-(10**400), -LARGEST)],
)
def test_numbers(value: object, expected: float) -> None:
    assert number(value) == expected


@pytest.mark.parametrize("value", ["12.34", True, None, b"1", [1], {"a": 1}, Decimal("NaN"), Decimal("sNaN")])
def test_what_is_no_number_is_nan(value: object) -> None:
    assert math.isnan(number(value))


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-23T21:04:05Z",
        "2026-11-23T21:04:05+00:00",
        "2026-11-23T22:04:05+01:00",
        "2026-11-23 21:04:05",
        1_795_467_845,
        Decimal(1_795_467_845),
    ],
)
def test_one_moment_in_every_way_of_writing_it(value: object) -> None:
    assert instant(value) == datetime(2026, 11, 23, 21, 4, 5, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("value", ["yesterday", "", "2026-13-01", 1_795_467_845_000, -1, True, None, []])
def test_what_is_no_moment_is_nan(value: object) -> None:
    assert math.isnan(instant(value))


@given(st.datetimes(timezones=st.timezones()))
def test_any_moment_of_any_zone_is_read(moment: datetime) -> None:
    assert instant(moment.isoformat()) == pytest.approx(
        moment.timestamp(), abs=60
    )  # offsets of seconds are rounded


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("number", Decimal("9.99"), 9.99),
        ("log", Decimal(0), 0.0),
        ("log", Decimal(-5), 0.0),
        ("log", Decimal(99), math.log(100)),
        ("hour_sin", "2026-11-23T06:00:00Z", 1.0),
        ("hour_cos", "2026-11-23T12:00:00Z", -1.0),
        ("night", MONDAY_NIGHT, 1.0),
        ("night", SATURDAY_NOON, 0.0),
        ("weekend", MONDAY_NIGHT, 0.0),
        ("weekend", SATURDAY_NOON, 1.0),
    ],
)
def test_kinds(kind: str, value: object, expected: float) -> None:
    assert one(kind, value) == pytest.approx(expected, abs=1e-6)


@given(st.integers(0, 4_000_000_000))
def test_weekend_and_hour_are_those_of_the_calendar(seconds: int) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    assert one("weekend", seconds) == (moment.weekday() >= 5)
    assert one("night", seconds) == (moment.hour < 6)
    angle = math.atan2(one("hour_sin", seconds), one("hour_cos", seconds)) % (2 * math.pi)
    assert math.cos(angle - (seconds % 86_400) / 86_400 * 2 * math.pi) == pytest.approx(1, abs=1e-6)


def test_a_share_is_that_of_training() -> None:
    shares = {"grocery": 0.75, "fuel": 0.25}
    assert one("share", "fuel", shares=shares) == 0.25
    assert one("share", "casino", shares=shares) == 0.0
    assert math.isnan(one("share", 5, shares=shares))


@given(st.lists(st.dictionaries(st.sampled_from(["x", "y"]), values), max_size=5))
def test_no_value_is_an_error_and_what_is_missing_is_counted(images) -> None:
    features = FeatureSet([Feature(kind, kind, "x", median=0.5) for kind in FIELD_KINDS])
    measured = measure(features, images)
    missing = np.isnan(measured)
    assert (features.impute(measured) == missing.sum(axis=1)).all()
    assert np.isfinite(measured).all()
    assert (measured[missing] == 0.5).all()


def every_kind() -> FeatureSet:
    """A feature of each kind over profiles."""
    profile = Profile("card", "card", (1, 30), "amount", counterpart="shop", labels=True, label_days=7)
    features = [
        Feature(name, name, profile="card", days=(1, 30)[: kind.windows], options=kind.options or {})
        for name, kind in PROFILE_KINDS.items()
    ]
    return FeatureSet(features, [profile], "at", Label("status", "fraud", 7))


oddities = st.one_of(values, st.floats(-1e3, 1e3), st.sampled_from([-1, -5, 0, 10**30]))
odd_images = st.none() | st.fixed_dictionaries(
    {"card": st.sampled_from(["a", "b", 1]), "at": st.integers(1_700_000_000, 1_710_000_000)},
    optional={"amount": oddities, "shop": oddities, "status": st.sampled_from(["fraud", "fine"])},
)


@given(st.lists(st.tuples(odd_images, odd_images), max_size=20))
def test_no_history_is_an_error(changes) -> None:
    """Refunds, what is taken back and was never there, times in any order: a number comes, or none."""
    steps = [Step(before, after) for before, after in changes]
    measured = every_kind().measure(steps, Memory())
    assert not np.isinf(measured).any()


def test_two_shares_of_one_field_and_two_kinds_of_another_stay_apart() -> None:
    features = FeatureSet(
        [
            Feature("amount", "number", "a"),
            Feature("category", "share", "c", shares={"x": 0.5}),
            Feature("log_amount", "log", "a"),
            Feature("channel", "share", "d", shares={"x": 0.1}),
        ]
    )
    assert features.reads == ("a", "c", "d")
    row = measure(features, [{"a": 1, "c": "x", "d": "x"}])[0]
    assert row == pytest.approx([1, 0.5, math.log(2), 0.1])


def test_the_zone_of_the_machine_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = instant("2026-07-01T00:00:00")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert instant("2026-07-01T00:00:00") == expected
        assert instant(datetime(2026, 7, 1, 9, tzinfo=timezone(timedelta(hours=9))).isoformat()) == expected
    finally:
        monkeypatch.undo()
        time.tzset()
