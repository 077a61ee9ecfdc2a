"""The gate's own events as training data: changes that hold no raw personal data, measured when they came.

Where the policy says `score.keep_features: true`, an event has the features that the function measured, and
the model can be trained without any raw record. What is known of an event later, such as that it was fraud,
comes as a change of the same keys.
"""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from models.sources.columns import moments, objects
from models.sources.fields import SCENARIO
from models.sources.grouped import Grouping
from models.sources.images import CHUNK
from processor.errors import ModelError
from processor.event import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from models.sources.columns import Column
    from models.sources.fields import Fields
    from models.sources.json_lines import Numbered

INSERT: Final = "INSERT"
KINDS: Final = frozenset({INSERT, "MODIFY", "REMOVE"})
DIGITS: Final = 40  # of a sequence number, at most
_SIDES: Final = frozenset({dict, type(None)})
_NUMBERS: Final = frozenset({int, float, type(None)})


class Events(NamedTuple):
    """Some events, side by side."""

    time: NDArray[np.float64]
    """Epoch seconds of the change."""
    sequence: NDArray[np.bytes_]
    """By which those of a second are in order."""
    ids: Column
    """The keys as text, None where the policy lets none out."""
    inserts: NDArray[np.bool_]
    before: Column
    after: Column
    """Sanitised images, the wanted fields of them; None where there is none."""
    scenario: NDArray[np.int64]
    score: NDArray[np.float64]
    """NaN where it was not scored."""
    features: NDArray[np.float32]
    measured: NDArray[np.bool_]
    """Whether there is each feature that was asked for, missing or not."""


class Once:
    """Events once each, whatever was replayed."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self.duplicates = 0

    def __call__(self, event_id: str, sequence: str) -> bool:
        """Whether it comes for the first time."""
        name = f"{event_id} {sequence}"
        if name in self._seen:
            self.duplicates += 1
            return False
        self._seen.add(name)
        return True

    def forget(self) -> None:
        """Let go of all names: everything has been read."""
        self._seen.clear()


def is_event(first: dict[str, Any]) -> bool:
    """Whether a file that begins so is one of the gate's."""
    return first.get("schema") == SCHEMA


def read_events(
    file: str, numbered: Iterator[Numbered], fields: Fields, features: Sequence[str], once: Once
) -> Iterator[Events]:
    """The events of a file.

    Args:
        file: its name, for errors.
        numbered: its objects.
        fields: what is wanted of images. Groups are made of what the gate let out.
        features: by name, in the order that is asked for.
        once: which events have been read before.

    Raises:
        ModelError: a line is no event of the gate. It gives the number alone.
    """
    reduced = _reduced(file, numbered, fields, features, once)
    # The rest of an event is let go before the next is parsed: kept for a while, it takes thrice the time.
    while rows := list(islice(reduced, CHUNK)):
        numbers, times, sequences, ids, inserts, before, after, scenarios, scores, measured = zip(
            *rows, strict=True
        )
        time = moments(times)
        if (bad := np.isnan(time)).any():
            raise ModelError(f"{file}:{numbers[int(bad.argmax())]}: has a time that is none")
        nothing = (None,) * len(features)
        yield Events(
            time=time,
            sequence=np.array(sequences, dtype=f"S{DIGITS}"),
            ids=objects(ids),
            inserts=np.array(inserts, dtype=bool),
            before=objects(before),
            after=objects(after),
            scenario=np.array(scenarios, dtype=np.int64),
            score=np.array(scores, dtype=np.float64),
            features=np.array(
                [nothing if row is None else row for row in measured], dtype=np.float32
            ).reshape(len(rows), len(features)),
            measured=np.array([row is not None for row in measured], dtype=bool),
        )


def _reduced(
    file: str, numbered: Iterator[Numbered], fields: Fields, features: Sequence[str], once: Once
) -> Iterator[tuple[Any, ...]]:
    """Of each event that is there for the first time, what is wanted, in the order of `Events`."""
    kept = (*fields.own, SCENARIO)
    groups = {name: Grouping(group, sanitised=True) for name, group in fields.groups.items()}
    for number, event in numbered:
        get = event.get
        event_id, sequence, kind, time, keys = (
            get("event_id"), get("sequence"), get("type"), get("time"), get("keys"),
        )  # fmt: skip
        new, old, fraud = get("new"), get("old"), get("fraud")
        if not (
            get("schema") == SCHEMA
            and type(event_id) is type(sequence) is type(time) is type(kind) is str
            and kind in KINDS
            and type(keys) is dict
            and {type(new), type(old), type(fraud)} <= _SIDES
        ):
            raise ModelError(f"{file}:{number}: is no event of the gate ({SCHEMA}), as the first line is")
        time_us = get("time_us")
        # Kinesis does not keep the order: there the time says it, to the microsecond.
        order = sequence if time_us is None else str(time_us)
        # Of Kinesis a change may have come twice, under two sequence numbers.
        if not once(event_id, sequence if time_us is None else ""):
            continue
        scenario = (new or old or {}).get(SCENARIO)
        verdict = fraud or {}
        yield (
            number,
            time,
            order.zfill(DIGITS) if order.isascii() and len(order) <= DIGITS else "",
            _id(keys),
            kind == INSERT,
            _kept(old, kept),
            _grouped(_kept(new, kept), new, groups, time),
            scenario if type(scenario) is int else -1,
            _number(verdict.get("score")),
            _row(verdict.get("features"), features),
        )


def _row(measured: Any, features: Sequence[str]) -> list[float | None] | None:
    """The features in order; None where they are not those of this model."""
    try:
        row = [measured[name] for name in features]
    except (KeyError, TypeError):
        return None
    return row if _NUMBERS.issuperset(map(type, row)) else None


def _number(value: Any) -> float:
    return np.nan if value is None or type(value) not in _NUMBERS else float(value)


def _kept(image: dict[str, Any] | None, kept: Sequence[str]) -> dict[str, Any] | None:
    if image is None:
        return None
    return {name: value for name in kept if (value := image.get(name)) is not None}


def _grouped(
    kept: dict[str, Any] | None, image: dict[str, Any] | None, groups: Mapping[str, Grouping], time: str
) -> dict[str, Any] | None:
    """What is kept of an image, with the groups of its person."""
    if kept is not None and image is not None and groups:
        # The gate's own time begins with the year; one that is none is refused later.
        year = int(time[:4]) if time[:4].isdecimal() else 0
        for name, grouping in groups.items():
            if (label := grouping.of(image, year)) is not None:
                kept[name] = label
    return kept


def _id(keys: dict[str, Any]) -> str | None:
    if len(keys) == 1:
        (value,) = keys.values()
        return value if isinstance(value, str) else json.dumps(value)
    return json.dumps(keys, sort_keys=True, separators=(",", ":")) if keys else None
