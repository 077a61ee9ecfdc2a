"""How raw values are read as numbers. What is missing or of another type is no error: it reads as NaN."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    FloatColumn = NDArray[np.float64]
    Matrix = NDArray[np.float32]  # rows by features; float32 because scikit-learn's trees compare in it
    Counts = NDArray[np.int64]

LARGEST: Final = 1e30  # beyond it a number says only "huge", and float32 would make it infinite
LAST_SECOND: Final = 253_402_300_799  # of the year 9999; larger "seconds" are milliseconds by mistake


def number(value: Any) -> float:
    """A number of an image. Text that looks like one is not one."""
    if type(value) is float:  # as recorded data has them, by the million
        return value if -LARGEST <= value <= LARGEST else min(max(value, -LARGEST), LARGEST)
    if isinstance(value, bool) or not isinstance(value, Decimal | int | float):
        return math.nan
    try:
        return min(max(float(value), -LARGEST), LARGEST)
    except OverflowError:  # an int too long for a float
        return LARGEST if value > 0 else -LARGEST
    except ValueError:  # a signalling NaN
        return math.nan


def instant(value: Any) -> float:
    """A moment as epoch seconds, from ISO 8601 text (UTC unless it says otherwise) or epoch seconds."""
    if type(value) is float:
        return value if 0 <= value <= LAST_SECOND else math.nan
    if not isinstance(value, str):
        seconds = number(value)
        return seconds if 0 <= seconds <= LAST_SECOND else math.nan
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return math.nan
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
