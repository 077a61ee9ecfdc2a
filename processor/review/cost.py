"""What a million records cost: by a run's own figures, the gate's requests and a dated list of prices.

Requests of a batch are those that tests/review/test_cost.py counts on the gate itself.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from processor.errors import TidegateError

if TYPE_CHECKING:
    from collections.abc import Iterable

PRICES: Final = Path(__file__).with_name("prices.json")
OLD_DAYS: Final = 365
MILLION: Final = 1_000_000
QUERIES: Final = 1  # of the ledger: earlier intents
PUTS_OF_ITEMS: Final = 2  # of the ledger: the intent, and the link of the audit chain
PUTS_OF_OBJECTS: Final = 2  # events and manifest
INTENT_BYTES: Final = 2_400  # of the ledger's entry of a batch, with what it was made by and its counts
RECORD_BYTES: Final = 8  # and for each of its records
UNIT_BYTES: Final = 1024  # of a write request unit


@dataclass(frozen=True, slots=True)
class Run:
    """What the log of a function says, summed over its batches."""

    batches: int
    records: int
    flagged: int
    duration_ms: float
    """Of all stages."""
    log_bytes: int


@dataclass(frozen=True, slots=True)
class Setting:
    """How the function was configured in the run, and what the records are like."""

    memory_mb: int
    arch: str
    entities: float
    """Rows of profiles that a record adds to, after those of one batch are taken together."""
    people: float
    """People per record whose secret is read, because they were not met within `erasure_in_force_s`."""


@dataclass(frozen=True, slots=True)
class Prices:
    """A list of prices, of one day and region."""

    day: date
    region: str
    usd: dict[str, float]
    """Of one unit, by name."""

    def is_old(self, today: date) -> bool:
        """Whether they are of more than a year ago."""
        return (today - self.day).days > OLD_DAYS


def read_prices(file: Path) -> Prices:
    """The list of a file.

    Raises:
        TidegateError: it is none.
    """
    try:
        content = json.loads(file.read_bytes())
        usd = {name: float(one["usd"]) / float(one["per"]) for name, one in content["prices"].items()}
        return Prices(date.fromisoformat(content["date"]), str(content["region"]), usd)
    except OSError as error:
        raise TidegateError(f"{file}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
        raise TidegateError(f"{file}: is no list of prices; see {PRICES}") from error


def read_run(lines: Iterable[str], file: str) -> Run:
    """The figures of the batches in a log of the function on a stream: one line of JSON for each.

    Raises:
        TidegateError: there is no such line.
    """
    batches = records = flagged = log_bytes = 0
    duration_ms = 0.0
    for line in lines:
        figures = _figures(line)
        if figures is None:
            continue
        batches, records = batches + 1, records + int(figures["Records"])
        flagged += int(figures.get("EventsFlagged", 0))
        stages = [float(value) for name, value in figures.items() if name.startswith("Duration")]
        duration_ms, log_bytes = duration_ms + sum(stages), log_bytes + len(line.encode())
    if not records:
        raise TidegateError(f"{file}: has no line of a batch: give the log of the function on a stream")
    return Run(batches, records, flagged, duration_ms, log_bytes)


def cost_of(run: Run, setting: Setting, prices: Prices) -> dict[str, float]:
    """US dollars for a million records, by what they are for; storage and fixed costs apart."""
    usd, per = prices.usd, MILLION / run.records
    a_batch = run.records / run.batches
    gb_s = run.duration_ms / 1000 * setting.memory_mb / 1024
    try:
        gb_s_usd = usd[f"lambda_gb_s_{setting.arch}"]
        intent = math.ceil((INTENT_BYTES + RECORD_BYTES * a_batch) / UNIT_BYTES)
        writes = run.batches * (intent + PUTS_OF_ITEMS - 1)
        return {
            "function": per * (gb_s * gb_s_usd + run.batches * usd["lambda_request"]),
            "ledger": per * (writes * usd["dynamodb_write"] + run.batches * QUERIES * usd["dynamodb_read"]),
            "profiles": MILLION * setting.entities * (usd["dynamodb_write"] + usd["dynamodb_read"]),
            "people": MILLION * setting.people * usd["dynamodb_read"],
            "objects": per * run.batches * PUTS_OF_OBJECTS * usd["s3_put"],
            "alerts": per * run.flagged * usd["sns_publish"],
            "log": per * run.log_bytes / 1e9 * usd["logs_gb"],
        }
    except KeyError as error:
        raise TidegateError(f"the list of prices lacks {error.args[0]}") from error


def _figures(line: str) -> dict[str, Any] | None:
    """What a line says of a batch; None if it is of something else."""
    try:
        figures = json.loads(line)
    except ValueError:
        return None
    is_batch = isinstance(figures, dict) and "_aws" in figures and "DurationDecode" in figures
    return figures if is_batch and isinstance(figures.get("Records"), int) else None
