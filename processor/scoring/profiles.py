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
_NOW, _BEFORE = 1, 1 + len(STATS)  # where a row's totals begin, after its period
_WIDTH: Final = 1 + 2 * len(STATS)
_ZEROS: Final = (0,) * len(STATS)


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


NOTHING: Final[dict[int, int]] = {}
"""Stands for what most entities never have, and is never written to: a dict each would be a third of them."""


class Known:
    """What is known of one entity. Nothing, to begin with."""

    __slots__ = (
        "_run", "_run_at", "_run_slot", "bad_per_slot", "confirmed", "first", "last", "met", "per_slot",
        "rows",
    )  # fmt: skip

    def __init__(self, windows: int) -> None:
        self.first = math.inf
        """The earliest event, epoch seconds."""
        self.last = -math.inf
        """The latest."""
        self.confirmed = -math.inf
        """The latest of those confirmed as fraud."""
        self.rows: list[list[int]] = [[0] * _WIDTH for _ in range(windows)]
        """For each window: the period, the totals of it by `STATS`, and those of the period before."""
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
        for row, (period, growth) in zip(self.rows, moment.windows, strict=True):
            begun, n, s, q, l, b, v, n0, s0, q0, l0, b0, v0 = row  # noqa: E741 - the letters of STATS
            scale = growth * UNIT
            if period != begun:
                if period > begun:  # nobody was here since: now is before
                    n0, s0, q0, l0, b0, v0 = (n, s, q, l, b, v) if period == begun + 1 else _ZEROS
                    n = s = q = l = b = v = 0  # noqa: E741
                else:  # somebody was here with something later: as it was at that period's beginning
                    scale = UNIT
            found.append(
                (
                    (n + n0 * FADE) / scale, (s + s0 * FADE) / scale, (q + q0 * FADE) / scale,
                    (l + l0 * FADE) / scale, (b + b0 * FADE) / scale, (v + v0 * FADE) / scale,
                )
            )  # fmt: skip
        return found

    def young(self, days: int, label_days: int, moment: Moment) -> float:
        """How much of the number in a window is of records too young to have a label; to the slot."""
        first, life = moment.slot - label_days * SLOTS_PER_DAY, days * DAY_S
        half = moment.time - SLOT_S / 2
        faded, slots = [], self.per_slot
        for slot in reversed(slots):
            if slot < first:
                break
            faded.append(slots[slot] * exp((slot * SLOT_S - half) / life))
        return math.fsum(faded)

    def add(self, profile: Profile, moment: Moment, sign: int, seen: Seen) -> None:
        """Let an event of this moment count (`sign` 1), or take back one that did (-1)."""
        time, slot, windows = moment
        value, is_bad, counterpart = seen
        has_value = not isnan(value)
        log, unit = math.log1p(value) if value > 0 else 0.0, sign * UNIT
        for row, (period, growth) in zip(self.rows, windows, strict=True):
            base = _NOW if period == row[0] else _turn(row, period)
            if not base:
                continue
            weight = growth * unit
            number, total = round(weight), 0
            row[base] += number
            if has_value:
                weighted = weight * value
                total = round(weighted)
                row[base + SUM] += total
                row[base + SQUARES] += round(weighted * value)
                row[base + LOGS] += round(weight * log)
            if is_bad:
                row[base + BAD] += number
                row[base + BAD_SUM] += total
        if profile.labels:
            self._note_slot(slot, sign, profile.label_days, is_bad=is_bad)
        if sign < 0:  # what cannot be taken back: when it was seen, and with whom
            return
        self.first = min(self.first, time)
        self.last = max(self.last, time)
        if is_bad and time > self.confirmed:
            self.confirmed = time
        if counterpart is not None:
            self._meet(counterpart, int(time // DAY_S), max(profile.days))

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
        bad, slots, last = self.bad_per_slot, self.per_slot, oldest
        for slot in reversed(slots):
            if slot <= oldest:
                break
            if slot <= due and slots[slot] > bad.get(slot, 0):
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
        for days, row in zip(profile.days, self.rows, strict=True):
            for period, base in ((row[0], _NOW), (row[0] - 1, _BEFORE)):
                kept |= {f"{stat}{days}.{period}": row[base + at] for at, stat in enumerate(STATS)}
        return {name: total for name, total in kept.items() if total}

    def recall(self, profile: Profile, kept: Mapping[str, int]) -> None:
        """Add totals by the names under which they are kept; what no window knows any more is left out."""
        at = {str(days): row for days, row in zip(profile.days, self.rows, strict=True)}
        slots = {EVENTS: dict(self.per_slot), FRAUDS: dict(self.bad_per_slot)}
        # The newest first, so that no total is turned out by one that comes after it.
        for name, total in sorted(kept.items(), key=lambda one: -int(one[0].partition(".")[2])):
            what, _, period = name.partition(".")
            if what in slots:
                slots[what][int(period)] = slots[what].get(int(period), 0) + total
            elif (
                (row := at.get(what[1:])) is not None
                and what[0] in STATS
                and (base := _turn(row, int(period)))
            ):
                row[base + STATS.index(what[0])] += total
        if slots[EVENTS] or slots[FRAUDS]:
            self.per_slot, self.bad_per_slot = dict(sorted(slots[EVENTS].items())), slots[FRAUDS]
            self._run_at = -1

    def faded(self, profile: Profile, names: Iterable[str]) -> list[str]:
        """Those of the names under which nothing that counts can be kept any more."""
        oldest = {
            f"{stat}{days}": row[0] - 1
            for days, row in zip(profile.days, self.rows, strict=True)
            for stat in STATS
        }
        newest = max(self.per_slot, default=0)
        oldest |= dict.fromkeys((EVENTS, FRAUDS), newest - _slots(profile.label_days) + 1)
        oldest["m"] = int(self.last // DAY_S) - max(profile.days) if math.isfinite(self.last) else 0
        parts = ((name, *name.partition(".")[::2]) for name in names)
        return [name for name, what, period in parts if int(period) < oldest.get(what, 0)]


def _slots(label_days: int) -> int:
    return (label_days + HISTORY_DAYS) * SLOTS_PER_DAY


def _turn(row: list[int], period: int) -> int:
    """Where in the row a period's totals are, after room was made if it is a new one; 0 if it is too old."""
    ahead = period - row[0]
    if ahead > 0:
        row[_BEFORE:] = row[_NOW:_BEFORE] if ahead == 1 else _ZEROS
        row[_NOW:_BEFORE] = _ZEROS
        row[0] = period
    return 0 if ahead < -1 else _BEFORE if ahead == -1 else _NOW
