"""generalize: the value's coarse part: the year of a date, the area of a postcode, a mail domain."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import log10
from typing import TYPE_CHECKING, Any, Final

from processor.policy.actions.action import Options, Transform
from processor.policy.actions.bucket import floored
from processor.policy.actions.exact import Amount, decimal, exact, written
from processor.policy.actions.moments import MOMENTS, birth_year, moment
from processor.policy.actions.postcodes import LOW_POPULATION_SAYS, zip3
from processor.policy.kinds import Choice, Whole, key
from processor.policy.notes import Mismatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from decimal import Decimal

    from processor.policy.actions.action import Means
    from processor.policy.kinds import Fault
    from processor.policy.notes import Record

TEXT_CHARACTERS_MAX: Final = 400  # of a postcode, e-mail address or name: longer ones are something else
URL_CHARACTERS_MAX: Final = 8_000  # RFC 9110, 4.1, recommends to support that many
AGE_MAX: Final = 150
DEGREES: Final = Amount(0.001, 45)
DEGREES_DEFAULT: Final = 0.1  # 11 km from south to north

_DOMAIN = r"[^\s@<>()\[\],;:\"/?#\\]{1,253}\.[^\s@<>()\[\],;:\"/?#\\\d.][^\s@<>()\[\],;:\"/?#\\.]{0,62}"
_MAIL_DOMAIN: Final = re.compile(_DOMAIN)
# RFC 3986: what stands before the @ can be a name and a password. A host of numbers is an IP address.
_URL: Final = re.compile(
    rf"[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@\s\\]*@)?({_DOMAIN})(?::[0-9]*)?(?:[/?#].*)?", re.DOTALL
)

REVEALED: Final = {
    "year": 0.1,
    "quarter": 0.3,
    "month": 0.4,
    "week": 0.5,
    "day": 0.8,
    "hour": 1.0,
    "age": 0.5,
    "zip3": 0.3,
    "grid": 0.2,
    "domain": 0.4,
    "host": 0.6,
    "initials": 0.6,
}
ONLY_WITH: Final = {
    "top": {"year", "age"},
    "band": {"age"},
    "low_population": {"zip3"},
    "degrees": {"grid"},
}


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
                    "week": "1984-W10, of ISO 8601: the year is that of the week",
                    "day": "1984-03-05",
                    "hour": "1984-03-05T21:00Z, without the Z where the value names no offset",
                    "age": "whole years of an age in years, with `top`, `band` or both",
                    "zip3": "first three signs of a postcode of five to ten; see `low_population`",
                    "grid": "the south-west corner of the cell that a coordinate, or `lat,lon`, lies in",
                    "domain": "what follows the @ of an e-mail address",
                    "host": "of a URL, without port and path; redacted where it is an IP address",
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
            "Ages over this become one group: `90+`, or with `to: year`, at the time of the change, one "
            "group of birth years. 89 is HIPAA's, 45 CFR 164.514(b)(2)(i)(C).",
        ),
    )
    band: int | None = field(
        default=None, metadata=key(Whole(2, 50), "With `to: age`, the years of a band: 5 gives `40-44`.")
    )
    low_population: str | None = field(
        default=None,
        metadata=key(
            Choice(LOW_POPULATION_SAYS),
            "With `to: zip3`, what becomes of ZIP codes of the United States where at most 20,000 people "
            "live. Any postcode of five or nine digits is taken for one. `union` if left out.",
        ),
    )
    degrees: int | float | None = field(
        default=None,
        metadata=key(DEGREES, f"With `to: grid`, the side of a cell. {DEGREES_DEFAULT} if left out."),
    )

    def faults(self) -> Iterator[Fault]:
        """What contradicts what."""
        for option, parts in ONLY_WITH.items():
            if getattr(self, option) is not None and self.to not in parts:
                yield (option,), f"{option} goes with `to: {'` or `to: '.join(sorted(parts))}` only"
        if self.to == "age" and self.top is None and self.band is None:
            yield ("to",), "an age stays as it is without `top` or `band`"

    @property
    def revealed(self) -> float:
        """By the part; one group for the oldest, wider bands and cells reveal less."""
        share = REVEALED[self.to]
        if self.band is not None:
            share -= self.band / 200
        if self.top is not None:
            share -= 0.05 - self.top / 10_000
        if self.low_population == "keep":
            share += 0.1
        if self.to == "grid":
            share += (log10(DEGREES.most) - log10(self.degrees or DEGREES_DEFAULT)) / 6
        return share


def generalize(options: Generalize, _means: Means) -> Transform:
    """Coarsen texts and numbers."""
    if options.to in MOMENTS:
        return birth_year(options.top) if options.top is not None else moment(options.to)
    if options.to == "age":
        return _age(options.top or AGE_MAX, options.band or 1)
    if options.to == "grid":
        return _grid(decimal(options.degrees or DEGREES_DEFAULT))
    if options.to == "zip3":
        return _text(zip3(options.low_population or "union"))
    return _text(TEXTS[options.to], URL_CHARACTERS_MAX if options.to == "host" else TEXT_CHARACTERS_MAX)


def _age(top: int, band: int) -> Transform:
    def apply(value: Any, _record: Record) -> Any:
        years = exact(value)
        if not 0 <= years <= AGE_MAX:
            raise Mismatch
        age = int(years)
        if age > top:
            return f"{top + 1}+"
        if band == 1:
            return str(age)
        start = age - age % band
        return f"{start}-{min(start + band - 1, top)}"

    return apply


def _grid(degrees: Decimal) -> Transform:
    def corner(number: Decimal, most: int) -> Decimal:
        if abs(number) > most:
            raise Mismatch
        return floored(number, degrees)

    def apply(value: Any, _record: Record) -> Any:
        if type(value) is str and "," in value:
            latitude, _, longitude = value.partition(",")
            pair = corner(exact(latitude.strip()), 90), corner(exact(longitude.strip()), 180)
            return ",".join(map(written, pair))
        return written(corner(exact(value), 180))

    return apply


def _text(part: Callable[[str], str], most: int = TEXT_CHARACTERS_MAX) -> Transform:
    def apply(value: Any, _record: Record) -> Any:
        if type(value) is not str or len(value) > most:
            raise Mismatch
        return part(value)

    return apply


def _domain(text: str) -> str:
    local, _, domain = text.strip().rpartition("@")
    if not local or not _MAIL_DOMAIN.fullmatch(domain):
        raise Mismatch
    return domain.lower()


def _host(text: str) -> str:
    url = _URL.fullmatch(text.strip())
    if url is None:
        raise Mismatch
    return url[1].lower()


def _initials(text: str) -> str:
    words = re.findall(r"[^\W\d_]+", text)
    if not words:
        raise Mismatch
    return " ".join(f"{word[0].upper()}." for word in words)


TEXTS: Final[dict[str, Callable[[str], str]]] = {"domain": _domain, "host": _host, "initials": _initials}
