"""Forests as flat arrays, walked level by level with numpy: scikit-learn's scores to the last bit.

All trees of a batch take one step at a time: `trees` by `rows` positions compare and go to a child at once.
Four tricks make that cheap (100 trees, a batch of 100: about 4 µs a record, 40 µs for a single one):

- siblings are neighbours, so that a step right is `left + 1`: one array of children instead of two;
- a leaf is its own left child under a threshold of infinity: it stays where it is, and no mask is needed;
- thresholds are float32. scikit-learn compares float32 inputs with float64 thresholds; x <= t is then the
  same as x <= the largest float32 not above t, which is what the arrays hold;
- a leaf's value is what it adds to its tree's total, worked out when the model was made.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from processor.scoring.features.values import FloatColumn, Matrix

    Nodes = NDArray[np.intp]

ROWS_AT_ONCE: Final = 1_024  # bounds the working memory: about 4 MB for 100 trees
DEEPEST: Final = 64

# One line per kind of forest: (total of each row over the trees, the forest's scale) -> the score.
AGGREGATIONS: Final[Mapping[str, Callable[[FloatColumn, float], FloatColumn]]] = {
    # Liu, Ting, Zhou, "Isolation forest", 2008, eq. 2: 2 to the minus mean path length over the expected one.
    # Scale is the number of trees times the expected length; the order of operations is scikit-learn's.
    "isolation": lambda total, scale: 2 ** -(total / scale),
}


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """Trees in flat arrays: `roots` has one entry per tree, the others one per node.

    `value` of a leaf is what it adds to its tree's total; of an inner node, the mean over the training
    samples below it, so that the steps of a path say how much each feature moved the total.
    """

    left: Nodes
    feature: Nodes
    threshold: NDArray[np.float32]
    value: FloatColumn
    roots: Nodes
    depth: int  # steps from any root to any leaf, at most
    features: int
    aggregation: str  # a key of AGGREGATIONS
    scale: float

    def flaw(self) -> str:
        """What keeps these arrays from being walked safely, in words; empty when nothing does."""
        nodes = len(self.left)
        steps = self.left - np.arange(nodes)
        checks = {
            "an unknown aggregation": self.aggregation not in AGGREGATIONS,
            "node arrays of different lengths": {len(self.feature), len(self.threshold), len(self.value)}
            != {nodes},
            "no tree": not len(self.roots) or not nodes,
            "a depth out of bounds": not 0 <= self.depth <= DEEPEST,
            "a root that is no node": bool(((self.roots < 0) | (self.roots >= nodes)).any()),
            "a child that is no node": bool(((steps < 0) | (self.left + (steps > 0) >= nodes)).any()),
            "an unknown feature": bool(((self.feature < 0) | (self.feature >= self.features)).any()),
            "a leaf with a threshold": bool((self.threshold[steps == 0] != np.inf).any()),
        }
        return next((flaw for flaw, found in checks.items() if found), "")

    def scores(self, matrix: Matrix) -> FloatColumn:
        """The raw score of each row (rows by features, no NaN)."""
        scores = np.empty(len(matrix))
        for first in range(0, len(matrix), ROWS_AT_ONCE):
            rows = slice(first, first + ROWS_AT_ONCE)
            leaves = deque(self._walk(matrix[rows]), maxlen=1).pop()
            # Tree after tree, as scikit-learn adds: np.sum adds in pairs and may differ in the last bit.
            total = np.add.accumulate(self.value.take(leaves), axis=0)[-1]
            scores[rows] = AGGREGATIONS[self.aggregation](total, self.scale)
        return scores

    def contributions(self, matrix: Matrix) -> NDArray[np.float64]:
        """How much each feature moved each row's score away from `baseline`: rows by features.

        A path's steps move the total additively; the score is a curve over the total, so the moves are scaled
        by the slope from the baseline's point of the curve to the row's. A row's contributions sum to
        `scores(row) - baseline`. (Saabas, "Interpreting random forests", 2014, for the steps along a path.)
        """
        moved = np.zeros((len(matrix), self.features))
        for first in range(0, len(matrix), ROWS_AT_ONCE):
            rows = slice(first, first + ROWS_AT_ONCE)
            moved[rows] = self._moves(matrix[rows])
        total = moved.sum(axis=1)
        distance = self._score_of(self._expected + total) - self.baseline
        slope = np.divide(distance, total, out=np.zeros(len(matrix)), where=total != 0)
        moved *= slope[:, None]
        return moved

    def _moves(self, matrix: Matrix) -> FloatColumn:
        """How much each feature moved each row's total: rows by features."""
        path = np.stack(list(self._walk(matrix)))  # levels by trees by rows
        steps = np.diff(self.value.take(path), axis=0)
        # One bin per row and feature; a leaf's steps move nothing, whatever feature they are counted under.
        bins = self.feature.take(path[:-1]) + np.arange(len(matrix)) * self.features
        moves = np.bincount(bins.ravel(), weights=steps.ravel(), minlength=len(matrix) * self.features)
        return moves.astype(np.float64, copy=False).reshape(len(matrix), self.features)

    @property
    def baseline(self) -> float:
        """The score of an average total, from which contributions are counted."""
        return float(self._score_of(np.array([self._expected]))[0])

    @property
    def _expected(self) -> float:
        return float(self.value.take(self.roots).sum())

    def _score_of(self, total: FloatColumn) -> FloatColumn:
        return AGGREGATIONS[self.aggregation](total, self.scale)

    def _walk(self, matrix: Matrix) -> Iterator[Nodes]:
        """The nodes at each level, from the roots to the leaves: trees by rows, each."""
        flat = np.ascontiguousarray(matrix, dtype=np.float32).ravel()
        row_start = np.arange(len(matrix)) * self.features
        node = np.repeat(self.roots, len(matrix)).reshape(-1, len(matrix))
        yield node
        for _ in range(self.depth):
            at = self.feature.take(node)
            at += row_start
            right = flat.take(at) > self.threshold.take(node)
            node = self.left.take(node)
            node += right
            yield node
