"""`run_count`, `run_age`, `since_honest`: a run of frauds at one entity, as of a terminal in wrong hands.

A run begins with the first fraud after the last honest record. That a record is honest is known when its
label is due and has not come; so all three are to a quarter of a day.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from processor.scoring.features.kind import Needs, ProfileKind
from processor.scoring.profiles import DAY_S

if TYPE_CHECKING:
    from processor.scoring.features.feature import Feature
    from processor.scoring.features.kind import Measure, View
    from processor.scoring.profiles import Profile


def _count(_feature: Feature, profile: Profile) -> Measure:
    return lambda view: float(view.known.run(profile.label_days, view.moment).frauds)


def _age(_feature: Feature, profile: Profile) -> Measure:
    """Days; 0 while there is no run."""

    def age(view: View) -> float:
        since = view.known.run(profile.label_days, view.moment).since
        return 0.0 if math.isnan(since) else view.moment.time / DAY_S - since

    return age


def _honest(feature: Feature, profile: Profile) -> Measure:
    most = feature.options["most"]

    def honest(view: View) -> float:
        return min(view.moment.time / DAY_S - view.known.run(profile.label_days, view.moment).honest, most)

    return honest


_LABELS: Final = Needs(labels=True)
KINDS = {
    "run_count": ProfileKind(_count, windows=0, needs=_LABELS),
    "run_age": ProfileKind(_age, windows=0, needs=_LABELS),
    "since_honest": ProfileKind(_honest, windows=0, needs=_LABELS, options={"most": 100.0}),
}
