"""Changes in order of time, from whatever they were read from."""

from __future__ import annotations

from heapq import merge
from itertools import repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import numpy as np

from models.sources.events import Events
from models.sources.images import Images

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from models.sources.columns import Column

    Progress = Callable[[str, int], None]  # (what is being done, records done)

BLOCK: Final = 10_000  # records made into dicts at a time


class Changed(NamedTuple):
    """A change of a record."""

    time: float
    """Epoch seconds: when a plain image says that it is from, or when the gate saw the change."""
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    """What is wanted of the images. A plain image is an insertion."""
    id: str | None
    """The id of a plain image, the keys of an event."""
    features: list[float] | None
    """Of an event of the gate that has them."""
    scenario: int
    """The kind of fraud, 0 for honest, -1 where it is not known."""


class History(Protocol):
    """Changes to train on or measure with."""

    @property
    def expected(self) -> int:
        """About how many there are; 0 where nobody knows before they have been asked for."""

    def changes(self, progress: Progress) -> Iterator[Changed]:
        """The changes in order of time, as often as asked for."""

    def description(self) -> dict[str, Any]:
        """What the card and the manifest say about it."""


class Arrived(NamedTuple):
    """A part of what was read, and its place in all of it."""

    first: int
    rows: Images | Events


class Table(NamedTuple):
    """Images, or events, in order of time."""

    time: NDArray[np.float64]
    place: NDArray[np.int64]
    """In the order of reading, which decides where times are equal."""
    rows: Images | Events


def image_table(parts: Sequence[Arrived]) -> Table | None:
    """All plain images as one; None if there are none."""
    pieces = [part.rows for part in parts if isinstance(part.rows, Images)]
    if not pieces:
        return None
    time = np.concatenate([piece.time for piece in pieces])
    order = _order(time)
    names = dict.fromkeys(name for piece in pieces for name in piece.columns)

    def of(column: Iterable[Column]) -> Column:
        return _joined(list(column), order)

    columns = {
        name: of(
            piece.columns[name] if name in piece.columns else np.full(len(piece.time), None, dtype=object)
            for piece in pieces
        )
        for name in names
    }
    rows = Images(
        of([time]),
        of(piece.ids for piece in pieces),
        of(piece.scenario for piece in pieces),
        columns,
        sum(piece.left_out for piece in pieces),
    )
    return Table(rows.time, of([_places(parts, Images)]), rows)


def event_table(parts: Sequence[Arrived]) -> Table | None:
    """All events as one; None if there are none."""
    pieces = [part.rows for part in parts if isinstance(part.rows, Events)]
    if not pieces:
        return None
    time = np.concatenate([piece.time for piece in pieces])
    sequence = np.concatenate([piece.sequence for piece in pieces])
    order = np.lexsort((sequence, time))
    rows = Events(*(_joined(list(column), order) for column in zip(*pieces, strict=True)))
    return Table(rows.time, _joined([_places(parts, Events)], order), rows)


def in_order(tables: Sequence[Table]) -> Iterator[Changed]:
    """The changes of them all, by time, then by where they were read."""
    if len(tables) == 1:
        return (change for block in _blocks(tables[0]) for change in block)
    placed = [
        (
            (change.time, place, change)
            for block, places in zip(_blocks(table), _cut(table.place), strict=True)
            for change, place in zip(block, places, strict=True)
        )
        for table in tables
    ]
    return (change for _, _, change in merge(*placed, key=itemgetter(0, 1)))


def _order(time: NDArray[np.float64]) -> NDArray[np.intp] | None:
    """By time and then as read; None if they are so already."""
    return None if (time[1:] >= time[:-1]).all() else np.argsort(time, kind="stable")


def _joined(pieces: list[Column], order: NDArray[np.intp] | None) -> Column:
    # An int next to a float would become one, and a long one inexact.
    kinds = {piece.dtype for piece in pieces if len(piece)}
    exact = len(kinds) > 1 and any(kind.kind in "iO" for kind in kinds)
    joined = np.concatenate([piece.astype(object) for piece in pieces] if exact else pieces)
    return joined if order is None else joined[order]


def _places(parts: Sequence[Arrived], kind: type) -> NDArray[np.int64]:
    return np.concatenate(
        [
            np.arange(part.first, part.first + len(part.rows.time))
            for part in parts
            if isinstance(part.rows, kind)
        ]
    )


def _cut(column: Column) -> Iterator[list[Any]]:
    for start in range(0, len(column), BLOCK):
        yield column[start : start + BLOCK].tolist()


def _blocks(table: Table) -> Iterator[Iterator[Changed]]:
    rows = table.rows
    return _image_blocks(rows) if isinstance(rows, Images) else _event_blocks(rows)


def _image_blocks(rows: Images) -> Iterator[Iterator[Changed]]:
    names = tuple(rows.columns)
    columns = tuple(rows.columns.values())
    gaps = any(column.dtype == object and any(value is None for value in column) for column in columns)
    for start in range(0, len(rows.time), BLOCK):
        block = slice(start, start + BLOCK)
        values = zip(*(column[block].tolist() for column in columns), strict=True)
        images: Iterator[dict[str, Any]]
        if gaps:
            images = (
                {name: value for name, value in zip(names, row, strict=True) if value is not None}
                for row in values
            )
        else:
            images = (dict(zip(names, row, strict=True)) for row in values)
        times, ids, scenarios = (column[block].tolist() for column in (rows.time, rows.ids, rows.scenario))
        nothing = [None] * len(times)
        yield _changes(zip(times, nothing, images, ids, nothing, scenarios, strict=True))


def _event_blocks(rows: Events) -> Iterator[Iterator[Changed]]:
    columns = (rows.time, rows.before, rows.after, rows.ids, rows.features, rows.scenario, rows.measured)
    has_names = rows.features.shape[1] > 0
    for times, before, after, ids, features, scenarios, measured in zip(
        *(_cut(column) for column in columns), strict=True
    ):
        known = [row if has and has_names else None for row, has in zip(features, measured, strict=True)]
        yield _changes(zip(times, before, after, ids, known, scenarios, strict=True))


def _changes(rows: Iterable[tuple[Any, ...]]) -> Iterator[Changed]:
    # In place of a call of Python's for each.
    return map(tuple.__new__, repeat(Changed), rows)
