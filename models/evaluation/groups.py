"""Rates by the values of a column, and how far they are apart between groups of people.

Disparities are fairlearn's: the largest difference and the smallest ratio between any two groups
(https://fairlearn.org/stable/user_guide/assessment/common_fairness_metrics.html). One thing differs: a group
of which too little is known has no rate here, where fairlearn counts it as it is, or as 0.

The rates of equals differ by chance, and the more groups there are the further apart are the first and the
last; a resample adds as much chance again. So the interval of a disparity is that of all pairs of groups at
a time (Hothorn, Bretz, Westfall, "Simultaneous inference in general parametric models", 2008, by bootstrap):
whichever two turn out to be furthest apart, it holds for them. Ratios go by their logarithms.

Small cells: a value that fewer than `FEWEST_PEOPLE` people have is told with others as "(other)", and so is
the next smallest if these alone are as few, so that nobody can be worked out from the sum.
"""

from __future__ import annotations

from collections import Counter
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from models.evaluation.columns import MISSING, labels, ratio, rounded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from models.evaluation.columns import Codes, Flags, Floats
    from models.evaluation.intervals import Bootstrap, Units

MOST_VALUES: Final = 50  # the commonest; the rest is one value
OTHER: Final = "(other)"
FEWEST_PEOPLE: Final = (
    20  # cards, or records where no card is known: who shares a value with fewer is not named
)
SMALLEST_GROUP: Final = 500  # (honest) records of a group whose rates are subtracted from another's
SMALLEST_ALERTS: Final = (
    20  # (false) alerts at the rate of all, to be divided: with fewer, none may be chance
)
SMALLEST_FRAUD: Final = 20  # fraud in a group whose true positive rate is compared

RATES: Final = ("alert_rate", "true_positive_rate", "false_positive_rate")
_ROWS: Final = {"true_positive_rate": (1,), "false_positive_rate": (2,), "equalized_odds": (1, 2)}


