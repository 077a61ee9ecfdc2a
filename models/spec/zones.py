"""A feature's `zone`, as a table that goes with the model: the function has no time zone data."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, available_timezones

from models.spec.keys import is_text, near
from processor.scoring.features import Zone

if TYPE_CHECKING:
    from models.spec.keys import Keys

FIRST_YEAR: Final = 1990
LAST_YEAR: Final = 2040
DAY_S: Final = 86_400
NO_GAP: Final = timedelta()


def read_zone(keys: Keys) -> Zone | None:
    """The zone of a feature, None if it is of UTC.

    Raises:
        ModelError: there is no such zone, or this machine knows of none.
    """
    if "zone" not in keys.content:
        return None
    name = keys.get("zone", is_text, "a time zone of the IANA, as Europe/Berlin")
    zones = available_timezones()
    if not zones:
        raise keys.error(
            "zone", "needs time zone data, which this machine does not have: `pip install tzdata`"
        )
    if name not in zones:
        raise keys.error(
            "zone", f"is {name!r}, no time zone of the IANA such as Europe/Berlin{near(name, zones)}"
        )
    return table_of(name)


@cache
def table_of(name: str) -> Zone:
    """The offsets of a zone from 1990 to 2040, after which the last goes on.

    Each day's end is looked at, and where it has another offset than its beginning, the second is found by
    halves: no zone has changed its clocks twice within a day of those years.
    """
    zone = ZoneInfo(name)
    first, end = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (FIRST_YEAR, LAST_YEAR + 1))
    changes = [(first, _offset(zone, first))]
    for day in range(first, end, DAY_S):
        now, then = changes[-1][1], _offset(zone, day + DAY_S)
        if then != now:
            changes.append((_last_of(zone, now, range(day, day + DAY_S)) + 1, then))
    return Zone(name, tuple(changes))


def _offset(zone: ZoneInfo, second: int) -> int:
    gap = datetime.fromtimestamp(second, zone).utcoffset() or NO_GAP
    return int(gap.total_seconds())


def _last_of(zone: ZoneInfo, offset: int, seconds: range) -> int:
    """The last of the seconds with the offset, which the first has."""

    def is_later(second: int) -> int:
        return int(_offset(zone, second) != offset)

    return seconds.start + bisect_left(seconds, 1, key=is_later) - 1
