"""The promise itself: under any policy, no value that its rules do not keep shows in what leaves."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from processor.event import dumps
from processor.policy import paths
from processor.policy.actions import ACTIONS

Sanitise = Callable[..., Any]

LEAF = object()
# Every action but keep, with options under which nothing of the markers may show: they are no dates or
# addresses, and the readable ends are shorter than a marker.
HIDING: dict[str, Any] = {
    "drop": "drop",
    "redact": "redact",
    "mask": {"action": "mask", "keep_last": 4, "keep_first": 2, "keep": " -"},
    "hash": "hash",
    "pseudonymize": {"action": "pseudonymize", "normalize": "lower"},
    "tokenize": "tokenize",
    "fpe": {"action": "fpe"},
    "encrypt": "encrypt",
    "generalize": {"action": "generalize", "to": "year"},
    "bucket": {"action": "bucket", "width": 10},
    "truncate": "truncate",
    "shift_dates": {"action": "shift_dates", "days": 30},
    "scrub": {"action": "scrub", "entities": ["email"]},
}


def test_every_action_is_tried() -> None:
    assert set(HIDING) == set(ACTIONS) - {"keep"}


names = st.from_regex(r"[a-e]{1,2}", fullmatch=True)
shapes = st.recursive(
    st.just(LEAF),
    lambda inner: (
        st.dictionaries(names, inner, min_size=1, max_size=3) | st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=10,
)
records = st.dictionaries(names, shapes, min_size=1, max_size=4)


def leaves(shape: Any, path: paths.Path) -> list[paths.Path]:
    """The path of each leaf, one for all items of a list."""
    if shape is LEAF:
        return [path]
    if isinstance(shape, dict):
        return [leaf for name, inner in shape.items() for leaf in leaves(inner, (*path, name))]
    return [leaf for inner in shape for leaf in leaves(inner, (*path, paths.Wild.ITEM))]


def filled(shape: Any, path: paths.Path, kept: set[paths.Path], markers: list[str]) -> Any:
    """The record of a shape: a marker of its own in each leaf, those to be hidden listed."""
    if shape is LEAF:
        marker = f"Zqx{len(markers):04}Marker.O'Hara@example.com"
        markers.append("" if path in kept else marker)
        return marker
    if isinstance(shape, dict):
        return {name: filled(inner, (*path, name), kept, markers) for name, inner in shape.items()}
    return [filled(inner, (*path, paths.Wild.ITEM), kept, markers) for inner in shape]


def without_conflicts(found: list[paths.Path]) -> list[paths.Path]:
    """One path each, none inside another: what a policy accepts."""
    chosen: list[paths.Path] = []
    for path in dict.fromkeys(found):
        if not any(path[: len(other)] == other or other[: len(path)] == path for other in chosen):
            chosen.append(path)
    return chosen


@given(shape=records, data=st.data(), unknown=st.sampled_from(["drop", "redact"]))
def test_no_value_that_no_rule_keeps_shows_in_what_leaves(
    sanitise: Sanitise, shape: Any, data: st.DataObject, unknown: str
) -> None:
    ruled = [path for path in without_conflicts(leaves(shape, ())) if data.draw(st.integers(0, 4))]
    actions = {path: data.draw(st.sampled_from([*HIDING, "keep"])) for path in ruled}
    kept = {path for path, action in actions.items() if action == "keep"}
    fields = {
        paths.render(path): HIDING.get(name, {"action": "keep", "allow": ["email"]})
        for path, name in actions.items()
    }
    markers: list[str] = []
    record = filled(shape, (), kept, markers)
    subject = next(iter(fields), "none")
    policy: dict[str, Any] = {"unknown": unknown}
    if paths.is_literal(paths.parse(subject)):
        policy["subject"] = subject
    else:
        fields = {path: rule for path, rule in fields.items() if "shift_dates" not in str(rule)}
        fields["zz"] = "keep"
        policy["subject"] = "zz"
    done = sanitise(
        fields or {"none": "keep"}, record, old=record, **(policy if fields else {"unknown": unknown})
    )
    left = dumps([done.new, done.old, done.keys])
    for marker in filter(None, markers):
        for form in (marker, marker.upper(), marker.lower(), marker.encode().hex()):
            assert form not in left
        assert json.dumps(b64encode(marker.encode()).decode())[1:-3] not in left
        assert marker[:10] not in left


contacts = st.dictionaries(
    st.integers(0, 999).map(lambda number: f"Zqx{number:04}Marker@example.com"), st.integers(0, 9), max_size=5
)


@given(record=contacts, name=st.sampled_from([None, *HIDING]))
def test_no_name_that_is_data_shows_in_what_leaves(
    sanitise: Sanitise, record: dict[str, int], name: str | None
) -> None:
    fields = {"m.*": "keep", "id": "keep"} | ({"m.*~": HIDING[name]} if name else {})
    done = sanitise(fields, {"m": record, "id": 1}, subject="id")
    assert "Zqx" not in dumps(done.new)
