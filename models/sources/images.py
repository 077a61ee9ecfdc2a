"""Plain images: records as the table holds them, gathered by column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from models.sources.columns import moments, objects
from models.sources.fields import SCENARIO, text_of
from models.sources.grouped import Grouping

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from models.sources.columns import Column
    from models.sources.fields import Fields

CHUNK: Final = 20_000  # records


class Images(NamedTuple):
    """Some records of a file, those without a time left out."""

    time: NDArray[np.float64]
    """Epoch seconds."""
    ids: Column
    """Texts, or None."""
    scenario: NDArray[np.int64]
    """-1 where it is not known."""
    columns: dict[str, Column]
    """The wanted fields that are there."""
    left_out: int


def images(fields: Fields, columns: Mapping[str, Column], time: NDArray[np.float64] | None = None) -> Images:
    """Records of these columns.

    Args:
        fields: what is wanted.
        columns: by field, among them the time, the id and the scenario if the file has them.
        time: epoch seconds, if they are known already.
    """
    if time is None:
        time = moments(columns[fields.time].tolist())
    dated = ~np.isnan(time)
    left_out = len(time) - int(dated.sum())
    count = len(time) - left_out

    def kept(column: Column) -> Column:
        return column[dated] if left_out else column

    time = kept(time)
    found = {name: kept(column) for name, column in columns.items() if name in fields.own}
    if not left_out and (time < 0).any():
        found[fields.time] = kept(columns[fields.time])
    else:
        # `instant` reads a number of seconds as what it is, ten times as fast as a text.
        found[fields.time] = time
    for name, group in fields.groups.items():
        if group.of in columns:
            found[name] = Grouping(group, sanitised=False).column(kept(columns[group.of]), time)
    no_ids = objects([None] * len(dated))
    ids = kept(columns.get(fields.id, no_ids) if fields.id else no_ids)
    scenario = kept(columns[SCENARIO]) if SCENARIO in columns else np.full(count, -1)
    return Images(time, _ids(ids), _scenario(scenario), found, left_out)


def _ids(column: Column) -> Column:
    values = column.tolist()
    if set(map(type, values)) <= {str, type(None)}:
        return column
    return objects([None if value is None else text_of(value) for value in values])


def _scenario(column: Column) -> NDArray[np.int64]:
    if column.dtype == np.int64:
        return column
    known = [value if type(value) is int and 0 <= value < 2**31 else -1 for value in column.tolist()]
    return np.array(known, dtype=np.int64)
