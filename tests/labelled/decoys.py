"""What looks like personal data and is none: the numbers that orders, parcels, prices and programs have."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from tests.labelled.checks import ean, luhn
from tests.labelled.forms import filled, weighed
from tests.labelled.network import sha
from tests.labelled.payment import card_digits, card_written, iban_plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    Maker = Callable[[Random, str], str]

_CURRENCIES = {
    "en_US": "${}",
    "en_CA": "${}",
    "en_AU": "${}",
    "en_SG": "S${}",
    "en_GB": "£{}",
    "en_IN": "₹{}",
    "ja_JP": "¥{}",
    "zh_CN": "¥{}",
    "pt_BR": "R$ {}",
    "pl_PL": "{} zł",
}
_POSTCODES = {
    "en_US": "9####",
    "en_CA": "K1A 0B1",
    "de_DE": "1####",
    "fr_FR": "75###",
    "es_ES": "28###",
    "it_IT": "00###",
    "pl_PL": "##-###",
    "pt_BR": "0####-###",
    "en_IN": "11####",
    "ja_JP": "1##-####",
    "zh_CN": "10####",
    "en_AU": "2###",
    "en_SG": "0#####",
}


def price(rng: Random, locale: str) -> str:
    """An amount with the locale's separators."""
    amount = (
        f"{rng.choice((rng.uniform(1, 100), rng.uniform(100, 10_000), rng.uniform(10_000, 9_999_999))):,.2f}"
    )
    if locale[:2] not in {"en", "ja", "zh"}:
        amount = amount.translate(
            str.maketrans(",.", ".," if locale[:2] in {"de", "es", "it", "pt"} else " ,")
        )
    if locale[:2] in {"ja", "zh"}:
        amount = amount[:-3]
    return _CURRENCIES.get(locale, "{} €").format(amount)


def order(rng: Random, locale: str) -> str:  # noqa: ARG001
    """An order's number, of the forms that shops have."""
    return filled(
        rng,
        weighed(
            rng,
            {
                "########": 3,
                "##########": 2,
                "###-#######-#######": 2,
                "@@-######": 2,
                "####-####-##": 1,
                "#########": 2,
                "ORD-2026-#####": 2,
                "######": 2,
                "R########": 1,
            },
        ),
    )


def invoice(rng: Random, locale: str) -> str:  # noqa: ARG001
    """An invoice's number."""
    return filled(
        rng,
        weighed(
            rng,
            {
                "INV-######": 3,
                "2026/####": 2,
                "RE2026######": 2,
                "########-##": 1,
                "20261###-###": 1,
                "##########": 2,
            },
        ),
    )


def ticket(rng: Random, locale: str) -> str:  # noqa: ARG001
    """A case's number."""
    return filled(
        rng,
        weighed(
            rng,
            {
                "#######": 3,
                "CS#######": 2,
                "INC########": 2,
                "##-#####": 1,
                "5#########": 1,
                "TK-#####-@@": 1,
            },
        ),
    )


def tracking(rng: Random, locale: str) -> str:  # noqa: ARG001
    """A parcel's number: UPS, FedEx, USPS, the postal union's S10, DHL."""
    return filled(
        rng,
        weighed(
            rng,
            {
                "1Z@##@@#########@#"[:18]: 2,
                "############": 2,
                "94##################24": 1,
                "@@#########DE": 2,
                "JD01##############": 1,
                "#### #### ####": 1,
                "00340#############44": 1,
            },
        ),
    )


def not_card(rng: Random, locale: str) -> str:  # noqa: ARG001
    """Sixteen digits that only look like a card's: one is wrong."""
    digits = card_digits(rng)
    at = rng.randrange(6, len(digits))
    return card_written(rng, digits[:at] + str((int(digits[at]) + rng.randint(1, 9)) % 10) + digits[at + 1 :])


def not_iban(rng: Random, locale: str) -> str:
    """An IBAN with a digit wrong."""
    plain = iban_plain(rng, "DE" if locale[:2] in {"en", "ja", "zh", "pt"} else locale[-2:])
    return (
        plain[:-3] + str((int(plain[-3]) + rng.randint(1, 9)) % 10 if plain[-3].isdigit() else 7) + plain[-2:]
    )


def transaction(rng: Random, locale: str) -> str:  # noqa: ARG001
    """A bank's reference. Sixteen digits may by chance pass as a card's, as they do in the world."""
    return filled(
        rng,
        weighed(
            rng,
            {
                "1###############": 1,
                "################": 1,
                "##################": 1,
                "####################": 1,
                "TXN############": 2,
                "ch_3@#@#@#@#@#@#": 1,
                "PAY-#####-#####": 1,
                "P###########": 1,
            },
        ),
    )


