"""Tokens out of whole events of the feed, each with whose it is and where it stood."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from processor.cli.lines import unusable
from processor.errors import Poison
from processor.policy import paths
from processor.policy.notes import REDACTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from processor.policy import Plan
    from processor.policy.plan import Rule

SAYS_WHO: Final = frozenset({"pseudonymize", "keep"})
"""What a subject's rule may do so that the gate knows whom an event means: name, or raw id."""
SAYS_NOBODY: Final = frozenset({"drop", "redact"})


def picker(
    plan: Plan, fields: Sequence[str], person: str | None = None
) -> Callable[[dict[str, Any]], Iterable[dict[str, Any]]]:
    """The function from an event to the tokens in these fields of it.

    Args:
        plan: the policy.
        fields: paths, as its rules write them.
        person: whose all events are, by name or id; as the events say if None.
    """
    wanted = [_wanted(plan, written) for written in fields]
    some, always = _by_subject(plan)
    of_person = [written for written, _ in wanted if written in some]
    if of_person and person is None and (problem := unnamed(plan)):
        unusable(f"--fields: {of_person[0]} goes by the person, and {problem}")
    subject_path = paths.parse(plan.subject) if plan.subject else None

    def whose(image: dict[str, Any], written: str) -> dict[str, Any]:
        found = next(iter(values_at(image, subject_path)), None) if subject_path else None
        subject = person or found
        if subject not in (None, REDACTED):
            return {"subject": as_text(subject)}
        if written in always:
            raise Poison("does not say whose data it is, and this field goes by the person", written)
        return {}  # another case may have made it

    def pick(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
        image = _image(event)
        for written, path in wanted:
            about: dict[str, Any] = {"event_id": event.get("event_id"), "field": written}
            if written in some:
                about |= whose(image, written)
            for value in values_at(image, path):
                if isinstance(value, str) and value != REDACTED:
                    yield {**about, "token": value}

    return pick


def _image(event: dict[str, Any]) -> dict[str, Any]:
    image = event.get("new") or event.get("old")
    if event.get("schema") != "tidegate.event/1" or not isinstance(image, dict):
        raise Poison("is no event of the feed")
    return image


def _by_subject(plan: Plan) -> tuple[set[str], set[str]]:
    """The fields of which some case goes by the person, and those of which all do."""
    not_all = {rule.path for rule in plan.rules if not rule.options.by_subject}
    return set(plan.subject_fields), set(plan.subject_fields) - not_all


def unnamed(plan: Plan) -> str:
    """Why events of a policy do not say by which name the gate knows the person; empty if they do."""
    rules = [rule for rule in plan.rules if rule.path == plan.subject]
    names = {_spelling(rule) for rule in rules if rule.action == "pseudonymize"}
    odd = [rule for rule in rules if rule.action not in SAYS_WHO | SAYS_NOBODY or rule.options.by_subject]
    if not odd and len(names) <= 1 and any(rule.action in SAYS_WHO for rule in rules):
        return ""
    said = " or ".join(dict.fromkeys(rule.action for rule in odd or rules))
    said += " for each person apart" if any(rule.options.by_subject for rule in odd) else ""
    return (
        f"events do not say by which name the gate knows the person: {plan.subject} is {said}. Say --subject "
        "with the person's name or id, one person at a time; or have the policy pseudonymize it in one way"
    )


def _spelling(rule: Rule) -> tuple[Any, ...]:
    return getattr(rule.options, "domain", None), getattr(rule.options, "normalize", None)


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
