"""The groups of people that records belong to, by what the gate lets out of them.

What the gate wrote is generalised already, and taken as it is. Raw records are generalised here, as the
policy would, while they are read: a birth date becomes a band of age and a postcode its area before anything
keeps them. A band goes by the year alone, so that a birth date and the year that the gate lets out of it give
the same.
"""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from models.sources.columns import MEMO_MAX, objects
from models.sources.fields import text_of
from processor.policy.actions.generalize import TEXTS
from processor.policy.actions.moments import MOMENTS, moment
from processor.policy.actions.postcodes import zip3
from processor.policy.notes import REDACTED, Mismatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from models.sources.columns import Column
    from models.spec.groups import Group

YEAR: Final = moment("year")
UP_TO: Final = "<="  # before the last year of birth of the policy's oldest group
_SCALARS: Final = (str, int, float, Decimal)


class Grouping:
    """A group's value of one record after another, each worked out once.

    Args:
        group: of the spec.
        sanitised: whether the values are what the gate let out, and not to be generalised again.
    """

    def __init__(self, group: Group, *, sanitised: bool) -> None:
        self._group = group
        self._part = None if sanitised or group.to is None else _part(group.to)
        self._memo: dict[tuple[Any, int], str | None] = {}

    def of(self, image: Mapping[str, Any], year: int) -> str | None:
        """The value of an image that is from a year; None where the field is missing or says nothing."""
        return self.label(value_at(image, self._group.of), year)

    def label(self, value: Any, year: int) -> str | None:
        """The value of a field of a record that is from a year; None where it says nothing."""
        if not isinstance(value, _SCALARS):
            return None
        key = (value, year if self._group.bands else 0)
        if key not in self._memo:
            if len(self._memo) >= MEMO_MAX:
                self._memo.clear()
            self._memo[key] = self._label(value, year)
        return self._memo[key]

    def column(self, values: Column, time: NDArray[np.float64]) -> Column:
        """The values of a column, given when each record is from (epoch seconds)."""
        years = time.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970
        return objects(list(map(self.label, values.tolist(), years.tolist())))

    def _label(self, value: Any, year: int) -> str | None:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if value in ("", REDACTED):
            return None
        try:
            if self._group.bands:
                return _band(value, year, self._group.bands)
            return text_of(value if self._part is None else self._part(value))
        except Mismatch:
            return None


def labels_of(bands: tuple[int, ...]) -> list[str]:
    """The names of bands of age: [25, 35] gives 0-24, 25-34 and 35+."""
    between = [f"{low}-{high - 1}" for low, high in pairwise(bands)]
    return [f"0-{bands[0] - 1}", *between, f"{bands[-1]}+"]


def value_at(image: Mapping[str, Any], path: str) -> Any:
    """The value of a field, or of `a.b` within a; None where there is none."""
    if path in image:
        return image[path]
    value: Any = image
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _band(value: Any, year: int, bands: tuple[int, ...]) -> str | None:
    """The band of age, in a year, of a date or year of birth; of the policy's oldest group, the last band."""
    oldest = isinstance(value, str) and value.startswith(UP_TO)
    born = int(YEAR(value[len(UP_TO) :] if oldest else value, None))  # type: ignore[arg-type]  # needs no record
    age = year - born
    if age < 0 or (oldest and age < bands[-1]):
        return None
    return labels_of(bands)[bisect_right(bands, age)]


def _part(to: str) -> Any:
    """The function to the part of a value."""
    if to in MOMENTS:
        kept = moment(to)
        return lambda value: kept(value, None)  # type: ignore[arg-type]  # nor does another part
    function = zip3("union") if to == "zip3" else TEXTS[to]

    def apply(value: Any) -> str:
        if not isinstance(value, str):
            raise Mismatch
        return function(value)

    return apply
