"""`total`, `mean`, `ratio`, `log_ratio`, `excess`, `shift`, `deviations`: a value beside what is usual.

Little is known of an entity seen once or twice. So what is usual is drawn towards `typical`, as if the entity
had had `weight` records of that value before. What was taken back and never counted is no record.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from processor.scoring.features.kind import Needs, ProfileKind, window
from processor.scoring.profiles import LOGS, NUMBER, SQUARES, SUM

if TYPE_CHECKING:
    from processor.scoring.features.feature import Feature
    from processor.scoring.features.kind import Measure, View
    from processor.scoring.profiles import Profile

LEAST: Final = 1e-6  # of what is usual, and of a number of records, to divide by
PRIOR: Final = {"typical": 1.0, "weight": 0.5}


def _total(feature: Feature, profile: Profile) -> Measure:
    at = window(profile, feature.days[0])
    return lambda view: view.levels[at][SUM]


def _usual(feature: Feature, profile: Profile) -> Measure:
    at, weight = window(profile, feature.days[0]), feature.options["weight"]
    before = feature.options["typical"] * weight

    def mean(view: View) -> float:
        levels = view.levels[at]
        return (levels[SUM] + before) / (max(levels[NUMBER], 0.0) + weight)

    return mean


def _ratio(feature: Feature, profile: Profile) -> Measure:
    usual = _usual(feature, profile)
    return lambda view: view.value / max(usual(view), LEAST)


def _log_ratio(feature: Feature, profile: Profile) -> Measure:
    """Beside the geometric mean, which a few large values move little."""
    at, weight = window(profile, feature.days[0]), feature.options["weight"]
    before = math.log1p(max(feature.options["typical"], 0.0)) * weight

    def log_ratio(view: View) -> float:
        levels = view.levels[at]
        # A refund is as far below what is usual as nothing at all; what is missing stays missing.
        return math.log1p(max(view.value, 0.0)) - (levels[LOGS] + before) / (levels[NUMBER] + weight)

    return log_ratio


def _excess(feature: Feature, profile: Profile) -> Measure:
    """By how much the value is beyond what is still usual (`above` times the mean), up to `most`; else 0."""
    ratio, above, most = _ratio(feature, profile), feature.options["above"], feature.options["most"]
    return lambda view: min(max(ratio(view) - above, 0.0), most)


def _deviations(feature: Feature, profile: Profile) -> Measure:
    at, weight = window(profile, feature.days[0]), feature.options["weight"]
    typical = feature.options["typical"]

    def deviations(view: View) -> float:
        levels = view.levels[at]
        number = max(levels[NUMBER], 0.0) + weight
        mean = (levels[SUM] + typical * weight) / number
        # As if what was before were spread as widely as it is large.
        squares = (levels[SQUARES] + 2 * typical * typical * weight) / number
        return (view.value - mean) / math.sqrt(max(squares - mean * mean, 1e-6 * (1 + mean * mean)))

    return deviations


def _shift(feature: Feature, profile: Profile) -> Measure:
    """How much higher, in logarithms, values were of late than they usually are."""
    short, long = (window(profile, days) for days in feature.days)
    weight = feature.options["weight"]

    def shift(view: View) -> float:
        of_late, ever = view.levels[short], view.levels[long]
        usual = ever[LOGS] / max(ever[NUMBER], LEAST)
        return (of_late[LOGS] - usual * of_late[NUMBER]) / (max(of_late[NUMBER], 0.0) + weight)

    return shift


_VALUE: Final = Needs(value=True)
KINDS = {
    "total": ProfileKind(_total, needs=_VALUE),
    "mean": ProfileKind(_usual, needs=_VALUE, options=PRIOR),
    "ratio": ProfileKind(_ratio, needs=_VALUE, options=PRIOR),
    "log_ratio": ProfileKind(_log_ratio, needs=_VALUE, options=PRIOR),
    "excess": ProfileKind(_excess, needs=_VALUE, options={**PRIOR, "above": 2.0, "most": 2.0}),
    "shift": ProfileKind(_shift, windows=2, needs=_VALUE, options={"weight": 0.5}),
    "deviations": ProfileKind(_deviations, needs=_VALUE, options=PRIOR),
}
