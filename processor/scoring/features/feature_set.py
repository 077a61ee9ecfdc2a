"""The features of a model, ready to be computed for a batch."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

import numpy as np

from processor.scoring.features.kinds import FIELD_KINDS, PROFILE_KINDS
from processor.scoring.features.share import share_of
from processor.scoring.features.values import instant, number
from processor.scoring.profiles import LARGEST, Known, Moment, Profile, Seen, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from processor.scoring.features.feature import Feature
    from processor.scoring.features.kind import Measure, Reader, Shape
    from processor.scoring.features.values import Counts, Matrix

    Image = Mapping[str, Any]


def _plain(counterpart: Any) -> int:
    return crc32(repr(counterpart).encode("utf-8", "surrogatepass"))


class Memory(dict["tuple[str, Any]", Known]):
    """What is known of entities, each by the name of a profile and a raw value.

    Args:
        short: the name of a counterpart as it is kept. Where a memory is kept, that takes a key.
    """

    def __init__(self, short: Callable[[Any], int] = _plain) -> None:
        super().__init__()
        self.short = short

    def of(self, profile: Profile, entity: Any) -> Known:
        """What is known of an entity; nothing, at first."""
        known = self.get((profile.name, entity))
        if known is None:
            known = self[profile.name, entity] = Known(len(profile.days))
        return known


class Step(NamedTuple):
    """A change, as the model sees it."""

    before: Image | None
    """What it says no longer."""
    after: Image | None
    """What it says now."""
    scored: bool = True
    """Whether its features are wanted; False: it is only learnt from, as a label that comes back."""


class Label(NamedTuple):
    """How a record says that it was found to be fraud."""

    field: str
    equals: Any
    after_days: int
    """By when it says so, if it ever will."""


class _Column(NamedTuple):
    """A raw field read in one way, and the features made of it: each raw value is parsed once."""

    of: str
    read: Reader
    uses: list[tuple[int, Shape]]  # (position of the feature, how it is made)


class Contribution(NamedTuple):
    """What a step adds to what is known of one entity, or takes from it."""

    profile: Profile
    entity: Any
    time: float
    sign: int
    seen: Seen


class _Habit(NamedTuple):
    """A profile, and the features made of it."""

    profile: Profile
    at: list[int]
    """Their columns."""
    measures: list[Measure]
    asked: list[int]
    """Those of the measures that a later profile sums up."""


class FeatureSet:
    """The features of a model.

    Args:
        features: in the order of the matrix's columns.
        profiles: of which some features are made.
        time: the raw field that says when a record is from; needed where there are profiles.
        label: how a record says that it was fraud; needed where a profile counts labels.
    """

    def __init__(
        self,
        features: Sequence[Feature],
        profiles: Sequence[Profile] = (),
        time: str = "",
        label: Label | None = None,
    ) -> None:
        self.features, self.profiles = tuple(features), tuple(profiles)
        self.time, self.label = time, label
        self.names = tuple(feature.name for feature in features)
        self._medians = np.array([feature.median for feature in features], dtype=np.float32)
        self._columns = _columns(self.features)
        asked = {profile.feature for profile in self.profiles if profile.feature}
        self._habits = [_habit(profile, self.features, asked) for profile in self.profiles]

    @property
    def reads(self) -> tuple[str, ...]:
        """The raw fields that it reads."""
        fields = [feature.of for feature in self.features if feature.of]
        for profile in self.profiles:
            fields += filter(None, (self.time, profile.entity, profile.value, profile.counterpart))
            fields += [self.label.field] if self.label and profile.labels else []
        return tuple(dict.fromkeys(fields))

    def entities(self, steps: Iterable[Step]) -> set[tuple[str, Any]]:
        """Whom the steps are about, each as the name of a profile and a raw value."""
        images = [image for step in steps for image in (step.before, step.after) if image is not None]
        return {
            (profile.name, entity)
            for profile in self.profiles
            for image in images
            if (entity := _entity(profile, image)) is not None
        }

    def measure(
        self, steps: Sequence[Step], memory: Memory, said: list[list[Contribution]] | None = None
    ) -> Matrix:
        """The features of each scored step that has an `after`, NaN where what they need is missing.

        A step is known to those after it: `memory` holds at the end what it held before, and the steps.
        A change of a record is judged as if the record had not been there before.

        Args:
            steps: in their order.
            memory: of the entities.
            said: gets for each step what it has added to the memory.
        """
        images = [step.after for step in steps if step.scored and step.after is not None]
        matrix = np.empty((len(images), len(self.features)), dtype=np.float32)
        for name, read, uses in self._columns:
            column = np.array([read(image.get(name)) for image in images], dtype=np.float64)
            missing = np.isnan(column)
            column[missing] = 0.0
            for position, shape in uses:
                matrix[:, position] = shape(column)
                matrix[missing, position] = np.nan
        if said is not None:
            said += [[] for _ in steps]
        odd: dict[str, list[float]] = {}
        times = self._times(steps) if self._habits else []
        for habit in self._habits:
            rows = self._remember(habit, zip(steps, times, strict=True), memory, odd, said)
            if rows and habit.at:
                matrix[:, habit.at] = rows
        return matrix

    def learn(self, contributions: Iterable[Contribution], memory: Memory) -> None:
        """Let the memory know of what other steps have added."""
        for profile, entity, time, sign, seen in contributions:
            memory.of(profile, entity).add(profile, moment(profile.days, time), sign, seen)

    def impute(self, matrix: Matrix) -> Counts:
        """Put the medians of training where features are missing; answer how many were, row by row."""
        missing = np.isnan(matrix)
        np.copyto(matrix, self._medians, where=missing)
        counts: Counts = missing.sum(axis=1)
        return counts

    def _remember(
        self,
        habit: _Habit,
        timed: Iterable[tuple[Step, tuple[float, float]]],
        memory: Memory,
        odd: dict[str, list[float]],
        said: list[list[Contribution]] | None,
    ) -> list[list[float]]:
        """The features of one profile, for the scored steps; those that later profiles sum up, for all."""
        profile, rows = habit.profile, []
        asked = [odd.setdefault(self.names[habit.at[one]], []) for one in habit.asked]
        values = odd.get(profile.feature) if profile.feature else None
        for at, ((before, after, scored), (before_time, time)) in enumerate(timed):
            value = None if values is None else values[at]
            gone = None if before is None else self._taken_back(profile, before, before_time, value, memory)
            now = None if after is None else self._contribution(profile, after, time, value, memory)
            row = [math.nan] * len(habit.at)
            if (about := now or gone) is not None:
                known, when = memory.of(profile, about.entity), moment(profile.days, about.time)
                if scored or asked:
                    row = _judged(habit, when, about.seen.value, known)
                if now is not None:
                    known.add(profile, when, 1, now.seen)
            if scored and after is not None:
                rows.append(row)
            if asked:
                for column, position in zip(asked, habit.asked, strict=True):
                    column.append(row[position])
            if said is not None:
                said[at] += [one for one in (gone, now) if one is not None]
        return rows

    def _times(self, steps: Iterable[Step]) -> list[tuple[float, float]]:
        """When what each step says no longer was, and what it says now; NaN where it does not say."""
        name, nan = self.time, math.nan
        return [
            (
                nan if before is None else instant(before.get(name)),
                nan if after is None else instant(after.get(name)),
            )
            for before, after, _ in steps
        ]

    def _taken_back(
        self, profile: Profile, image: Image, time: float, value: float | None, memory: Memory
    ) -> Contribution | None:
        """What an image said of its entity, which is said no longer."""
        said = self._contribution(profile, image, time, value, memory)
        if said is None:
            return None
        memory.of(profile, said.entity).add(profile, moment(profile.days, time), -1, said.seen)
        return said._replace(sign=-1)

    def _contribution(
        self, profile: Profile, image: Image, time: float, value: float | None, memory: Memory
    ) -> Contribution | None:
        """What an image says of its entity; None, if it does not say of whom or when."""
        entity = _entity(profile, image)
        if entity is None or math.isnan(time):
            return None
        if value is None:
            value = number(image.get(profile.value)) if profile.value else math.nan
        is_bad = (
            profile.labels and self.label is not None and image.get(self.label.field) == self.label.equals
        )
        other = image.get(profile.counterpart) if profile.counterpart else None
        seen = Seen(
            value if -LARGEST <= value <= LARGEST or math.isnan(value) else math.copysign(LARGEST, value),
            is_bad,
            None if other is None else memory.short(other),
        )
        return Contribution(profile, entity, time, 1, seen)


def _judged(habit: _Habit, when: Moment, value: float, known: Known) -> list[float]:
    """The features of one profile."""
    # A late record is judged by what is known now: nothing counts more for being later than it.
    if when.time < known.last:
        when = moment(habit.profile.days, known.last)
    return [measure(known, when, value) for measure in habit.measures]


def _entity(profile: Profile, image: Image) -> Any:
    """Of which entity an image is, None if it does not say."""
    value = image.get(profile.entity)
    return value if type(value) is str or isinstance(value, str | int | Decimal | bytes) else None


def _columns(features: Sequence[Feature]) -> list[_Column]:
    columns: dict[tuple[str, object], _Column] = {}
    for position, feature in enumerate(features):
        if (kind := FIELD_KINDS.get(feature.kind)) is None:
            continue
        same = (feature.of, kind.reader or feature.name)
        read = kind.reader or share_of(feature.shares)
        columns.setdefault(same, _Column(feature.of, read, [])).uses.append((position, kind.shape))
    return list(columns.values())


def _habit(profile: Profile, features: Sequence[Feature], asked: Collection[str]) -> _Habit:
    mine = [(at, one) for at, one in enumerate(features) if one.profile == profile.name]
    return _Habit(
        profile,
        [at for at, _ in mine],
        [PROFILE_KINDS[one.kind].make(one, profile) for _, one in mine],
        [place for place, (_, one) in enumerate(mine) if one.name in asked],
    )
