"""What is known of an entity (a customer, a terminal): its past in a few numbers that only get added to.

The numbers are *forward-decayed* totals: something of time t counts e^((t - L) / T) at the landmark L, and
whoever reads at a later time divides by e^((now - L) / T). So a total is never rewritten, additions may come
in any order and from many places at once, and DynamoDB's ADD can do them. (Cormode, Shkapenyuk, Srivastava,
Xu, "Forward decay: a practical time decay model for streaming systems", ICDE 2009.)

Totals are whole numbers, of millionths: whole numbers add up to the same sum in any order, so neither the
size of a batch nor who was first changes a score, and taking back what was added leaves nothing behind.

Landmarks move on every 16 mean lives, so that numbers stay in range for ever. Totals of the period before
still count; what is older has faded to less than 10^-7.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from math import exp, isnan
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DAY_S: Final = 86_400
PERIOD_LIVES: Final = 16  # mean lives from one landmark to the next
FADE: Final = math.exp(-PERIOD_LIVES)
UNIT: Final = 1_000_000  # of a total
LARGEST: Final = 1e9  # of a value: squares of larger ones would not fit DynamoDB's 38 digits
SLOT_S: Final = DAY_S // 4  # in which events are counted until their labels are due, and for a while after
HISTORY_DAYS: Final = 35  # that while
SLOTS_PER_DAY: Final = DAY_S // SLOT_S
MET_MAX: Final = 64  # counterparts remembered of an entity
STATS: Final = "nsqlbv"
"""Number, sum of values, of their squares and logarithms; number and sum of those confirmed as fraud."""
NUMBER, SUM, SQUARES, LOGS, BAD, BAD_SUM = range(len(STATS))
EVENTS, FRAUDS = "e", "f"
"""What the names of counts by slot begin with."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What is kept of the entities of one kind."""

    name: str
    entity: str
    """The raw field that says which entity a record is of."""
    days: tuple[int, ...]
    """Mean lives of its windows."""
    value: str | None = None
    """The raw field that is summed up; None to count only."""
    feature: str | None = None
    """A feature of an earlier profile that is summed up instead: how odd a terminal's payments are for those
    who pay, say."""
    counterpart: str | None = None
    """The raw field whose different values are counted."""
    labels: bool = False
    """Whether confirmed fraud is counted."""
    label_days: int = 0
    """After how many days a record without a label counts as honest."""


class Moment(NamedTuple):
    """A moment, as the windows of a profile see it."""

    time: float
    """Epoch seconds."""
    slot: int
    """Since 1970, of `SLOT_S`."""
    windows: tuple[tuple[int, float], ...]
    """For each the period it is in, and e^((t - L) / T)."""


