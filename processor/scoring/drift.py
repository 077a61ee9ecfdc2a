"""How a batch's features and scores are spread over the bins of training: counts, which add up.

The index that compares such counts with training's shares is `models.drift`'s. A score is a percentile, so
training has a tenth of its records in each tenth of the scores: those can be judged without a baseline.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from processor.scoring.features.values import Counts, FloatColumn, Matrix

MOST_BINS: Final = 10  # of a column, without the one for what is missing
TENTHS: Final = tuple(at / 10 for at in range(1, 10))
SCORE: Final = "score"  # its name among the columns of a baseline
ROWS_AT_ONCE: Final = 4_096


class Spread(NamedTuple):
    """How many records of a batch are where."""

    deciles: list[int]
    """Scores in each tenth."""
    columns: list[list[int]]
    """Values in each bin of each feature, in order, and then what is missing; the score's come last. Nothing
    for a model without a baseline."""


class Bins:
    """Where columns are cut into bins.

    Args:
        edges: of each column, increasing: a value belongs to the bin after the last edge that it reaches.
    """

    def __init__(self, edges: Sequence[Sequence[float]]) -> None:
        self.sizes = [len(column) + 1 for column in edges]
        self._edges = np.full((len(edges), MOST_BINS - 1, 1), np.nan)  # which nothing reaches
        for row, column in zip(self._edges, edges, strict=True):
            row[: len(column), 0] = column

    @classmethod
    def judging(cls, features: Sequence[Sequence[float]], score: Sequence[float]) -> Bins:
        """Those of each feature, of the score, and of its tenths, as `spread` counts them."""
        return cls([*features, score, TENTHS])

    @classmethod
    def restored(cls, content: Mapping[str, Any], names: Sequence[str]) -> Bins:
        """Those of a manifest's baseline.

        Raises:
            KeyError, TypeError, ValueError: they are not in there, or not of these features.
        """
        if tuple(content["features"]) != tuple(names):
            raise ValueError("a baseline of other features")
        features = [_edges(content["features"][name]) for name in names]
        return cls.judging(features, _edges(content[SCORE]))

    def counts(self, matrix: Matrix | FloatColumn) -> Counts:
        """How many values of each column of the matrix are in each bin: a row for each.

        A row has the bins in order, zeros up to `MOST_BINS`, and in the last place what is missing.
        """
        # How many reach each edge: none is looked for in the bins, 0.2 µs a record of 13 features.
        totals = np.zeros((len(self.sizes), MOST_BINS + 1), dtype=np.int64)
        for start in range(0, len(matrix), ROWS_AT_ONCE):
            rows = np.ascontiguousarray(matrix[start : start + ROWS_AT_ONCE].T)
            totals[:, 0] += np.count_nonzero(rows == rows, axis=1)  # noqa: PLR0124 - NaN is not itself
            totals[:, 1:MOST_BINS] += np.count_nonzero(rows[:, None, :] >= self._edges, axis=2)
        counted: NDArray[np.int64] = np.empty_like(totals)
        counted[:, :MOST_BINS] = totals[:, :MOST_BINS] - totals[:, 1:]
        counted[:, MOST_BINS] = len(matrix) - totals[:, 0]
        return counted

    def told(self, counted: Counts) -> list[list[int]]:
        """The counts of all columns, each with as many bins as it has."""
        return [[*row[:size], row[MOST_BINS]] for row, size in zip(counted.tolist(), self.sizes, strict=True)]


_ONLY_TENTHS: Final = Bins([TENTHS])


def spread(bins: Bins | None, matrix: Matrix, scores: FloatColumn) -> Spread:
    """How a batch is spread.

    Args:
        bins: of the model's baseline (`Bins.judging`); None if it has none.
        matrix: its features, NaN where one is missing.
        scores: 0 to 1.
    """
    if bins is None:
        (tenths,) = _ONLY_TENTHS.told(_ONLY_TENTHS.counts(scores[:, None]))
        return Spread(tenths[:-1], [])
    columns = np.empty((len(matrix), matrix.shape[1] + 2))
    columns[:, :-2], columns[:, -2], columns[:, -1] = matrix, scores, scores
    *told, tenths = bins.told(bins.counts(columns))
    return Spread(tenths[:-1], told)


def _edges(column: Mapping[str, Any]) -> list[float]:
    edges = [float(edge) for edge in column["edges"]]
    numbers = all(edge == edge for edge in edges)  # noqa: PLR0124 - NaN is not itself
    if not numbers or len(edges) >= MOST_BINS or any(low >= high for low, high in pairwise(edges)):
        raise ValueError(f"edges of bins that do not increase, or more than {MOST_BINS - 1}")
    return edges
