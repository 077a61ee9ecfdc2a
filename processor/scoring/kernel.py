"""Forests as flat arrays, walked level by level with numpy: scikit-learn's scores, whatever is missing.

All trees of a batch take one step at a time: `trees` by `rows` positions compare and go to a child at once.
What makes that cheap (100 trees of depth 10: 2.8 µs a record in a batch of 100, 36 µs for a single one, by
`python -m tests.benchmarks.estimators`; to drop rows that have ended, to take into buffers, and 32-bit links
were measured too and gain nothing):

- all trees are numbered together, level by level and siblings side by side. Where a child is follows from
  which nodes are leaves, so that no child is stored and none can be wrong; a step right is `left + 1`;
- a leaf is its own left child under a threshold of infinity: it stays where it is, and no mask is needed;
- trees that have ended take no more steps, as long as no deeper one stands after them;
- thresholds are float32. x <= t is, for a float32 x, the same as x <= the largest float32 not above t, which
  is what the arrays hold;
- every comparison is `x > threshold`, without a branch. Where NaN has to go right, or categories to part, the
  node looks at a column that was made for it from the feature (`Widening`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from processor.scoring.shapley import explain, moves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from processor.scoring.features.values import FloatColumn, Matrix

    Nodes = NDArray[np.intp]

ROWS_AT_ONCE: Final = 256  # bounds the working memory: about 1 MB for 300 trees, which stays in the cache
DEEPEST: Final = 64
LOGIT_MIN: Final = -700.0  # the exponential of more than 709 overflows; the probability is 0 long before

# One line per kind of member: (total of each row over its trees, its scale) -> its score.
AGGREGATIONS: Final[Mapping[str, Callable[[FloatColumn, float], FloatColumn]]] = {
    # Liu, Ting, Zhou, "Isolation forest", 2008, eq. 2: 2 to the minus mean path length over the expected one.
    # Scale is the number of trees times the expected length; the order of operations is scikit-learn's.
    "isolation": lambda total, scale: 2 ** -(total / scale),
    "mean": lambda total, scale: total / scale,
    "logistic": lambda total, scale: 1 / (1 + np.exp(-np.maximum(total / scale, LOGIT_MIN))),
}


class Member(NamedTuple):
    """One estimator of the forest: so many trees in a row, and how their total becomes a score."""

    aggregation: str  # a key of AGGREGATIONS
    trees: int
    scale: float
    share: float = 1.0  # of its score in the blend's; all shares together are 1

    def score(self, total: FloatColumn) -> FloatColumn:
        """The member's score for each total over its trees."""
        return AGGREGATIONS[self.aggregation](total, self.scale)


class Categories(NamedTuple):
    """The columns made from a feature with categories: 1 where a category goes right, a column per split."""

    feature: int
    known: NDArray[np.float32]  # increasing
    right: NDArray[np.bool_]  # known categories by columns; the last row is for missing and unknown ones

    def columns(self, matrix: Matrix) -> NDArray[np.bool_]:
        """What each row's category does at each split."""
        values = matrix[:, self.feature]
        at = np.minimum(np.searchsorted(self.known, values), len(self.known) - 1)
        return self.right.take(np.where(self.known[at] == values, at, len(self.known)), axis=0)


class Widening(NamedTuple):
    """The columns after the features: what `x > threshold` needs to know of missing values, of categories."""

    above: Nodes  # features with NaN put above all values: it goes right
    absent: Nodes  # features as 1 where missing, 0 otherwise: splits that part these two only
    categories: tuple[Categories, ...] = ()

    def widened(self, matrix: Matrix) -> Matrix:
        """The matrix with all columns, C-contiguous."""
        parts: list[NDArray[np.generic]] = [matrix]
        if len(self.above):
            values = matrix.take(self.above, axis=1)
            values[np.isnan(values)] = np.inf
            parts.append(values)
        if len(self.absent):
            parts.append(np.isnan(matrix.take(self.absent, axis=1)))
        parts += [categories.columns(matrix) for categories in self.categories]
        if len(parts) == 1:
            return np.ascontiguousarray(matrix, dtype=np.float32)
        return np.concatenate(parts, axis=1, dtype=np.float32)

    def features(self, plain: int) -> Nodes:
        """The feature that each column is made of, the plain ones first."""
        made = [np.full(made.right.shape[1], made.feature) for made in self.categories]
        return np.concatenate([np.arange(plain), self.above, self.absent, *made]).astype(np.intp)


