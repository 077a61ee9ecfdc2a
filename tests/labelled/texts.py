"""Texts as support notes, chats, mails, payment references and forms hold them, with labels.

Written from the specifications of the numbers and from how people write, without a look at the recognisers,
so that it can find their faults. A locale's sentences are in `templates/`; a text is a few of them, one of
which holds what the text is drawn for; one text in five holds no personal data but much that looks so.

python -m tests.labelled.texts [COUNT [SEED]] prints the set as JSON Lines.
"""

from __future__ import annotations

import json
import re
import sys
from functools import cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from faker import Faker
from faker.config import AVAILABLE_LOCALES

from tests.labelled import dates, national, network, payment
from tests.labelled.decoys import DECOYS
from tests.labelled.forms import weighed
from tests.labelled.phones import phone

if TYPE_CHECKING:
    from collections.abc import Callable

    Maker = Callable[[Random, str], str]

TEXTS, SEED = 6_000, 2026
TEMPLATES = Path(__file__).parent / "templates"

# How many texts a locale has for one of the others: more where more kinds of numbers are.
LOCALES = {
    "en_US": 5,
    "en_AU": 3,
    "en_GB": 2,
    "en_IN": 2,
    "es_ES": 2,
    "en_CA": 1,
    "en_SG": 1,
    "de_DE": 1,
    "fr_FR": 1,
    "it_IT": 1,
    "pl_PL": 1,
    "pt_BR": 1,
    "ja_JP": 1,
    "zh_CN": 1,
}
NATIONAL_WEIGHT = 6
CORE = ("card", "email", "phone", "iban", "ip")


class Label(NamedTuple):
    """Where something is. What need not be found may be: neither is a fault."""

    entity: str
    start: int
    end: int
    is_required: bool = True


class Labelled(NamedTuple):
    """A text and what is in it."""

    locale: str
    text: str
    labels: tuple[Label, ...]


WORLD: dict[str, Maker] = {
    "card": payment.card,
    "email": network.email,
    "iban": payment.iban,
    "ip": network.ip,
    "phone": phone,
    "url": network.url,
    "mac": network.mac,
    "date": dates.date_of_late,
    "birth_date": dates.birth_date,
    "crypto_wallet": payment.crypto_wallet,
    "api_key": network.api_key,
    "private_key": network.private_key,
    "passport": national.passport,
}
NATIONAL: dict[str, Maker] = {
    name: getattr(national, name)
    for name in (
        "ssn",
        "us_itin",
        "us_aba",
        "us_npi",
        "us_mbi",
        "us_passport",
        "us_driver_license",
        "gb_nhs",
        "gb_nino",
        "gb_postcode",
        "in_aadhaar",
        "in_pan",
        "au_abn",
        "au_acn",
        "au_tfn",
        "au_medicare",
        "es_nif",
        "es_nie",
        "it_fiscal_code",
        "pl_pesel",
        "sg_nric",
        "ca_sin",
        "br_cpf",
    )
}
VALUES = WORLD | NATIONAL
"""What makes a value of each entity."""

_ALIASES = {"ip4": "ip"}
# A date all right, but one of which tools take a part, or none: no fault either way.
_OPTIONAL: dict[str, tuple[str, Maker]] = {
    "timestamp": ("date", lambda rng, _: dates.timestamp(rng)),
    "expiry": ("date", lambda rng, _: f"{rng.randint(1, 12):02}/{rng.randint(26, 31)}"),
}
_FILLERS = {"name": "name", "first": "first_name", "company": "company", "street": "street_address"}
# Faker's cities of Italy come out of a set, in another order in each process.
_CITIES = {
    "en": "Springfield Bristol Leeds Perth Pune Toronto Austin",
    "de": "Mainz Köln Leipzig Ulm",
    "fr": "Lyon Lille Brest Nice",
    "es": "Sevilla Vigo Málaga Lugo",
    "it": "Pisa Bari Trento Lecce",
    "pl": "Gdańsk Łódź Opole Toruń",
    "pt": "Recife Belém Santos Natal",
    "ja": "東京都港区 大阪市北区 横浜市",
    "zh": "北京市 上海市 深圳市",
}
_FILLERS_KEPT = 150

