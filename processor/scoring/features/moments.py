"""`hour_sin`, `hour_cos`, `night`, `weekend`: when something happened, in UTC or in the local time of a zone.

The hour is an angle, so that 23:59 is near 00:01.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from processor.scoring.features.kind import FieldKind
from processor.scoring.features.values import instant

if TYPE_CHECKING:
    from processor.scoring.features.feature import Zone
    from processor.scoring.features.kind import Shape
    from processor.scoring.features.values import FloatColumn

DAY_S: Final = 86_400
NIGHT_ENDS_S: Final = 6 * 3_600
EPOCH_WEEKDAY: Final = 3  # 1 January 1970 was a Thursday; Monday is 0
SATURDAY: Final = 5


def clock(zone: Zone) -> Shape:
    """The function from epoch seconds to those that a clock in the zone counts, for a column at once."""
    changed = np.array([second for second, _ in zone.changes[1:]], dtype=np.float64)
    offsets = np.array([offset for _, offset in zone.changes], dtype=np.float64)

    def local(seconds: FloatColumn) -> FloatColumn:
        told: FloatColumn = seconds + offsets[np.searchsorted(changed, seconds, side="right")]
        return told

    return local


def _angle(seconds: FloatColumn) -> FloatColumn:
    return (seconds % DAY_S) * (2 * math.pi / DAY_S)


def _night(seconds: FloatColumn) -> FloatColumn:
    return (seconds % DAY_S < NIGHT_ENDS_S).astype(np.float64)


def _weekend(seconds: FloatColumn) -> FloatColumn:
    return ((seconds // DAY_S + EPOCH_WEEKDAY) % 7 >= SATURDAY).astype(np.float64)


KINDS = {
    "hour_sin": FieldKind(lambda s: np.sin(_angle(s)), instant, "a moment", zoned=True),
    "hour_cos": FieldKind(lambda s: np.cos(_angle(s)), instant, "a moment", zoned=True),
    "night": FieldKind(_night, instant, "a moment", zoned=True),
    "weekend": FieldKind(_weekend, instant, "a moment", zoned=True),
}
