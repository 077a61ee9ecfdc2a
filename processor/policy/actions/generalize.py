"""generalize: the value's coarse part: the year of a date, the area of a postcode, a mail domain."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from processor.policy.actions.action import Options, Transform, is_exact
from processor.policy.kinds import Choice, Whole, key
from processor.policy.notes import Mismatch

if TYPE_CHECKING:
    from processor.policy.actions.action import Means
    from collections.abc import Callable, Iterator

    from processor.policy.kinds import Place
    from processor.policy.notes import Record

EPOCH_MS_FROM = 100_000_000_000  # a number from here on is milliseconds: as seconds it would be the year 5138
TEXT_CHARACTERS_MAX = 400  # of a date, postcode, e-mail address or name: longer ones are something else

_YEAR_OR_MONTH = re.compile(r"(\d{4})(?:-(\d\d))?", re.ASCII)
_POSTCODE = re.compile(r"[0-9A-Za-z]{5,10}")
_MAIL_DOMAIN = re.compile(r"[^\s@<>()\[\],;:\"]{1,253}\.[^\s@<>()\[\],;:\"\d.][^\s@<>()\[\],;:\".]{0,62}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Generalize(Options):
    """Keep the coarse part."""

    to: str = field(
        metadata=key(
            Choice(
                {
                    "year": "of an ISO 8601 date or time (UTC if it has an offset) or epoch seconds",
                    "quarter": "1984-Q1",
                    "month": "1984-03",
                    "day": "1984-03-05",
                    "hour": "1984-03-05T21:00Z, without the Z where the value names no offset",
                    "zip3": "first three signs of a postcode of five to ten; thinly peopled areas included",
                    "domain": "what follows the @ of an e-mail address",
                    "initials": "first letters of a name",
                }
            ),
            "Which part stays.",
        )
    )
    top: int | None = field(
        default=None,
        metadata=key(
            Whole(60, 120),
            "Ages over this, at the time of the change, become one group of birth years: 89 is HIPAA's, "
            "45 CFR 164.514(b)(2)(i)(C). Only with `to: year`.",
        ),
    )

    def faults(self) -> Iterator[tuple[Place, str]]:
        """What contradicts what."""
        if self.top is not None and self.to != "year":
            yield ("top",), "top goes with `to: year` only"


def generalize(options: Generalize, _means: Means) -> Transform:
    """Coarsen texts and epoch numbers."""
    if options.top is not None:
        return _birth_year(options.top)
    if options.to in MOMENTS:
        return _moment(MOMENTS[options.to])
    return _text(TEXTS[options.to])


def _birth_year(top: int) -> Transform:
    def apply(value: Any, record: Record) -> Any:
        year = _when(value, "year").year
        # Who was born in this year or before turns older than `top` within the year of the change, if not
        # already: going by the day would tell, from one change to the next, the birthday of a person of that
        # age.
        last = datetime.fromtimestamp(record.time, UTC).year - top - 1
        return f"<={last}" if year <= last else f"{year:04}"

    return apply


def _moment(part: Callable[[datetime], str]) -> Transform:
    name = next(name for name, function in MOMENTS.items() if function is part)

    def apply(value: Any, _record: Record) -> Any:
        return part(_when(value, name))

    return apply


def _text(part: Callable[[str], str]) -> Transform:
    def apply(value: Any, _record: Record) -> Any:
        if type(value) is not str or len(value) > TEXT_CHARACTERS_MAX:
            raise Mismatch
        return part(value)

    return apply


def _when(value: Any, to: str) -> datetime:
    """The moment that a value names; `Mismatch` if none, or one coarser than what is asked for."""
    try:
        if type(value) is str and len(value) <= TEXT_CHARACTERS_MAX:
            bare = _YEAR_OR_MONTH.fullmatch(value)
            if bare is None:
                moment = datetime.fromisoformat(value)
                if to == "hour" and ":" not in value and "T" not in value:
                    raise Mismatch
                return moment.astimezone(UTC) if moment.tzinfo else moment
            if to == "year" or (bare[2] and to in {"month", "quarter"}):
                return datetime(int(bare[1]), int(bare[2] or 1), 1)  # noqa: DTZ001  a calendar year has no zone
            raise Mismatch
        if (type(value) is int or type(value) is Decimal) and is_exact(value):
            if to == "year" and 1000 <= value <= 9999:  # noqa: PLR2004  a bare year: as seconds it would be 1970
                return datetime(int(value), 1, 1)  # noqa: DTZ001
            seconds = int(value)
            return datetime.fromtimestamp(seconds // 1000 if abs(seconds) >= EPOCH_MS_FROM else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise Mismatch from None
    raise Mismatch


def _zip3(text: str) -> str:
    postcode = text.replace(" ", "").replace("-", "")
    if not _POSTCODE.fullmatch(postcode):
        raise Mismatch
    return postcode[:3].upper()


def _domain(text: str) -> str:
    local, _, domain = text.strip().rpartition("@")
    if not local or not _MAIL_DOMAIN.fullmatch(domain):
        raise Mismatch
    return domain.lower()


def _initials(text: str) -> str:
    words = re.findall(r"[^\W\d_]+", text)
    if not words:
        raise Mismatch
    return " ".join(f"{word[0].upper()}." for word in words)


MOMENTS: dict[str, Callable[[datetime], str]] = {
    "year": lambda at: f"{at.year:04}",
    "quarter": lambda at: f"{at.year:04}-Q{(at.month + 2) // 3}",
    "month": lambda at: f"{at.year:04}-{at.month:02}",
    "day": lambda at: at.date().isoformat(),
    "hour": lambda at: f"{at.date().isoformat()}T{at.hour:02}:00{'Z' if at.tzinfo else ''}",
}
TEXTS: dict[str, Callable[[str], str]] = {"zip3": _zip3, "domain": _domain, "initials": _initials}