class Counts(NamedTuple):
    """Of each group."""

    records: Floats
    fraud: Floats
    alerts: Floats
    caught: Floats

    @property
    def parts(self) -> tuple[tuple[Floats, Floats], ...]:
        """Of each of `RATES`, what is counted, and of how many."""
        return (
            (self.alerts, self.records),
            (self.caught, self.fraud),
            (self.alerts - self.caught, self.records - self.fraud),
        )

    def rates(self) -> NDArray[np.float64]:
        """Alert rate, true and false positive rate of each group, a row each; NaN of nothing."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.array([part / whole for part, whole in self.parts])


class Groups:
    """The records of each value of a column."""

    __slots__ = ("_caught", "_flagged", "_fraud", "_of", "names", "people")

    def __init__(
        self,
        column: NDArray[Any],
        flagged: Flags,
        fraud: Flags,
        people: Codes | None = None,
        fewest: int = 0,
    ) -> None:
        """Args: of each record the value, whether it was flagged, whether it was fraud.

        And whose it is, if that is known, and how many people a value needs to be named.
        """
        texts = labels(column)
        common = dict(Counter(texts.tolist()).most_common(MOST_VALUES))
        if len(common) == MOST_VALUES:
            texts = np.where(np.isin(texts, list(common)), texts, OTHER)
        people = np.arange(len(texts)) if people is None else people
        texts = _without_small_cells(texts, people, fewest)
        names, of = np.unique(texts, return_inverse=True)
        self.names: list[str] = names.tolist()
        self._of: Codes = of.astype(np.intp)
        self.people: Codes = _people(self._of, people, len(names))
        self._fraud, self._flagged = np.flatnonzero(fraud), np.flatnonzero(flagged)
        self._caught = np.flatnonzero(fraud & flagged)

    def counts(self, weights: Floats | None = None) -> Counts:
        """What each group has, with each record counted `weights` times, or once."""
        size = len(self.names)

        def total(rows: NDArray[np.intp] | slice) -> Floats:
            chosen = None if weights is None else weights[rows]
            return np.bincount(self._of[rows], chosen, size).astype(np.float64)

        return Counts(total(slice(None)), total(self._fraud), total(self._flagged), total(self._caught))


def rates(column: NDArray[Any], flagged: Flags, fraud: Flags) -> dict[str, dict[str, Any]]:
    """Of each value of a column: records, fraud, alerts, and the rates among them (None of nothing).

    More than `MOST_VALUES` values are too many to tell apart: the rarer ones are "(other)". Not for people.
    """
    groups = Groups(column, flagged, fraud)
    found = {}
    for name, counts in _by_name(groups):
        alerts, caught, honest = counts["alerts"], counts["caught"], counts["records"] - counts["fraud"]
        found[name] = _numbers(counts) | {
            "alert_rate": rounded(ratio(alerts, counts["records"]), 6),
            "recall": rounded(ratio(caught, counts["fraud"])),
            "false_positive_rate": rounded(ratio(alerts - caught, honest), 6),
        }
    return found


def fairness(
    column: NDArray[Any],
    flagged: Flags,
    fraud: Flags,
    *,
    units: Units,
    bootstrap: Bootstrap,
    fewest_people: int = FEWEST_PEOPLE,
    smallest_group: int = SMALLEST_GROUP,
    smallest_alerts: int = SMALLEST_ALERTS,
    smallest_fraud: int = SMALLEST_FRAUD,
) -> dict[str, Any]:
    """Rates of each group and the disparities between them, with intervals, and what was too few to tell.

    What is missing or other is not compared. Differences of alert rates (false positive rates) are between
    groups of `smallest_group` (honest) records or more, and ratios between those of them that would have
    `smallest_alerts` (false) alerts or more at the rate of all. Those of true positive rates are between
    groups with `smallest_fraud` or more. `judged` says by which ratios a group is compared. With fewer than
    two groups to compare, a disparity is None.
    """
    groups = Groups(column, flagged, fraud, units.of, fewest_people)
    counts = groups.counts()
    named = ~np.isin(groups.names, [MISSING, OTHER])
    least = (smallest_group, smallest_fraud, smallest_group)
    large = np.array([named & (each[1] >= size) for each, size in zip(counts.parts, least, strict=True)])
    likely = [_expected(*each) >= smallest_alerts for each in counts.parts]
    judged = large & np.array([likely[0], large[1], likely[2]])
    drawn = [groups.counts(weights).rates() for weights in units.weights(bootstrap)]
    samples = np.array(drawn).reshape(len(drawn), len(RATES), len(groups.names))
    found = {
        name: _apart(name, value, counts, samples, masks=(large, judged), bootstrap=bootstrap)
        for name, value in disparities(counts.rates(), large, judged).items()
    }
    least_of = ("people", "records", "alerts", "fraud")
    fewest = dict(
        zip(least_of, (fewest_people, smallest_group, smallest_alerts, smallest_fraud), strict=True)
    )
    return {"groups": _table(groups, samples, judged, bootstrap), "disparity": found, "fewest": fewest}


def disparities(
    group_rates: NDArray[np.float64], large: NDArray[np.bool_], judged: NDArray[np.bool_]
) -> dict[str, float]:
    """Largest difference and smallest ratio of each rate between groups, and fairlearn's four figures.

    Args:
        group_rates: alert rate, true and false positive rate, a row each, a column for each group.
        large: which of them count for differences, and
        judged: for ratios. NaN where fewer than two do, and for the ratio of nothing.
    """
    found: dict[str, float] = {}
    for name, row, apart, divided in zip(RATES, group_rates, large, judged, strict=True):
        known = np.isfinite(row)
        chosen, parts = row[apart & known], row[divided & known]
        found[f"{name}_difference"] = float(np.ptp(chosen)) if len(chosen) > 1 else np.nan
        is_told = len(parts) > 1 and parts.max() > 0
        found[f"{name}_ratio"] = float(parts.min() / parts.max()) if is_told else np.nan
    odds = ("true_positive_rate", "false_positive_rate")
    return found | {
        "demographic_parity_difference": found["alert_rate_difference"],
        "demographic_parity_ratio": found["alert_rate_ratio"],
        "equalized_odds_difference": float(np.max([found[f"{name}_difference"] for name in odds])),
        "equalized_odds_ratio": float(np.min([found[f"{name}_ratio"] for name in odds])),
    }


def _table(
    groups: Groups, samples: NDArray[np.float64], judged: NDArray[np.bool_], bootstrap: Bootstrap
) -> dict[str, dict[str, Any]]:
    """Of each group its numbers, by which ratios it is compared, and its rates with intervals."""
    table = {
        name: {"people": int(groups.people[at])} | _numbers(of) | {"judged": _names(judged[:, at])}
        for at, (name, of) in enumerate(_by_name(groups))
    }
    for row, (rate, parts) in enumerate(zip(RATES, groups.counts().parts, strict=True)):
        for at, (name, part, whole) in enumerate(zip(groups.names, *parts, strict=True)):
            table[name][rate] = _rate(part, whole, samples[:, row, at], bootstrap)
    return table


def _apart(
    name: str,
    value: float,
    counts: Counts,
    samples: NDArray[np.float64],
    *,
    masks: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    bootstrap: Bootstrap,
) -> dict[str, float | None]:
    """A disparity with its interval, by what the groups have and their rates in each resample."""
    found = {"value": rounded(value, 6), "low": None, "high": None}
    if found["value"] is None or not len(samples):
        return found
    is_ratio = name.endswith("ratio")
    if is_ratio and not value:  # where alerts were to be expected, and there is none
        return {"value": 0.0, "low": 0.0, "high": 0.0}
    between = [
        _pairs(*counts.parts[row], samples[:, row], masks[is_ratio][row], is_ratio=is_ratio)
        for row in _ROWS.get(name.removesuffix("_ratio").removesuffix("_difference"), (0,))
    ]
    point, drawn, least = (np.concatenate(each, axis=-1) for each in zip(*between, strict=True))
    away = np.where(np.isfinite(drawn), np.abs(drawn - point), np.inf)
    wide = np.maximum(np.sqrt(np.mean(np.where(np.isfinite(away), away, 0) ** 2, axis=0)), least)
    furthest = np.divide(away, wide, out=np.zeros_like(away), where=wide > 0).max(axis=1)
    often = float(np.quantile(furthest, bootstrap.confidence, method="higher"))
    if not np.isfinite(often):
        return found
    low, high = float((point - often * wide).max()), float((point + often * wide).max())
    if is_ratio:
        low, high = float(np.exp(-high)), float(np.exp(-low))
    return found | {"low": rounded(max(low, 0.0), 6), "high": rounded(min(high, 1.0), 6)}


def _pairs(
    part: Floats, whole: Floats, samples: NDArray[np.float64], mask: NDArray[np.bool_], *, is_ratio: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Of all pairs of groups how far one's rate (its logarithm, for a ratio) is beyond the other's.

    Also in each resample, and the least standard deviation: that of groups of these sizes with the rate of
    all, as much wider as the rate of all is for what people have in common. Resamples of one alert alone
    would say that its rate is known well.
    """
    mask = mask & (whole > 0)
    part, whole, samples = part[mask], whole[mask], samples[:, mask]
    share = part.sum() / whole.sum()
    independent = share * (1 - share)
    alike = np.var(np.nansum(samples * whole / whole.sum(), axis=1)) * whole.sum()
    wider = max(1.0, alike / independent) if independent else 1.0
    one, other = np.nonzero(~np.eye(len(whole), dtype=bool))
    least = np.sqrt(wider * independent * (1 / whole[one] + 1 / whole[other]))
    with np.errstate(divide="ignore", invalid="ignore"):
        row = np.log(part / whole) if is_ratio else part / whole
        drawn = np.log(samples) if is_ratio else samples
        return row[one] - row[other], drawn[:, one] - drawn[:, other], least / (share if is_ratio else 1)


