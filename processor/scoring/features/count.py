"""`count`, `velocity`: how often the entity was seen of late, and whether that is more often than usual."""

from __future__ import annotations

from typing import TYPE_CHECKING

from processor.scoring.features.kind import ProfileKind, window
from processor.scoring.profiles import NUMBER

if TYPE_CHECKING:
    from processor.scoring.features.feature import Feature
    from processor.scoring.features.kind import Measure, View
    from processor.scoring.profiles import Profile


def _count(feature: Feature, profile: Profile) -> Measure:
    at = window(profile, feature.days[0])
    return lambda view: view.levels[at][NUMBER]


def _velocity(feature: Feature, profile: Profile) -> Measure:
    """A steady entity has 1: its count in the short window over what the long one lets expect there."""
    short, long = (window(profile, days) for days in feature.days)
    scale = feature.days[1] / feature.days[0]
    weight = feature.options["weight"]

    def velocity(view: View) -> float:
        expected = max(view.levels[long][NUMBER], 0.0) / scale
        return (view.levels[short][NUMBER] + weight) / (expected + weight)

    return velocity


KINDS = {
    "count": ProfileKind(_count),
    "velocity": ProfileKind(_velocity, windows=2, options={"weight": 1.0}),
}
