"""What a kind of feature is. There are two: over one raw field, and over what is known of an entity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from processor.scoring.features.feature import Feature
    from processor.scoring.features.values import FloatColumn
    from processor.scoring.profiles import Known, Levels, Moment, Profile

    Reader: TypeAlias = Callable[[Any], float]
    """One raw value -> a number, NaN when there is none in it."""
    Shape: TypeAlias = Callable[[FloatColumn], FloatColumn]
    """A column of such numbers, free of NaN -> the feature."""
    Measure: TypeAlias = Callable[["View"], float]
    """What is known of the entity of a record -> the feature."""


class View(NamedTuple):
    """What is known of the entity of a record, as the record finds it."""

    known: Known
    moment: Moment
    levels: Sequence[Levels]
    """The totals of each window by then, by `STATS`: worked out once for all measures."""
    value: float
    """The record's own, NaN if it has none."""


@dataclass(frozen=True, slots=True)
class FieldKind:
    """A kind over one raw field (`of`)."""

    shape: Shape
    reader: Reader | None = None
    """None for a kind over the shares that training learnt."""
    reads: str = ""
    """In words, for who writes a spec: what the field must be."""
    zoned: bool = False
    """Whether it may be of local time (`zone`): its shape then gets the seconds of the local clock."""


class Needs(NamedTuple):
    """What a kind needs of its profile, each named as in the spec."""

    value: bool = False
    counterpart: bool = False
    labels: bool = False


NOTHING: Final = Needs()


@dataclass(frozen=True, slots=True)
class ProfileKind:
    """A kind over what is known of the record's entity (`profile`)."""

    make: Callable[[Feature, Profile], Measure]
    windows: int = 1
    """How many of the profile's windows it looks at (`days`)."""
    needs: Needs = NOTHING
    options: Mapping[str, float] | None = None
    """What else may be said of it, with the defaults."""


def window(profile: Profile, days: int) -> int:
    """Which of the profile's windows has this mean life."""
    return profile.days.index(days)
