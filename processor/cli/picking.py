"""Tokens out of whole events of the feed, each with whose it is and where it stood."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from processor.cli.lines import unusable
from processor.errors import Poison
from processor.policy import paths
from processor.policy.notes import REDACTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from processor.policy import Plan


def picker(plan: Plan, fields: Sequence[str]) -> Callable[[dict[str, Any]], Iterable[dict[str, Any]]]:
    """The function from an event to the tokens in these fields of it."""
    wanted = [_wanted(plan, written) for written in fields]
    subject_path = paths.parse(plan.subject) if plan.subject else None
    by_subject = set(plan.subject_fields)

    def pick(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
        image = event.get("new") or event.get("old")
        if event.get("schema") != "tidegate.event/1" or not isinstance(image, dict):
            raise Poison("is no event of the feed")
        subject = next(iter(values_at(image, subject_path)), None) if subject_path else None
        for written, path in wanted:
            about: dict[str, Any] = {"event_id": event.get("event_id"), "field": written}
            if written in by_subject:
                if subject is None or subject == REDACTED:
                    raise Poison("does not say whose data it is, and this field goes by the person", written)
                about["subject"] = as_text(subject)
            for value in values_at(image, path):
                if isinstance(value, str) and value != REDACTED:
                    yield {**about, "token": value}

    return pick


def _wanted(plan: Plan, written: str) -> tuple[str, paths.Path]:
    known = {rule.path for rule in plan.rules}
    try:
        path = paths.parse(written)
    except ValueError as mistake:
        unusable(f"--fields: {written!r} is not a path: {mistake}")
    if paths.render(path) not in known:
        unusable(f"--fields: no rule of {plan.name} names {written}; {_near(written, known)}")
    return paths.render(path), path


def values_at(tree: Any, path: paths.Path) -> Iterator[Any]:
    """What a path reaches in an event, in the order of the event."""
    if not path:
        yield tree
        return
    first, rest = path[0], path[1:]
    if first is paths.Wild.ITEM:
        for item in tree if isinstance(tree, list) else ():
            yield from values_at(item, rest)
    elif not isinstance(tree, dict):
        return
    elif first is paths.Wild.KEY:
        yield from tree
    elif first is paths.Wild.NAME:
        for item in tree.values():
            yield from values_at(item, rest)
    elif first in tree:
        yield from values_at(tree[first], rest)


def as_text(subject: Any) -> Any:
    """A subject as the function takes it: numbers as DynamoDB writes them."""
    if isinstance(subject, bool) or not isinstance(subject, int | Decimal):
        return subject
    return format(Decimal(subject).normalize(), "f")


def _near(written: str, known: set[str]) -> str:
    last = written.rpartition(".")[2]
    near = sorted(path for path in known if path.rpartition(".")[2] == last)
    return f"did you mean {near[0]}?" if near else f"it has {', '.join(sorted(known))}"
