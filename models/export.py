"""From scikit-learn's trees to flat arrays.

Private attributes of scikit-learn are read here, and only here. That is why a manifest keeps the library's
version, and why training compares the scores before it releases anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    VotingClassifier,
)

from processor.scoring.kernel import Categories, Forest, Member, Widening

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from processor.scoring.features.values import FloatColumn, Matrix

POSITIVE: Final = 1  # the class whose probability is the score: labels are 0 and 1


class Tree(NamedTuple):
    """One tree as scikit-learn numbers it; of a leaf, `left` is -1."""

    left: NDArray[np.intp]
    right: NDArray[np.intp]
    feature: NDArray[np.intp]
    threshold: NDArray[np.float64]
    missing_left: NDArray[np.bool_]
    value: NDArray[np.float64]  # what a leaf adds
    weight: NDArray[np.float64]  # training samples
    subset: NDArray[np.intp]  # which of `Subsets` goes right at a node, -1 where it compares


class Subsets:
    """The sets of categories that go right somewhere, each once."""

    def __init__(self, known: dict[int, NDArray[np.float32]]) -> None:
        self.known = known  # categories of each feature that has any
        self.columns: dict[tuple[int, bytes], int] = {}

    def column(self, feature: int, right: NDArray[np.bool_]) -> int:
        """The number of the set among those seen so far."""
        return self.columns.setdefault((feature, right.tobytes()), len(self.columns))


def exported(estimator: Any) -> Forest:
    """The arrays of a fitted estimator.

    Raises:
        TypeError: there is no export of its kind.
        ValueError: it is of a shape that the arrays do not hold; the message says which.
    """
    for kind, export in _EXPORTS.items():
        if isinstance(estimator, kind):
            return export(estimator)
    raise TypeError(f"{type(estimator).__name__} has no export to arrays")


def expected_scores(estimator: Any, matrix: Matrix) -> FloatColumn:
    """What scikit-learn says of each row, on the scale of `Forest.scores`."""
    if isinstance(estimator, IsolationForest):
        return np.asarray(-estimator.score_samples(matrix))
    return np.asarray(estimator.predict_proba(matrix)[:, POSITIVE])


def isolation_forest(estimator: IsolationForest) -> Forest:
    """The arrays of a fitted isolation forest that was given all features at every split."""
    # What a leaf adds to a tree's path length: its depth, and the expected rest of the path for the samples
    # that it holds, added in scikit-learn's order. Nothing that is missing comes here.
    trees = [
        _tree(tree.tree_, depths + rest - 1.0)._replace(missing_left=np.ones(tree.tree_.node_count, np.bool_))
        for tree, depths, rest in zip(
            estimator.estimators_,
            estimator._decision_path_lengths,  # noqa: SLF001
            estimator._average_path_length_per_tree,  # noqa: SLF001
            strict=True,
        )
    ]
    expected = _expected_path_length(int(estimator.max_samples_))
    member = Member("isolation", len(trees), len(trees) * expected)
    return forest(trees, [member], int(estimator.n_features_in_))


def classifier_forest(estimator: RandomForestClassifier | ExtraTreesClassifier) -> Forest:
    """The arrays of a fitted random forest or extra trees, for the probability of the second class."""
    _require_two_classes(estimator)
    trees = [_tree(one.tree_, one.tree_.value[:, 0, POSITIVE]) for one in estimator.estimators_]
    return forest(trees, [Member("mean", len(trees), float(len(trees)))], int(estimator.n_features_in_))


def gradient_boosting(estimator: HistGradientBoostingClassifier) -> Forest:
    """The arrays of fitted gradient boosting over histograms, for the probability of the second class."""
    _require_two_classes(estimator)
    features = int(estimator.n_features_in_)
    subsets, feature_at = Subsets({}), np.arange(features)
    if estimator._preprocessor is not None:  # noqa: SLF001 - it puts the features with categories first, as 0, 1, ...
        is_categorical = estimator.is_categorical_
        feature_at = np.concatenate([np.flatnonzero(is_categorical), np.flatnonzero(~is_categorical)])
        known = estimator._preprocessor.named_transformers_["encoder"].categories_  # noqa: SLF001
        subsets = Subsets(
            {
                int(feature): np.asarray(categories, np.float64)[~np.isnan(categories)].astype(np.float32)
                for feature, categories in zip(feature_at, known, strict=False)
            }
        )
    trees = [_boosted(predictor, feature_at, subsets) for (predictor,) in estimator._predictors]  # noqa: SLF001
    # scikit-learn starts from the baseline and adds tree after tree: in the first tree, it is the same sum.
    baseline = float(estimator._baseline_prediction[0, 0])  # noqa: SLF001
    trees[0] = trees[0]._replace(value=baseline + trees[0].value)
    return forest(trees, [Member("logistic", len(trees), 1.0)], features, subsets)


def soft_vote(estimator: VotingClassifier) -> Forest:
    """The arrays of a fitted vote of probabilities: a blend."""
    if estimator.voting != "soft":
        raise ValueError("a vote of classes has no score; use voting='soft'")
    weights = estimator.weights or [1.0] * len(estimator.estimators_)
    return blend([(exported(one), float(by)) for one, by in zip(estimator.estimators_, weights, strict=True)])


_EXPORTS: Final[dict[type, Callable[[Any], Forest]]] = {
    IsolationForest: isolation_forest,
    RandomForestClassifier: classifier_forest,
    ExtraTreesClassifier: classifier_forest,
    HistGradientBoostingClassifier: gradient_boosting,
    VotingClassifier: soft_vote,
}


def blend(forests: Sequence[tuple[Forest, float]]) -> Forest:
    """One forest whose score is the mean of the forests' scores, by the weights given.

    Raises:
        ValueError: they read different features, or the weights are none.
    """
    if len({one.features for one, _ in forests}) != 1:
        raise ValueError("forests over different features cannot be blended")
    whole = sum(weight for _, weight in forests)
    if not whole > 0 or min(weight for _, weight in forests) < 0:
        raise ValueError("the weights of a blend must not be negative, and not all be zero")
    # The deepest first: a tree that has ended takes no more steps only if no deeper one stands after it.
    ordered = sorted(forests, key=lambda one: -one[0].depth)
    features, made = ordered[0][0].features, [one.widening for one, _ in ordered]
    above = np.unique(np.concatenate([one.above for one in made]))
    absent = np.unique(np.concatenate([one.absent for one in made]))
    first = features + len(above) + len(absent)
    columns: list[NDArray[np.intp]] = []
    for one in made:
        subsets = sum(categories.right.shape[1] for categories in one.categories)
        columns.append(
            np.concatenate(
                [
                    np.arange(features),
                    features + np.searchsorted(above, one.above),
                    features + len(above) + np.searchsorted(absent, one.absent),
                    np.arange(first, first + subsets),
                ]
            )
        )
        first += subsets
    members = [
        member._replace(share=member.share * weight / whole)
        for one, weight in ordered
        for member in one.members
    ]
    widening = Widening(above, absent, tuple(categories for one in made for categories in one.categories))
    levels = [
        _level(one, number, column)
        for number in range(max(one.depth for one, _ in ordered) + 1)
        for (one, _), column in zip(ordered, columns, strict=True)
        if number <= one.depth
    ]
    column, threshold, value, weight = (np.concatenate(parts) for parts in zip(*levels, strict=True))
    return Forest.grown(
        column, threshold, value, weight, members=members, features=features, widening=widening
    )


def _level(one: Forest, number: int, columns: NDArray[np.intp]) -> tuple[NDArray[Any], ...]:
    """The stored arrays of one level, its columns renumbered."""
    nodes = np.arange(one.levels[number], one.levels[number + 1])
    inner = one.left[nodes] != nodes
    return (
        np.where(inner, columns[one.column[nodes]], -1),
        one.threshold[nodes[inner]],
        one.value[nodes[~inner]],
        one.weight[nodes[~inner]].astype(np.float32),
    )


def forest(trees: list[Tree], members: list[Member], features: int, subsets: Subsets | None = None) -> Forest:
    """One forest of many trees: renumbered level by level, all trees together."""
    subsets = subsets or Subsets({})
    offsets = np.cumsum([0, *(len(tree.left) for tree in trees)])
    moved = [
        tree._replace(left=np.where(tree.left < 0, -1, tree.left + offset), right=tree.right + offset)
        for tree, offset in zip(trees, offsets[:-1], strict=True)
    ]
    whole = Tree(*(np.concatenate(columns) for columns in zip(*moved, strict=True)))
    level, order = offsets[:-1], [offsets[:-1]]
    while len(parents := level[whole.left[level] >= 0]):
        level = np.stack([whole.left[parents], whole.right[parents]], axis=1).ravel()
        order.append(level)
    nodes = np.concatenate(order)
    return _placed(Tree(*(column[nodes] for column in whole)), members, features, subsets)


def _placed(nodes: Tree, members: list[Member], features: int, subsets: Subsets) -> Forest:
    """The forest of nodes in their order, each given the column that it compares."""
    inner = nodes.left >= 0
    compares = inner & (nodes.subset < 0)
    missing_right = compares & ~nodes.missing_left
    parts_missing = missing_right & (nodes.threshold == np.inf)  # all that is there goes left
    goes_above = missing_right & ~parts_missing
    above, absent = np.unique(nodes.feature[goes_above]), np.unique(nodes.feature[parts_missing])
    first = features + len(above) + len(absent)
    widening, subset_at = _widening(above, absent, subsets)

    column = np.where(inner, nodes.feature, -1)
    column[goes_above] = features + np.searchsorted(above, nodes.feature[goes_above])
    column[parts_missing] = features + len(above) + np.searchsorted(absent, nodes.feature[parts_missing])
    column[nodes.subset >= 0] = first + subset_at[nodes.subset[nodes.subset >= 0]]
    threshold = np.where(parts_missing | (nodes.subset >= 0), 0.5, nodes.threshold)
    return Forest.grown(
        column,
        _rounded_down(threshold[inner]),
        nodes.value[~inner],
        nodes.weight[~inner].astype(np.float32),
        members=members,
        features=features,
        widening=widening,
    )


def _widening(
    above: NDArray[np.intp], absent: NDArray[np.intp], subsets: Subsets
) -> tuple[Widening, NDArray[np.intp]]:
    """The columns to be made, and which of the last ones each subset has become: they are put by feature."""
    made: list[Categories] = []
    subset_at = np.zeros(len(subsets.columns), np.intp)
    for feature, known in sorted(subsets.known.items()):
        own = [(right, at) for (of, right), at in subsets.columns.items() if of == feature]
        if own:
            subset_at[[at for _, at in own]] = np.arange(len(own)) + sum(one.right.shape[1] for one in made)
            right = np.stack([np.frombuffer(right, dtype=np.bool_) for right, _ in own], axis=1)
            made.append(Categories(feature, known, right))
    return Widening(above, absent, tuple(made)), subset_at


def _tree(tree: Any, leaf_value: NDArray[np.float64]) -> Tree:
    """A `sklearn.tree._tree.Tree`."""
    return Tree(
        tree.children_left,
        tree.children_right,
        tree.feature,
        tree.threshold,
        tree.missing_go_to_left.astype(bool),
        leaf_value,
        tree.weighted_n_node_samples,
        np.full(tree.node_count, -1),
    )


def _boosted(predictor: Any, feature_at: NDArray[np.intp], subsets: Subsets) -> Tree:
    """A `sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor`."""
    nodes = predictor.nodes
    inner = nodes["is_leaf"] == 0
    feature = np.where(inner, feature_at[np.where(inner, nodes["feature_idx"], 0)], 0)
    subset = np.full(len(nodes), -1)
    for at in np.flatnonzero(inner & (nodes["is_categorical"] != 0)):
        left = predictor.raw_left_cat_bitsets[nodes["bitset_idx"][at]]
        known = len(subsets.known[int(feature[at])])
        goes_left = np.unpackbits(left.view(np.uint8), bitorder="little")[:known].astype(bool)
        right = np.append(~goes_left, not nodes["missing_go_to_left"][at])
        subset[at] = subsets.column(int(feature[at]), right)
    return Tree(
        np.where(inner, nodes["left"].astype(np.intp), -1),
        np.where(inner, nodes["right"].astype(np.intp), -1),
        feature,
        nodes["num_threshold"],
        nodes["missing_go_to_left"].astype(bool),
        nodes["value"],
        nodes["count"].astype(np.float64),
        subset,
    )


def _rounded_down(threshold: NDArray[np.float64]) -> NDArray[np.float32]:
    """The largest float32 not above each threshold: the same comparisons for every float32 input."""
    with np.errstate(over="ignore"):  # 1e300, which gradient boosting uses for "all", becomes infinity first
        rounded = threshold.astype(np.float32)
    return np.where(rounded > threshold, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def _require_two_classes(estimator: Any) -> None:
    if len(estimator.classes_) != POSITIVE + 1:
        raise ValueError(f"a score needs two classes, and {len(estimator.classes_)} were learnt")


def _expected_path_length(samples: int) -> float:
    """Expected length of an unsuccessful search among the samples: c(n), eq. 1 of the isolation forest paper.

    The operations are scikit-learn's in its order, for the same last bit.
    """
    if samples <= 2:  # noqa: PLR2004 - the paper's own cases: c(2) is 1, c(1) is 0
        return float(samples - 1)
    n = np.array([samples], dtype=np.float64)
    return float((2.0 * (np.log(n - 1.0) + np.euler_gamma) - 2.0 * (n - 1.0) / n)[0])
