"""What a policy's rules meet in a sample of records.

A misspelled path masks nothing and says nothing; here it shows, as a rule that meets nothing beside a field
that no rule names.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from processor.policy import paths
from processor.review import shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from processor.policy.paths import Node, Path
    from processor.policy.plan import Plan

UNNAMED_MAX: Final = 200  # paths: where a map's keys are data there is no end of them


@dataclass(slots=True)
class Coverage:
    """How often each path of the sample was met."""

    records: int = 0
    reached: Counter[int] = field(default_factory=Counter)
    """By the index of the rule, null values included."""
    unnamed: Counter[str] = field(default_factory=Counter)
    """Fields that no rule names, and maps and lists whose rules reach for something else. A name that is
    itself a datum stands there by its shape."""

    def unmet(self, plan: Plan) -> list[int]:
        """The rules that met nothing, by index."""
        return [index for index in plan.cases() if index not in self.reached]


def coverage(plan: Plan, records: Iterable[Mapping[str, Any]]) -> Coverage:
    """Walk the records as the sanitiser would, counting instead of acting."""
    found, tree = Coverage(), plan.tree()
    for record in records:
        found.records += 1
        _walk(record, tree, (), found)
    return found


def _walk(value: Any, node: Node, place: Path, found: Coverage) -> None:
    if node.rule is not None:
        found.reached[node.rule] += 1
    elif isinstance(value, dict) and (node.names or node.any_name):
        for name, item in value.items():
            child = node.names.get(name, node.any_name)
            if node.key is not None and name not in node.names:
                found.reached[node.key] += 1
            if child is None:
                _unnamed((*place, name), found)
            else:
                _walk(item, child, (*place, name if name in node.names else paths.Wild.NAME), found)
    elif isinstance(value, list | frozenset) and node.item:
        for item in value:
            _walk(item, node.item, (*place, paths.Wild.ITEM), found)
    elif value is not None:
        _unnamed(place, found)


def _unnamed(place: Path, found: Coverage) -> None:
    path = shape.path(paths.render(place))
    if path in found.unnamed or len(found.unnamed) < UNNAMED_MAX:
        found.unnamed[path] += 1
