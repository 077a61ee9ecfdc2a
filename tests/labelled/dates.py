"""Dates as they are written from place to place (ISO 8601 and the locales' own forms)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "pl": "stycznia lutego marca kwietnia maja czerwca "
    "lipca sierpnia września października listopada grudnia",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
}

# {d} and {m} as they are, {dd} and {mm} of two digits, {month} in full, {mon} its first three letters.
_DAY_FIRST = (
    "{dd}/{mm}/{y}",
    "{d}/{m}/{y}",
    "{dd}-{mm}-{y}",
    "{d} {month} {y}",
    "{dd} {mon} {y}",
    "{y}-{mm}-{dd}",
)
FORMS = {
    "en_US": (
        "{mm}/{dd}/{y}",
        "{m}/{d}/{y}",
        "{month} {d}, {y}",
        "{mon} {d}, {y}",
        "{mm}-{dd}-{y}",
        "{y}-{mm}-{dd}",
        "{d} {mon} {y}",
    ),
    "en_CA": ("{y}-{mm}-{dd}", "{month} {d}, {y}", "{mm}/{dd}/{y}", "{dd}/{mm}/{y}"),
    "en_GB": _DAY_FIRST,
    "en_IN": _DAY_FIRST,
    "en_AU": _DAY_FIRST,
    "en_SG": _DAY_FIRST,
    "de_DE": ("{dd}.{mm}.{y}", "{d}.{m}.{y}", "{d}. {month} {y}", "{y}-{mm}-{dd}"),
    "fr_FR": ("{dd}/{mm}/{y}", "{d} {month} {y}", "{dd}-{mm}-{y}", "{dd}.{mm}.{y}"),
    "es_ES": ("{dd}/{mm}/{y}", "{d} de {month} de {y}", "{dd}-{mm}-{y}", "{d}/{m}/{y}"),
    "it_IT": ("{dd}/{mm}/{y}", "{d} {month} {y}", "{dd}-{mm}-{y}", "{dd}.{mm}.{y}"),
    "pl_PL": ("{dd}.{mm}.{y}", "{d} {month} {y}", "{y}-{mm}-{dd}", "{dd}-{mm}-{y}"),
    "pt_BR": ("{dd}/{mm}/{y}", "{d} de {month} de {y}", "{dd}-{mm}-{y}", "{y}-{mm}-{dd}"),
    "ja_JP": ("{y}年{m}月{d}日", "{y}/{mm}/{dd}", "{y}-{mm}-{dd}", "{y}.{m}.{d}"),
    "zh_CN": ("{y}年{m}月{d}日", "{y}-{mm}-{dd}", "{y}/{m}/{d}", "{y}.{mm}.{dd}"),
}
_NEWEST = date(2026, 11, 24)


def date_of_late(rng: Random, locale: str) -> str:
    """A day of the last four years."""
    return written(rng, locale, _NEWEST - timedelta(days=rng.randint(0, 1460)))


def birth_date(rng: Random, locale: str) -> str:
    """A day on which a living person may have been born."""
    return written(rng, locale, _NEWEST - timedelta(days=rng.randint(5 * 365, 90 * 365)))


def written(rng: Random, locale: str, day: date) -> str:
    """A day in one of the locale's forms."""
    names = _MONTHS.get(locale[:2], _MONTHS["en"]).split()
    month = names[day.month - 1]
    return rng.choice(FORMS[locale]).format(
        d=day.day,
        m=day.month,
        y=day.year,
        dd=f"{day.day:02}",
        mm=f"{day.month:02}",
        month=month,
        mon=month[:3],
    )


def timestamp(rng: Random) -> str:
    """A moment as programs write it."""
    at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randint(0, 60_000_000))
    form = rng.choice(
        (
            "%Y-%m-%dT%H:%M:%SZ",
            "%Y-%m-%d %H:%M:%S",
            "%Y-%m-%dT%H:%M:%S.{ms}+01:00",
            "%d/%b/%Y:%H:%M:%S +0000",
            "%Y%m%d%H%M%S",
        )
    )
    return at.strftime(form).replace("{ms}", f"{rng.randint(0, 999):03}")
