"""The parts of a date or time that `generalize` keeps, from a year to an hour."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from processor.policy.actions.action import is_exact
from processor.policy.notes import Mismatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from processor.policy.actions.action import Transform
    from processor.policy.notes import Record

EPOCH_MS_FROM: Final = 100_000_000_000  # a number from here on is milliseconds: as seconds, the year 5138
MOMENT_CHARACTERS_MAX: Final = 64  # of an ISO 8601 date or time: longer texts are something else

_YEAR_OR_MONTH: Final = re.compile(r"(\d{4})(?:-(\d\d))?", re.ASCII)
_WEEK: Final = re.compile(r"(\d{4})-?W(\d\d)", re.ASCII)


def moment(to: str) -> Transform:
    """The transform that keeps one part, a key of `MOMENTS`."""
    part = MOMENTS[to]

    def apply(value: Any, _record: Record) -> Any:
        return part(_when(value, to))

    return apply


def birth_year(top: int) -> Transform:
    """The transform from a birth date to its year, or to the group of the years of all older than `top`."""

    def apply(value: Any, record: Record) -> Any:
        year = _when(value, "year").year
        # Who was born in this year or before turns older than `top` within the year of the change, if not
        # already: going by the day would tell, from one change to the next, the birthday of a person of that
        # age.
        last = datetime.fromtimestamp(record.time, UTC).year - top - 1
        return f"<={last}" if year <= last else f"{year:04}"

    return apply


def is_year(number: int | Decimal) -> bool:
    """Whether a number is a bare year: as epoch seconds it would be in the first three hours of 1970."""
    return 1000 <= number <= 9999  # noqa: PLR2004  years of four digits


def _when(value: Any, to: str) -> datetime:
    """The moment that a value names; `Mismatch` if none, or one coarser than what is asked for."""
    try:
        if type(value) is str and len(value) <= MOMENT_CHARACTERS_MAX:
            return _written(value, to)
        if (type(value) is int or type(value) is Decimal) and is_exact(value):
            if is_year(value):
                return _written(str(int(value)), to)
            seconds = int(value)
            return datetime.fromtimestamp(seconds // 1000 if abs(seconds) >= EPOCH_MS_FROM else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise Mismatch from None
    raise Mismatch


def _written(text: str, to: str) -> datetime:
    if bare := _YEAR_OR_MONTH.fullmatch(text):
        if to == "year" or (bare[2] and to in {"month", "quarter"}):
            return datetime(int(bare[1]), int(bare[2] or 1), 1)  # noqa: DTZ001  a calendar year has no zone
        raise Mismatch
    if week := _WEEK.fullmatch(text):
        # A week can lie in two months and in two years, and its first day would be one that nobody named.
        if to == "week":
            return datetime.fromisocalendar(int(week[1]), int(week[2]), 1)
        raise Mismatch
    if to == "hour" and ":" not in text and "T" not in text:
        raise Mismatch
    named = datetime.fromisoformat(text)
    return named.astimezone(UTC) if named.tzinfo else named


def _week(at: datetime) -> str:
    year, week, _ = at.isocalendar()
    return f"{year:04}-W{week:02}"


MOMENTS: Final[dict[str, Callable[[datetime], str]]] = {
    "year": lambda at: f"{at.year:04}",
    "quarter": lambda at: f"{at.year:04}-Q{(at.month + 2) // 3}",
    "month": lambda at: f"{at.year:04}-{at.month:02}",
    "week": _week,
    "day": lambda at: at.date().isoformat(),
    "hour": lambda at: f"{at.date().isoformat()}T{at.hour:02}:00{'Z' if at.tzinfo else ''}",
}