def moments(days: Sequence[int], times: Sequence[float]) -> list[Moment]:
    """The moments of these times (epoch seconds) for windows of these mean lives.

    A column at a time, and without a call of Python's for each: half of what one after the other takes.
    """
    windows = []
    for life in days:
        span = life * DAY_S
        lives = [time / span for time in times]
        periods = [int(one // PERIOD_LIVES) for one in lives]
        growths = [exp(one - period * PERIOD_LIVES) for one, period in zip(lives, periods, strict=True)]
        windows.append(zip(periods, growths, strict=True))
    slots = [int(time // SLOT_S) for time in times]
    made = tuple.__new__
    return [made(Moment, parts) for parts in zip(times, slots, zip(*windows, strict=True), strict=True)]


def moment(days: Sequence[int], time: float) -> Moment:
    """The moment `time` (epoch seconds) for windows of these mean lives."""
    return moments(days, (time,))[0]


Levels: TypeAlias = tuple[float, float, float, float, float, float]
"""Totals of a window by `STATS`."""


class Run(NamedTuple):
    """The frauds of an entity since it last had something honest, as far as labels can be known by now."""

    since: float
    """Days since 1970, of the first."""
    frauds: int
    honest: float
    """Days since 1970, when it last had something honest; -inf for never."""


NO_RUN: Final = Run(math.nan, 0, -math.inf)


class Seen(NamedTuple):
    """An event, as far as the profile of one of its entities goes."""

    value: float
    """NaN if it has none."""
    is_bad: bool
    """Whether it is confirmed as fraud."""
    counterpart: int | None
    """A short name of it."""


_NO_TOTALS: Final = [0] * len(STATS)  # never written to
NOTHING: Final[dict[int, int]] = {}
"""Stands for what most entities never have, and is never written to: a dict each would be a third of them."""


class Totals:
    """What one window knows of an entity: totals by `STATS`, of a period and of the one before."""

    __slots__ = ("before", "now", "period")

    def __init__(self) -> None:
        self.period = 0
        self.now = [0] * len(STATS)
        self.before: list[int] = []
        """Empty if there are none."""

    def of(self, period: int) -> list[int] | None:
        """Those of a period, after room was made if it is a new one; None if it is too old."""
        ahead = period - self.period
        if ahead > 0:
            self.before = self.now if ahead == 1 else []
            self.now, self.period = [0] * len(STATS), period
        elif ahead == -1 and not self.before:
            self.before = [0] * len(STATS)
        return self.now if ahead >= 0 else self.before if ahead == -1 else None

    def at(self, period: int, growth: float) -> tuple[Sequence[float], float]:
        """What counts of them at a moment of a period, with this growth; and what to divide it by."""
        now, before, scale = self.now, self.before, growth * UNIT
        if period > self.period:
            before = now if period == self.period + 1 else []
            now = _NO_TOTALS
        elif period < self.period:  # somebody was here with something later: as it was when that began
            scale = UNIT
        if not before:
            return now, scale
        return [total + faded * FADE for total, faded in zip(now, before, strict=True)], scale


class Known:
    """What is known of one entity. Nothing, to begin with."""

    __slots__ = (
        "_run", "_run_at", "_run_slot", "bad_per_slot", "confirmed", "first", "last", "met", "per_slot",
        "windows",
    )  # fmt: skip

    def __init__(self, windows: int) -> None:
        self.first = math.inf
        """The earliest event, epoch seconds."""
        self.last = -math.inf
        """The latest."""
        self.confirmed = -math.inf
        """The latest of those confirmed as fraud."""
        self.windows = [Totals() for _ in range(windows)]
        self.per_slot = NOTHING
        """Events by slot since 1970, the oldest first, of the last `HISTORY_DAYS` before a label is due."""
        self.bad_per_slot = NOTHING
        """Those of them that were confirmed as fraud."""
        self._run, self._run_at, self._run_slot = NO_RUN, -1, -1
        self.met = NOTHING
        """The day since 1970 on which each counterpart was met last, by a short name of it."""

    def levels(self, moment: Moment) -> list[Levels]:
        """The totals of each window, as they have faded until the moment."""
        found = []
        now: Sequence[float]
        for totals, (period, growth) in zip(self.windows, moment.windows, strict=True):
            if period == totals.period and not totals.before:  # so most are
                now, scale = totals.now, growth * UNIT
            else:
                now, scale = totals.at(period, growth)
            n, s, q, l, b, v = now  # noqa: E741 - the letters of STATS
            found.append((n / scale, s / scale, q / scale, l / scale, b / scale, v / scale))
        return found

    def young(self, days: int, left: Sequence[float], moment: Moment) -> float:
        """How much of the number in a window is of records too young to have a label; to the slot.

        Args:
            days: mean life of the window.
            left: of it and the days until a label, as `fading` tells: then no slot costs an `exp`.
            moment: by when.
        """
        slot_now, total = moment.slot, 0.0
        oldest = slot_now - len(left)
        for slot, number in reversed(self.per_slot.items()):
            if slot <= oldest:
                break
            total += number * left[slot_now - slot if slot < slot_now else 0]
        return total * exp(((slot_now + 0.5) * SLOT_S - moment.time) / (days * DAY_S))

    def add(self, profile: Profile, moment: Moment, sign: int, seen: Seen) -> None:
        """Let an event of this moment count (`sign` 1), or take back one that did (-1)."""
        time, slot, windows = moment
        value, is_bad, counterpart = seen
        has_value = not isnan(value)
        log, unit = math.log1p(value) if value > 0 else 0.0, sign * UNIT
        for totals, (period, growth) in zip(self.windows, windows, strict=True):
            now = totals.now if period == totals.period else totals.of(period)
            if now is None:
                continue
            weight = growth * unit
            number, total = round(weight), 0
            now[NUMBER] += number
            if has_value:
                weighted = weight * value
                total = round(weighted)
                now[SUM] += total
                now[SQUARES] += round(weighted * value)
                now[LOGS] += round(weight * log)
            if is_bad:
                now[BAD] += number
                now[BAD_SUM] += total
        if profile.labels:
            self._note_slot(slot, sign, profile.label_days, is_bad=is_bad)
        if sign > 0:  # what cannot be taken back: when it was seen, and with whom
            self._note(time, is_bad=is_bad)
            if counterpart is not None:
                self._meet(counterpart, int(time // DAY_S), max(profile.days))

    def _note(self, time: float, *, is_bad: bool) -> None:
        if time < self.first:  # noqa: PLR1730 - a call less, for every record
            self.first = time
        if time > self.last:  # noqa: PLR1730
            self.last = time
        if is_bad and time > self.confirmed:
            self.confirmed = time

    def run(self, label_days: int, moment: Moment) -> Run:
        """The entity's run of frauds at a moment; to the slot."""
        today = moment.slot
        if today != self._run_slot or self._run_at < 0:
            self._run_slot = today
            due = today - label_days * SLOTS_PER_DAY - 1
            if due != self._run_at:
                self._run, self._run_at = self._run_until(due, today - _slots(label_days)), due
        return self._run

    def _run_until(self, due: int, oldest: int) -> Run:
        """The run, where labels are due up to a slot, and the oldest slot and those before are forgotten."""
        bad, last = self.bad_per_slot, oldest
        for slot, number in reversed(self.per_slot.items()):
            if slot > due:
                continue
            if slot <= oldest:
                break
            if number > bad.get(slot, 0):
                last = slot
                break
        frauds = {slot: n for slot, n in bad.items() if slot > last and n > 0}
        return Run(
            (min(frauds) + 0.5) / SLOTS_PER_DAY if frauds else math.nan,
            sum(frauds.values()),
            (last + 0.5) / SLOTS_PER_DAY if last > oldest else -math.inf,
        )

    def _note_slot(self, slot: int, sign: int, label_days: int, *, is_bad: bool) -> None:
        if self.per_slot is NOTHING:
            self.per_slot, self.bad_per_slot = {}, {}
        slots, bad = self.per_slot, self.bad_per_slot
        if is_bad:
            bad[slot] = bad.get(slot, 0) + sign
        if slot in slots:
            slots[slot] += sign
        else:
            newest = next(reversed(slots), slot)
            slots[slot] = sign
            if slot < newest:  # it came late
                self.per_slot = slots = dict(sorted(slots.items()))
            oldest = max(slot, newest) - _slots(label_days)
            while (first := next(iter(slots))) <= oldest:
                del slots[first]
                bad.pop(first, None)
        if is_bad or slot <= self._run_at:
            self._run_at = -1

    def _meet(self, counterpart: int, day: int, life: int) -> None:
        if self.met is NOTHING:
            self.met = {}
        if len(self.met) >= MET_MAX:
            since = max(self.met.values()) - life
            self.met = {name: last for name, last in self.met.items() if last > since}
        # With so many, one more says nothing new: and what is kept of an entity must not grow for ever.
        if len(self.met) < MET_MAX or counterpart in self.met:
            self.met[counterpart] = max(day, self.met.get(counterpart, day))

    def additions(self, profile: Profile) -> dict[str, int]:
        """The totals by the names under which they are kept and added up, without those that are nothing.

        `s7.41` is the sum of the window of 7 days in its period 41; `e.82000` the events of that slot, and
        `f.82000` the frauds among them.
        """
        kept = {f"{EVENTS}.{slot}": number for slot, number in self.per_slot.items()}
        kept |= {f"{FRAUDS}.{slot}": number for slot, number in self.bad_per_slot.items()}
        for days, totals in zip(profile.days, self.windows, strict=True):
            for period, of in ((totals.period, totals.now), (totals.period - 1, totals.before)):
                kept |= {f"{stat}{days}.{period}": total for stat, total in zip(STATS, of, strict=False)}
        return {name: total for name, total in kept.items() if total}

    def recall(self, profile: Profile, kept: Mapping[str, int]) -> None:
        """Add totals by the names under which they are kept; what no window knows any more is left out."""
        by_days = {str(days): totals for days, totals in zip(profile.days, self.windows, strict=True)}
        slots = {EVENTS: dict(self.per_slot), FRAUDS: dict(self.bad_per_slot)}
        # The newest first, so that no total is turned out by one that comes after it.
        for name, total in sorted(kept.items(), key=lambda one: -int(one[0].partition(".")[2])):
            what, _, period = name.partition(".")
            if what in slots:
                slots[what][int(period)] = slots[what].get(int(period), 0) + total
            elif (
                (totals := by_days.get(what[1:])) is not None
                and what[0] in STATS
                and (of := totals.of(int(period))) is not None
            ):
                of[STATS.index(what[0])] += total
        if slots[EVENTS] or slots[FRAUDS]:
            self.per_slot, self.bad_per_slot = dict(sorted(slots[EVENTS].items())), slots[FRAUDS]
            self._run_at = -1

    def faded(self, profile: Profile, names: Iterable[str]) -> list[str]:
        """Those of the names under which nothing that counts can be kept any more."""
        oldest = {
            f"{stat}{days}": totals.period - 1
            for days, totals in zip(profile.days, self.windows, strict=True)
            for stat in STATS
        }
        newest = max(self.per_slot, default=0)
        oldest |= dict.fromkeys((EVENTS, FRAUDS), newest - _slots(profile.label_days) + 1)
        oldest["m"] = int(self.last // DAY_S) - max(profile.days) if math.isfinite(self.last) else 0
        parts = ((name, *name.partition(".")[::2]) for name in names)
        return [name for name, what, period in parts if int(period) < oldest.get(what, 0)]


def fading(days: int, label_days: int) -> tuple[float, ...]:
    """What is left in a window of this mean life of each slot whose labels are not due: the newest first."""
    return tuple(exp(-age * SLOT_S / (days * DAY_S)) for age in range(label_days * SLOTS_PER_DAY + 1))


def _slots(label_days: int) -> int:
    return (label_days + HISTORY_DAYS) * SLOTS_PER_DAY
