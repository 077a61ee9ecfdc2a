"""The whole gate on this machine: payments in a table, sanitised events and alerts out of it, and gone again.

python -m processor.local.demo [--payments 2000] [--seed 1] [--port 0] [--keep] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, Final, NoReturn

from rich.console import Console

from processor.errors import TidegateError
from processor.local.presentation import live, show, show_way_around
from processor.local.scenario import play
from processor.local.stage import standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from processor.local.stage import Stage

FEWEST, MOST = 10, 50_000  # payments: enough to change, remove and expire one; what fits into memory easily
LOOK_AGAIN_S: Final = 0.5
FINE, FOUND, UNUSABLE, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo. 0: all is well; 1: something is missing, there twice or raw; 2: it could not run."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, _interrupt)  # whoever stops us, everything is taken down
    console = Console(stderr=options.json)
    try:
        return _run(options, console)
    except KeyboardInterrupt:
        console.print("Stopped; nothing is left up.")
        return INTERRUPTED
    except TidegateError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        return UNUSABLE


def _run(options: argparse.Namespace, console: Console) -> int:
    with live(console) as progress, standing(progress, options.port) as stage:
        report = play(stage, progress, payments=options.payments, seed=options.seed)
        progress.done()
        if options.json:
            print(json.dumps(report.as_json(), default=str))  # noqa: T201 - the result
        else:
            show(report, console)
        if options.keep:
            show_way_around(stage, console)
            progress.step("Delivering whatever you write to the table")
            _go_on(stage)
    return FOUND if report.problems() else FINE


def _go_on(stage: Stage) -> None:
    """Keep delivering until Ctrl-C, which is how a kept stage ends well."""
    try:
        with stage.function() as function, stage.access():
            source = stage.event_source(function)
            source.skip_what_is_there()
            while True:
                if not source.turn():
                    time.sleep(LOOK_AGAIN_S)
    except KeyboardInterrupt:
        return


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m processor.local.demo", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--payments", type=_count, default=2000, help=f"{FEWEST} to {MOST}")
    parser.add_argument("--seed", type=int, default=1, help="one seed, one world of payments")
    parser.add_argument("--port", type=int, default=0, help="of the embedded AWS; 0 for any free one")
    keep = os.environ.get("KEEP", "") not in {"", "0"}
    parser.add_argument("--keep", action="store_true", default=keep, help="leave it up until Ctrl-C (KEEP=1)")
    parser.add_argument("--json", action="store_true", help="the result as one JSON object on stdout")
    return parser.parse_args(arguments)


def _count(text: str) -> int:
    if not text.isdigit() or not FEWEST <= int(text) <= MOST:
        raise argparse.ArgumentTypeError(f"must be {FEWEST} to {MOST}")
    return int(text)


def _interrupt(*_: Any) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
