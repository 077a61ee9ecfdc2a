"""`distinct`: how many different counterparts the entity had within so many days, before this record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from processor.scoring.features.kind import Needs, ProfileKind
from processor.scoring.profiles import DAY_S

if TYPE_CHECKING:
    from processor.scoring.features.feature import Feature
    from processor.scoring.features.kind import Measure, View
    from processor.scoring.profiles import Profile


def _distinct(feature: Feature, _profile: Profile) -> Measure:
    days = feature.days[0]

    def distinct(view: View) -> float:
        since = view.moment.time // DAY_S - days
        return float(sum(day > since for day in view.known.met.values()))

    return distinct


KINDS = {"distinct": ProfileKind(_distinct, needs=Needs(counterpart=True))}
