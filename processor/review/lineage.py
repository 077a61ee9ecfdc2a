"""Lineage: which rule of a policy made each value of an event. Values are looked at, and never told."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from processor.policy import paths
from processor.policy.actions.keyed import PREVIOUS
from processor.policy.notes import REDACTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from processor.policy import Plan
    from processor.policy.plan import Rule

IMAGES: Final = ("keys", "new", "old")
_MADE: Final = {
    "tokenize": re.compile(r"(?P<what>tok)\.(?P<domain>[^.]+)\.(?P<version>\d+)\.[A-Za-z0-9_-]+"),
    "pseudonymize": re.compile(r"(?P<what>psn)\.(?P<domain>[^.]+)\.(?P<version>\d+)\.[A-Za-z0-9_-]+"),
}
"""By action, what it makes: domain and key version stand in the text."""


@dataclass(slots=True)
class Traced:
    """What one line of `fields` made of an event."""

    path: str
    """In the policy's notation, so that no key of a record shows in it."""
    rules: tuple[Rule, ...]
    """The line's rules: one, or cases of which the raw record chose one. None where no rule reaches."""
    values: Counter[str] = field(default_factory=Counter)
    """How many values, by image."""
    forms: Counter[str] = field(default_factory=Counter)
    """How many are what, where that can be told: `tok.email.2`, `[redacted]`."""


def lineage(plan: Plan, event: Mapping[str, Any]) -> list[Traced]:
    """Where each value of an event's keys and images is from, in the order of the policy.

    Args:
        plan: the policy that the event names.
        event: as it was written.
    """
    trace = _Trace(plan)
    for image in IMAGES:
        if isinstance(event.get(image), dict):
            trace.walk(plan.tree(), event[image], (), image)
    return trace.in_order()


class _Trace:
    def __init__(self, plan: Plan) -> None:
        self.plan, self.cases = plan, plan.cases()
        self.lines: dict[int, Traced] = {}
        self.others: dict[str, Traced] = {}

    def in_order(self) -> list[Traced]:
        others = [self.others[path] for path in sorted(self.others)]
        return [*(self.lines[first] for first in sorted(self.lines)), *others]

    def walk(self, node: paths.Node, value: Any, place: paths.Path, image: str) -> None:
        """Go down node and value side by side; `place` is where, in the policy's notation."""
        if node.rule is not None:
            self.made(node.rule, value, image)
        elif type(value) is dict and (node.names or node.any_name):
            for name, item in value.items():
                self.step(node, name, item, place, image)
        elif type(value) is list and node.item is not None:
            for item in value:
                self.walk(node.item, item, (*place, paths.Wild.ITEM), image)
        else:
            self.unruled(place, value, image)

    def step(self, node: paths.Node, name: str, item: Any, place: paths.Path, image: str) -> None:
        """Into the value of a key."""
        own = name if name in node.names else name.removesuffix(PREVIOUS)
        if own in node.names:
            self.walk(node.names[own], item, (*place, own), image)
        elif node.any_name is not None:
            if node.key is not None:
                self.made(node.key, name, image)
            self.walk(node.any_name, item, (*place, paths.Wild.NAME), image)
        else:
            self.unruled((*place, paths.Wild.NAME), item, image)

    def made(self, first: int, value: Any, image: str) -> None:
        rules = tuple(self.plan.rules[index] for index in self.cases[first])
        line = self.lines.setdefault(first, Traced(rules[0].path, rules))
        for leaf in _leaves(value):
            line.values[image] += 1
            if form := _form(leaf, rules):
                line.forms[form] += 1

    def unruled(self, place: paths.Path, value: Any, image: str) -> None:
        """For what stands where no rule's value is: redacted as `unknown` says, or of an unlike type."""
        path = paths.render(place)
        other = self.others.setdefault(path, Traced(path, ()))
        for leaf in _leaves(value):
            other.values[image] += 1
            if form := _form(leaf, ()):
                other.forms[form] += 1


def _leaves(value: Any) -> Iterator[Any]:
    """The values inside: a rule may let out a whole map or list. DynamoDB nests 32 levels at most."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item)
    elif value is not None:
        yield value


def _form(leaf: Any, rules: tuple[Rule, ...]) -> str:
    if not isinstance(leaf, str):
        return ""
    if leaf == REDACTED:
        return REDACTED
    for rule in rules:
        made = _MADE.get(rule.action)
        if made is not None and (found := made.fullmatch(leaf)):
            return f"{found['what']}.{found['domain']}.{found['version']}"
    return ""
