"""Paths into a record: `card.number`, `items[*].sku`, `address.*`, `contacts.*~`, `["odd.name"]`.

A name reaches one key of a map, `*` every key, `[*]` every item of a list and every member of a set. A last
`*~` reaches the names that `*` reaches the values of: where they are data, as in a map by e-mail address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

DEPTH_MAX = 32  # levels: DynamoDB's limit for nesting
NODES_MAX = 10_000  # of the tree that rules with wildcards unfold to


class Wild(Enum):
    """The segments that are not names."""

    NAME = "*"
    ITEM = "[*]"
    KEY = "*~"


Segment = str | Wild
Path = tuple[Segment, ...]

_STEP = re.compile(
    r"""(?P<dot>\.)?(?:(?P<key>\*~)|(?P<any>\*)|(?P<name>[^\s.\[\]*"'~]+))|(?P<item>\[\*\])|\["(?P<quoted>[^"\[\]]+)"\]"""
)
_PLAIN = re.compile(r"""[^\s.\[\]*"'~]+""")


def parse(text: str) -> Path:
    """The path that a text writes.

    Raises:
        ValueError: with words for the author of the policy.
    """
    segments: list[Segment] = []
    position = 0
    while position < len(text):
        step = _STEP.match(text, position)
        if step is None or (
            bool(step["dot"]) != bool(segments) and (step["any"] or step["name"] or step["key"])
        ):
            raise ValueError(_mistake(text, position))
        if segments and segments[-1] is Wild.KEY:
            raise ValueError("nothing is inside a name: *~ comes last")
        if step["key"]:
            segments.append(Wild.KEY)
        elif step["any"]:
            segments.append(Wild.NAME)
        elif step["item"]:
            segments.append(Wild.ITEM)
        else:
            segments.append(step["name"] or step["quoted"])
        position = step.end()
    if not segments or segments[0] is Wild.ITEM:
        raise ValueError("a path begins with the name of an attribute")
    if len(segments) > DEPTH_MAX:
        raise ValueError(f"a path has at most {DEPTH_MAX} levels, as DynamoDB's values have")
    return tuple(segments)


def render(path: Path) -> str:
    """The one way to write a path: `parse(render(path)) == path`."""
    text = ""
    for segment in path:
        if segment is Wild.ITEM:
            text += "[*]"
        elif isinstance(segment, Wild) or _PLAIN.fullmatch(segment):
            text += ("." if text else "") + (segment if isinstance(segment, str) else segment.value)
        else:
            text += f'["{segment}"]'
    return text


def is_literal(path: Path) -> bool:
    """Whether the path reaches one value at most."""
    return not any(isinstance(segment, Wild) for segment in path)


def covers(general: Sequence[Segment], special: Sequence[Segment]) -> bool:
    """Whether `general` reaches all that `special` reaches, level for level (paths of one length)."""
    return all(
        g == s or (g is Wild.NAME and isinstance(s, str)) for g, s in zip(general, special, strict=True)
    )


@dataclass(slots=True)
class Node:
    """One place of the tree that the rules' paths unfold to.

    Wildcards are merged into their literal neighbours beforehand, so that walking a record needs one dict
    lookup per key. `rule` indexes the paths given and stands on leaves only; `key` is that of the names which
    `any_name` reaches the values of. `required` holds, for each name that must be there, the index of a path
    that says so.
    """

    rule: int | None = None
    names: dict[str, Node] = field(default_factory=dict)
    any_name: Node | None = None
    key: int | None = None
    item: Node | None = None
    required: dict[str, int] = field(default_factory=dict)


class Overlap(ValueError):  # noqa: N818  reads as what it is
    """Two paths can reach the same value, and neither is more specific: `first` and `second` index them."""

    def __init__(self, first: int, second: int, words: str) -> None:
        self.first, self.second = first, second
        super().__init__(words)


def unfold(paths: Mapping[int, Path], required: Collection[int] = ()) -> Node:
    """The tree of all paths, by their indices; where several reach a value, the most specific has it.

    Raises:
        Overlap: where that is not decided.
    """
    return _Unfolding(paths, frozenset(required)).node(paths, 0)


class _Unfolding:
    def __init__(self, paths: Mapping[int, Path], required: frozenset[int]) -> None:
        self.paths, self.required, self.nodes = paths, required, 0

    def node(self, reaching: Iterable[int], depth: int) -> Node:
        self.nodes += 1
        reaching = list(reaching)
        if self.nodes > NODES_MAX:
            raise Overlap(reaching[0], reaching[-1], "the wildcards of these paths multiply beyond reason")
        ends = [index for index in reaching if len(self.paths[index]) == depth]
        inner = [index for index in reaching if len(self.paths[index]) > depth]
        if ends:
            winner = self._most_specific(ends)
            inner = self._inner_over(winner, inner, depth)
            if not inner:
                return Node(rule=winner)
        node = Node()
        steps = {index: self.paths[index][depth] for index in inner}
        for name in dict.fromkeys(step for step in steps.values() if isinstance(step, str)):
            reached = [index for index, step in steps.items() if step in (name, Wild.NAME)]
            node.names[name] = self.node(reached, depth + 1)
            needing = self.required.intersection(index for index in reached if steps[index] == name)
            if needing:
                node.required[name] = min(needing)
        anything = [index for index, step in steps.items() if step is Wild.NAME]
        items = [index for index, step in steps.items() if step is Wild.ITEM]
        node.any_name = self.node(anything, depth + 1) if anything else None
        keys = [index for index, step in steps.items() if step is Wild.KEY]
        node.key = self._most_specific(keys) if keys else None
        if keys and not anything:
            raise Overlap(
                keys[0], keys[0], "nothing says what becomes of the values: add the same path without ~"
            )
        node.item = self.node(items, depth + 1) if items else None
        return node

    def _most_specific(self, ends: list[int]) -> int:
        for winner in ends:
            others = [index for index in ends if index != winner]
            if all(covers(self.paths[index], self.paths[winner]) for index in others):
                twice = [index for index in others if self.paths[index] == self.paths[winner]]
                if twice:
                    raise Overlap(winner, twice[0], "the same path is written twice")
                return winner
        raise Overlap(ends[0], ends[1], "both reach the same value and neither is more specific")

    def _inner_over(self, end: int, inner: list[int], depth: int) -> list[int]:
        """The paths into a value more specific than the one that ends at it; none if that one has it."""
        over = []
        for index in inner:
            prefix = self.paths[index][:depth]
            if prefix == self.paths[end] or not (
                covers(prefix, self.paths[end]) or covers(self.paths[end], prefix)
            ):
                raise Overlap(end, index, "one names a value whole and the other something inside it")
            if covers(self.paths[end], prefix):
                over.append(index)
        return over


def _mistake(text: str, position: int) -> str:
    if re.match(r"\[\d+\]", text[position:]):
        return "a list's items are reached all at once, by [*], not one by its number"
    if text[position:].startswith(".["):
        return "no dot stands before ["
    return f'unreadable from {text[position:]!r}: a path is like a.b, a.*, a[*].b or a["odd name"]'
