"""Live through many bad days; exit code 1 if one ends badly: `python -m tests.simulation.simulate`."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from tests.simulation.run import run
from tests.simulation.schedule import Menu, schedule
from tests.simulation.shrink import shrunk, told

CHUNK = 50
TOLD_MAX = 3  # failures in full; of the rest the seeds


def chunk(first: int, last: int, menu: Menu) -> tuple[Counter[str], list[tuple[int, str]]]:
    """Figures of the seeds, and of those that fail what was violated."""
    figures: Counter[str] = Counter()
    failed = []
    for seed in range(first, last):
        outcome = run(schedule(seed, menu))
        figures.update(
            schedules=1, calls=outcome.steps, faults=outcome.faults, invocations=outcome.invocations
        )
        if outcome.violation is not None:
            failed.append((seed, outcome.violation.name))
    return figures, failed


def main() -> int:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20_000, help="how many schedules")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--show", action="store_true", help="tell what happened, whether it fails or not")
    given = parser.parse_args()
    if given.show:
        return show(range(given.first, given.first + given.seeds))
    menu, begun, last = Menu(), time.perf_counter(), given.first + given.seeds
    figures: Counter[str] = Counter()
    failed: list[tuple[int, str]] = []
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        chunks = [
            pool.submit(chunk, at, min(at + CHUNK, last), menu) for at in range(given.first, last, CHUNK)
        ]
        for number, done in enumerate(as_completed(chunks), 1):
            some, bad = done.result()
            figures += some
            failed += bad
            if number % 20 == 0 or bad or number == len(chunks):
                seconds = time.perf_counter() - begun
                say(
                    f"{figures['schedules']:,} of {given.seeds:,} schedules, "
                    f"{figures['schedules'] / seconds:.0f} a second, {figures['invocations']:,} invocations, "
                    f"{figures['calls']:,} calls, {figures['faults']:,} faults, {len(failed)} failed"
                )
    for seed, name in sorted(failed)[TOLD_MAX:]:
        say(f"seed {seed}: {name}")
    for seed, _ in sorted(failed)[:TOLD_MAX]:
        say(told(*shrunk(schedule(seed, menu))))
    return int(bool(failed))


def show(seeds: range) -> int:
    """What happens under each seed."""
    for seed in seeds:
        one = schedule(seed)
        say(told(one, run(one)))
    return 0


def say(text: str) -> None:
    """Print, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
