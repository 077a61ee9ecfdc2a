"""From scikit-learn's trees to flat arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from processor.scoring.kernel import Forest

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.ensemble import IsolationForest


class FlatTree(NamedTuple):
    """One tree, siblings side by side: what `Forest` holds of it, with its own root at 0."""

    left: NDArray[np.intp]
    feature: NDArray[np.intp]
    threshold: NDArray[np.float32]
    value: NDArray[np.float64]


def isolation_forest(estimator: IsolationForest) -> Forest:
    """The arrays of a fitted isolation forest that was given all features at every split."""
    # What a leaf adds to a tree's path length: its depth, and the expected rest of the path for the samples
    # that it holds, added in scikit-learn's order. The private names are why the manifest keeps its version,
    # and why training compares the scores before it releases anything.
    trees = [
        flat_tree(tree.tree_, depths + rest - 1.0)
        for tree, depths, rest in zip(
            estimator.estimators_,
            estimator._decision_path_lengths,  # noqa: SLF001
            estimator._average_path_length_per_tree,  # noqa: SLF001
            strict=True,
        )
    ]
    expected = _expected_path_length(int(estimator.max_samples_))
    return forest(
        trees,
        depth=max(int(tree.tree_.max_depth) for tree in estimator.estimators_),
        features=int(estimator.n_features_in_),
        aggregation="isolation",
        scale=len(trees) * expected,
    )


def forest(trees: list[FlatTree], *, depth: int, features: int, aggregation: str, scale: float) -> Forest:
    """One forest of many trees."""
    roots = np.cumsum([0, *(len(tree.left) for tree in trees[:-1])])
    return Forest(
        left=np.concatenate([tree.left + root for tree, root in zip(trees, roots, strict=True)]),
        feature=np.concatenate([tree.feature for tree in trees]),
        threshold=np.concatenate([tree.threshold for tree in trees]),
        value=np.concatenate([tree.value for tree in trees]),
        roots=roots,
        depth=depth,
        features=features,
        aggregation=aggregation,
        scale=scale,
    )


def flat_tree(tree: Any, leaf_value: NDArray[np.float64]) -> FlatTree:
    """A scikit-learn `Tree`, renumbered breadth first so that siblings are neighbours."""
    order: list[int] = [0]
    left: list[int] = []
    for node in order:  # grows while it is walked
        if tree.children_left[node] < 0:
            left.append(len(left))  # a leaf stays where it is
        else:
            left.append(len(order))
            order += [tree.children_left[node], tree.children_right[node]]
    leaf = tree.children_left[order] < 0
    return FlatTree(
        np.array(left, dtype=np.intp),
        np.where(leaf, 0, tree.feature[order]).astype(np.intp),
        np.where(leaf, np.float32(np.inf), _rounded_down(tree.threshold[order])),
        _means(tree, leaf_value)[order],
    )


def _rounded_down(threshold: NDArray[np.float64]) -> NDArray[np.float32]:
    """The largest float32 not above each threshold: the same comparisons for every float32 input."""
    rounded = threshold.astype(np.float32)
    return np.where(rounded > threshold, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def _means(tree: Any, leaf_value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each node, the mean of the leaf values below it, weighted by training samples."""
    weight = tree.weighted_n_node_samples.tolist()
    means: list[float] = leaf_value.tolist()
    children = zip(tree.children_left.tolist(), tree.children_right.tolist(), strict=True)
    for node, (left, right) in reversed(
        list(enumerate(children))
    ):  # children are numbered after their parent
        if left >= 0:
            means[node] = (means[left] * weight[left] + means[right] * weight[right]) / weight[node]
    return np.array(means)


def _expected_path_length(samples: int) -> float:
    """Expected length of an unsuccessful search among the samples: c(n), eq. 1 of the isolation forest paper.

    The operations are scikit-learn's in its order, for the same last bit.
    """
    if samples <= 2:  # noqa: PLR2004 - the paper's own cases: c(2) is 1, c(1) is 0
        return float(samples - 1)
    n = np.array([samples], dtype=np.float64)
    return float((2.0 * (np.log(n - 1.0) + np.euler_gamma) - 2.0 * (n - 1.0) / n)[0])
