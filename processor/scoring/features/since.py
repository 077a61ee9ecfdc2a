"""`since_last`, `since_first`, `since_confirmed`: days since the entity was seen, or found in a fraud."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from processor.scoring.features.kind import Needs, ProfileKind
from processor.scoring.profiles import DAY_S

if TYPE_CHECKING:
    from processor.scoring.features.feature import Feature
    from processor.scoring.features.kind import Measure, View
    from processor.scoring.profiles import Profile

LONGEST: Final = {"most": 100.0}  # days; of what never was, too


def _since(name: str, feature: Feature) -> Measure:
    most = feature.options["most"]

    def since(view: View) -> float:
        then: float = getattr(view.known, name)
        return min((view.moment.time - then) / DAY_S, most) if math.isfinite(then) else most

    return since


def _last(feature: Feature, _profile: Profile) -> Measure:
    return _since("last", feature)


def _first(feature: Feature, _profile: Profile) -> Measure:
    since = _since("first", feature)
    # Who was never seen before is new, not old.
    return lambda view: since(view) if view.known.first < math.inf else 0.0


def _confirmed(feature: Feature, _profile: Profile) -> Measure:
    return _since("confirmed", feature)


KINDS = {
    "since_last": ProfileKind(_last, windows=0, options=LONGEST),
    "since_first": ProfileKind(_first, windows=0, options=LONGEST),
    "since_confirmed": ProfileKind(_confirmed, windows=0, needs=Needs(labels=True), options=LONGEST),
}
