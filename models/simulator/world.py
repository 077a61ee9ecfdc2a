"""Card payments and three kinds of fraud, as numbers: the Fraud Detection Handbook's simulator in numpy.

Source: Le Borgne, Siblini, Lebichot, Bontempi, "Reproducible Machine Learning for Credit Card Fraud
Detection - Practical Handbook",
Université Libre de Bruxelles, 2022, chapter 3, "Transaction data simulator".

Customers and terminals live on a 100 by 100 map. A customer pays at the terminals within a radius, so many
times a day (Poisson), around noon (normal, 20,000 s wide), amounts around a mean of their own. Fraud comes in
three kinds:

1. every payment over 220;
2. each day some terminals are compromised: for 28 days all their payments are fraud, and look like any other;
3. each day some cards are compromised: for 14 days a third of their payments are fraud, at five times the
   amount.

The book knows neither merchant categories nor channels. Here a terminal has a category and is physical or
on line; neither has anything to do with fraud, so no model can find here what the book's data would not show.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator

MAP_SIDE: Final = 100.0
BOOK_TERMINALS: Final = 10_000
BOOK_RADIUS: Final = 5.0
DAY_S: Final = 86_400
LIMIT_CENTS: Final = 220_00
TERMINAL_DAYS: Final = 28
CARD_DAYS: Final = 14
CARD_SHARE: Final = 3  # one payment in three of a compromised card
CARD_FACTOR: Final = 5

CATEGORIES: Final = {  # category -> (share of terminals, share of them on line)
    "grocery": (0.26, 0.10),
    "restaurant": (0.18, 0.15),
    "fuel": (0.12, 0.0),
    "clothing": (0.12, 0.45),
    "pharmacy": (0.08, 0.10),
    "household": (0.08, 0.35),
    "electronics": (0.06, 0.60),
    "travel": (0.05, 0.80),
    "digital_goods": (0.04, 1.0),
    "jewellery": (0.01, 0.20),
}
CHANNELS: Final = ("pos", "web", "app")
APP_SHARE: Final = 0.4  # of the payments on line

IntColumn = NDArray[np.int64]
FloatColumn = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How large a world to simulate. The defaults are the book's.

    `compromised_*_per_day` may be fractions (0.1 is one every ten days, the first on the first day), so that
    a small world can have the book's proportions.
    """

    customers: int = 5_000
    terminals: int = BOOK_TERMINALS
    days: int = 183
    compromised_terminals_per_day: float = 2.0
    compromised_customers_per_day: float = 3.0

    @property
    def radius(self) -> float:
        """How far a customer goes to pay: about as many terminals are in reach as in the book's world."""
        return BOOK_RADIUS * math.sqrt(BOOK_TERMINALS / self.terminals)


@dataclass(frozen=True, slots=True)
class Payments:
    """Simulated payments in order of time, one column each, all of the same length."""

    created_at: NDArray[np.datetime64]  # UTC, whole seconds
    customer_id: IntColumn
    terminal_id: IntColumn
    cents: IntColumn
    merchant_category: IntColumn  # index into CATEGORIES
    channel: IntColumn  # index into CHANNELS
    fraud: NDArray[np.bool_]
    scenario: IntColumn  # 0 for honest payments

    def __len__(self) -> int:
        return len(self.cents)

    def since(self, day: int) -> Payments:
        """The payments from the given day (0 is the first) on."""
        first = self.created_at[0].astype("datetime64[D]") + day if len(self) else 0
        rows = slice(int(np.searchsorted(self.created_at, first)), None)
        return Payments(*(getattr(self, column)[rows] for column in self.__slots__))