NO_WIDENING: Final = Widening(np.empty(0, np.intp), np.empty(0, np.intp))


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """Trees in flat arrays, one entry per node: all roots, then level by level the children of what has any.

    `value` of a leaf is what it adds to its tree's total; of an inner node, the mean over the training
    samples below it. Make one with `grown`.
    """

    left: Nodes
    column: Nodes  # that is compared
    threshold: NDArray[np.float32]
    value: FloatColumn
    weight: FloatColumn  # training samples
    levels: tuple[int, ...]  # the first node of each level, and the number of nodes
    steps: tuple[int, ...]  # how many trees take each step: from the first to the last that has not ended
    members: tuple[Member, ...]
    features: int
    widening: Widening

    @classmethod
    def grown(
        cls,
        column: NDArray[np.signedinteger],
        threshold: NDArray[np.float32],
        value: FloatColumn,
        weight: NDArray[np.float32],
        *,
        members: Sequence[Member],
        features: int,
        widening: Widening = NO_WIDENING,
    ) -> Forest:
        """The forest of the arrays that are stored.

        Args:
            column: of each node, -1 for a leaf.
            threshold: of each inner node, in order.
            value: what each leaf adds, in order.
            weight: the training samples of each leaf.
            members: whose trees these are, in order.
            features: columns of the matrix that is scored.
            widening: columns made from them.

        Raises:
            ValueError: these are no trees.
        """
        inner = column >= 0
        parents = np.flatnonzero(inner)
        nodes, trees = len(column), sum(member.trees for member in members)
        left = np.arange(nodes)
        left[parents] = trees + 2 * np.arange(len(parents))
        sizes = (len(threshold), len(value), len(weight))
        if sizes != (len(parents), nodes - len(parents), nodes - len(parents)):
            raise ValueError("node arrays of different lengths")
        if any(member.trees < 1 for member in members) or not trees:
            raise ValueError("a member without a tree")
        if nodes != trees + 2 * len(parents) or (left[parents] <= parents).any():
            raise ValueError("nodes that are not all of the trees")
        levels = _levels(inner, trees)
        filled = np.full(nodes, np.inf, np.float32)
        filled[parents] = threshold
        values, weights = np.zeros(nodes), np.zeros(nodes)
        values[~inner], weights[~inner] = value, weight
        _fill_means(values, weights, inner, levels)
        return cls(
            left=left,
            column=np.where(inner, column, 0).astype(np.intp),
            threshold=filled,
            value=values,
            weight=weights,
            levels=levels,
            steps=_steps(inner, levels),
            members=tuple(members),
            features=features,
            widening=widening,
        )

    def flaw(self) -> str:
        """What keeps this forest from being scored safely, in words; empty when nothing does."""
        made = self.widening
        read = np.concatenate([made.above, made.absent, [one.feature for one in made.categories]])
        shares = [member.share for member in self.members]
        checks = {
            "an unknown aggregation": any(one.aggregation not in AGGREGATIONS for one in self.members),
            "a scale that is none": not all(0 < one.scale < np.inf for one in self.members),
            "shares that are not 1 together": not (min(shares) >= 0 and abs(sum(shares) - 1) < 1e-9),  # noqa: PLR2004
            "too many levels": self.depth > DEEPEST,
            "a column made of no feature": bool(((read < 0) | (read >= self.features)).any()),
            "categories that do not increase": not all(
                len(one.known) and np.isfinite(one.known).all() and (np.diff(one.known) > 0).all()
                for one in made.categories
            ),
            "categories of another number": any(
                len(one.right) != len(one.known) + 1 for one in made.categories
            ),
            "an unknown column": bool((self.column >= self.width).any()),
            "a threshold that is no number": bool(np.isnan(self.threshold).any()),
            "a value that is no number": not np.isfinite(self.value).all(),
            "a weight that is none": not ((self.weight > 0) & (self.weight < np.inf)).all(),
        }
        return next((flaw for flaw, found in checks.items() if found), "")

    @property
    def depth(self) -> int:
        """Steps from any root to any leaf, at most."""
        return len(self.steps)

    @property
    def trees(self) -> int:
        """Trees of all members."""
        return self.levels[1]  # the first level is the roots

    @property
    def width(self) -> int:
        """Columns of the widened matrix."""
        made = self.widening
        columns = (int(one.right.shape[1]) for one in made.categories)
        return self.features + len(made.above) + len(made.absent) + sum(columns)

    @property
    def parts(self) -> Iterator[tuple[Member, slice]]:
        """Each member with its trees."""
        first = 0
        for member in self.members:
            yield member, slice(first, first + member.trees)
            first += member.trees

    def scores(self, matrix: Matrix) -> FloatColumn:
        """The raw score of each row (rows by features)."""
        return self.scores_of(self.totals(matrix))

    def totals(self, matrix: Matrix) -> FloatColumn:
        """What each member's trees say of each row together: members by rows."""
        totals: FloatColumn = np.empty((len(self.members), len(matrix)))
        for first in range(0, len(matrix), ROWS_AT_ONCE):
            rows = slice(first, first + ROWS_AT_ONCE)
            values = self.value.take(self.leaves(self.widening.widened(matrix[rows])))
            for total, (_, trees) in zip(totals, self.parts, strict=True):
                total[rows] = in_order(values[trees])
        return totals

    def scores_of(self, totals: FloatColumn) -> FloatColumn:
        """The raw scores that these totals are."""
        scores = np.zeros(totals.shape[1])
        for total, member in zip(totals, self.members, strict=True):
            scores += member.share * member.score(total)
        return scores

    def contributions(self, matrix: Matrix, totals: FloatColumn | None = None) -> NDArray[np.float64]:
        """How much each feature moved each row's score away from `baseline`: rows by features.

        Features move a member's total additively (`shapley`). Its score is a curve over the total, so the
        moves are scaled by the slope from the baseline's point of the curve to the row's. A row's
        contributions sum to `scores(row) - baseline`.

        Args:
            matrix: the rows.
            totals: of them, where they are known.
        """
        explained = explain(self)
        whole = self.totals(matrix) if totals is None else totals
        distance = whole - explained.mean
        scores = [one.score(total) for one, total in zip(self.members, whole, strict=True)]
        slope = np.divide(
            scores - explained.baseline, distance, out=np.zeros_like(whole), where=distance != 0
        )
        slope *= np.array([[one.share] for one in self.members])
        given: FloatColumn = np.einsum("mrf,mr->rf", moves(self, explained, matrix, distance), slope)
        return given

    @property
    def baseline(self) -> float:
        """The score of average totals, from which contributions are counted."""
        shares = [one.share for one in self.members]
        return float(np.dot(shares, explain(self).baseline[:, 0]))

    def leaves(self, wide: Matrix) -> Nodes:
        """Where each row of a widened matrix ends in each tree: trees by rows."""
        node = np.repeat(np.arange(self.trees), len(wide)).reshape(-1, len(wide))
        flat, row_start = wide.ravel(), np.arange(len(wide)) * self.width
        for trees in self.steps:
            self._step(flat, row_start, node[:trees])
        return node

    def _step(self, flat: Matrix, row_start: Nodes, node: Nodes) -> None:
        """Moves each node (trees by rows) to its child, in place."""
        at = self.column.take(node)
        at += row_start
        right = flat.take(at) > self.threshold.take(node)
        np.add(self.left.take(node), right, out=node)


