"""`count`, `velocity`: how often the entity was seen of late, and whether that is more often than usual."""

from __future__ import annotations

from typing import TYPE_CHECKING

from processor.scoring.features.kind import ProfileKind, window
from processor.scoring.profiles import NUMBER

if TYPE_CHECKING:
    from processor.scoring.features.feature import Feature
    from processor.scoring.features.kind import Measure
    from processor.scoring.profiles import Known, Moment, Profile


def _count(feature: Feature, profile: Profile) -> Measure:
    at = window(profile, feature.days[0])
    return lambda known, moment, _value: known.level(at, NUMBER, moment)


def _velocity(feature: Feature, profile: Profile) -> Measure:
    """A steady entity has 1: its count in the short window over what the long one lets expect there."""
    short, long = (window(profile, days) for days in feature.days)
    scale = feature.days[1] / feature.days[0]
    weight = feature.options["weight"]

    def velocity(known: Known, moment: Moment, _value: float) -> float:
        expected = max(known.level(long, NUMBER, moment), 0.0) / scale
        return (known.level(short, NUMBER, moment) + weight) / (expected + weight)

    return velocity


KINDS = {
    "count": ProfileKind(_count),
    "velocity": ProfileKind(_velocity, windows=2, options={"weight": 1.0}),
}