_SLOT = re.compile(r"\{(\w+)\}")


def labelled_texts(count: int = TEXTS, seed: int = SEED) -> list[Labelled]:
    """The set: the same for the same count and seed."""
    rng = Random(seed)
    weights = tuple(LOCALES.values())
    return [_text(rng, locale) for locale in rng.choices(tuple(LOCALES), weights, k=count)]


def _text(rng: Random, locale: str) -> Labelled:
    """A few sentences; one is about an entity, if the text is to have any."""
    pools = sentences(locale)
    kinds = [weighed(rng, {"core": 35, "rare": 45, "decoy": 20})]
    others = {"core": 30, "decoy": 45, "plain": 25} if kinds[0] != "decoy" else {"decoy": 70, "plain": 30}
    kinds += [weighed(rng, others) for _ in range(rng.choice((0, 0, 1, 1, 2, 3)))]
    rng.shuffle(kinds)

    text, labels = "", list[Label]()
    for kind in kinds:
        if text:
            text += rng.choice((" ", "\n")) if text[-1] in ".!?。" else rng.choice(("\n", ". ", ", ", "; "))
        entity = _entity(rng, kind, tuple(pools))
        text = _fill(rng, locale, rng.choice(pools[entity]), text, labels)
    return Labelled(locale, text, tuple(labels))


def _entity(rng: Random, kind: str, names: tuple[str, ...]) -> str:
    """What a sentence of this kind is about. National numbers come more often: they have few places."""
    if kind == "core":
        return rng.choice(CORE)
    if kind == "rare":
        rare = [name for name in names if name in VALUES and name not in CORE]
        return rng.choices(rare, [NATIONAL_WEIGHT if name in NATIONAL else 1 for name in rare])[0]
    return kind


def _fill(rng: Random, locale: str, sentence: str, text: str, labels: list[Label]) -> str:
    """The text with a sentence behind it; its labels are put to the others."""
    at = 0
    for slot in _SLOT.finditer(sentence):
        text += sentence[at : slot.start()]
        at = slot.end()
        name = _ALIASES.get(slot[1], slot[1])
        entity, make = _OPTIONAL.get(name) or (name, VALUES.get(name) or DECOYS.get(name))
        if slot[1] in _ALIASES:
            make = getattr(network, slot[1])
        value = make(rng, locale) if make else rng.choice(_fillers(locale)[name])
        if entity in VALUES:
            labels.append(Label(entity, len(text), len(text) + len(value), name not in _OPTIONAL))
        text += value
    return text + sentence[at:]


@cache
def sentences(locale: str) -> dict[str, list[str]]:
    """A locale's sentences, by the entities in them; `decoy` and `plain` hold those without."""
    pools: dict[str, list[str]] = {}
    for name in (locale[:2], locale):
        path = TEMPLATES / f"{name}.txt"
        for line in path.read_text("utf-8").splitlines() if path.exists() else ():
            if line and not line.startswith("# "):
                slots = {_ALIASES.get(slot, slot) for slot in _SLOT.findall(line)}
                kind = "decoy" if slots & DECOYS.keys() else "plain"
                for entity in sorted(slots & VALUES.keys()) or (kind,):
                    pools.setdefault(entity, []).append(line.replace("\\n", "\n"))
    return pools


@cache
def _fillers(locale: str) -> dict[str, list[str]]:
    """Names and places of a locale, some of each; they are no entities here, only company."""
    fake = Faker(locale if locale in AVAILABLE_LOCALES else "en_GB")
    fake.seed_instance(SEED)
    drawn = {
        name: [getattr(fake, method)().replace("\n", ", ") for _ in range(_FILLERS_KEPT)]
        for name, method in _FILLERS.items()
    }
    return drawn | {"city": _CITIES[locale[:2]].split()}


def main() -> None:
    """Print the set."""
    for labelled in labelled_texts(*map(int, sys.argv[1:3])):
        sys.stdout.write(json.dumps(labelled._asdict(), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