def in_order(values: FloatColumn) -> FloatColumn:
    """The sum of each column, tree after tree as scikit-learn adds: np.sum adds in pairs."""
    total: FloatColumn = np.add.accumulate(values, axis=0)[-1]
    return total


def _levels(inner: NDArray[np.bool_], trees: int) -> tuple[int, ...]:
    """The first node of each level, and the number of nodes."""
    parents = np.cumsum(inner)
    levels = [0, trees]
    while levels[-1] < len(inner):
        levels.append(trees + 2 * int(parents[levels[-1] - 1]))
    return tuple(levels)


def _fill_means(
    value: FloatColumn, weight: FloatColumn, inner: NDArray[np.bool_], levels: tuple[int, ...]
) -> None:
    """Fills in what inner nodes weigh and, by weight, the mean of their leaves: from the last level up."""
    for level in range(len(levels) - 3, -1, -1):
        children = slice(levels[level + 1], levels[level + 2])
        parents = levels[level] + np.flatnonzero(inner[levels[level] : levels[level + 1]])
        weights = weight[children].reshape(-1, 2)
        weight[parents] = weights.sum(axis=1)
        weighted = (value[children].reshape(-1, 2) * weights).sum(axis=1)
        value[parents] = np.divide(
            weighted, weight[parents], out=np.zeros(len(parents)), where=weight[parents] > 0
        )


def _steps(inner: NDArray[np.bool_], levels: tuple[int, ...]) -> tuple[int, ...]:
    """How many trees take each step, counted to the last one that is not at a leaf."""
    steps = []
    tree = np.arange(levels[1])
    for first, end in pairwise(levels[:-1]):
        tree = tree[inner[first:end]]
        steps.append(int(tree.max()) + 1)
        tree = np.repeat(tree, 2)
    return tuple(steps)
