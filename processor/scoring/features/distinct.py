"""`distinct`: how many different counterparts the entity had within so many days, before this record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from processor.scoring.features.kind import Needs, ProfileKind
from processor.scoring.profiles import DAY_S

if TYPE_CHECKING:
    from processor.scoring.features.feature import Feature
    from processor.scoring.features.kind import Measure
    from processor.scoring.profiles import Known, Moment, Profile


def _distinct(feature: Feature, _profile: Profile) -> Measure:
    days = feature.days[0]

    def distinct(known: Known, moment: Moment, _value: float) -> float:
        since = moment.time // DAY_S - days
        return float(sum(day > since for day in known.met.values()))

    return distinct


KINDS = {"distinct": ProfileKind(_distinct, needs=Needs(counterpart=True))}
