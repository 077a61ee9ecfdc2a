"""shift_dates: whole days, one number per person, exact between one person's dates."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.crypto import KeyRing
from processor.policy.actions import ACTIONS
from processor.policy.actions.shift_dates import ShiftDates
from processor.policy.plan import read_plan

Sanitise = Callable[..., Any]

REDACTED = "[redacted]"
KEYS = KeyRing({1: b"a root of at least thirty-two bytes"})
DAYS = {"events": 400, "audit": 2557, "quarantine": 14, "logs": 90, "ledger": 21}
FIELDS: dict[str, Any] = {"who": "drop", "at": "shift_dates", "until": "shift_dates"}


def shifted(sanitise: Sanitise, value: Any, who: Any = "C1", **options: Any) -> Any:
    fields = {"who": "drop", "at": {"action": "shift_dates", **options}}
    return sanitise(fields, {"who": who, "at": value}, subject="who").new["at"]


def days_of(sanitise: Sanitise, who: Any = "C1", **options: Any) -> int:
    moved = date.fromisoformat(shifted(sanitise, "2026-01-15", who, **options))
    return (moved - date(2026, 1, 15)).days


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("2026-01-15", "%Y-%m-%d"),
        ("20260115", "%Y%m%d"),
        ("2026-01-15T21:04Z", "%Y-%m-%dT21:04Z"),
        ("2026-01-15 21:04:05", "%Y-%m-%d 21:04:05"),
        ("2026-01-15T21:04:05.120000+05:30", "%Y-%m-%dT21:04:05.120000+05:30"),
        ("20260115T210405-0500", "%Y%m%dT210405-0500"),
        ("2026-01-15T23:59:60Z", "%Y-%m-%dT23:59:60Z"),
        ("2026-01-15T21", "%Y-%m-%dT21"),
    ],
)
def test_the_day_moves_and_all_else_stays(sanitise: Sanitise, value: str, form: str) -> None:
    moved = datetime(2026, 1, 15, tzinfo=UTC) + timedelta(days_of(sanitise))
    assert shifted(sanitise, value) == moved.strftime(form)


@pytest.mark.parametrize(
    ("value", "unit"),
    [(1_793_016_000, 1), (1_793_016_000_123, 1000), (0, 1), (-1, 1), (Decimal("1793016000.125"), 1)],
)
def test_epochs_move_by_days_in_their_unit(sanitise: Sanitise, value: Any, unit: int) -> None:
    moved = shifted(sanitise, value)
    assert moved == value + days_of(sanitise) * 86_400 * unit
    assert type(moved) is type(value)


@pytest.mark.parametrize(
    "value",
    [
        "", "soon", "2026", "2026-01", "2026-W03", "2026-02-30", "2026-01-15T25:00", "2026-01-15 Ann",
        "2026-0115",
        "2026-01-15T21:04:05Z\n", "2026-01-1\N{ARABIC-INDIC DIGIT FIVE}", "1793016000",
        2026, 10**12 * 10**6, -(10**11) + 1, False,
        b"20260115",
        Decimal("NaN"), Decimal("1E+120"), 1 << 600, 99_999_999_999.5,
    ],
)  # fmt: skip
def test_what_names_no_day_is_redacted(sanitise: Sanitise, value: Any) -> None:
    assert shifted(sanitise, value) == REDACTED


def test_beyond_the_calendar_is_redacted(sanitise: Sanitise) -> None:
    ends = [shifted(sanitise, value, days=3650) for value in ("0001-01-01", "9999-12-31")]
    assert ends.count(REDACTED) == 1
    both = [shifted(sanitise, value, days=3650) for value in (99_999_999_999, 100_000_000_000)]
    assert both.count(REDACTED) == 1  # what would be read in the other unit


def test_without_a_person_nothing_moves_and_nothing_leaves(sanitise: Sanitise) -> None:
    new = sanitise(FIELDS, {"at": "2026-01-15"}, subject="who").new
    assert new == {"at": REDACTED}


def test_a_policy_has_to_say_whose_dates_they_are() -> None:
    document = {
        "policy": "small",
        "version": 1,
        "fields": FIELDS,
        "routes": {"sns": {"events": "none"}},
        "retention_days": DAYS,
    }
    _, problems = read_plan(document, "0" * 64)
    assert [problem.message for problem in problems] == 2 * [
        "shift_dates goes by the person, and the policy names no subject"
    ]


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(0, 10_000), st.text(max_size=5))
def test_the_time_between_one_persons_dates_is_exact(
    sanitise: Sanitise, start: date, days: int, who: str
) -> None:
    end = start + timedelta(days)
    image = {"who": who, "at": start.isoformat(), "until": end.isoformat()}
    new = sanitise(FIELDS, image, subject="who").new
    at, until = date.fromisoformat(new["at"]), date.fromisoformat(new["until"])
    assert until - at == end - start
    assert 1 <= abs((at - start).days) <= 30
    (name,) = KEYS.names("who")(b"s" + who.encode())
    assert (at - start).days == KEYS.offsets("dates", 30)(KEYS.stand_ins()(name))


def test_people_and_domains_move_apart(sanitise: Sanitise) -> None:
    people = {days_of(sanitise, f"C{number}", days=3650) for number in range(20)}
    assert len(people) > 10
    domains = {days_of(sanitise, days=3650, domain=f"d{number}") for number in range(20)}
    assert len(domains) > 10


def test_the_less_it_moves_the_more_it_reveals() -> None:
    exposed = [ACTIONS["shift_dates"].exposure_of(ShiftDates(days=days)) for days in (3650, 365, 30, 7, 1)]
    assert exposed == sorted(set(exposed))
