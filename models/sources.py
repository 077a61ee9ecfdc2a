"""Where training data comes from: the simulator, or a file of records as JSON Lines. Both give raw images."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from models.simulator.world import CATEGORIES, CHANNELS, simulate
from processor.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from models.spec import Spec

LONGEST_LINE: Final = 1024 * 1024  # characters; a DynamoDB item has at most 400 KB
MOST_RECORDS: Final = 5_000_000
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


class Recorded:
    """Records in a file, one JSON object per line, fields as in the table."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def images(self) -> Iterator[dict[str, Any]]:
        """The records.

        Raises:
            ModelError: the file cannot be read, or a line holds no JSON object. It gives only the number.
        """
        try:
            with self._path.open(encoding="utf-8") as lines:
                for number, line in enumerate(iter(lambda: lines.readline(LONGEST_LINE + 1), ""), start=1):
                    if not line.isspace():
                        yield self._image(number, line)
        except OSError as error:
            raise ModelError(f"{self._path}: cannot be read ({error.strerror})") from error
        except UnicodeDecodeError as error:
            raise ModelError(f"{self._path}: is not UTF-8 text; write the records as JSON Lines") from error

    def _image(self, number: int, line: str) -> dict[str, Any]:
        where = f"{self._path}:{number}"
        if len(line) > LONGEST_LINE:
            raise ModelError(f"{where}: is longer than {LONGEST_LINE:,} characters")
        if number > MOST_RECORDS:
            raise ModelError(f"{self._path}: has more than {MOST_RECORDS:,} lines; train on a sample of them")
        try:
            image = json.loads(line, parse_float=Decimal)
        except (ValueError, RecursionError):  # no chaining: a JSON error quotes the line
            raise ModelError(f"{where}: is no JSON; write one record per line") from None
        if not isinstance(image, dict):
            raise ModelError(f"{where}: is no JSON object; write one record per line")
        return image

    def description(self) -> dict[str, Any]:
        """The file's name and checksum."""
        with self._path.open("rb") as data:
            return {"file": self._path.name, "sha256": hashlib.file_digest(data, "sha256").hexdigest()}
