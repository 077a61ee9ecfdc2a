"""From a raw score to a percentile: the share of the training data that is less suspicious.

On that scale a threshold is an alert rate: 0.995 flags about one record in two hundred.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from processor.errors import ModelError

if TYPE_CHECKING:
    from processor.scoring.features.values import FloatColumn

# Where the curve is kept: everywhere, then finer and finer in the tail where the thresholds are.
GRID: Final = np.concatenate(
    [np.linspace(0, 0.99, 199), np.linspace(0.99, 0.999, 181)[1:], np.linspace(0.999, 1, 101)[1:]]
)
GAP_MIN: Final = 1e-300  # between two points: the slope over a smaller one overflows
_PERCENTILE: Final = re.compile(r"p(\d{1,3}(?:\.\d{1,6})?)")


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Points of the curve, both columns strictly increasing."""

    raw: FloatColumn
    share: FloatColumn

    @classmethod
    def learn(cls, raw: FloatColumn) -> Calibration:
        """The curve of the given raw scores (one or more), exact at every point that is kept.

        Among equal raw scores the *lowest* share counts, so that no threshold flags more than it says.
        """
        ordered = np.sort(raw)
        at = np.minimum((GRID * len(ordered)).astype(np.int64), len(ordered) - 1)
        kept = np.unique(ordered[at])
        kept = kept[np.diff(kept, prepend=-np.inf) > GAP_MIN]
        return cls(kept, np.searchsorted(ordered, kept, side="left") / len(ordered))

    def percentile(self, raw: FloatColumn) -> FloatColumn:
        """The percentile, 0 to 1, of each raw score. What exceeds all of the training data has 1."""
        return np.interp(raw, self.raw, self.share, right=1.0)

    def flaw(self) -> str:
        """What is wrong with the points, in words; empty when nothing is."""
        columns = (self.raw, self.share)
        if len(self.raw) == 0 or len(self.raw) != len(self.share):
            return "a calibration without points"
        if not all(np.isfinite(column).all() and (np.diff(column) > 0).all() for column in columns):
            return "a calibration that does not increase"
        return ""


def threshold(flag_at: str | float) -> float:
    """The percentile from which records are flagged, from "p99.5" or 0.995.

    Raises:
        ModelError: it is neither.
    """
    value = math.nan
    if isinstance(flag_at, str):
        if match := _PERCENTILE.fullmatch(flag_at):
            value = float(match[1]) / 100
    elif not isinstance(flag_at, bool):
        value = float(flag_at)
    if not 0 <= value <= 1:
        raise ModelError(
            f"flag_at: {flag_at!r} is no threshold; write a percentile such as p99.5, or a share from 0 to 1"
        )
    return value