def simulate(recipe: Recipe, *, seed: int, start: datetime) -> Payments:
    """Every payment of the recipe's days, beginning at midnight UTC of `start`. One seed, one world."""
    random = np.random.default_rng(seed)
    mean = random.uniform(5, 100, recipe.customers)
    reach, reach_start = _terminals_in_reach(random, recipe)
    customer, second = _visits(random, recipe)
    near = np.diff(reach_start)[customer]
    customer, second, near = customer[near > 0], second[near > 0], near[near > 0]

    terminal = reach[reach_start[customer] + (random.random(len(customer)) * near).astype(np.int64)]
    cents = _cents(random, mean[customer])
    category, online = _terminal_kinds(random, recipe.terminals)
    by_app = random.random(len(customer)) < APP_SHARE
    channel = np.where(online[terminal], np.where(by_app, 2, 1), 0)
    scenario = _defraud(random, recipe, (second // DAY_S, customer, terminal, cents))

    midnight = np.datetime64(start.astimezone(UTC).strftime("%Y-%m-%d"), "s")
    created_at = midnight + second.astype("timedelta64[s]")
    return Payments(
        created_at, customer, terminal, cents, category[terminal], channel, scenario > 0, scenario
    )


def _terminals_in_reach(random: np.random.Generator, recipe: Recipe) -> tuple[IntColumn, IntColumn]:
    """(terminals, starts): customer c can pay at terminals[starts[c]:starts[c + 1]]."""
    people = random.uniform(0, MAP_SIDE, (recipe.customers, 2))
    places = random.uniform(0, MAP_SIDE, (recipe.terminals, 2))
    order = np.argsort(places[:, 0])  # only a strip of the map has to be looked at per customer
    sorted_x = places[order, 0]
    low = np.searchsorted(sorted_x, people[:, 0] - recipe.radius)
    high = np.searchsorted(sorted_x, people[:, 0] + recipe.radius)
    found = []
    for person, first, last in zip(people, low, high, strict=True):
        strip = order[first:last]
        found.append(strip[((places[strip] - person) ** 2).sum(axis=1) < recipe.radius**2])
    starts = np.cumsum([0, *map(len, found)])
    return np.concatenate(found), starts


def _visits(random: np.random.Generator, recipe: Recipe) -> tuple[IntColumn, IntColumn]:
    """(customer, second since the start) of every payment, in order of time."""
    per_day = random.uniform(0, 4, recipe.customers)
    counts = random.poisson(per_day[:, None], (recipe.customers, recipe.days))
    customer = np.repeat(np.arange(recipe.customers), counts.sum(axis=1))
    day = np.repeat(np.tile(np.arange(recipe.days), recipe.customers), counts.ravel())
    in_day = random.normal(DAY_S / 2, 20_000, len(day)).astype(np.int64)
    kept = (in_day > 0) & (in_day < DAY_S)  # as in the book: what falls outside the day does not happen
    customer, second = customer[kept], day[kept] * DAY_S + in_day[kept]
    order = np.argsort(second, kind="stable")
    return customer[order], second[order]


def _cents(random: np.random.Generator, mean: FloatColumn) -> IntColumn:
    amount = random.normal(mean, mean / 2)
    amount = np.where(amount < 0, random.uniform(0, 2 * mean), amount)
    return np.maximum(np.rint(amount * 100), 1).astype(np.int64)


def _terminal_kinds(random: np.random.Generator, terminals: int) -> tuple[IntColumn, NDArray[np.bool_]]:
    """(category, whether it is on line) of each terminal."""
    shares, online = np.array(list(CATEGORIES.values())).T
    category = random.choice(len(shares), size=terminals, p=shares)
    return category, random.random(terminals) < online[category]


def _compromised(
    random: np.random.Generator, day: IntColumn, who: IntColumn, *, among: int, per_day: float, length: int
) -> Iterator[IntColumn]:
    """For each day, the rows of the following `length` days that those compromised on it pay or are paid."""
    for first in range(int(day[-1]) + 1 if len(day) else 0):
        number = math.ceil((first + 1) * per_day) - math.ceil(first * per_day)
        bad = np.zeros(among, dtype=bool)
        bad[random.choice(among, min(number, among), replace=False)] = True
        begin, end = np.searchsorted(day, [first, first + length])
        yield begin + np.flatnonzero(bad[who[begin:end]])


def _defraud(
    random: np.random.Generator, recipe: Recipe, payments: tuple[IntColumn, IntColumn, IntColumn, IntColumn]
) -> IntColumn:
    """Scenarios of payments (day, customer, terminal, cents). Changes the cents of the third kind in place.

    As in the book, a later kind of fraud takes a payment over from an earlier one.
    """
    day, customer, terminal, cents = payments
    scenario = (cents > LIMIT_CENTS).astype(np.int64)
    for rows in _compromised(
        random,
        day,
        terminal,
        among=recipe.terminals,
        per_day=recipe.compromised_terminals_per_day,
        length=TERMINAL_DAYS,
    ):
        scenario[rows] = 2
    for rows in _compromised(
        random,
        day,
        customer,
        among=recipe.customers,
        per_day=recipe.compromised_customers_per_day,
        length=CARD_DAYS,
    ):
        stolen = random.choice(rows, len(rows) // CARD_SHARE, replace=False)
        cents[stolen] *= CARD_FACTOR
        scenario[stolen] = 3
    return scenario