def uuid(rng: Random, locale: str) -> str:  # noqa: ARG001
    """A UUID of version 4."""
    written = str(UUID(int=rng.getrandbits(128), version=4))
    return written.upper() if rng.random() < 0.15 else written


def digest(rng: Random, locale: str) -> str:  # noqa: ARG001
    """A digest or a commit."""
    return sha(rng)


def version(rng: Random, locale: str) -> str:  # noqa: ARG001
    """A version; now and then one of four parts, as browsers and firmware have."""
    parts = weighed(rng, {"3": 65, "2": 15, "chrome": 12, "4": 8})
    if parts == "chrome":
        return f"{rng.randint(90, 140)}.0.{rng.randint(4000, 6999)}.{rng.randint(10, 199)}"
    return rng.choice(("", "v")) + ".".join(str(rng.randint(0, 30)) for _ in range(int(parts)))


def coordinates(rng: Random, locale: str) -> str:  # noqa: ARG001
    """A place on the map."""
    latitude, longitude = rng.uniform(-60, 60), rng.uniform(-180, 180)
    return rng.choice(
        (
            f"{latitude:.4f}, {longitude:.4f}",
            f"{latitude:.6f},{longitude:.6f}",
            f"{abs(latitude):.4f}°N {abs(longitude):.4f}°E",
        )
    )


def isbn(rng: Random, locale: str) -> str:  # noqa: ARG001
    """A book's ISBN-13 or a good's EAN-13."""
    body = filled(rng, f"{rng.choice(('978', '979', '400'))}#########")
    plain = body + ean(body)
    return plain if rng.random() < 0.5 else f"{plain[:3]}-{plain[3]}-{plain[4:7]}-{plain[7:12]}-{plain[12]}"


def sku(rng: Random, locale: str) -> str:  # noqa: ARG001
    """An article's number."""
    return filled(
        rng,
        rng.choice(
            (
                "@@-####-###",
                "@@@####",
                "##-####-##",
                "####-####-##",
                "#####-@@",
                "SKU ######",
                "@#@#@#",
                "##.###.##",
            )
        ),
    )


def time(rng: Random, locale: str) -> str:  # noqa: ARG001
    """A time of day, or from when to when."""
    clock = f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}"
    return rng.choice(
        (clock, f"{clock}:{rng.randint(0, 59):02}", f"{rng.randint(7, 9):02}:00-{rng.randint(16, 19)}:30")
    )


def epoch(rng: Random, locale: str) -> str:  # noqa: ARG001
    """Seconds or milliseconds since 1970."""
    seconds = str(rng.randint(1_700_000_000, 1_795_000_000))
    return rng.choice((seconds, f"{seconds}{rng.randint(0, 999):03}"))


def count(rng: Random, locale: str) -> str:  # noqa: ARG001
    """Some number of things."""
    return str(rng.choice((rng.randint(2, 99), rng.randint(100, 9999), rng.randint(10_000, 2_000_000))))


def size(rng: Random, locale: str) -> str:  # noqa: ARG001
    """Dimensions, a range, a score, a share."""
    one, other, third = rng.randint(10, 220), rng.randint(10, 220), rng.randint(5, 90)
    return rng.choice(
        (
            f"{one}x{other}x{third} cm",
            f"{one}-{one + other}",
            f"{one}/{one + other}",
            f"{third}.{one:03}%",
            f"{one} x {other} mm",
        )
    )


def zip_code(rng: Random, locale: str) -> str:
    """A postcode of a country where it names a town and not a street."""
    return filled(rng, _POSTCODES.get(locale, "1####"))


def account(rng: Random, locale: str) -> str:  # noqa: ARG001
    """A bank's own number of an account or a contract."""
    return filled(
        rng,
        rng.choice(
            ("########", "#######", "######-##", "##-##-## ########", "##########", "V#######", "000#######")
        ),
    )


def imei(rng: Random, locale: str) -> str:  # noqa: ARG001
    """A handset's IMEI (3GPP TS 23.003) or a SIM's ICCID (ITU-T E.118): they carry Luhn's digit too."""
    body = filled(rng, rng.choice(("35############", "8944##############")))
    return body + luhn(body)


DECOYS: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (
        price,
        order,
        invoice,
        ticket,
        tracking,
        not_card,
        not_iban,
        transaction,
        uuid,
        digest,
        version,
        coordinates,
        isbn,
        sku,
        time,
        epoch,
        count,
        size,
        zip_code,
        account,
        imei,
    )
}
