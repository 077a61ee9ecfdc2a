"""How much each feature moved a score: Shapley values along the trees, for the splits that matter.

The game is that of Lundberg et al., "Consistent individualized feature attribution for tree ensembles", 2018
(shap's `TreeExplainer` without background data): a feature that is not known leaves a split open, and both
sides count by their training samples. A value is an integral over t, the chance that any other feature is
known (Owen, "Multilinear extensions of games", 1972). We take it at t = 1/2 only: exact for two features on
a path, close for more. Of all splits only those that move most take part, `EXPLAINED` of them. What is then
left of the distance goes to the features by their size, so that the values sum up.

How far that agrees with shap, and what it costs, is measured by `python -m tests.benchmarks.estimators`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from processor.scoring.features.values import FloatColumn, Matrix
    from processor.scoring.kernel import Forest, Nodes

EXPLAINED: Final = 2_048  # half of it costs a third less in a batch, and agrees on one reason in 20 fewer
ROWS_AT_ONCE: Final = 16  # measured; with 64 the tables leave the cache, and a row takes three times as long


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """The splits that take part, level by level, and their edges: two of each split, left and right.

    Slot 0 stands above all trees, slot 1 + e for edge e. A factor is what an edge multiplies its path's
    weight with, an effect what it says of its feature. Both go by whether the row fits the edges above that
    are of the same feature (`known`), and this edge as well (`fits`).
    """

    column: Nodes  # of each split
    threshold: NDArray[np.float32]  # of each split
    # Of each level its edges and their slots; of each edge the slots of the edge above it, and of the nearest
    # one above that is of the same feature.
    levels: tuple[tuple[slice, slice, Nodes, Nodes], ...]
    bins: Nodes  # of each edge, its member and feature
    entry: Nodes  # of each edge, its first in both tables
    factor: NDArray[np.float32]
    effect: FloatColumn
    leaf_slot: Nodes  # where the explained part of a tree ends, from left to right
    leaf_value: FloatColumn
    reach: tuple[Nodes, Nodes]  # of each edge, the leaves below it: first and end
    mean: FloatColumn  # of each member's total, from which moves are counted: members by 1
    baseline: FloatColumn  # the members' scores there: members by 1

    def values(self, wide: Matrix) -> FloatColumn:
        """What each edge says of its feature: rows by edges."""
        rows, edges = len(wide), len(self.bins)
        taken = np.empty((rows, edges), dtype=np.bool_)
        # All places are there: mode="clip" saves looking for those that are not.
        np.greater(wide.take(self.column, axis=1, mode="clip"), self.threshold, out=taken[:, 1::2])
        np.logical_not(taken[:, 1::2], out=taken[:, ::2])
        fits = np.ones((rows, edges + 1), dtype=np.bool_)
        known = np.empty((rows, edges), dtype=np.bool_)
        for at, slots, same, _ in self.levels:
            known[:, at] = fits.take(same, axis=1, mode="clip")
            np.logical_and(known[:, at], taken[:, at], out=fits[:, slots])
        # Both tables hold three entries an edge: misses an edge above, misses this one, fits.
        entry = self.entry + (known.view(np.uint8) + fits[:, 1:].view(np.uint8))
        factor = self.factor.take(entry, mode="clip")
        weight = np.ones((rows, edges + 1), dtype=np.float32)
        for at, slots, _, above in self.levels:
            np.multiply(weight.take(above, axis=1, mode="clip"), factor[:, at], out=weight[:, slots])
        below = np.zeros((rows, len(self.leaf_slot) + 1))
        ends = weight.take(self.leaf_slot, axis=1, mode="clip")
        np.cumsum(ends * self.leaf_value, axis=1, out=below[:, 1:])
        total: FloatColumn = below.take(self.reach[1], axis=1, mode="clip")
        total -= below.take(self.reach[0], axis=1, mode="clip")
        total *= self.effect.take(entry, mode="clip")
        return total


def moves(forest: Forest, explained: Explained, matrix: Matrix, distance: FloatColumn) -> FloatColumn:
    """How much each feature moved each row's total in each member: members by rows by features.

    Args:
        forest: whose totals.
        explained: its splits that take part.
        matrix: the rows.
        distance: of each row's total from the mean, which its moves sum up to: members by rows.
    """
    moved = np.empty((len(forest.members), len(matrix), forest.features))
    for first in range(0, len(matrix), ROWS_AT_ONCE):
        rows = slice(first, first + ROWS_AT_ONCE)
        moved[:, rows] = _moves(forest, explained, forest.widening.widened(matrix[rows]), distance[:, rows])
    return moved


def _moves(forest: Forest, explained: Explained, wide: Matrix, distance: FloatColumn) -> FloatColumn:
    members, rows, features = len(forest.members), len(wide), forest.features
    bins = members * features
    moved: FloatColumn = np.empty((rows, members, features))
    for row, values in zip(moved.reshape(rows, bins), explained.values(wide), strict=True):
        row[:] = np.bincount(explained.bins, weights=values, minlength=bins)
    size = np.abs(moved)
    whole = size.sum(axis=2)
    whole[whole == 0] = 1.0  # then there is nothing to share it among
    left = (distance.T - moved.sum(axis=2)) / whole
    moved += size * left[:, :, None]
    return moved.transpose(1, 0, 2)


@lru_cache(maxsize=4)
def explain(forest: Forest) -> Explained:
    """The splits of the forest that move its score most, made ready."""
    split = _strongest(forest)
    splits = np.flatnonzero(split)
    edges, features = 2 * len(splits), forest.features
    children = (forest.left[splits][:, None] + np.arange(2)).ravel()
    slot = np.zeros(len(forest.left), np.intp)
    slot[children] = 1 + np.arange(edges)
    above = slot[splits]
    bounds = np.searchsorted(splits, forest.levels[:-1])
    levels = tuple(slice(first, end) for first, end in pairwise(bounds.tolist()) if end > first)
    feature = np.repeat(forest.widening.features(features)[forest.column[splits]], 2)
    tree = _trees(forest)[splits]
    member = np.repeat(np.arange(len(forest.members)), [one.trees for one in forest.members])

    same = np.zeros(edges, np.intp)
    cover = np.ones(edges + 1)  # of a slot: the share of samples that its and all edges of its feature let by
    cover[1:] = forest.weight[children] / np.repeat(forest.weight[splits], 2)
    last = np.zeros((edges + 1, features), np.intp)  # of a slot and a feature: the last slot down to it
    for level in levels:
        at = np.arange(2 * level.start, 2 * level.stop)
        last[at + 1] = last[np.repeat(above[level], 2)]
        same[at] = last[at + 1, feature[at]]
        cover[at + 1] *= cover[same[at]]
        last[at + 1, feature[at]] = at + 1

    leaf_slot, reach = _reach(split, children, levels, above)
    mean = np.array([[forest.value[trees].sum()] for _, trees in forest.parts])
    return Explained(
        column=forest.column[splits],
        threshold=forest.threshold[splits],
        levels=tuple(
            (
                slice(2 * one.start, 2 * one.stop),
                slice(2 * one.start + 1, 2 * one.stop + 1),
                same[2 * one.start : 2 * one.stop],
                np.repeat(above[one], 2),
            )
            for one in levels
        ),
        bins=np.repeat(member[tree], 2) * features + feature,
        entry=3 * np.arange(edges),
        factor=_factors(cover[1:], cover[same], same > 0),
        effect=_effects(cover[1:], cover[same], same > 0),
        leaf_slot=leaf_slot,
        leaf_value=forest.value[children[leaf_slot - 1]],
        reach=reach,
        mean=mean,
        baseline=np.array([one.score(total) for one, total in zip(forest.members, mean, strict=True)]),
    )


# At t = 1/2 the weight of a feature on a path is z/2 where its edges do not all fit, and z/2 + 1/2 where they
# do, z being its cover; what it says is -1 / (1/2) in the first case, (1 - z) / (z/2 + 1/2) in the second. An
# edge below one of its own feature replaces it: it multiplies with the ratio, and says the difference.


def _factors(cover: FloatColumn, before: FloatColumn, again: NDArray[np.bool_]) -> NDArray[np.float32]:
    missed, fitted = cover / 2, cover / 2 + 0.5
    neither = missed / np.where(again, before / 2, 1)
    first = missed / np.where(again, before / 2 + 0.5, 1)
    both = fitted / np.where(again, before / 2 + 0.5, 1)
    return np.stack([neither, first, both], axis=1).ravel().astype(np.float32)


def _effects(cover: FloatColumn, before: FloatColumn, again: NDArray[np.bool_]) -> FloatColumn:
    said = np.where(again, (1 - before) / (before / 2 + 0.5), 0)
    effects: FloatColumn = np.stack([0 * cover, -2 - said, (1 - cover) / (cover / 2 + 0.5) - said], axis=1)
    return effects.ravel()


def _strongest(forest: Forest) -> NDArray[np.bool_]:
    """Of each node, whether its split takes part: the strongest of all, and all splits above one that does.

    How strong: how far apart its sides are, by the root of the share of samples that come there, relative to
    the other splits of its member. By the share itself, the rare paths that end in a flag count too little.
    """
    nodes = np.arange(len(forest.left))
    inner = forest.left != nodes
    tree = _trees(forest)
    member = np.repeat(np.arange(len(forest.members)), [one.trees for one in forest.members])[tree]
    apart = np.abs(forest.value[forest.left] - forest.value[np.minimum(forest.left + 1, nodes[-1])])
    strength = np.where(inner, apart * np.sqrt(forest.weight / forest.weight[tree]), 0)
    whole = np.bincount(member, weights=strength)
    shares = np.array([one.share for one in forest.members])
    strength *= (shares / np.where(whole > 0, whole, 1))[member]
    strength[~inner] = -1
    for first, end, last in zip(
        forest.levels[-3::-1], forest.levels[-2:0:-1], forest.levels[:1:-1], strict=True
    ):
        parents = first + np.flatnonzero(inner[first:end])
        strength[parents] = np.maximum(strength[parents], strength[end:last].reshape(-1, 2).max(axis=1))
    # Stable: of equally strong ones the upper are taken, so that the splits above each are there too.
    chosen = np.zeros(len(nodes), np.bool_)
    chosen[np.argsort(-strength, kind="stable")[:EXPLAINED]] = True
    chosen &= inner
    return chosen


def _trees(forest: Forest) -> Nodes:
    """The tree of each node."""
    tree = [np.arange(forest.trees)]
    inner = forest.left != np.arange(len(forest.left))
    for first, end in pairwise(forest.levels[:-1]):
        tree.append(np.repeat(tree[-1][inner[first:end]], 2))
    return np.concatenate(tree)


def _reach(
    split: NDArray[np.bool_], children: Nodes, levels: tuple[slice, ...], above: Nodes
) -> tuple[Nodes, tuple[Nodes, Nodes]]:
    """The slots of the ends of the explained part from left to right, and of each edge the range below it."""
    size = np.ones(len(children) + 1, np.intp)  # of a slot: ends below it
    for level in reversed(levels):
        pairs = size[2 * level.start + 1 : 2 * level.stop + 1].reshape(-1, 2).sum(axis=1)
        size[above[level]] = pairs  # of slot 0, above all trees: any
    first = np.zeros(len(children) + 1, np.intp)
    for number, level in enumerate(levels):
        at = np.arange(2 * level.start + 1, 2 * level.stop + 1)
        left, right = at[::2], at[1::2]
        if number:
            first[left] = first[above[level]]
        else:
            whole = size[left] + size[right]
            first[left] = np.cumsum(whole) - whole
        first[right] = first[left] + size[left]
    ends = 1 + np.flatnonzero(~split[children])
    order = ends[np.argsort(first[ends])]
    return order, (first[1:], first[1:] + size[1:])
