"""Any JSON at any place of a record: it ends once, the batch goes on, and nobody outside reads of it."""

from __future__ import annotations

import json
from copy import deepcopy
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import stream_record
from tests.hostile.deliveries import astray, deliver, forget, gate_of, hiding_plan
from tests.worlds import World

if TYPE_CHECKING:
    from collections.abc import Iterator

NEW = {
    "payment_id": "p-1",
    "customer_id": "c-1",
    "email": "a@b.example",
    "amount": Decimal("12.50"),
    "created_at": "2026-11-23T21:04:05Z",
    "tags": {"one", "two"},
    "card": {"number": "c"},
    "items": [{"sku": "s"}],
    "by_mail": {"k": b"v"},
    "new": None,
    "is_new": True,
}
PLAIN = stream_record(NEW, NEW | {"amount": 1}) | {"userIdentity": {"type": "Service", "principalId": "x"}}
WORLD = World()
GATES = {unknown: gate_of(WORLD, hiding_plan(unknown)) for unknown in ("drop", "quarantine")}


def places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a tree, the root included."""
    yield path
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for name, item in inner:
        yield from places(item, (*path, name))


PLACES = sorted(places(PLAIN), key=lambda path: (len(path), repr(path)))
IDENTITY = [("eventID",), ("eventSourceARN",)]
"""Where a record says which it is: its id and its table leave with the event, so no marker is put there."""

TEXT, NUMBER = object(), object()
"""Stand for a text or a number that is nowhere else; drawn so, because hypothesis loves to repeat itself."""
TAGS = ("S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS", "X", "s")

letters = st.characters(exclude_categories=()) | st.sampled_from("\ud800\udfff\0\u2028")
leaves = (
    st.none()
    | st.booleans()
    | st.just(TEXT)
    | st.just(NUMBER)
    | st.sampled_from([0, -1, 1e400, float("nan"), 10**400, 0.1, "", "0", "NaN", "Infinity", "1E+500", "1_0"])
)
junk = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(letters, max_size=4), inner, max_size=3)
        # What is nearly a value of DynamoDB's comes further.
        | st.dictionaries(st.sampled_from(TAGS), inner, min_size=1, max_size=2)
    ),
    max_leaves=8,
)


def marked(tree: Any, marks: Iterator[str], prefix: str) -> Any:
    """The tree with a marker in each text and number that is to be unique, and in each name."""
    if tree is TEXT:
        return f"{prefix}{next(marks)}@x.example"
    if tree is NUMBER:
        return int(next(marks).removeprefix("mark"))
    if isinstance(tree, list):
        return [marked(item, marks, prefix) for item in tree]
    if isinstance(tree, dict):
        return {
            name if name in TAGS else f"{name}@{next(marks)}": marked(item, marks, prefix)
            for name, item in tree.items()
        }
    return tree


def put(tree: Any, path: tuple[Any, ...], junk: Any) -> Any:
    """The tree with something else at the place."""
    if not path:
        return junk
    tree = deepcopy(tree)
    holder = tree
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = junk
    return tree


def without(tree: Any, path: tuple[Any, ...]) -> Any:
    """The tree without a place."""
    tree = deepcopy(tree)
    holder = tree
    for name in path[:-1]:
        holder = holder[name]
    del holder[path[-1]]
    return tree


def numbered(at: int) -> dict[str, Any]:
    """The plain record as the `at`th of a stream."""
    record = deepcopy(PLAIN)
    record["eventID"] = f"{at:032x}"
    record["dynamodb"]["SequenceNumber"] = str(1000 + at)
    return record


@pytest.mark.slow
@given(
    st.lists(st.tuples(st.sampled_from(PLACES), junk, st.text(letters, max_size=3)), min_size=1, max_size=3),
    st.sampled_from(sorted(GATES)),
)
@settings(max_examples=250, deadline=None)
def test_any_json_at_any_place_ends_once_and_says_nothing(
    mutations: list[tuple[tuple[Any, ...], Any, str]], unknown: str
) -> None:
    marks = (f"mark{7_219_000_000_000 + at}" for at in count())
    hostile = [
        put(numbered(1 + at), path, f"junk{at}" if _is_name(path, tree) else marked(tree, marks, prefix))
        for at, (path, tree, prefix) in enumerate(mutations)
    ]
    used = int(next(marks).removeprefix("mark"))
    batch = json.loads(json.dumps([numbered(0), *hostile, numbered(9)]))
    forget(WORLD)
    outcome = deliver(batch, GATES[unknown], WORLD)
    assert outcome.passed, outcome.error
    events = outcome.events()
    # `unknown: quarantine` takes the plain ones: they have fields that no rule names.
    assert (events[numbered(0)["eventID"]], events[numbered(9)["eventID"]]) == (
        (1, 1) if unknown == "drop" else (0, 0)
    )
    assert _are_alike(batch) or not astray(outcome, batch)
    out = outcome.everything()
    assert not [mark for mark in range(7_219_000_000_000, used) if str(mark) in out]


def _is_name(path: tuple[Any, ...], tree: Any) -> bool:
    return path in IDENTITY and (tree is TEXT or isinstance(tree, str))


def _are_alike(batch: list[Any]) -> bool:
    """Whether two hostile records are the same by chance (`null` and `null`): then the quarantine has one."""
    texts = {json.dumps(record, sort_keys=True) for record in batch}
    return len(texts) < len(batch)


@pytest.mark.parametrize("path", PLACES[1:], ids=lambda path: ".".join(map(str, path)))
def test_what_is_missing_anywhere_stops_nobody(path: tuple[Any, ...]) -> None:
    batch = [numbered(0), without(numbered(1), path), numbered(2)]
    forget(WORLD)
    outcome = deliver(batch, GATES["drop"], WORLD)
    assert outcome.passed, outcome.error
    assert not astray(outcome, batch)
    assert len(outcome.world.events()) >= 2
