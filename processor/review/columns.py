"""The columns in which Athena sees events: types of Glue, those of the images from the policy.

Every value of an image is a `string`. Whatever the action, `[redacted]` may stand where a value was, and
the text of a number is exact where a double is not: `CAST(new.amount AS decimal(18, 2))` says how exact it
has to be.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from processor.policy import paths
from processor.policy.actions.keyed import PREVIOUS, Keyed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy import Plan
    from processor.policy.paths import Node

TEXT: Final = "string"
NOTES: Final = "dropped scrubbed leaks mismatched oversized erased unknown"
ENVELOPE: Final = {
    "schema": TEXT,
    "event_id": TEXT,
    "type": TEXT,
    "time": TEXT,
    "time_us": "bigint",
    "table": TEXT,
    "sequence": TEXT,
    "expired": "boolean",
    "keys": f"map<{TEXT},{TEXT}>",
    "new": "",
    "old": "",
    "fraud": (
        "struct<score:double,flagged:boolean,reasons:array<struct<feature:string,weight:double>>,"
        "model:string,features:map<string,double>>"
    ),
    "policy": "struct<name:string,version:bigint,sha256:string,key_version:int>",
    "notes": "struct<"
    + ",".join(f"{name}:{'map<string,bigint>' if name == 'scrubbed' else 'bigint'}" for name in NOTES.split())
    + ">",
}
"""The members of an event (processor/event.py) in their order; `new` and `old` are the policy's."""
IMAGES: Final = ("new", "old")
NAME: Final = re.compile(r"[a-z0-9_]+")  # of a member of a struct


def table_of(plan: Plan) -> dict[str, Any]:
    """What a table over a policy's events is made of, JSON-ready.

    Returns:
        `columns`: name and type of each, in order. `mapping`: by column, the name in events where Athena
        could not write that. `fields`: by path, `value`, how a query names that single value of `new`, as
        `new."card"."number"`, and `action`, which made it.
    """
    tree, names = plan.tree(), _names(plan)
    image = _type(plan, tree, names) or f"map<{TEXT},{TEXT}>"
    types = {name: image if name in IMAGES else kind for name, kind in ENVELOPE.items()}
    return {
        "columns": [{"name": name, "type": kind} for name, kind in types.items()],
        "mapping": {column: name for name, column in names.items() if column != name},
        "fields": dict(_fields(plan, tree, names)) if image.startswith("struct") else {},
    }


def _type(plan: Plan, node: Node, names: dict[str, str]) -> str | None:
    """The type of what leaves at a node; None where nothing ever does."""
    if node.rule is not None:
        return TEXT if _leaves(plan, node) else None
    if node.item is not None and (node.names or node.any_name):
        return TEXT  # a list or a map: its JSON
    if node.item is not None:
        item = _type(plan, node.item, names)
        return item and f"array<{item}>"
    if node.any_name is not None:
        inner = {_type(plan, child, names) for child in (*node.names.values(), node.any_name)} - {None}
        return f"map<{TEXT},{inner.pop() if len(inner) == 1 else TEXT}>" if inner else None
    members: dict[str, str] = {}
    for name, child in node.names.items():
        if (kind := _type(plan, child, names)) is not None:
            members.setdefault(names[name.lower()], kind)
            if _has_previous(plan, child):
                members.setdefault(names[f"{name}{PREVIOUS}".lower()], kind)
    return f"struct<{','.join(f'{name}:{kind}' for name, kind in members.items())}>" if members else None


def _fields(
    plan: Plan, node: Node, names: dict[str, str], place: paths.Path = ()
) -> Iterator[tuple[str, dict[str, str]]]:
    """Single values that leave, by path: not those in lists, or in maps whose names are not known."""
    if node.rule is not None:
        if _leaves(plan, node):
            columns = [f'"{names[str(step).lower()]}"' for step in place]
            actions = dict.fromkeys(plan.rules[index].action for index in _cases(plan, node))
            said = {"value": ".".join(["new", *columns]), "action": " or ".join(actions)}
            yield paths.render(place), said
    elif node.item is None and node.any_name is None:
        for name, child in node.names.items():
            yield from _fields(plan, child, names, (*place, name))


def _names(plan: Plan) -> dict[str, str]:
    """The column of each name in the policy's paths, both in lower case: Athena looks at no case."""
    written = dict.fromkeys(name for node in _nodes(plan.tree()) for name in _written(plan, node))
    names = {name: name for name in written if NAME.fullmatch(name)}
    taken = {*names, *ENVELOPE, *re.findall(r"\w+(?=:)", " ".join(ENVELOPE.values()))}
    for name in written:
        if name not in names:
            column, count = re.sub(r"[^a-z0-9_]", "_", name), 1
            while column in taken:
                count += 1
                column = re.sub(r"[^a-z0-9_]", "_", name) + f"_{count}"
            taken.add(column)
            names[name] = column
    return names


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in (*node.names.values(), node.any_name, node.item):
        if child is not None:
            yield from _nodes(child)


def _written(plan: Plan, node: Node) -> Iterator[str]:
    for name, child in node.names.items():
        yield name.lower()
        if _has_previous(plan, child):
            yield f"{name}{PREVIOUS}".lower()


def _has_previous(plan: Plan, node: Node) -> bool:
    options = [plan.rules[index].options for index in _cases(plan, node)]
    return any(isinstance(one, Keyed) and one.previous for one in options)


def _leaves(plan: Plan, node: Node) -> bool:
    return any(plan.rules[index].action != "drop" for index in _cases(plan, node))


def _cases(plan: Plan, node: Node) -> list[int]:
    return [] if node.rule is None else plan.cases()[node.rule]
