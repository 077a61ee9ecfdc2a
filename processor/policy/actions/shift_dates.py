"""shift_dates: all dates of a person move by one number of days; the time between them stays exact."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from math import log
from typing import TYPE_CHECKING, Any, Final

from processor.crypto.keyring import DOMAIN
from processor.policy.actions.action import Options, Transform
from processor.policy.actions.exact import WIDE, exact
from processor.policy.actions.keyed import DOMAIN_SAYS
from processor.policy.actions.moments import EPOCH_MS_FROM, is_year
from processor.policy.kinds import Choice, Text, Whole, key
from processor.policy.notes import Mismatch

if TYPE_CHECKING:
    from processor.policy.actions.action import Means
    from processor.policy.notes import Record

DAYS_MAX: Final = 3650
DAY_S: Final = 86_400
EPOCH_S_MIN, EPOCH_S_MAX = -62_135_596_800, 253_402_300_799  # the years 1 to 9999

_CLOCK: Final = r"(?:[01][0-9]|2[0-3])"
# ISO 8601, extended form and basic: a date, or a date and a time, whose offset and precision stay.
_MOMENT: Final = re.compile(
    rf"""(?P<year>[0-9]{{4}})(?P<dash>-?)(?P<month>[0-9]{{2}})(?P=dash)(?P<day>[0-9]{{2}})
    (?P<rest>(?:[T ]{_CLOCK}(?::?[0-5][0-9](?::?(?:[0-5][0-9]|60)(?:[.,][0-9]{{1,12}})?)?)?
    (?:Z|[+-]{_CLOCK}(?::?[0-5][0-9])?)?)?)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftDates(Options):
    """Move ISO 8601 dates and times, and epoch seconds and milliseconds, by a person's own number of days."""

    days: int = field(
        default=30, metadata=key(Whole(1, DAYS_MAX), "At most so many, back or forth; never none.")
    )
    domain: str = field(
        # Not the path's last name, as elsewhere: admission and discharge have to move together.
        default="dates",
        metadata=key(
            Text(DOMAIN.pattern, DOMAIN_SAYS),
            "Fields of one domain and with the same `days` move together, across policies too.",
        ),
    )
    scope: str = field(
        default="subject",
        metadata=key(Choice({"subject": "each person's dates by a number of their own"}), "Whose number."),
    )

    @property
    def by_subject(self) -> bool:
        """Always: one number for all would fall with the first date that is known."""
        return True

    @property
    def revealed(self) -> float:
        """The less it moves, the more."""
        return 1 - log(self.days) / log(DAYS_MAX)


def shift_dates(options: ShiftDates, means: Means) -> Transform:
    """Move texts and numbers; only whole dates, because a month or a year alone has no days to move by."""
    days_of = means.keys.offsets(options.domain, options.days)

    def apply(value: Any, record: Record) -> Any:
        days = days_of(record.person())
        return _text(value, days) if type(value) is str else _epoch(value, days)

    return apply


def _text(text: str, days: int) -> str:
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise Mismatch
    try:
        moved = date(int(found["year"]), int(found["month"]), int(found["day"])) + timedelta(days)
    except (ValueError, OverflowError):
        raise Mismatch from None
    day = moved.isoformat()
    return f"{day if found['dash'] else day.replace('-', '')}{found['rest']}"


def _epoch(value: Any, days: int) -> int | Decimal:
    number = exact(value)
    if is_year(number):
        raise Mismatch
    unit = 1000 if abs(number) >= EPOCH_MS_FROM else 1
    moved = WIDE.add(number, Decimal(days * DAY_S * unit))
    still = 1000 if abs(moved) >= EPOCH_MS_FROM else 1
    if unit != still or not EPOCH_S_MIN * unit <= moved <= EPOCH_S_MAX * unit:
        raise Mismatch
    return int(moved) if type(value) is int else moved
