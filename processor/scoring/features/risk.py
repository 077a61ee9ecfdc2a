"""`confirmed`, `risk`, `confirmed_mean`: the entity's records that were found to be fraud.

A label takes its time. Records too young to have one say nothing yet: they count neither way. Little is known
of an entity with few records: its risk is drawn towards `typical`, with the weight of `weight` records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from processor.scoring.features.kind import Needs, ProfileKind, window
from processor.scoring.profiles import BAD, BAD_SUM, NUMBER, fading

if TYPE_CHECKING:
    from processor.scoring.features.feature import Feature
    from processor.scoring.features.kind import Measure, View
    from processor.scoring.profiles import Profile


def _confirmed(feature: Feature, profile: Profile) -> Measure:
    at = window(profile, feature.days[0])
    return lambda view: view.levels[at][BAD]


def _risk(feature: Feature, profile: Profile) -> Measure:
    days = feature.days[0]
    at, weight = window(profile, days), feature.options["weight"]
    before = feature.options["typical"] * weight
    left = fading(days, profile.label_days)

    def risk(view: View) -> float:
        levels = view.levels[at]
        old = levels[NUMBER] - view.known.young(days, left, view.moment)
        return (levels[BAD] + before) / (max(old, 0.0) + weight)

    return risk


def _confirmed_mean(feature: Feature, profile: Profile) -> Measure:
    """What the frauds were like: the mean of their values."""
    at, weight = window(profile, feature.days[0]), feature.options["weight"]
    before = feature.options["typical"] * weight

    def mean(view: View) -> float:
        levels = view.levels[at]
        return (levels[BAD_SUM] + before) / (max(levels[BAD], 0.0) + weight)

    return mean


_LABELS = Needs(labels=True)
KINDS = {
    "confirmed_mean": ProfileKind(
        _confirmed_mean, needs=Needs(value=True, labels=True), options={"typical": 0.0, "weight": 0.5}
    ),
    "confirmed": ProfileKind(_confirmed, needs=_LABELS),
    "risk": ProfileKind(_risk, needs=_LABELS, options={"typical": 0.01, "weight": 0.5}),
}
