"""The gate's own events as training data: changes that hold no raw personal data, measured when they came.

Where the policy says `score.keep_features: true`, an event has the features that the function measured, and
the model can be trained without any raw record. What is known of an event later, such as that it was fraud,
comes as a change of the same keys.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from models.sources.columns import moments, objects
from models.sources.simulated import SCENARIO
from processor.errors import ModelError
from processor.event import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from numpy.typing import NDArray

    from models.sources.columns import Column
    from models.sources.json_lines import Lines

INSERT: Final = "INSERT"
KINDS: Final = frozenset({INSERT, "MODIFY", "REMOVE"})
DIGITS: Final = 40  # of a sequence number, at most
_NUMBERS: Final = frozenset({int, float})


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


def are_events(lines: Lines) -> bool:
    """Whether a file that begins so is one of the gate's."""
    return lines.objects[0].get("schema") == SCHEMA


def read_events(
    file: str, chunks: Iterator[Lines], wanted: Collection[str], features: Sequence[str], once: Once
) -> Iterator[Events]:
    """The events of a file.

    Args:
        file: its name, for errors.
        chunks: of its lines.
        wanted: the fields of images.
        features: by name, in the order that is asked for.
        once: which events have been read before.

    Raises:
        ModelError: a line is no event of the gate. It gives the number alone.
    """
    kept = [*wanted, SCENARIO]
    for numbers, found in chunks:
        for number, event in zip(numbers, found, strict=True):
            if not _is_event(event):
                raise ModelError(f"{file}:{number}: is no event of the gate ({SCHEMA}), as the first line is")
        times = moments([event["time"] for event in found])
        if (bad := np.isnan(times)).any():
            raise ModelError(f"{file}:{numbers[int(bad.argmax())]}: has a time that is none")
        fresh = [once(event["event_id"], event["sequence"]) for event in found]
        yield _events(
            [event for event, is_fresh in zip(found, fresh, strict=True) if is_fresh],
            times[fresh],
            kept,
            features,
        )


def _is_event(event: dict[str, Any]) -> bool:
    get = event.get
    return (
        get("schema") == SCHEMA
        and type(get("event_id")) is str
        and type(get("sequence")) is str
        and get("type") in KINDS
        and type(get("time")) is str
        and type(get("keys")) is dict
        and all(get(side) is None or type(get(side)) is dict for side in ("new", "old", "fraud"))
    )


def _events(
    found: list[dict[str, Any]], time: NDArray[np.float64], kept: Sequence[str], features: Sequence[str]
) -> Events:
    verdicts = [event.get("fraud") or {} for event in found]
    rows = [_row(verdict.get("features"), features) for verdict in verdicts]
    nothing = [None] * len(features)
    images = [event.get("new") or event.get("old") or {} for event in found]
    scenario = [value if type(value := image.get(SCENARIO)) is int else -1 for image in images]
    return Events(
        time=time,
        sequence=np.array([_sequence(event["sequence"]) for event in found], dtype=f"S{DIGITS}"),
        ids=objects([_id(event["keys"]) for event in found]),
        inserts=np.array([event["type"] == INSERT for event in found], dtype=bool),
        before=objects([_kept(event.get("old"), kept) for event in found]),
        after=objects([_kept(event.get("new"), kept) for event in found]),
        scenario=np.array(scenario, dtype=np.int64),
        score=np.array([_number(verdict.get("score")) for verdict in verdicts], dtype=np.float64),
        features=np.array([row or nothing for row in rows], dtype=np.float32).reshape(
            len(found), len(features)
        ),
        measured=np.array([row is not None for row in rows], dtype=bool),
    )


def _row(measured: Any, features: Sequence[str]) -> list[float] | None:
    """The features in order; None where they are not those of this model."""
    if type(measured) is not dict or not measured.keys() >= set(features):
        return None
    return [_number(measured[name]) for name in features]


def _number(value: Any) -> float:
    return float(value) if type(value) in _NUMBERS else np.nan


def _sequence(text: str) -> str:
    return text.zfill(DIGITS) if text.isascii() and len(text) <= DIGITS else ""


def _kept(image: dict[str, Any] | None, kept: Sequence[str]) -> dict[str, Any] | None:
    if image is None:
        return None
    return {name: value for name in kept if (value := image.get(name)) is not None}


def _id(keys: dict[str, Any]) -> str | None:
    if len(keys) == 1:
        (value,) = keys.values()
        return value if isinstance(value, str) else json.dumps(value)
    return json.dumps(keys, sort_keys=True, separators=(",", ":")) if keys else None
