"""How a batch's features and scores are spread over the bins of training: counts, which add up.

The index that compares such counts with training's shares is `models.drift`'s. A score is a percentile, so
training has a tenth of its records in each tenth of the scores: `deciles` can be judged with no baseline.
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
DECILES: Final = 10
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
    def restored(cls, content: Mapping[str, Any], names: Sequence[str]) -> Bins:
        """Those of a manifest's baseline: of each feature, and of the score.

        Raises:
            KeyError, TypeError, ValueError: they are not in there, or not of these features.
        """
        if tuple(content["features"]) != tuple(names):
            raise ValueError("a baseline of other features")
        edges = [[float(edge) for edge in content["features"][name]["edges"]] for name in names]
        edges.append([float(edge) for edge in content[SCORE]["edges"]])
        if not all(_increases(column) for column in edges):
            raise ValueError(f"edges of bins that do not increase, or more than {MOST_BINS - 1}")
        return cls(edges)

    def counts(self, matrix: Matrix | FloatColumn, first: int = 0) -> Counts:
        """How many values of each column of the matrix are in each bin: a row for each.

        A row has the bins in order, zeros up to `MOST_BINS`, and in the last place what is missing.

        Args:
            matrix: whose columns have the bins from `first` on.
            first: which of the bins are those of its first column.
        """
        columns = matrix.shape[1]
        edges = self._edges[first : first + columns]
        # How many reach each edge: none is looked for in the bins, 0.12 µs a record of 13 features.
        totals = np.zeros((columns, MOST_BINS + 1), dtype=np.int64)
        for start in range(0, len(matrix), ROWS_AT_ONCE):
            rows = np.ascontiguousarray(matrix[start : start + ROWS_AT_ONCE].T)
            totals[:, 0] += np.count_nonzero(rows == rows, axis=1)  # noqa: PLR0124 - NaN is not itself
            totals[:, 1:MOST_BINS] += np.count_nonzero(rows[:, None, :] >= edges, axis=2)
        counted: NDArray[np.int64] = np.empty_like(totals)
        counted[:, :MOST_BINS] = totals[:, :MOST_BINS] - totals[:, 1:]
        counted[:, MOST_BINS] = len(matrix) - totals[:, 0]
        return counted

    def told(self, counted: Counts) -> list[list[int]]:
        """The counts of all columns, each with as many bins as it has."""
        return [[*row[:size], row[MOST_BINS]] for row, size in zip(counted.tolist(), self.sizes, strict=True)]


def deciles(scores: FloatColumn) -> list[int]:
    """How many scores, 0 to 1, lie in each tenth; 1 is in the last."""
    tenth = np.minimum((scores * DECILES).astype(np.int64), DECILES - 1)
    counted: list[int] = np.bincount(tenth, minlength=DECILES).tolist()
    return counted


def _increases(edges: Sequence[float]) -> bool:
    """Whether they are edges. NaN increases from nothing."""
    return len(edges) < MOST_BINS and all(edge == edge for edge in edges) and all(  # noqa: PLR0124
        low < high for low, high in pairwise(edges)
    )  # fmt: skip
