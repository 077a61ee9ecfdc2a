"""The plan at work: compiled once into nested functions, then only called.

Walking a record costs one dict lookup per key; no action, option or path is looked at again.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from processor.crypto import to_plaintext
from processor.errors import Poison
from processor.policy import paths
from processor.policy.actions import ACTIONS, OMITTED
from processor.policy.actions.action import Means
from processor.policy.guard import guard
from processor.policy.notes import REDACTED, Mismatch, Notes, Record

if TYPE_CHECKING:
    from processor.crypto import DataKey, KeyRing
    from processor.policy.paths import Node
    from processor.policy.plan import Plan, Rule
    from processor.stream import Change

Walk = Callable[[Any, Record], Any]
"""(value, record) → JSON-ready tree, or `OMITTED`."""

Put = Callable[[dict[str, Any], Any, Any, Record], None]
"""(what leaves of a map, a key that no rule names literally, its value, record): puts what leaves of both."""


@dataclass(frozen=True, slots=True)
class Sanitised:
    """What may leave of a change: JSON-ready trees of str, int, Decimal, bool, None, list and dict only."""

    keys: dict[str, Any]
    new: dict[str, Any] | None
    old: dict[str, Any] | None
    notes: Notes


class Sanitiser:
    """One plan under one key ring. Building it costs about a millisecond, so build it once.

    `data_key` gives the data key of the moment; without it, one is made that the key ring wraps.
    """

    def __init__(self, plan: Plan, keys: KeyRing, data_key: Callable[[], DataKey] | None = None) -> None:
        self._labels = tuple((rule.path, rule.action) for rule in plan.rules)
        self._subject = paths.parse(plan.subject) if plan.subject else ()
        if data_key is None:
            made = keys.data_key()
            data_key = lambda: made  # noqa: E731  says no more with a name
        self._walk = _Compiler(plan, keys, data_key).walk(plan.tree(), "", 1)

    def sanitise(self, change: Change) -> Sanitised:
        """The sanitised form of a change.

        Raises:
            Poison: a field that no rule names where the policy says `unknown: quarantine`, one missing that
                it requires, or more attributes than its limits allow.
            Transient: the data key that a rule encrypts with cannot be had now.
        """
        notes = Notes(self._labels, [0] * len(self._labels))
        record = Record(change.time, notes, change.event_id)
        new = self._image(change.new, record)
        # The old image may be from before a required field came to be: only where it is all there is must it
        # be whole.
        record.complete = change.new is None
        old = self._image(change.old, record)
        record.complete = False
        # Conditions on the keys go by the whole record, so that a key leaves in one form only.
        keys = self._image(change.keys, record, change.new or change.old)
        return Sanitised(keys or {}, new, old, notes)

    def _image(
        self, image: dict[str, Any] | None, record: Record, whole: dict[str, Any] | None = None
    ) -> dict[str, Any] | None:
        if image is None:
            return None
        if type(image) is not dict:
            raise Poison(f"an image is a map, not a {type(image).__name__}")
        record.whole = whole or image
        if self._subject:
            record.subject = _subject(self._subject, record.whole)
        walked: dict[str, Any] = self._walk(image, record)
        return walked


class _Compiler:
    def __init__(self, plan: Plan, keys: KeyRing, data_key: Callable[[], DataKey]) -> None:
        self.plan, self.keys, self.data_key = plan, keys, data_key
        self.recognizers = tuple(one.recognizer() for one in plan.recognizers)
        self.cases = plan.cases()

    def walk(self, node: Node, place: str, depth: int) -> Walk:
        """The function for one node; `place` is where it stands, in the policy's notation."""
        if node.rule is not None:
            return self.line(self.cases[node.rule])
        if depth > self.plan.limits.depth:
            return _oversized
        walk_map = self.map(node, place, depth) if node.names or node.any_name else None
        walk_items = (
            _items(self.walk(node.item, f"{place}[*]", depth + 1), self.plan.limits.items)
            if node.item
            else None
        )
        needed = self.plan.rules[min(node.required.values())].path if node.required else None

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

    def map(self, node: Node, place: str, depth: int) -> Walk:
        named = {
            name: self.walk(child, f"{place}.{name}" if place else name, depth + 1)
            for name, child in node.names.items()
        }
        required = tuple((name, self.plan.rules[index].path) for name, index in node.required.items())
        walk = _map(
            named,
            self.put_other(node, place, depth, named),
            required=required,
            items_max=self.plan.limits.items,
            root=not place,
            # In an order of its own where names change: two that come out the same are told apart by it.
            in_order=node.key is not None,
        )
        children = [*node.names.values(), *([node.any_name] if node.any_name else [])]
        if any(self.is_conditional(child) for child in children):
            return _within(walk, root=not place)
        return walk

    def is_conditional(self, node: Node) -> bool:
        """Whether a rule on this value, or on the items of this list, has cases."""
        if node.rule is None:
            return node.item is not None and self.is_conditional(node.item)
        return len(self.cases[node.rule]) > 1

    def put_other(self, node: Node, place: str, depth: int, named: dict[str, Walk]) -> Put:
        """For keys that no rule names literally."""
        if node.any_name:
            rename = self.line(self.cases[node.key]) if node.key is not None else _guarded_name()
            return _renamed(rename, self.walk(node.any_name, f"{place}.*", depth + 1), named)
        where = f"{place}.?" if place else "?"

        def drop(_out: Any, _name: Any, _item: Any, record: Record) -> None:
            record.notes.unknown += 1
            record.notes.dropped += 1

        def redact(_item: Any, record: Record) -> Any:
            record.notes.unknown += 1
            return REDACTED

        def quarantine(_out: Any, _name: Any, _item: Any, _record: Record) -> None:
            raise Poison("there is a field that no rule names", where)

        if self.plan.unknown == "redact":
            return _renamed(_guarded_name(), redact, named)
        return drop if self.plan.unknown == "drop" else quarantine

    def line(self, indices: list[int]) -> Walk:
        """The function for a value that a line of `fields` reaches: that of the first case that holds."""
        if len(indices) == 1:
            return self.leaf(indices[0])
        conditional = []
        for index in indices[:-1]:
            when = self.plan.rules[index].when
            assert when is not None, "reading sees to it"  # noqa: S101
            conditional.append((when.holds, self.leaf(index)))
        otherwise = self.leaf(indices[-1])

        def walk(value: Any, record: Record) -> Any:
            for holds, act in conditional:
                if holds(record.within):
                    return act(value, record)
            return otherwise(value, record)

        return walk

    def leaf(self, index: int) -> Walk:
        """The function for a value that a rule reaches: acts, counts, guards."""
        rule = self.plan.rules[index]
        action, limits = ACTIONS[rule.action], self.plan.limits
        transform = action.build(rule.options, self.means(rule))
        if action.whole:
            return _counted(transform, index)
        check = guard(rule.options.cleared) if action.guarded else None
        text_max, items_max = limits.text_characters, limits.items

        def act(value: Any, record: Record) -> Any:
            if (type(value) is str or type(value) is bytes) and len(value) > text_max:
                return _oversized(value, record)
            acted = transform(value, record)
            record.notes.counts[index] += 1
            if check is not None:
                acted = check(acted, record)
            return b64encode(acted).decode() if type(acted) is bytes else acted

        def walk(value: Any, record: Record) -> Any:
            if value is None:
                return None
            try:
                if type(value) is not frozenset:
                    return act(value, record)
                if len(value) > items_max:
                    return _oversized(value, record)
                return _sorted(act(item, record) for item in value)
            except Mismatch:
                record.notes.mismatched += 1
                return REDACTED

        return walk

    def means(self, rule: Rule) -> Means:
        """What the rule's action is built from."""
        return Means(
            keys=self.keys,
            path=rule.path,
            policy=self.plan.name,
            limits=self.plan.limits,
            recognizers=self.recognizers,
            data_key=self.data_key,
        )


