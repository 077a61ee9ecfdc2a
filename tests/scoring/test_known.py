"""Totals that are only added to: in any order, from many places, taken back without a trace, for years."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.scoring.profiles import (
    BAD,
    BAD_SUM,
    DAY_S,
    HISTORY_DAYS,
    LARGEST,
    LOGS,
    MET_MAX,
    NUMBER,
    PERIOD_LIVES,
    SQUARES,
    SUM,
    UNIT,
    Known,
    Profile,
    Seen,
    fading,
    moment,
)

NOON = 1_795_564_800.0
DAYS = (1, 7, 30)
PROFILE = Profile("customer", "customer_id", DAYS, "amount", counterpart="shop", labels=True, label_days=7)

seen = st.builds(
    Seen,
    st.one_of(st.just(math.nan), st.floats(0, 1e6)),
    st.booleans(),
    st.one_of(st.none(), st.integers(0, 5)),
)
events = st.lists(st.tuples(st.floats(NOON - 40 * DAY_S, NOON), seen), max_size=30)


def add(known: Known, time: float, one: Seen, sign: int = 1) -> None:
    known.add(PROFILE, moment(DAYS, time), sign, one)


def known_of(told: list[tuple[float, Seen]]) -> Known:
    known = Known(len(DAYS))
    for time, one in told:
        add(known, time, one)
    return known


def totals(known: Known) -> list[list[int]]:
    return [[one.period, *one.now, *(one.before or [0] * len(one.now))] for one in known.windows]


def state(known: Known) -> tuple[object, ...]:
    slots = [{slot: n for slot, n in each.items() if n} for each in (known.per_slot, known.bad_per_slot)]
    return totals(known), slots, known.first, known.last, known.confirmed


def exact(told: list[tuple[float, Seen]], days: int, now: float, what: str) -> float:
    """What a total is by its definition."""
    of = {
        "n": lambda _: 1.0,
        "s": lambda one: one.value,
        "q": lambda one: one.value**2,
        "l": lambda one: math.log1p(one.value),
        "b": lambda one: float(one.is_bad),
        "v": lambda one: one.value * one.is_bad,
    }[what]
    return sum(
        math.exp((time - now) / (days * DAY_S)) * of(one)
        for time, one in told
        if what in "nb" or not math.isnan(one.value)
    )


@given(events, st.floats(0, 20 * DAY_S))
def test_a_total_is_the_decayed_sum(told: list[tuple[float, Seen]], later: float) -> None:
    known, now = known_of(told), NOON + later
    for at, days in enumerate(DAYS):
        for what, stat in zip("nsqlbv", (NUMBER, SUM, SQUARES, LOGS, BAD, BAD_SUM), strict=True):
            level = known.levels(moment(DAYS, now))[at][stat]
            # What is older than a period counts for nothing: it has faded to less than 10^-6.
            faded = 1e-6 * abs(exact([(now, one) for _, one in told], days, now, what))
            assert level == pytest.approx(exact(told, days, now, what), rel=1e-5, abs=1e-3 + faded)


@given(events.flatmap(lambda told: st.tuples(st.just(told), st.permutations(told))))
def test_order_does_not_matter(orders: tuple[list[tuple[float, Seen]], list[tuple[float, Seen]]]) -> None:
    """But for what is two periods older than something before it, which counts for nothing."""
    first, second = (known_of(order) for order in orders)
    assert [row[0] for row in totals(first)] == [row[0] for row in totals(second)]
    for at in range(len(DAYS)):
        for stat in (NUMBER, SUM, BAD):
            now = moment(DAYS, NOON)
            assert first.levels(now)[at][stat] == second.levels(now)[at][stat]


@given(events, events)
def test_what_is_taken_back_leaves_nothing_behind(
    told: list[tuple[float, Seen]], wrong: list[tuple[float, Seen]]
) -> None:
    known = known_of(told + wrong)
    for time, one in wrong:
        add(known, time, one, -1)
    clean, now = known_of(told), moment(DAYS, NOON)
    for at in range(len(DAYS)):
        for stat in (NUMBER, SUM, SQUARES, LOGS, BAD, BAD_SUM):
            assert known.levels(now)[at][stat] == pytest.approx(clean.levels(now)[at][stat], abs=1e-9)


@given(st.lists(events, min_size=1, max_size=4))
def test_additions_kept_apart_add_up(parts: list[list[tuple[float, Seen]]]) -> None:
    """Each batch adds its totals by name, as DynamoDB would; whoever reads them knows what one run would."""
    kept: dict[str, int] = {}
    for part in parts:
        for name, total in known_of(part).additions(PROFILE).items():
            kept[name] = kept.get(name, 0) + total
    recalled, whole = Known(len(DAYS)), known_of([one for part in parts for one in part])
    recalled.recall(PROFILE, kept)
    now = moment(DAYS, NOON)
    for at in range(len(DAYS)):
        for stat in (NUMBER, SUM, SQUARES, LOGS, BAD, BAD_SUM):
            assert recalled.levels(now)[at][stat] == pytest.approx(whole.levels(now)[at][stat], abs=1e-6)
    assert recalled.run(7, moment(DAYS, NOON)) == whole.run(7, moment(DAYS, NOON))


def test_numbers_stay_in_range_for_a_hundred_years() -> None:
    known, day = Known(len(DAYS)), 0
    for day in range(0, 36_500, 5):
        add(known, NOON + day * DAY_S, Seen(1e9, is_bad=True, counterpart=None))
    assert all(abs(total) < 10**38 for row in totals(known) for total in row)
    assert known.levels(moment(DAYS, NOON + day * DAY_S))[2][NUMBER] == pytest.approx(
        1 / (1 - math.exp(-5 / 30))
    )
    stale = known.faded(PROFILE, ["n7.3", "e.5", "m.5", *known.additions(PROFILE)])
    assert stale == ["n7.3", "e.5", "m.5"]


def test_the_largest_values_fit_the_table() -> None:
    known = Known(len(DAYS))
    late = (PERIOD_LIVES * 30 - 1) * DAY_S + (NOON // (30 * 16 * DAY_S)) * 30 * 16 * DAY_S
    for _ in range(1000):
        add(known, late, Seen(LARGEST, is_bad=True, counterpart=None))
    assert all(abs(total) * 1000 < 10**38 for total in known.additions(PROFILE).values())
    assert UNIT == 1_000_000


def test_the_young_have_no_label_yet() -> None:
    told = [(NOON - age * DAY_S, Seen(1.0, is_bad=False, counterpart=None)) for age in (0.5, 3, 6.5, 8, 20)]
    known = known_of(told)
    young = known.young(30, fading(30, 7), moment(DAYS, NOON))
    assert young == pytest.approx(exact(told[:3], 30, NOON, "n"), rel=0.01)
    assert known.levels(moment(DAYS, NOON))[2][NUMBER] - young == pytest.approx(
        exact(told[3:], 30, NOON, "n"), rel=0.02
    )


def test_a_run_begins_after_the_last_honest_record_whose_label_is_due() -> None:
    def one(age: float, *, is_bad: bool) -> tuple[float, Seen]:
        return NOON - age * DAY_S, Seen(1.0, is_bad=is_bad, counterpart=None)

    known = known_of(
        [one(20, is_bad=True), one(18, is_bad=False), one(15, is_bad=True), one(11, is_bad=True)]
    )
    run = known.run(7, moment(DAYS, NOON))
    assert (run.frauds, NOON / DAY_S - run.since) == (2, pytest.approx(15, abs=0.25))
    assert NOON / DAY_S - run.honest == pytest.approx(18, abs=0.25)
    add(known, *one(2, is_bad=False))
    assert known.run(7, moment(DAYS, NOON)).frauds == 2, "whether that one is honest is not known yet"
    add(known, *one(9, is_bad=False))
    assert known.run(7, moment(DAYS, NOON)).frauds == 0
    add(known, *one(1, is_bad=True))
    assert known.run(7, moment(DAYS, NOON)).frauds == 1, "a fraud is known when it is told"


def test_history_is_bounded() -> None:
    known = Known(len(DAYS))
    for slot in range(2000):
        one = Seen(1.0, is_bad=True, counterpart=slot)
        add(known, NOON + slot * DAY_S / 4, one)
    assert len(known.per_slot) <= (7 + HISTORY_DAYS) * 4
    assert len(known.bad_per_slot) <= (7 + HISTORY_DAYS) * 4
    assert len(known.met) <= MET_MAX
