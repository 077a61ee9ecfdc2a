"""Payments as a shop would store them: the simulated numbers with a person behind each, ready for Boto3."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any, Final

from models.simulator.people import Census
from models.simulator.world import CATEGORIES, CHANNELS, TERMINAL_DAYS, Payments, Recipe, simulate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from models.simulator.people import Person

SPAN_DAYS: Final = 7
PAYMENTS_PER_CUSTOMER: Final = 10  # the span brings about 13, so that the first n are always there
FEWEST_CUSTOMERS: Final = 12
KEPT_DAYS: Final = 400
SIGNATURE_BYTES: Final = 64
GIFT_SHARE: Final = 0.15
MOST_ITEMS: Final = 3

HONEST_STATUSES: Final = {"approved": 94, "declined": 4, "refunded": 2}
TAGS: Final = ("recurring", "first-order", "loyalty", "express", "gift", "invoice", "größe-xl")
NOTES: Final = (
    "",
    "",
    "Leave the parcel with a neighbour",
    "Please deliver after 18:00, the bell is broken",
    "Bitte nicht knicken, danke schön",
    "Order 2024-118, two of them were damaged",
    "Please call {phone} before delivery",
    "Send the invoice to {email}, thanks",
    "Customer says the new card is {card}",
    "Charged twice on {card_spaced}, please check",
    "Refund to IBAN {iban} agreed by telephone",
    "Old address is void, reach me at {email} or {phone}",
)
GIFTS: Final = ("Happy birthday!", "Alles Gute ♥", "With love, reach me at {email}", "Call me: {phone}")
_IBAN: Final = re.compile(r"\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b")


def payments(n: int, seed: int, start: datetime) -> Iterator[dict[str, Any]]:
    """The first `n` payments of a small world, in order of time, with personal data.

    The values are ready for Boto3's resource or TypeSerializer: `Decimal`, `set`, `bytes`. A fraud
    has the status "chargeback". The world has the book's proportions, and has been running for four weeks, so
    that there is as much fraud on the first day as on any other.

    Args:
        n: how many.
        seed: one seed, one list of payments (for the same version of Faker).
        start: their first day, UTC.
    """
    customers = n // PAYMENTS_PER_CUSTOMER + FEWEST_CUSTOMERS
    recipe = Recipe(
        customers=customers,
        terminals=2 * customers,
        days=TERMINAL_DAYS + SPAN_DAYS,
        compromised_terminals_per_day=customers * 2 / 5_000,
        compromised_customers_per_day=customers * 3 / 5_000,
    )
    world = simulate(recipe, seed=seed, start=start - timedelta(days=TERMINAL_DAYS)).since(TERMINAL_DAYS)
    random = Random(seed)
    census = Census(random)
    people: dict[int, Person] = {}
    for row in range(n):
        customer = int(world.customer_id[row])
        if customer not in people:
            people[customer] = census.person()
        yield _record(world, row, people[customer], random)


def _record(world: Payments, row: int, person: Person, random: Random) -> dict[str, Any]:
    created_at: datetime = world.created_at[row].item().replace(tzinfo=UTC)
    amount = Decimal(int(world.cents[row])).scaleb(-2)
    statuses = list(HONEST_STATUSES)
    honest = random.choices(statuses, weights=list(HONEST_STATUSES.values()))[0]
    return {
        "payment_id": str(uuid.UUID(int=random.getrandbits(128), version=4)),
        "created_at": created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "customer_id": f"C{world.customer_id[row]:07d}",
        "name": person.name,
        "email": person.email,
        "phone": person.phone,
        "birth_date": person.birth_date,
        "address": dict(person.address),
        "card": dict(person.card),
        "ip": person.ip,
        "device_id": person.device_id,
        "terminal_id": f"T{world.terminal_id[row]:07d}",
        "merchant_category": tuple(CATEGORIES)[world.merchant_category[row]],
        "amount": amount,
        "currency": person.currency,
        "status": "chargeback" if world.fraud[row] else honest,
        "channel": CHANNELS[world.channel[row]],
        "note": _filled(random.choice(NOTES), person),
        "items": _items(amount, person, random),
        "tags": set(random.sample(TAGS, random.randint(1, 3))),
        "signature": random.randbytes(SIGNATURE_BYTES),
        "expires_at": int((created_at + timedelta(days=KEPT_DAYS)).timestamp()),
    }


def _items(amount: Decimal, person: Person, random: Random) -> list[dict[str, Any]]:
    """One to three lines whose prices (of the whole line) add up to the amount."""
    items: list[dict[str, Any]] = []
    left = amount
    for last in reversed(range(random.randint(1, MOST_ITEMS))):
        price = left if not last else (left * random.randint(20, 80) / 100).quantize(Decimal("0.01"))
        left -= price
        item = {"sku": f"SKU-{random.randrange(10**6):06d}", "quantity": random.randint(1, 3), "price": price}
        if random.random() < GIFT_SHARE:
            item["gift_message"] = _filled(random.choice(GIFTS), person)
        items.append(item)
    return items


def _filled(text: str, person: Person) -> str:
    number = person.card["number"]
    return text.format(
        email=person.email, phone=person.phone, card=number, card_spaced=_spaced(number), iban=person.iban
    )


def _spaced(number: str) -> str:
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))


def identifying_values(payment: dict[str, Any]) -> list[str]:
    """The raw texts of a payment that point to its person: none of them may be found behind the gate.

    The forms that a free text may hold are among them: the card number in groups of four, an IBAN.
    """
    card = payment["card"]
    return [
        payment["customer_id"],
        payment["name"],
        payment["email"],
        payment["phone"],
        payment["birth_date"],
        payment["address"]["street"],
        card["number"],
        _spaced(card["number"]),
        card["holder"],
        payment["ip"],
        payment["device_id"],
        *_IBAN.findall(payment["note"]),
    ]
