"""The simulator as a source of training data."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from models.simulator.world import CATEGORIES, CHANNELS, simulate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from models.spec import Spec

SCENARIO: Final = "scenario"  # the kind of fraud, where it is known; only for telling figures apart


class Source(Protocol):
    """Raw images to train on or measure with."""

    def images(self) -> Iterator[dict[str, Any]]:
        """The images, as often as asked for."""

    def description(self) -> dict[str, Any]:
        """What the card and the manifest say about it."""


class Simulated:
    """The days of the simulated world that a spec asks for, without its burn-in."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec

    def images(self) -> Iterator[dict[str, Any]]:
        """The payments as the table would hold them, as far as they matter here."""
        spec = self._spec
        world = simulate(spec.recipe, seed=spec.seed, start=spec.start).since(spec.burn_in_days)
        times = np.datetime_as_string(world.created_at, unit="s").tolist()
        categories = tuple(CATEGORIES)
        columns = (world.cents, world.merchant_category, world.channel, world.scenario)
        for time, cents, category, channel, scenario in zip(
            times, *(column.tolist() for column in columns), strict=True
        ):
            yield {
                "created_at": time + "Z",
                "amount": Decimal(cents).scaleb(-2),
                "merchant_category": categories[category],
                "channel": CHANNELS[channel],
                "status": "chargeback" if scenario else "approved",
                SCENARIO: scenario,
            }

    def description(self) -> dict[str, Any]:
        """The recipe."""
        spec = self._spec
        recipe = {name: getattr(spec.recipe, name) for name in spec.recipe.__slots__}
        return {
            "simulator": recipe
            | {"start": f"{spec.start:%Y-%m-%d}", "burn_in_days": spec.burn_in_days, "seed": spec.seed}
        }
