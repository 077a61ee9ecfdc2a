"""How a value is walked: functions over maps and lists, made once for each place of a policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from processor.errors import Poison
from processor.policy.actions import OMITTED
from processor.policy.guard import guard
from processor.policy.notes import REDACTED, Erased, Mismatch, Notes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from processor.policy.notes import Record

Walk = Callable[[Any, "Record"], Any]
"""(value, record) → JSON-ready tree, or `OMITTED`."""

Put = Callable[[dict[str, Any], Any, Any, "Record"], None]
"""(what leaves of a map, a key that no rule names literally, its value, record): puts what leaves of both."""


def map_walk(
    named: dict[str, Walk],
    put: Put,
    *,
    required: tuple[tuple[str, str], ...],
    items_max: int,
    root: bool,
    in_order: bool,
) -> Walk:
    """For a map with rules.

    Args:
        named: what walks the values of the keys that rules name.
        put: what becomes of all other keys.
        required: the keys without which the record cannot pass, each with the rule's path.
        items_max: how many keys it may have.
        root: whether it is the whole image.
        in_order: whether keys are walked in their order, rather than the record's.

    Raises:
        Poison: when walking, for what the record as a whole must not be.
    """
    walk_of = named.get

    def walk(value: dict[str, Any], record: Record) -> Any:
        if len(value) > items_max:
            if root:
                raise Poison(f"has more than the {items_max:,} attributes of limits.items")
            return oversized(value, record)
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


def caught(act: Walk, items_max: int) -> Walk:
    """For a value or a set of values that a rule acts on: what it does not handle is redacted and counted."""

    def walk(value: Any, record: Record) -> Any:
        if value is None:
            return None
        try:
            if type(value) is not frozenset:
                return act(value, record)
            if len(value) > items_max:
                return oversized(value, record)
            return in_one_order(act(item, record) for item in value)
        except Erased:
            record.notes.erased += 1
        except Mismatch:
            record.notes.mismatched += 1
        return REDACTED

    return walk


def with_companions(walk: Walk, companions: Sequence[tuple[str, str, Walk]]) -> Walk:
    """For a map some of whose values leave twice: the key, the name of the companion, what makes it.

    A companion counts for nothing, and is not there where its value is redacted.
    """

    def walk_and_add(value: Any, record: Record) -> Any:
        out = walk(value, record)
        if type(out) is not dict:
            return out
        notes, record.notes = record.notes, Notes(record.notes.labels, [0] * len(record.notes.labels))
        for name, companion, make in companions:
            made = make(value[name], record) if name in value else None
            if made is not None and made is not OMITTED and made != REDACTED:
                out[companion] = made
        record.notes = notes
        return out

    return walk_and_add


def counted(transform: Walk, index: int) -> Walk:
    """For an action that takes any value, as it is."""

    def walk(value: Any, record: Record) -> Any:
        record.notes.counts[index] += 1
        return transform(value, record)

    return walk


def within(walk: Walk, *, root: bool) -> Walk:
    """For a map whose fields have cases: it is what their conditions look at."""

    def within(value: Any, record: Record) -> Any:
        outer, record.within = record.within, record.whole if root else value
        try:
            return walk(value, record)
        finally:
            record.within = outer

    return within


def guarded_name() -> Walk:
    """For keys that a wildcard reaches and no rule renames: they leave, so they are guarded like values."""
    check = guard(())

    def name_or_nothing(name: Any, record: Record) -> Any:
        return name if check is None or check(name, record) is name else OMITTED

    return name_or_nothing


def renamed(rename: Walk, walk: Walk, named: dict[str, Walk]) -> Put:
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


def items_walk(walk: Walk, items_max: int) -> Walk:
    """For a list, or a set, with rules on its items."""

    def items(value: Any, record: Record) -> Any:
        if len(value) > items_max:
            return oversized(value, record)
        walked = [kept for item in value if (kept := walk(item, record)) is not OMITTED]
        return walked if type(value) is list else in_one_order(walked)

    return items


def oversized(_value: Any, record: Record) -> str:
    """For what is beyond a limit of the policy."""
    record.notes.oversized += 1
    return REDACTED


def in_one_order(items: Any) -> list[Any]:
    """Members of a set in an order that does not depend on the process: numbers first."""
    return sorted(
        items, key=lambda item: (1, 0, str(item)) if isinstance(item, str | list | None) else (0, item, "")
    )
