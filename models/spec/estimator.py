"""The spec's estimator, in scikit-learn's own names: the parameters that the function's arrays can follow."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from models.spec.keys import whole, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from models.spec.keys import Keys

BLEND: Final = "blend"
ISOLATION_FOREST: Final = "isolation_forest"
MOST_COMBINATIONS: Final = 32
MOST_TREES: Final = 1_000
MOST_MEMBERS: Final = 5
BOTH: Final = (True, False)


class Allowed(NamedTuple):
    """What a parameter may be."""

    fits: Callable[[Any], bool]
    words: str


def _whole(low: int, high: int, *, none: bool = False) -> Allowed:
    fits = whole(low, high)
    words = f"{low} to {high}, whole" + (", or null" if none else "")
    return Allowed((lambda value: value is None or fits(value)) if none else fits, words)


def _within(low: float, high: float) -> Allowed:
    return Allowed(within(low, high), f"{low:g} to {high:g}")


def _one_of(*values: Any) -> Allowed:
    known = ", ".join("null" if value is None else str(value) for value in values)
    return Allowed(lambda value: any(value is one or value == one for one in values), f"one of {known}")


_MAX_FEATURES: Final = Allowed(
    lambda value: value in ("sqrt", "log2", None) or whole(1, 200)(value) or _is_share(value),
    "sqrt, log2, null, a number of features or a share of them",
)


def _is_share(value: Any) -> bool:
    return type(value) is float and 0 < value <= 1


_SAMPLES: Final = Allowed(lambda value: value is None or whole(2, 10_000_000)(value) or _is_share(value),
    "a number of rows, a share of them, or null")  # fmt: skip
_TREES: Final = {
    "n_estimators": _whole(1, MOST_TREES),
    "criterion": _one_of("gini", "entropy", "log_loss"),
    "max_depth": _whole(1, 30, none=True),
    "max_leaf_nodes": _whole(2, 4_096, none=True),
    "min_samples_leaf": _whole(1, 100_000),
    "min_samples_split": _whole(2, 100_000),
    "max_features": _MAX_FEATURES,
    "max_samples": _SAMPLES,
    "bootstrap": _one_of(*BOTH),
    "class_weight": _one_of(None, "balanced", "balanced_subsample"),
}
PARAMETERS: Final[Mapping[str, Mapping[str, Allowed]]] = {
    ISOLATION_FOREST: {"n_estimators": _whole(1, MOST_TREES), "max_samples": _whole(2, 65_536)},
    "random_forest": _TREES,
    "extra_trees": _TREES,
    "hist_gradient_boosting": {
        "max_iter": _whole(1, MOST_TREES),
        "learning_rate": _within(0.001, 1),
        "max_leaf_nodes": _whole(2, 1_024, none=True),
        "max_depth": _whole(1, 30, none=True),
        "min_samples_leaf": _whole(1, 100_000),
        "l2_regularization": _within(0, 10_000),
        "max_features": _within(0.01, 1),
        "max_bins": _whole(2, 255),
        "class_weight": _one_of(None, "balanced"),
    },
}
"""Of each kind the parameters that a spec may set."""


@dataclass(frozen=True, slots=True)
class EstimatorSpec:
    """An estimator that is to be fitted."""

    kind: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    search: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    """Values of parameters of which the best are to be found."""
    members: tuple[EstimatorSpec, ...] = ()
    """Of a blend."""
    weight: float = 1.0
    """In a blend."""

    def choices(self) -> Iterator[dict[str, Any]]:
        """The combinations of what is searched."""
        return (dict(zip(self.search, values, strict=True)) for values in product(*self.search.values()))

    @property
    def supervised(self) -> bool:
        """Whether it learns from labels."""
        return self.kind != ISOLATION_FOREST


def read_estimator(keys: Keys) -> EstimatorSpec:
    """The estimator.

    Raises:
        ModelError: its kind is unknown, or something that it is given cannot be.
    """
    kind = keys.one_of("kind", {*PARAMETERS, BLEND})
    if kind != BLEND:
        return _single(kind, keys, ("kind", "search"))
    keys.only(("kind", "blend"))
    listed = keys.get("blend", _are_maps, f"a list of 2 to {MOST_MEMBERS} estimators")
    members = []
    for at, content in enumerate(listed):
        member = type(keys)(keys.path, f"{keys.name}.blend[{at}]", content)
        member_kind = member.one_of("kind", PARAMETERS.keys() - {ISOLATION_FOREST})
        members.append(_single(member_kind, member, ("kind", "search", "weight")))
    return EstimatorSpec(kind, members=tuple(members))


def _single(kind: str, keys: Keys, beside: tuple[str, ...]) -> EstimatorSpec:
    allowed = PARAMETERS[kind]
    keys.only({*allowed, *beside})
    parameters = {
        name: keys.get(name, allowed[name].fits, allowed[name].words)
        for name in keys.content
        if name in allowed
    }
    search = keys.part("search", optional=True)
    search.only(allowed)
    values = {
        name: tuple(search.get(name, _list_of(allowed[name]), f"a list, each {allowed[name].words}"))
        for name in search.content
    }
    if both := sorted(values.keys() & parameters.keys()):
        raise keys.error(f"search.{both[0]}", f"is searched and set; take {both[0]} out of one of the two")
    if prod(map(len, values.values())) > MOST_COMBINATIONS:
        raise keys.error("search", f"has more than {MOST_COMBINATIONS} combinations")
    weight = float(keys.get("weight", within(0.01, 100), "0.01 to 100", 1))
    return EstimatorSpec(kind, parameters, values, weight=weight)


def _list_of(allowed: Allowed) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and bool(value) and all(map(allowed.fits, value))


def _are_maps(value: Any) -> bool:
    return (
        isinstance(value, list)
        and 2 <= len(value) <= MOST_MEMBERS  # noqa: PLR2004 - one alone is no blend
        and all(isinstance(one, dict) and all(isinstance(key, str) for key in one) for one in value)
    )
