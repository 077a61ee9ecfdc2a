"""The simulator as a source of training data."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from models.simulator.residents import Residents
from models.simulator.world import CATEGORIES, CHANNELS, simulate
from models.sources.changes import Changed
from models.sources.grouped import Grouping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from models.simulator.world import Payments
    from models.sources.changes import Progress
    from models.spec import Spec


class Simulated:
    """The days of the simulated world that a spec asks for, without its burn-in."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec

    @property
    def expected(self) -> int:
        """Customers pay about twice a day."""
        spec = self._spec
        return 2 * spec.recipe.customers * (spec.recipe.days - spec.burn_in_days)

    def changes(self, progress: Progress) -> Iterator[Changed]:
        """The payments as insertions in order of time, with who paid where, named as in its records.

        Where a customer lives and when they were born is there as the gate lets it out.
        """
        spec = self._spec
        world = simulate(spec.recipe, seed=spec.seed, start=spec.start).since(spec.burn_in_days)
        progress("simulating payments", len(world))
        return self._told(world)

    def _told(self, world: Payments) -> Iterator[Changed]:
        spec = self._spec
        categories = tuple(CATEGORIES)
        residents = Residents(spec.recipe.customers, seed=spec.seed, start=spec.start)
        addresses = [{"country": code} for code in residents.countries]
        born = cache(residents.birth_years)
        groups = [(name, Grouping(group, sanitised=True).of) for name, group in spec.groups.items()]
        columns = (
            world.created_at.astype("datetime64[s]").astype(np.float64),
            world.created_at.astype("datetime64[Y]").astype(np.int64) + 1970,
            world.customer_id, world.terminal_id, world.cents, world.merchant_category, world.channel,
            world.scenario,
        )  # fmt: skip
        for row, (time, year, customer, terminal, cents, category, channel, scenario) in enumerate(
            zip(*(column.tolist() for column in columns), strict=True)
        ):
            image = {
                "created_at": time,
                "amount": cents / 100,
                "customer_id": f"C{customer:07d}",
                "birth_date": born(year)[customer],
                "address": addresses[customer],
                "terminal_id": f"T{terminal:07d}",
                "merchant_category": categories[category],
                "channel": CHANNELS[channel],
                "status": "chargeback" if scenario else "approved",
            }
            image |= {name: group_of(image, year) for name, group_of in groups}
            yield Changed(time, None, image, str(row), None, scenario)

    def description(self) -> dict[str, Any]:
        """The recipe."""
        spec = self._spec
        recipe = {name: getattr(spec.recipe, name) for name in spec.recipe.__slots__}
        return {
            "simulator": recipe
            | {"start": f"{spec.start:%Y-%m-%d}", "burn_in_days": spec.burn_in_days, "seed": spec.seed}
        }
