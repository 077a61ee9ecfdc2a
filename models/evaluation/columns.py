"""Columns as evaluation takes them, and what is read off them: days, cards, values of a group."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
Codes: TypeAlias = NDArray[np.intp]

DAY_S: Final = 86_400
MISSING: Final = "(missing)"


def days(time: Floats) -> Codes:
    """The day in UTC of each record, counted from the epoch."""
    return np.floor(time / DAY_S).astype(np.intp)


def date(day: int) -> str:
    """The date of a day counted from the epoch, as in ISO 8601."""
    return (dt.date(1970, 1, 1) + dt.timedelta(days=day)).isoformat()


def labels(column: NDArray[Any] | Sequence[Any]) -> NDArray[np.str_]:
    """The values of a column as text. What is None, NaN or empty is `MISSING`."""
    values = np.asarray(column)
    if values.dtype.kind in "iub":
        return values.astype(str)
    return np.array([_text(value) or MISSING for value in values.tolist()], dtype=str)


def _text(value: Any) -> str:
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else str(value)


def codes(column: NDArray[Any] | Sequence[Any]) -> Codes:
    """A number from 0 for each value, in the order of the values; each missing one is a value of its own."""
    values = np.asarray(column)
    if values.dtype.kind in "iub":
        return np.unique(values, return_inverse=True)[1].astype(np.intp)
    texts = labels(values)
    found = np.unique(texts, return_inverse=True)[1].astype(np.intp)
    missing = texts == MISSING
    found[missing] = found.max(initial=0) + 1 + np.arange(missing.sum())
    return np.unique(found, return_inverse=True)[1].astype(np.intp)


def ratio(part: float, whole: float) -> float | None:
    """A share, or None of nothing."""
    return float(part) / float(whole) if whole else None


def rounded(value: float | None, digits: int = 4) -> float | None:
    """For JSON: None where there is no finite number."""
    return round(float(value), digits) if value is not None and np.isfinite(value) else None
