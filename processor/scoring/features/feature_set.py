"""The features of a model, ready to be computed for a batch."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import chain, compress
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeAlias
from zlib import crc32

import numpy as np

from processor.scoring.features.kind import View
from processor.scoring.features.kinds import FIELD_KINDS, PROFILE_KINDS
from processor.scoring.features.moments import clock
from processor.scoring.features.share import share_of
from processor.scoring.features.values import instant, number
from processor.scoring.profiles import LARGEST, Known, Moment, Profile, Seen, moment, moments

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from processor.scoring.features.feature import Feature, Zone
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
        key = profile.name, entity
        known = self.get(key)
        if known is None:
            known = self[key] = Known(len(profile.days))
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


ELSEWHERE: Final = object()
"""In place of an entity that somebody else measures."""


class Share(Protocol):
    """A part of all entities, where several measure the same steps side by side, each its own part."""

    def places(self, field: str, steps: Sequence[Step]) -> list[int]:
        """Which of the steps say now, or no longer, that they are of an own entity by this field."""

    def own(self, entities: list[Any]) -> list[Any]:
        """The entities, ELSEWHERE in place of those of others; None stays None."""

    def joined(self, values: list[float]) -> list[float]:
        """Of each step what any of them has found, NaN where nobody has."""


class _Column(NamedTuple):
    """A raw field read in one way, and the features made of it: a raw value is parsed once for each zone."""

    of: str
    read: Reader
    local: Shape | None  # to local time, if it is a moment and wanted in that
    uses: list[tuple[int, Shape]]  # (position of the feature, how it is made)


class Contribution(NamedTuple):
    """What a step adds to what is known of one entity, or takes from it."""

    profile: Profile
    entity: Any
    time: float
    sign: int
    seen: Seen


_Told: TypeAlias = "tuple[Any, Moment, Seen]"
"""What an image says of its entity: whose it is, None if it does not say of whom or when; when, and what."""


class _Habit(NamedTuple):
    """A profile, and the features made of it."""

    profile: Profile
    at: list[int]
    """Their columns."""
    measures: list[Measure]
    asked: list[int]
    """Those of the measures that a later profile sums up."""
    nothing: list[float]
    """In place of the features of a step that is of nobody."""


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
        self,
        steps: Sequence[Step],
        memory: Memory,
        said: list[list[Contribution]] | None = None,
        share: Share | None = None,
    ) -> Matrix:
        """The features of each scored step that has an `after`, NaN where what they need is missing.

        A step is known to those after it: `memory` holds at the end what it held before, and the steps.
        A change of a record is judged as if the record had not been there before.

        Args:
            steps: in their order.
            memory: of the entities.
            said: gets for each step what it has added to the memory.
            share: of the entities that are measured here; what is made of those of others is NaN.
        """
        images = [step.after for step in steps if step.scored and step.after is not None]
        matrix = np.empty((len(images), len(self.features)), dtype=np.float32)
        for name, read, local, uses in self._columns:
            column = np.array([read(image.get(name)) for image in images], dtype=np.float64)
            missing = np.isnan(column)
            column[missing] = 0.0
            column = column if local is None else local(column)
            for position, shape in uses:
                matrix[:, position] = shape(column)
                matrix[missing, position] = np.nan
        if said is not None:
            said += [[] for _ in steps]
        if not self._habits:
            return matrix
        odd: dict[str, list[float]] = {}
        wanted = [step.scored and step.after is not None for step in steps]
        after = self._dated([step.after for step in steps])
        for habit in self._habits:
            values = odd.get(habit.profile.feature or "")
            if share is None:
                rows = self._rows(habit, steps, after, values, memory, said=said)
            else:
                rows, at = [habit.nothing] * len(steps), share.places(habit.profile.entity, steps)
                own = [steps[one] for one in at], [after[one] for one in at]
                summed = values and [values[one] for one in at]
                for one, row in zip(at, self._rows(habit, *own, summed, memory, share=share), strict=True):
                    rows[one] = row
            for one in habit.asked:
                found = [row[one] for row in rows]
                odd[self.names[habit.at[one]]] = share.joined(found) if share else found
            if habit.at and images:
                flat = np.array(list(chain.from_iterable(compress(rows, wanted))), dtype=np.float64)
                matrix[:, habit.at] = flat.reshape(len(images), len(habit.at))
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

    def _rows(
        self,
        habit: _Habit,
        steps: Sequence[Step],
        after: Sequence[tuple[Image, float]],
        values: Sequence[float] | None,
        memory: Memory,
        *,
        said: list[list[Contribution]] | None = None,
        share: Share | None = None,
    ) -> list[list[float]]:
        """The features of one profile for each step; `after` and `values` are those of the steps."""
        now = self._told(habit.profile, after, values, memory, share)
        gone: dict[int, _Told] = {}
        if changed := [at for at, step in enumerate(steps) if step.before is not None]:
            before = self._dated([steps[at].before for at in changed])
            old = values and [values[at] for at in changed]
            gone = dict(zip(changed, self._told(habit.profile, before, old, memory, share), strict=True))
        return _remembered(habit, zip(steps, now, strict=True), gone, memory, said)

    def _dated(self, images: Iterable[Image | None]) -> list[tuple[Image, float]]:
        """The images, each with its time; nothing and 0 for those that have none."""
        name, isnan = self.time, math.isnan
        return [
            (_NOTHING, 0.0) if image is None or isnan(time := instant(image.get(name))) else (image, time)
            for image in images
        ]

    def _told(
        self,
        profile: Profile,
        dated: Sequence[tuple[Image, float]],
        values: Sequence[float] | None,
        memory: Memory,
        share: Share | None,
    ) -> Iterable[_Told]:
        """What images say of their entities, of each in turn.

        Column by column, because that is twice as fast as record by record.

        Args:
            profile: whose entities.
            dated: images with their times.
            values: of a profile that sums up a feature; None to read them from the images.
            memory: knows the names of counterparts.
            share: of the entities.
        """
        images = [image for image, _ in dated]
        entities = [image.get(profile.entity) for image in images]
        if not _NAMES.issuperset(map(type, entities)):
            entities = [one if isinstance(one, str | int | Decimal | bytes) else None for one in entities]
        if share:
            entities = share.own(entities)
        if values is None:
            of = profile.value
            values = [number(image.get(of)) for image in images] if of else [math.nan] * len(images)
        bad = [False] * len(images)
        others: list[int | None] = [None] * len(images)
        if profile.labels and self.label is not None:
            field, equals, _ = self.label
            bad = [image.get(field) == equals for image in images]
        if (met := profile.counterpart) is not None:
            others = [
                None if entity in _NOBODY or (other := image.get(met)) is None else memory.short(other)
                for image, entity in zip(images, entities, strict=True)
            ]
        values = [one if -LARGEST <= one <= LARGEST else _limited(one) for one in values]
        when = moments(profile.days, [time for _, time in dated])
        made = tuple.__new__  # in place of a call of Python's for each
        seen = [made(Seen, parts) for parts in zip(values, bad, others, strict=True)]
        return zip(entities, when, seen, strict=True)


_NOTHING: Final[Image] = {}
_NOBODY: Final = (None, ELSEWHERE)
_NAMES: Final = frozenset({str, int, bytes, Decimal, type(None)})
"""Types of fields that say which entity a record is of, or do not say it."""


def _remembered(
    habit: _Habit,
    told: Iterable[tuple[Step, _Told]],
    gone: Mapping[int, _Told],
    memory: Memory,
    said: list[list[Contribution]] | None,
) -> list[list[float]]:
    """The features of one profile for each step, NaN where they are not wanted; and the steps are known then.

    Args:
        habit: the profile, and how its features are measured.
        told: the steps, each with what it says now.
        gone: what those that change a record say no longer, by their place.
        memory: of the entities.
        said: gets what each step has added.
    """
    profile, measures, made = habit.profile, habit.measures, tuple.__new__
    name, recall, of = profile.name, memory.get, memory.of
    nothing, rows = habit.nothing, []
    for at, (step, now) in enumerate(told):
        about, row = now, nothing
        if at in gone and (back := gone[at])[0] not in _NOBODY:
            of(profile, back[0]).add(profile, back[1], -1, back[2])
            if said is not None:
                said[at].append(_contribution(profile, back, -1))
            about = back if now[0] is None else now
        entity, when, seen = about
        if entity not in _NOBODY:
            known = recall((name, entity)) or of(profile, entity)
            if measures and (step.scored or habit.asked):
                # A late record is judged by what is known now: nothing counts more for being later.
                then = when if when.time >= known.last else moment(profile.days, known.last)
                view = made(View, (known, then, known.levels(then), seen.value))
                row = [measure(view) for measure in measures]
            if about is now:
                known.add(profile, when, 1, seen)
                if said is not None:
                    said[at].append(_contribution(profile, now, 1))
        rows.append(row)
    return rows


def _contribution(profile: Profile, told: _Told, sign: int) -> Contribution:
    entity, when, seen = told
    return Contribution(profile, entity, when.time, sign, seen)


def _limited(value: float) -> float:
    return value if math.isnan(value) else math.copysign(LARGEST, value)


def _entity(profile: Profile, image: Image) -> Any:
    """Of which entity an image is, None if it does not say."""
    value = image.get(profile.entity)
    return value if isinstance(value, str | int | Decimal | bytes) else None


def _columns(features: Sequence[Feature]) -> list[_Column]:
    columns: dict[tuple[str, object, Zone | None], _Column] = {}
    for position, feature in enumerate(features):
        if (kind := FIELD_KINDS.get(feature.kind)) is None:
            continue
        same = (feature.of, kind.reader or feature.name, feature.zone)
        read = kind.reader or share_of(feature.shares)
        local = None if feature.zone is None else clock(feature.zone)
        columns.setdefault(same, _Column(feature.of, read, local, [])).uses.append((position, kind.shape))
    return list(columns.values())


def _habit(profile: Profile, features: Sequence[Feature], asked: Collection[str]) -> _Habit:
    mine = [(at, one) for at, one in enumerate(features) if one.profile == profile.name]
    return _Habit(
        profile,
        [at for at, _ in mine],
        [PROFILE_KINDS[one.kind].make(one, profile) for _, one in mine],
        [place for place, (_, one) in enumerate(mine) if one.name in asked],
        [math.nan] * len(mine),
    )
