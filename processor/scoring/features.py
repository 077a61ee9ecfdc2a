"""What a model looks at: one definition of every feature, used by training and by serving.

A feature is of a kind (`KINDS`), and made from one raw field. A kind says how one raw value is read as a
number and how a column of such numbers becomes the feature. Adding a kind is adding one line to the table.

A value that is missing or of another type is not an error: it reads as NaN, and gets the median of training.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    FloatColumn = NDArray[np.float64]
    Matrix = NDArray[np.float32]  # rows by features; float32 because scikit-learn's trees compare in it
    Counts = NDArray[np.int64]
    Reader = Callable[[Any], float]  # one raw value -> a number, NaN when there is none in it
    Shape = Callable[[FloatColumn], FloatColumn]  # a column of such numbers, free of NaN -> the feature

DAY_S: Final = 86_400
NIGHT_ENDS_S: Final = 6 * 3_600
EPOCH_WEEKDAY: Final = 3  # 1 January 1970 was a Thursday; Monday is 0
SATURDAY: Final = 5
LARGEST: Final = 1e30  # beyond it a number says only "huge", and float32 would make it infinite
LAST_SECOND: Final = 253_402_300_799  # of the year 9999; larger "seconds" are milliseconds by mistake


def number(value: Any) -> float:
    """A number of an image. Text that looks like one is not one."""
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
    if not isinstance(value, str):
        seconds = number(value)
        return seconds if 0 <= seconds <= LAST_SECOND else math.nan
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return math.nan
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _share_of(shares: Mapping[str, float]) -> Reader:
    def share(value: Any) -> float:
        return shares.get(value, 0.0) if isinstance(value, str) else math.nan

    return share


def _hour_angle(seconds: FloatColumn) -> FloatColumn:
    return (seconds % DAY_S) * (2 * math.pi / DAY_S)


class Kind(NamedTuple):
    """How features of a kind are made. Without a reader, it is one over the shares that training learnt."""

    reader: Reader | None
    shape: Shape


KINDS: Final[Mapping[str, Kind]] = {
    "number": Kind(number, lambda x: x),
    "log": Kind(number, lambda x: np.log1p(np.maximum(x, 0.0))),
    "hour_sin": Kind(instant, lambda s: np.sin(_hour_angle(s))),
    "hour_cos": Kind(instant, lambda s: np.cos(_hour_angle(s))),
    "night": Kind(instant, lambda s: (s % DAY_S < NIGHT_ENDS_S).astype(np.float64)),
    "weekend": Kind(instant, lambda s: ((s // DAY_S + EPOCH_WEEKDAY) % 7 >= SATURDAY).astype(np.float64)),
    "share": Kind(None, lambda x: x),  # how common a text is: its share of the training data, 0 if never seen
}


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of a model, with what training learnt about it."""

    name: str
    kind: str  # a key of KINDS
    of: str  # the raw field
    median: float = math.nan
    shares: Mapping[str, float] = field(default_factory=dict)

    @property
    def reader(self) -> Reader:
        """Reads one raw value of the field."""
        return KINDS[self.kind].reader or _share_of(self.shares)


class _Column(NamedTuple):
    """A raw field read in one way, and the features made of it: each raw value is parsed once."""

    of: str
    read: Reader
    uses: list[tuple[int, Shape]]  # (position of the feature, how it is made)


class FeatureSet:
    """The features of a model, ready to be computed for a batch at once."""

    def __init__(self, features: Sequence[Feature]) -> None:
        self.features = tuple(features)
        self.names = tuple(feature.name for feature in features)
        self.reads = tuple(dict.fromkeys(feature.of for feature in features))
        self._medians = np.array([feature.median for feature in features], dtype=np.float32)
        columns: dict[tuple[str, object], _Column] = {}
        for position, feature in enumerate(features):
            kind = KINDS[feature.kind]
            same = (feature.of, kind.reader or feature.name)
            column = columns.setdefault(same, _Column(feature.of, feature.reader, []))
            column.uses.append((position, kind.shape))
        self._columns = tuple(columns.values())

    def measure(self, images: Sequence[Mapping[str, Any]]) -> Matrix:
        """The features of each image, NaN where its raw value is missing or of another type."""
        matrix = np.empty((len(images), len(self.features)), dtype=np.float32)
        for name, read, uses in self._columns:
            column = np.array([read(image.get(name)) for image in images], dtype=np.float64)
            missing = np.isnan(column)
            column[missing] = 0.0
            for position, shape in uses:
                matrix[:, position] = shape(column)
                matrix[missing, position] = np.nan
        return matrix

    def impute(self, matrix: Matrix) -> Counts:
        """Put the medians of training where features are missing; answer how many were, row by row."""
        missing = np.isnan(matrix)
        np.copyto(matrix, self._medians, where=missing)
        counts: Counts = missing.sum(axis=1)
        return counts
