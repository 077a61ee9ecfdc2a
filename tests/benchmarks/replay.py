"""How fast history is replayed for training, and what of it is reading: events a second, on one core.

python -m tests.benchmarks.replay [FILE…] [--json]

By the released model's spec, over files of records or, without any, over payments of the simulator in which
each entity is met often, as in a real table. A core's seconds count where other work goes on beside it.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from dataclasses import replace
from json import dumps
from sys import stdout
from typing import TYPE_CHECKING, Any

from rich.console import Console

from models.replay import Replay
from models.rows import opened
from models.sources import Simulated
from models.spec import load_spec
from tests.benchmarks.stages import MODEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.sources import History

CUSTOMERS = 1_000  # and twice as many terminals, as in the spec's world


def _progress(_what: str, _done: int) -> None:
    """Nothing: what is timed is silent."""


def measure(files: Sequence[str] = ()) -> dict[str, float]:
    """Records, seconds of reading them once, and records replayed in a second of the clock and of a core."""
    spec = load_spec(MODEL)
    recipe = replace(spec.recipe, customers=CUSTOMERS, terminals=2 * CUSTOMERS)
    history: History = opened(spec, files) if files else Simulated(replace(spec, recipe=recipe))
    before = time.perf_counter()
    records = sum(1 for _ in history.changes(_progress))
    read_s = time.perf_counter() - before
    clock, core = time.perf_counter(), time.process_time()
    seen = len(Replay(spec.features, spec.label).run(history, _progress).time)
    clock, core = time.perf_counter() - clock, time.process_time() - core
    return {
        "records": records,
        "read_s": read_s,
        "replayed_per_s": seen / clock,
        "replayed_per_core_s": seen / core,
    }


def main() -> None:
    """Measure and print."""
    parser = ArgumentParser(description="How fast history is replayed.")
    parser.add_argument("files", nargs="*", metavar="FILE")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found: dict[str, Any] = measure(options.files)
    if options.json:
        stdout.write(dumps(found) + "\n")
        return
    Console(width=110).print(
        f"replay: {found['replayed_per_s']:,.0f} records a second, {found['replayed_per_core_s']:,.0f} for "
        f"each second of a core; {found['records']:,} records read in {found['read_s']:.1f} s"
    )


if __name__ == "__main__":
    main()
