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
from processor.scoring.profiles import LARGEST, Known, Profile, Seen, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

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


class _Habit(NamedTuple):
    """A profile, and the features made of it."""

    profile: Profile
    at: list[int]
    measures: list[Measure]


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
        self._habits = [_habit(profile, self.features) for profile in self.profiles]

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

    def measure(self, steps: Sequence[Step], memory: Memory) -> Matrix:
        """The features of each scored step that has an `after`, NaN where what they need is missing.

        A step is known to those after it: `memory` holds at the end what it held before, and the steps.
        A change of a record is judged as if the record had not been there before.
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
        if self._habits:
            self._remember(steps, memory, matrix)
        return matrix

    def learn(self, steps: Iterable[Step], memory: Memory) -> None:
        """Let the memory know of the steps."""
        self._remember([step._replace(scored=False) for step in steps], memory, np.empty((0, 0), np.float32))

    def impute(self, matrix: Matrix) -> Counts:
        """Put the medians of training where features are missing; answer how many were, row by row."""
        missing = np.isnan(matrix)
        np.copyto(matrix, self._medians, where=missing)
        counts: Counts = missing.sum(axis=1)
        return counts

    def _remember(self, steps: Sequence[Step], memory: Memory, matrix: Matrix) -> None:
        for habit in self._habits:
            profile = habit.profile
            rows: list[list[float]] = []
            nothing = [math.nan] * len(habit.at)
            for before, after, scored in steps:
                if before is not None:
                    self._count(profile, before, -1, memory)
                if after is None:
                    continue
                if not scored:
                    self._count(profile, after, 1, memory)
                    continue
                entity, time = _entity(profile, after), instant(after.get(self.time))
                if entity is None or math.isnan(time):
                    rows.append(nothing)
                    continue
                known = memory.of(profile, entity)
                seen, now = self._seen(profile, after, memory), moment(profile.days, time)
                # A late record is judged by what is known now: nothing counts more for being later than it.
                then = now if time >= known.last else moment(profile.days, known.last)
                rows.append([measure(known, then, seen.value) for measure in habit.measures])
                known.add(profile, now, 1, seen)
            if rows and habit.at:
                matrix[:, habit.at] = rows

    def _count(self, profile: Profile, image: Image, sign: int, memory: Memory) -> None:
        entity, time = _entity(profile, image), instant(image.get(self.time))
        if entity is not None and not math.isnan(time):
            seen = self._seen(profile, image, memory)
            memory.of(profile, entity).add(profile, moment(profile.days, time), sign, seen)

    def _seen(self, profile: Profile, image: Image, memory: Memory) -> Seen:
        value = number(image.get(profile.value)) if profile.value else math.nan
        is_bad = (
            profile.labels and self.label is not None and image.get(self.label.field) == self.label.equals
        )
        counterpart = image.get(profile.counterpart) if profile.counterpart else None
        return Seen(
            value if math.isnan(value) else min(max(value, 0.0), LARGEST),
            is_bad,
            None if counterpart is None else memory.short(counterpart),
        )


def _entity(profile: Profile, image: Image) -> Any:
    """Of which entity an image is, None if it does not say."""
    value = image.get(profile.entity)
    return value if isinstance(value, str | int | Decimal | bytes) else None


def _columns(features: Sequence[Feature]) -> list[_Column]:
    columns: dict[tuple[str, object], _Column] = {}
    for position, feature in enumerate(features):
        if (kind := FIELD_KINDS.get(feature.kind)) is None:
            continue
        same = (feature.of, kind.reader or feature.name)
        read = kind.reader or share_of(feature.shares)
        columns.setdefault(same, _Column(feature.of, read, [])).uses.append((position, kind.shape))
    return list(columns.values())


def _habit(profile: Profile, features: Sequence[Feature]) -> _Habit:
    mine = [(at, one) for at, one in enumerate(features) if one.profile == profile.name]
    return _Habit(
        profile, [at for at, _ in mine], [PROFILE_KINDS[one.kind].make(one, profile) for _, one in mine]
    )
