"""Where the customers of the simulated world live and when they were born, as the gate lets it out.

Neither has anything to do with what a customer pays, where, or with fraud, and neither changes a payment:
they are drawn apart. So a model that treats people of the simulator unequally does so by chance alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from models.simulator.people import OLDEST, YOUNGEST

if TYPE_CHECKING:
    from datetime import datetime

APART: Final = 6  # with the seed of the world, that of its residents
COUNTRIES: Final = {  # of `people`: share of the customers
    "US": 0.3, "GB": 0.2, "DE": 0.15, "FR": 0.12, "ES": 0.08, "PL": 0.07, "GR": 0.05, "SE": 0.03,
}  # fmt: skip
TOP: Final = 89  # years: as `top` of the sample policy


class Residents:
    """Customers by number, the same for the same seed.

    Args:
        customers: how many.
        seed: of their world.
        start: of its first day; they are 18 to 96 years old in its year.
    """

    def __init__(self, customers: int, *, seed: int, start: datetime) -> None:
        random = np.random.default_rng((seed, APART))
        shares = list(COUNTRIES.values())
        self.countries: list[str] = random.choice(list(COUNTRIES), customers, p=shares).tolist()
        self._born: list[int] = (start.year - random.integers(YOUNGEST, OLDEST + 1, customers)).tolist()

    def birth_years(self, year: int) -> list[str]:
        """Of each customer, as `generalize` with `to: year, top: 89` writes it in a year: 1984, <=1936."""
        last = year - TOP - 1
        return [f"{born}" if born > last else f"<={last}" for born in self._born]
