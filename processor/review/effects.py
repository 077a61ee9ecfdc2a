"""What a change of a policy does to a sample of records: which fields come out otherwise, and how often.

Each record is sanitised by both policies under one key, and the results are compared place by place. Raw
values are not looked at again; the few values that are kept for showing are sanitised ones.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from processor.errors import Poison
from processor.policy import Sanitiser, paths
from processor.review import shape
from processor.review.outcomes import Resolver, child_of
from processor.review.profile import is_name
from processor.stream import Change

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from processor.crypto import KeyRing
    from processor.policy.paths import Node, Path
    from processor.policy.plan import Plan

SHOWN_MAX: Final = 3  # values kept of a field, for showing
FIELDS_MAX: Final = 500  # paths: where a map's keys are data there is no end of them
OTHERS: Final = "(further fields)"
ABSENT: Final = object()
"""Stands where nothing leaves."""

Nodes = tuple["Node | None", "Node | None"]
"""Where one stands in the trees of both policies."""

Position = tuple[str | int, ...]


@dataclass(slots=True)
class Effect:
    """What becomes of one field's values otherwise than before."""

    path: str
    before: str
    after: str
    """What each policy does there, in words."""
    changed: int = 0
    """Values that leave in another form."""
    came: int = 0
    """Values that leave now and did not."""
    went: int = 0
    """Values that left and do not now."""
    shown: list[tuple[Any, Any]] = field(default_factory=list)
    """A few pairs of sanitised values, `ABSENT` where nothing leaves."""

    @property
    def count(self) -> int:
        """All that is otherwise."""
        return self.changed + self.came + self.went


@dataclass(slots=True)
class Effects:
    """The sample, counted."""

    records: int = 0
    changed: int = 0
    """Records that leave by both policies, and not the same."""
    held: Counter[str] = field(default_factory=Counter)
    """Records that go to quarantine now and did not, by the reason, which holds no value."""
    released: Counter[str] = field(default_factory=Counter)
    """Records that went to quarantine and leave now, by what held them."""
    fields: dict[str, Effect] = field(default_factory=dict)


def effects(
    old: Plan, new: Plan, records: Iterable[Mapping[str, Any]], *, keys: KeyRing, now: int
) -> Effects:
    """Sanitise the records by both policies and compare what comes out.

    Args:
        old: the policy before.
        new: the policy after.
        records: raw, as JSON has them.
        keys: any; both policies use them.
        now: the time of every change, epoch seconds UTC.
    """
    found, resolvers = Effects(), (Resolver(old), Resolver(new))
    sanitisers = Sanitiser(old, keys), Sanitiser(new, keys)
    for record in records:
        found.records += 1
        change = Change("sample", "INSERT", now, "sample", "", {}, dict(record), None, expired=False)
        before, after = (_sanitised(sanitiser, change) for sanitiser in sanitisers)
        if isinstance(before, dict) and isinstance(after, dict):
            if before != after:
                found.changed += 1
                _compare(before, after, resolvers, found)
        elif isinstance(after, str) and isinstance(before, dict):
            found.held[after] += 1
        elif isinstance(before, str) and isinstance(after, dict):
            found.released[before] += 1
    return found


def _sanitised(sanitiser: Sanitiser, change: Change) -> dict[str, Any] | str:
    """What leaves, or why nothing does."""
    try:
        return sanitiser.sanitise(change).new or {}
    except Poison as poison:
        return str(poison)


def _compare(before: Any, after: Any, resolvers: tuple[Resolver, Resolver], found: Effects) -> None:
    nodes: Nodes = (resolvers[0].tree, resolvers[1].tree)
    trees = [
        {position: (path, value) for position, path, value in _values(tree, nodes, (), ())}
        for tree in (before, after)
    ]
    for position in dict.fromkeys((*trees[0], *trees[1])):
        (old_path, old), (new_path, new) = (tree.get(position, ((), ABSENT)) for tree in trees)
        if old is not ABSENT and new is not ABSENT and old == new:
            continue
        effect = _effect(old_path or new_path, resolvers, found)
        if old is ABSENT:
            effect.came += 1
        elif new is ABSENT:
            effect.went += 1
        else:
            effect.changed += 1
        if len(effect.shown) < SHOWN_MAX and (old, new) not in effect.shown:
            effect.shown.append((old, new))


def _effect(path: Path, resolvers: tuple[Resolver, Resolver], found: Effects) -> Effect:
    text = paths.render(tuple(one if _is_sayable(one) else shape.shape(one) for one in path))
    if text not in found.fields and len(found.fields) >= FIELDS_MAX:
        return found.fields.setdefault(OTHERS, Effect(OTHERS, "", ""))
    if text not in found.fields:
        before, after = (" / ".join(one.told for one in resolver.outcomes(path)) for resolver in resolvers)
        found.fields[text] = Effect(text, before, after)
    return found.fields[text]


def _is_sayable(segment: Any) -> bool:
    """Whether a step of a path is no datum."""
    return isinstance(segment, paths.Wild) or is_name(segment)


def _values(value: Any, nodes: Nodes, path: Path, position: Position) -> Iterator[tuple[Position, Path, Any]]:
    """All that leaves, each with where it is and the path that the policies have for it."""
    inner = [node for node in nodes if node is not None and node.rule is None]
    if isinstance(value, dict) and any(node.names or node.any_name for node in inner):
        for name, item in value.items():
            # A name that only a wildcard reaches is a datum, as its value is.
            is_data = any(node.any_name for node in inner) and not any(name in node.names for node in inner)
            step = paths.Wild.NAME if is_data else name
            yield from _values(item, _step(nodes, name), (*path, step), (*position, name))
    elif isinstance(value, list) and any(node.item for node in inner):
        for index, item in enumerate(value):
            yield from _values(
                item, _step(nodes, paths.Wild.ITEM), (*path, paths.Wild.ITEM), (*position, index)
            )
    else:
        yield position, path, value


def _step(nodes: Nodes, segment: str | paths.Wild) -> Nodes:
    old, new = (child_of(node, segment) if node and node.rule is None else None for node in nodes)
    return old, new