def _map(
    named: dict[str, Walk],
    put: Put,
    *,
    required: tuple[tuple[str, str], ...],
    items_max: int,
    root: bool,
    in_order: bool,
) -> Walk:
    walk_of = named.get

    def walk(value: dict[str, Any], record: Record) -> Any:
        if len(value) > items_max:
            if root:
                raise Poison(f"has more than the {items_max:,} attributes of limits.items")
            return _oversized(value, record)
        if required and record.complete:
            for name, path in required:
                if name not in value:
                    raise Poison("a required field is missing", path)
        out: dict[str, Any] = {}
        for name, item in sorted(value.items()) if in_order else value.items():
            walk_item = walk_of(name)
            if walk_item is None:
                put(out, name, item, record)
            elif (kept := walk_item(item, record)) is not OMITTED:
                out[name] = kept
        return out

    return walk


def _counted(transform: Walk, index: int) -> Walk:
    def walk(value: Any, record: Record) -> Any:
        record.notes.counts[index] += 1
        return transform(value, record)

    return walk


def _within(walk: Walk, *, root: bool) -> Walk:
    """For a map whose fields have cases: it is what their conditions look at."""

    def within(value: Any, record: Record) -> Any:
        outer, record.within = record.within, record.whole if root else value
        try:
            return walk(value, record)
        finally:
            record.within = outer

    return within


def _guarded_name() -> Walk:
    """For keys that a wildcard reaches and no rule renames: they leave, so they are guarded like values."""
    check = guard(())

    def name_or_nothing(name: Any, record: Record) -> Any:
        return name if check is None or check(name, record) is name else OMITTED

    return name_or_nothing


def _renamed(rename: Walk, walk: Walk, named: dict[str, Walk]) -> Put:
    """For keys that are data. One that cannot leave takes its value with it."""

    def put(out: dict[str, Any], name: Any, item: Any, record: Record) -> None:
        new_name = rename(name, record) if type(name) is str else OMITTED
        if type(new_name) is not str:
            record.notes.dropped += 1
            return
        kept = walk(item, record)
        if kept is OMITTED:
            return
        if new_name in out or new_name in named:
            unique, count = new_name, len(out)
            while unique in out or unique in named:
                count += 1
                unique = f"{new_name}#{count}"
            new_name = unique
        out[new_name] = kept

    return put


def _items(walk: Walk, items_max: int) -> Walk:
    def items(value: Any, record: Record) -> Any:
        if len(value) > items_max:
            return _oversized(value, record)
        walked = [kept for item in value if (kept := walk(item, record)) is not OMITTED]
        return walked if type(value) is list else _sorted(walked)

    return items


def _oversized(_value: Any, record: Record) -> str:
    """For what is beyond a limit of the policy."""
    record.notes.oversized += 1
    return REDACTED


def _subject(path: paths.Path, image: Any) -> bytes | None:
    """Whose data an image is, as bytes for a key; None where it does not say."""
    for name in path:
        image = image.get(name) if type(image) is dict else None
    try:
        return None if image is None else to_plaintext(image)
    except ValueError:
        return None


def _sorted(items: Any) -> list[Any]:
    """Members of a set in an order that does not depend on the process: numbers first."""
    return sorted(
        items, key=lambda item: (1, 0, str(item)) if isinstance(item, str | list | None) else (0, item, "")
    )
