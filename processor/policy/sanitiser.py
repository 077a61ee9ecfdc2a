"""The plan at work: compiled once into nested functions, then only called.

Walking a record costs one dict lookup per key; no action, option or path is looked at again.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from processor.errors import Poison
from processor.policy import paths
from processor.policy.actions import ACTIONS, OMITTED
from processor.policy.actions.action import Means
from processor.policy.actions.keyed import PREVIOUS, Keyed
from processor.policy.guard import guard
from processor.policy.notes import REDACTED, Notes, Record
from processor.policy.people import People
from processor.policy.walks import (
    caught,
    counted,
    guarded_name,
    items_walk,
    map_walk,
    oversized,
    renamed,
    with_companions,
    within,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from processor.crypto import DataKey, KeyRing
    from processor.policy.paths import Node
    from processor.policy.plan import Plan, Rule
    from processor.policy.walks import Put, Walk
    from processor.stream import Change


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
        self.names = frozenset(
            first for rule in plan.rules if isinstance(first := paths.parse(rule.path)[0], str)
        )
        """Attributes that the policy names: they are no data."""
        self._people = People(plan, keys) if plan.by_subject else None
        self._stand_in = keys.stand_ins()
        self._erases = plan.on_remove == "erase"
        if data_key is None:
            made = keys.data_key()
            data_key = lambda: made  # noqa: E731  says no more with a name
        self._walk = _Compiler(plan, keys, data_key).walk(plan.tree(), "", 1)

    def people(self, change: Change) -> set[tuple[str, ...]]:
        """The people whose secrets the change needs, each by names; none where no rule goes by the person."""
        if self._people is None:
            return set()
        images = (change.new, change.old, change.keys)
        return {names for image in images if (names := self._people.of(image))}

    def removed(self, change: Change) -> tuple[str, ...] | None:
        """The person who is to be erased because of this change, None if nobody is."""
        if self._people is None or not self._erases or change.kind != "REMOVE":
            return None
        return self._people.of(change.keys)

    def sanitise(self, change: Change, secrets: Mapping[str, bytes | None] | None = None) -> Sanitised:
        """The sanitised form of a change.

        Args:
            change: the decoded record.
            secrets: of each of its people, by the first of the names: their secret, None if erased. Left out
                where there is no table of people: then the key ring stands in, and nobody is ever erased.

        Raises:
            Poison: a field that no rule names where the policy says `unknown: quarantine`, one missing that
                it requires, more attributes than its limits allow, or a removal that is to erase a person
                and whose key does not say whom.
            Transient: the data key that a rule encrypts with cannot be had now.
        """
        if self._erases and change.kind == "REMOVE" and self.removed(change) is None:
            raise Poison("the policy says on_remove: erase, and the key does not say who the person is")
        notes = Notes(self._labels, [0] * len(self._labels))
        record = Record(change.time, notes, change.event_id)
        new = self._image(change.new, record, secrets)
        # The old image may be from before a required field came to be: only where it is all there is must it
        # be whole.
        record.complete = change.new is None
        old = self._image(change.old, record, secrets)
        record.complete = False
        # Conditions on the keys go by the whole record, so that a key leaves in one form only.
        keys = self._image(change.keys, record, secrets, change.new or change.old)
        return Sanitised(keys or {}, new, old, notes)

    def _image(
        self,
        image: dict[str, Any] | None,
        record: Record,
        secrets: Mapping[str, bytes | None] | None,
        whole: dict[str, Any] | None = None,
    ) -> dict[str, Any] | None:
        if image is None:
            return None
        if type(image) is not dict:
            raise Poison(f"an image is a map, not a {type(image).__name__}")
        record.whole = whole or image
        if self._people is not None:
            names = self._people.of(record.whole)
            if names is None:
                record.secret, record.erased = None, False
            else:
                record.secret = self._stand_in(names[0]) if secrets is None else secrets[names[0]]
                record.erased = record.secret is None
        walked: dict[str, Any] = self._walk(image, record)
        return walked


class _Compiler:
    def __init__(
        self, plan: Plan, keys: KeyRing, data_key: Callable[[], DataKey], *, is_before: bool = False
    ) -> None:
        """`is_before`: compiles what stands beside values, under the keys before the newest."""
        self.plan, self.keys, self.data_key = plan, keys, data_key
        self.recognizers = tuple(one.recognizer() for one in plan.recognizers)
        self.cases = plan.cases()
        self.is_before = is_before
        previous = None if is_before else keys.previous
        self.before = _Compiler(plan, previous, data_key, is_before=True) if previous else None

    def walk(self, node: Node, place: str, depth: int) -> Walk:
        """The function for one node; `place` is where it stands, in the policy's notation."""
        if node.rule is not None:
            return self.line(self.cases[node.rule])
        if depth > self.plan.limits.depth:
            return oversized
        walk_map = self.map(node, place, depth) if node.names or node.any_name else None
        walk_items = (
            items_walk(self.walk(node.item, f"{place}[*]", depth + 1), self.plan.limits.items)
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
        companions = tuple(self.companions(node))
        taken = named | {name: walk for _, name, walk in companions}
        walk = map_walk(
            named,
            self.put_other(node, place, depth, taken),
            required=required,
            items_max=self.plan.limits.items,
            root=not place,
            # In an order of its own where names change: two that come out the same are told apart by it.
            in_order=node.key is not None,
        )
        if companions:
            walk = with_companions(walk, companions)
        children = [*node.names.values(), *([node.any_name] if node.any_name else [])]
        if any(self.is_conditional(child) for child in children):
            return within(walk, root=not place)
        return walk

    def companions(self, node: Node) -> Iterator[tuple[str, str, Walk]]:
        """Which of a map's values leave as made by the key before the newest, too: where a rule says so."""
        for name, child in node.names.items():
            cases = self.cases[child.rule] if child.rule is not None else []
            if self.before and any(_has_previous(self.plan.rules[index]) for index in cases):
                yield name, f"{name}{PREVIOUS}", self.before.line(cases)

    def is_conditional(self, node: Node) -> bool:
        """Whether a rule on this value, or on the items of this list, has cases."""
        if node.rule is None:
            return node.item is not None and self.is_conditional(node.item)
        return len(self.cases[node.rule]) > 1

    def put_other(self, node: Node, place: str, depth: int, named: dict[str, Walk]) -> Put:
        """For keys that no rule names literally."""
        if node.any_name:
            rename = self.line(self.cases[node.key]) if node.key is not None else guarded_name()
            return renamed(rename, self.walk(node.any_name, f"{place}.*", depth + 1), named)
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
            return renamed(guarded_name(), redact, named)
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
        if self.is_before and not _has_previous(rule):
            return lambda _value, _record: OMITTED
        if action.whole:
            return counted(transform, index)
        check = guard(rule.options.cleared) if action.guarded else None
        text_max, items_max = limits.text_characters, limits.items

        def act(value: Any, record: Record) -> Any:
            if (type(value) is str or type(value) is bytes) and len(value) > text_max:
                return oversized(value, record)
            acted = transform(value, record)
            record.notes.counts[index] += 1
            if check is not None:
                acted = check(acted, record)
            return b64encode(acted).decode() if type(acted) is bytes else acted

        return caught(act, items_max)

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


def _has_previous(rule: Rule) -> bool:
    return isinstance(rule.options, Keyed) and rule.options.previous
