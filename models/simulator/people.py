"""The people of the demo: invented by Faker, once per customer, in several countries and two alphabets."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from faker import Faker

if TYPE_CHECKING:
    from random import Random


class Country(NamedTuple):
    """Where a person lives: Faker's locale, ISO code, currency, and the shape of a mobile number in E.164."""

    locale: str
    code: str
    currency: str
    phone: str


COUNTRIES: Final = (
    Country("en_US", "US", "USD", "+1202555####"),
    Country("en_GB", "GB", "GBP", "+447700######"),
    Country("de_DE", "DE", "EUR", "+49151########"),
    Country("fr_FR", "FR", "EUR", "+336########"),
    Country("es_ES", "ES", "EUR", "+346########"),
    Country("pl_PL", "PL", "PLN", "+48601######"),
    Country("el_GR", "GR", "EUR", "+3069########"),
    Country("sv_SE", "SE", "SEK", "+4670#######"),
)
YOUNGEST, OLDEST = 18, 96
V6_SHARE: Final = 0.2
NETWORKS: Final = (("visa", "4"), ("mastercard", "5"))
CARD_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class Person:
    """Everything about a customer that identifies them."""

    name: str
    email: str
    phone: str
    birth_date: str
    address: dict[str, str]
    card: dict[str, str]
    iban: str
    currency: str
    ip: str
    device_id: str


class Census:
    """Makes people, the same ones in the same order for the same random source."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._fakers: dict[str, Any] = {}

    def person(self) -> Person:
        """The next person."""
        country = self._random.choice(COUNTRIES)
        fake = self._faker(country.locale)
        name = f"{fake.first_name()} {fake.last_name()}"
        return Person(
            name=name,
            email=self._email(fake.user_name()),
            phone=self._digits(country.phone),
            birth_date=fake.date_of_birth(minimum_age=YOUNGEST, maximum_age=OLDEST).isoformat(),
            address={
                "street": fake.street_address().strip().replace("\n", ", "),
                "city": fake.city(),
                "postcode": fake.postcode(),
                "country": country.code,
            },
            card=self._card(name),
            iban=fake.iban(),
            currency=country.currency,
            ip=self._ip(),
            device_id=str(uuid.UUID(int=self._random.getrandbits(128), version=4)),
        )

    def _faker(self, locale: str) -> Any:
        if locale not in self._fakers:
            self._fakers[locale] = Faker(locale)
            self._fakers[locale].seed_instance(self._random.getrandbits(32))
        return self._fakers[locale]

    def _email(self, user_name: str) -> str:
        domain = self._random.choice(("com", "net", "org"))
        return f"{user_name}{self._random.randrange(1000):03d}@example.{domain}"  # RFC 2606: nobody's domain

    def _digits(self, pattern: str) -> str:
        return "".join(str(self._random.randrange(10)) if sign == "#" else sign for sign in pattern)

    def _card(self, name: str) -> dict[str, str]:
        network, prefix = self._random.choice(NETWORKS)
        if network == "mastercard":
            prefix += str(self._random.randint(1, 5))
        body = self._digits(prefix + "#" * (CARD_DIGITS - 1 - len(prefix)))
        month, year = self._random.randint(1, 12), self._random.randint(27, 31)
        return {
            "number": body + luhn_digit(body),
            "expiry": f"{month:02d}/{year}",
            "network": network,
            "holder": name.upper(),
        }

    def _ip(self) -> str:
        if self._random.random() < V6_SHARE:
            groups = (f"{self._random.randint(1, 0xFFFF):x}" for _ in range(6))
            return "2001:db8:" + ":".join(groups)  # RFC 3849: addresses that nobody has
        # A last octet of 0 would equal its own /24, and look like a leak where there is none.
        return ".".join(str(self._random.randint(low, 254)) for low in (60, 1, 1, 1))


def luhn_digit(body: str) -> str:
    """The check digit that makes `body` followed by it pass the Luhn test (ISO/IEC 7812-1, annex B)."""
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in body[::-2])
    plain = sum(int(digit) for digit in body[-2::-2])
    return str(-(doubled + plain) % 10)
