"""Drift: whether today's features and scores are spread as those of training were.

A baseline holds, for each feature and for the score, where training's values were cut into at most ten bins
of about equal share, and the share of each; what is missing has a bin of its own. Counts of later records in
the same bins add up, over batches, hours and machines, and the population stability index says how far they
are from the baseline:

    PSI = sum over bins of (actual - expected) * ln(actual / expected)

Below 0.1 it is read as stable, from 0.25 as drifted, and between as worth a look (Siddiqi, "Credit risk
scorecards", 2006). An empty bin would make it infinite: shares below `LEAST_SHARE` are taken for that. Chance
alone adds about (bins - 1) / records, so that fewer than `FEWEST_RECORDS` are not judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from processor.scoring.drift import MOST_BINS, SCORE, Bins

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Column = NDArray[np.float32] | NDArray[np.float64]

LEAST_SHARE: Final = 1e-4
FEWEST_RECORDS: Final = 500
STABLE_BELOW: Final = 0.1
DRIFTED_FROM: Final = 0.25

DIGITS: Final = 6  # of an edge: nine edges of 25 features have to fit into a manifest

LEVELS: Final = tuple(at / MOST_BINS for at in range(1, MOST_BINS))
SCORE_LEVELS: Final = (0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)  # fine where the thresholds are


@dataclass(frozen=True, slots=True)
class Spread:
    """How the values of one column were spread in training."""

    edges: tuple[float, ...]  # increasing; a value belongs to the bin after the last edge that it reaches
    shares: tuple[float, ...]  # of each bin in order, then of what is missing

    @classmethod
    def learn(cls, column: Column, levels: Sequence[float] = LEVELS) -> Spread:
        """Cut where the shares come nearest to the levels, between two values that occurred.

        A value that many records have (no payment yet, say) gets a bin of its own by that.
        """
        values, records = np.unique(column[np.isfinite(column)].astype(np.float64), return_counts=True)
        below = np.append(0, np.cumsum(records)) / max(records.sum(), 1)  # share below each value, then 1
        right = np.clip(np.searchsorted(below, levels), 1, max(len(values), 1))
        nearer = np.abs(below[right - 1] - levels) <= np.abs(below[right] - levels) if len(values) else []
        cuts = np.unique(right - np.asarray(nearer, dtype=np.intp)) if len(values) else np.array([], np.intp)
        cuts = cuts[(cuts > 0) & (cuts < len(values))]
        middles = (values[cuts - 1] + values[cuts]) / 2
        edges = tuple(sorted({float(f"{middle:.{DIGITS}g}") for middle in middles.tolist()}))
        counted = _binned(edges, column)
        shares = counted / max(counted.sum(), 1)
        return cls(edges, tuple(float(f"{share:.5g}") for share in shares.tolist()))

    def counts(self, column: Column) -> NDArray[np.int64]:
        """How many values of a column are in each bin, and missing."""
        return _binned(self.edges, column)

    def range_of(self, bin_at: int) -> str:
        """A bin in words."""
        if bin_at == len(self.edges) + 1:
            return "missing"
        if not self.edges:
            return "any value"
        if bin_at == 0:
            return f"below {self.edges[0]:g}"
        if bin_at == len(self.edges):
            return f"{self.edges[-1]:g} and above"
        return f"{self.edges[bin_at - 1]:g} to {self.edges[bin_at]:g}"


@dataclass(frozen=True, slots=True)
class Baseline:
    """How features and scores were spread in training."""

    records: int
    features: Mapping[str, Spread]  # in the order of the matrix
    score: Spread

    @classmethod
    def learn(cls, names: Sequence[str], matrix: Column, scores: Column) -> Baseline:
        """Args: the name of each feature, its values in a column (NaN where missing), the scores (0 to 1)."""
        features = {name: Spread.learn(column) for name, column in zip(names, matrix.T, strict=True)}
        return cls(len(matrix), features, Spread.learn(scores, SCORE_LEVELS))

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Baseline:
        """What `content` gave."""

        def spread(of: Mapping[str, Any]) -> Spread:
            return Spread(tuple(of["edges"]), tuple(of["shares"]))

        features = {name: spread(of) for name, of in content["features"].items()}
        return cls(content["records"], features, spread(content[SCORE]))

    def content(self) -> dict[str, Any]:
        """For JSON; less than 8 kB for 25 features."""

        def spread(of: Spread) -> dict[str, Any]:
            return {"edges": list(of.edges), "shares": list(of.shares)}

        features = {name: spread(of) for name, of in self.features.items()}
        return {"records": self.records, "features": features, SCORE: spread(self.score)}


class Drift(NamedTuple):
    """How far one column has come from its baseline."""

    name: str  # of the feature, or "score"
    psi: float
    reading: str  # "stable", "worth a look", "drifted", or "too few records"
    records: int
    missing_then: float  # shares
    missing_now: float
    most_changed: str  # the bin that adds most to the index
    share_then: float
    share_now: float


def counts(baseline: Baseline, matrix: Column, scores: Column) -> NDArray[np.int64]:
    """How many records are in each bin: a row for each feature and the last for the score; they add up.

    A row has the bins in order, zeros up to `MOST_BINS`, and in the last place what is missing.
    """
    of_features = Bins([spread.edges for spread in baseline.features.values()]).counts(matrix)
    return np.concatenate([of_features, Bins([baseline.score.edges]).counts(scores[:, None])])


def drift(baseline: Baseline, counted: NDArray[np.int64]) -> list[Drift]:
    """How far each column has come, the score first and then the features, the farthest first.

    Args:
        baseline: of training.
        counted: from `counts`, or a sum of such.
    """
    found = [
        _drift(name, spread, np.append(row[: len(spread.shares) - 1], row[-1]))
        for (name, spread), row in zip(
            [*baseline.features.items(), (SCORE, baseline.score)], counted, strict=True
        )
    ]
    return [found[-1], *sorted(found[:-1], key=lambda column: -column.psi)]


def psi(expected: Sequence[float] | NDArray[Any], actual: Sequence[float] | NDArray[Any]) -> float:
    """The population stability index between two spreads over the same bins, as shares or as counts.

    0 when they are equal, and the same either way round. NaN when one of them is empty.
    """
    parts = psi_parts(expected, actual)
    return float(parts.sum())


def psi_parts(
    expected: Sequence[float] | NDArray[Any], actual: Sequence[float] | NDArray[Any]
) -> NDArray[np.float64]:
    """What each bin adds to the index."""
    then, now = (np.asarray(shares, dtype=np.float64) for shares in (expected, actual))
    if not then.sum() or not now.sum():
        return np.full(len(then), np.nan)
    then, now = (np.maximum(shares / shares.sum(), LEAST_SHARE) for shares in (then, now))
    parts: NDArray[np.float64] = (now - then) * np.log(now / then)
    return parts


def reading(index: float, records: int) -> str:
    """The index in words."""
    if records < FEWEST_RECORDS:
        return "too few records"
    if index < STABLE_BELOW:
        return "stable"
    return "worth a look" if index < DRIFTED_FROM else "drifted"


def _drift(name: str, spread: Spread, counted: NDArray[np.int64]) -> Drift:
    records = int(counted.sum())
    parts = psi_parts(spread.shares, counted)
    index = round(float(np.nan_to_num(parts).sum()), 4)
    now = counted / max(records, 1)
    most = int(np.nan_to_num(parts).argmax())
    return Drift(
        name=name,
        psi=index,
        reading=reading(index, records),
        records=records,
        missing_then=spread.shares[-1],
        missing_now=round(float(now[-1]), 6),
        most_changed=spread.range_of(most),
        share_then=spread.shares[most],
        share_now=round(float(now[most]), 6),
    )


def _binned(edges: Sequence[float], column: Column) -> NDArray[np.int64]:
    (counted,) = Bins([edges]).counts(column[:, None])
    return np.delete(counted, slice(len(edges) + 1, MOST_BINS))
