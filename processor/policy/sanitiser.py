"""The plan at work: compiled once into nested functions, then only called.

Walking a record costs one dict lookup per key; no action, option or path is looked at again.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from processor.errors import Poison
from processor.policy.actions import ACTIONS, OMITTED
from processor.policy.guard import guard
from processor.policy.notes import REDACTED, Mismatch, Notes, Record

if TYPE_CHECKING:
    from processor.crypto import KeyRing
    from processor.policy.paths import Node
    from processor.policy.plan import Plan, Rule
    from processor.stream import Change

Walk = Callable[[Any, Record], Any]
"""(value, record) → JSON-ready tree, or `OMITTED`."""


@dataclass(frozen=True, slots=True)
class Sanitised:
    """What may leave of a change: JSON-ready trees of str, int, Decimal, bool, None, list and dict only."""

    keys: dict[str, Any]
    new: dict[str, Any] | None
    old: dict[str, Any] | None
    notes: Notes


class Sanitiser:
    """One plan under one key ring. Building it costs about a millisecond, so build it once."""

    def __init__(self, plan: Plan, keys: KeyRing) -> None:
        self._labels = tuple((rule.path, rule.action) for rule in plan.rules)
        self._walk = _Compiler(plan, keys).walk(plan.tree(), "")

    def sanitise(self, change: Change) -> Sanitised:
        """The sanitised form of a change.

        Raises:
            Poison: a field that no rule names where the policy says `unknown: quarantine`, or one missing
            that it requires.
        """
        notes = Notes(self._labels, [0] * len(self._labels))
        record = Record(change.time, notes)
        new = self._image(change.new, record)
        # The old image may be from before a required field came to be: only where it is all there is must it
        # be whole.
        record.complete = change.new is None
        old = self._image(change.old, record)
        record.complete = False
        return Sanitised(self._image(change.keys, record) or {}, new, old, notes)

    def _image(self, image: dict[str, Any] | None, record: Record) -> dict[str, Any] | None:
        if image is None:
            return None
        if type(image) is not dict:
            raise Poison(f"an image is a map, not a {type(image).__name__}")
        walked: dict[str, Any] = self._walk(image, record)
        return walked


class _Compiler:
    def __init__(self, plan: Plan, keys: KeyRing) -> None:
        self.rules, self.keys, self.unknown = plan.rules, keys, plan.unknown

    def walk(self, node: Node, place: str) -> Walk:
        """The function for one node; `place` is where it stands, in the policy's notation."""
        if node.rule is not None:
            return self.leaf(self.rules[node.rule], node.rule)
        walk_map = self.map(node, place) if node.names or node.any_name else None
        walk_items = _items(self.walk(node.item, f"{place}[*]")) if node.item else None
        needed = self.rules[min(node.required.values())].path if node.required else None

        def walk(value: Any, record: Record) -> Any:
            kind = type(value)
            if kind is dict and walk_map is not None:
                return walk_map(value, record)
            if (kind is list or kind is frozenset) and walk_items is not None:
                return walk_items(value, record)
            if needed is not None and record.complete:
                raise Poison(f"a required field is missing: its parent is a {kind.__name__}", needed)
            if value is None:
                return None
            record.notes.mismatched += 1
            return REDACTED

        return walk

    def map(self, node: Node, place: str) -> Walk:
        named = {
            name: self.walk(child, f"{place}.{name}" if place else name) for name, child in node.names.items()
        }
        walk_of = named.get
        other = (
            self.named_by_data(self.walk(node.any_name, f"{place}.*"))
            if node.any_name
            else self.nameless(place)
        )
        required = tuple((name, self.rules[index].path) for name, index in node.required.items())

        def walk(value: dict[str, Any], record: Record) -> dict[str, Any]:
            if required and record.complete:
                for name, path in required:
                    if name not in value:
                        raise Poison("a required field is missing", path)
            out = {}
            for name, item in value.items():
                walk_item = walk_of(name)
                kept = other(name, item, record) if walk_item is None else walk_item(item, record)
                if kept is not OMITTED:
                    out[name] = kept
            return out

        return walk

    def named_by_data(self, walk: Walk) -> Callable[[Any, Any, Record], Any]:
        """For keys that a wildcard reaches: the key itself leaves, so it is guarded like a value."""
        guard_name = guard(())

        def other(name: Any, item: Any, record: Record) -> Any:
            if type(name) is not str or (guard_name is not None and guard_name(name, record) is not name):
                record.notes.dropped += 1
                return OMITTED
            return walk(item, record)

        return other

    def nameless(self, place: str) -> Callable[[Any, Any, Record], Any]:
        """For keys that no rule reaches."""
        where = f"{place}.?" if place else "?"

        def drop(_name: Any, _item: Any, record: Record) -> Any:
            record.notes.unknown += 1
            record.notes.dropped += 1
            return OMITTED

        def redact(_item: Any, record: Record) -> Any:
            record.notes.unknown += 1
            return REDACTED

        def quarantine(_name: Any, _item: Any, _record: Record) -> Any:
            raise Poison("there is a field that no rule names", where)

        return {"drop": drop, "redact": self.named_by_data(redact), "quarantine": quarantine}[self.unknown]

    def leaf(self, rule: Rule, index: int) -> Walk:
        """The function for a value that a rule reaches: acts, counts, guards."""
        action = ACTIONS[rule.action]
        transform = action.build(rule.options, self.keys)
        if action.whole:
            return _counted(transform, index)
        check = guard(rule.options.cleared) if action.guarded else None

        def act(value: Any, record: Record) -> Any:
            acted = transform(value, record)
            record.notes.counts[index] += 1
            if check is not None:
                acted = check(acted, record)
            return b64encode(acted).decode() if type(acted) is bytes else acted

        def walk(value: Any, record: Record) -> Any:
            if value is None:
                return None
            try:
                if type(value) is frozenset:
                    return _sorted(act(item, record) for item in value)
                return act(value, record)
            except Mismatch:
                record.notes.mismatched += 1
                return REDACTED

        return walk


def _counted(transform: Walk, index: int) -> Walk:
    def walk(value: Any, record: Record) -> Any:
        record.notes.counts[index] += 1
        return transform(value, record)

    return walk


def _items(walk: Walk) -> Walk:
    def items(value: Any, record: Record) -> list[Any]:
        walked = [kept for item in value if (kept := walk(item, record)) is not OMITTED]
        return walked if type(value) is list else _sorted(walked)

    return items


def _sorted(items: Any) -> list[Any]:
    """Members of a set in an order that does not depend on the process: numbers first."""
    return sorted(
        items, key=lambda item: (1, 0, str(item)) if isinstance(item, str | list | None) else (0, item, "")
    )