def _rate(part: float, whole: float, samples: Floats, bootstrap: Bootstrap) -> dict[str, float | None]:
    """A rate with its interval, never narrower than Wilson's of independent records."""
    found = bootstrap.interval(ratio(part, whole), samples, 6)
    if found["low"] is None or found["high"] is None:
        return found
    share, z = part / whole, NormalDist().inv_cdf((1 + bootstrap.confidence) / 2)
    middle, scale = share + z * z / (2 * whole), 1 + z * z / whole
    half = z * np.sqrt(share * (1 - share) / whole + (z / (2 * whole)) ** 2)
    low, high = max((middle - half) / scale, 0.0), min((middle + half) / scale, 1.0)
    return found | {
        "low": rounded(min(found["low"], low), 6),
        "high": rounded(max(found["high"], high), 6),
    }


def _expected(part: Floats, whole: Floats) -> Floats:
    """What each group would have at the rate of all."""
    return whole * (part.sum() / whole.sum() if whole.sum() else 0.0)


def _people(of: Codes, people: Codes, size: int) -> Codes:
    """How many different people each group has."""
    pairs = np.unique(of * (int(people.max(initial=0)) + 1) + people)
    return np.bincount(pairs // (int(people.max(initial=0)) + 1), minlength=size).astype(np.intp)


def _without_small_cells(texts: NDArray[np.str_], people: Codes, fewest: int) -> NDArray[np.str_]:
    """The values, those of few people as `OTHER`, together with as many more as make these no longer few."""
    names, of = np.unique(texts, return_inverse=True)
    number = _people(of.astype(np.intp), people, len(names))
    joined = (number < fewest) | (names == OTHER)
    if not joined.any():
        return texts
    for at in np.argsort(number, kind="stable"):
        if len(np.unique(people[joined[of]])) >= fewest:
            break
        joined[at] = True
    return np.where(joined[of], OTHER, texts)


def _by_name(groups: Groups) -> list[tuple[str, dict[str, float]]]:
    columns = np.array(groups.counts()).T.tolist()
    return [
        (name, dict(zip(Counts._fields, values, strict=True)))
        for name, values in zip(groups.names, columns, strict=True)
    ]


def _numbers(counts: Mapping[str, float]) -> dict[str, Any]:
    found: dict[str, Any] = {name: int(counts[name]) for name in ("records", "fraud", "alerts")}
    return found | {"precision": rounded(ratio(counts["caught"], counts["alerts"]))}


def _names(judged: NDArray[np.bool_]) -> list[str]:
    return [name for name, counts in zip(RATES, judged.tolist(), strict=True) if counts]
