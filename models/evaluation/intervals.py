"""Intervals by bootstrap: the figure again, over units drawn with replacement.

A unit is what is independent of the others, more or less. Payments of one card are alike, and so are those
of one day: drawing single records would claim more certainty than there is. So the unit is a card where the
card is known, a day for figures that are means of days, and a record only where nothing better is known; the
answer says which. Fewer than `FEWEST_UNITS` give no interval.

Seeded: the same records give the same interval. It runs between percentiles of the resampled figures, and is
widened to hold the figure itself where these lie all on one side (a largest difference among groups, say).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from models.evaluation.columns import codes, rounded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from models.evaluation.columns import Codes, Floats

FEWEST_UNITS: Final = 5
FEWEST_FINITE: Final = 0.8  # of the resamples, for an interval: a figure that mostly is not there has none


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How often and with what seed to draw, and which percentiles to give."""

    resamples: int = 200
    confidence: float = 0.95
    seed: int = 0

    def draws(self, units: int) -> Iterator[NDArray[np.int64]]:
        """How often each unit is in the resample, one resample after another."""
        random = np.random.default_rng(self.seed)
        for _ in range(self.resamples if units >= FEWEST_UNITS else 0):
            yield np.bincount(random.integers(0, units, units), minlength=units)

    def interval(self, value: float | None, samples: Floats, digits: int = 4) -> dict[str, float | None]:
        """The figure with its bounds: `{"value", "low", "high"}`, None where there are none."""
        finite = samples[np.isfinite(samples)]
        found = {"value": rounded(value, digits), "low": None, "high": None}
        if found["value"] is None or not len(finite) or len(finite) < FEWEST_FINITE * len(samples):
            return found
        tail = (1 - self.confidence) / 2
        low, high = np.quantile(finite, [tail, 1 - tail]).tolist()
        bounds = (min(low, found["value"]), max(high, found["value"]))
        return found | {"low": rounded(bounds[0], digits), "high": rounded(bounds[1], digits)}

    def ratio(self, parts: Floats, wholes: Floats) -> dict[str, float | None]:
        """A sum over units by another sum over them, for example precision over days."""
        whole = wholes.sum()
        drawn = np.array(list(self.draws(len(parts))), dtype=np.float64).reshape(-1, len(parts))
        with np.errstate(divide="ignore", invalid="ignore"):
            samples = (drawn @ parts) / (drawn @ wholes)
        return self.interval(float(parts.sum() / whole) if whole else None, samples)

    def mean(self, values: Floats) -> dict[str, float | None]:
        """A mean over units."""
        return self.ratio(values, np.ones(len(values)))


@dataclass(frozen=True, slots=True)
class Units:
    """What is drawn: cards where they are known, else records."""

    by: str  # "card" or "record"
    of: Codes  # the unit of each record
    count: int

    @classmethod
    def over(cls, records: int, cards: NDArray[Any] | None) -> Units:
        """Args: how many records; the card of each, where known."""
        of = np.arange(records) if cards is None else codes(cards)
        return cls("record" if cards is None else "card", of, int(of.max(initial=-1)) + 1)

    def weights(self, bootstrap: Bootstrap) -> Iterator[Floats]:
        """How often each record counts, one resample after another."""
        for drawn in bootstrap.draws(self.count):
            yield drawn.astype(np.float64)[self.of]

    def description(self, bootstrap: Bootstrap) -> dict[str, Any]:
        """For the answer."""
        return {
            "by": self.by,
            "units": self.count,
            "resamples": bootstrap.resamples,
            "confidence": bootstrap.confidence,
            "seed": bootstrap.seed,
        }
