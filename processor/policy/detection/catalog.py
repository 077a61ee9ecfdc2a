"""What can be recognised: one line an entity, and which of them a region has. Nothing is imported to know it.

A recogniser is the module of the same name in this folder; a finder imports those that it is asked for, so
that a policy starts with what it uses.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from processor.policy.detection.recognizer import Recognizer

_BY_REGION: dict[str, dict[str, str]] = {
    "us": {
        "ssn": "US social security numbers",
        "us_itin": "US individual taxpayer identification numbers",
        "us_aba": "US bank routing numbers, by check digit",
        "us_npi": "US national provider identifiers, by check digit",
        "us_mbi": "US Medicare beneficiary identifiers",
        "us_passport": "US passport numbers, beside a word that says so",
        "us_driver_license": "US driver's license numbers, beside a word that says so",
    },
    "gb": {
        "gb_nhs": "UK health service numbers, by check digit",
        "gb_nino": "UK national insurance numbers",
        "gb_postcode": "UK postcodes",
    },
    "in": {
        "in_aadhaar": "India's Aadhaar numbers, by check digit",
        "in_pan": "India's permanent account numbers",
    },
    "au": {
        "au_abn": "Australian business numbers, by check digits",
        "au_acn": "Australian company numbers, by check digit",
        "au_tfn": "Australian tax file numbers, by check digit",
        "au_medicare": "Australian Medicare card numbers, by check digit",
    },
    "es": {
        "es_nif": "Spain's tax numbers of persons (NIF, DNI), by check letter",
        "es_nie": "Spain's identity numbers of foreigners (NIE), by check letter",
    },
    "it": {"it_fiscal_code": "Italy's fiscal codes of persons, by check letter"},
    "pl": {"pl_pesel": "Poland's PESEL numbers, by birth date and check digit"},
    "sg": {"sg_nric": "Singapore's NRIC and FIN numbers, by check letter"},
    "ca": {"ca_sin": "Canada's social insurance numbers, by check digit"},
    "br": {"br_cpf": "Brazil's CPF numbers, by check digits"},
    "world": {
        "private_key": "private keys in PEM",
        "api_key": "keys of services, by the prefixes that AWS, GitHub, Stripe and others give them",
        "card": "payment card numbers, by issuer range and check digit",
        "iban": "international bank account numbers, by country and check digits",
        "crypto_wallet": "addresses of Bitcoin and its kin, by their checksums, and of Ethereum, by form",
        "email": "e-mail addresses",
        "url": "web addresses",
        "ip": "IP addresses, version 4 and 6",
        "mac": "hardware addresses of network devices",
        "passport": "passports of any country: the number beside a word, the lines for machines",
        "birth_date": "dates of birth: a date beside a word that says so",
        "date": "dates, in numbers or with the month's name in eight languages",
        "phone": "telephone numbers: international, and the national forms of a dozen countries",
    },
}

ENTITIES: dict[str, str] = {name: doc for docs in _BY_REGION.values() for name, doc in docs.items()}
"""By name, one line on what it is. Where two see the same text and are equally sure, the earlier has it."""

REGIONS: dict[str, tuple[str, ...]] = {region: tuple(docs) for region, docs in _BY_REGION.items()}
"""By region, its entities. `world`: what is written alike, or at all, everywhere."""


def expanded(names: Iterable[str]) -> tuple[str, ...]:
    """The entities that names of entities and of regions stand for, each once. Other names stay."""
    return tuple(dict.fromkeys(entity for name in names for entity in REGIONS.get(name, (name,))))


_PLACES = {entity: place for place, entity in enumerate(ENTITIES)}


def by_precedence(entities: Iterable[str]) -> list[str]:
    """Entities in the order of the catalog; others, which are a policy's own, before them."""
    return sorted(entities, key=lambda entity: _PLACES.get(entity, -1))


def load(entity: str) -> Recognizer:
    """The recogniser that comes with the gate under this name."""
    if entity not in ENTITIES:
        raise ValueError(f"no recogniser is called {entity}")
    found: Recognizer = import_module(f"{__package__}.{entity}").RECOGNIZER
    return found
