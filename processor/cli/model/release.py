"""`tidegate model release`."""

# ruff: noqa: PLC0415 - imported when a command runs

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Final

import click

from processor.cli import FINDINGS
from processor.cli.model.answers import (
    FOLDER,
    answer,
    as_json,
    data_option,
    label_delay,
    paths,
    period_options,
    progress,
)

if TYPE_CHECKING:
    from pathlib import Path

MOST_REASON: Final = 500


@click.command()
@click.argument("candidate", type=FOLDER)
@click.argument("folder", type=FOLDER)
@data_option("Records to judge it on. Without it: the simulator's.")
@period_options("it is judged on")
@label_delay
@click.option("--force", metavar="REASON", help="Release it in spite of the gates; the manifest keeps why.")
@as_json
def release(
    *,
    candidate: Path,
    folder: Path,
    data: tuple[str, ...],
    more: tuple[str, ...],
    start: float | None,
    end: float | None,
    label_delay: int | None,
    force: str | None,
    as_json: bool,
) -> None:
    """Let CANDIDATE take the place of the model in use in FOLDER, if it passes the gates of its spec.

    Both are measured on the same records, later than what they were trained on. A candidate that finds less
    (and not by chance), flags too much or too little, is unfair beyond the bound of the spec, or whose files
    do not score as scikit-learn does, is refused: then nothing is changed, and the exit code is 1.

    \b
    Example: train on last month, judge on this week, release.
      tidegate model train models/payments_fraud --data events/ --to 2026-11-01 --out build/candidate
      tidegate model release build/candidate models/payments_fraud --data events/
    """  # noqa: D301
    from models.promotion import judge, promote

    if force is not None and not (force.strip() and len(force) <= MOST_REASON and force.isprintable()):
        raise click.BadParameter(f"say why, in one line of up to {MOST_REASON} letters", param_hint="--force")
    with progress(quiet=as_json) as told:
        found = judge(candidate, folder, paths(data, more), told, delay=label_delay, start=start, end=end)
    stopped = [one.gate for one in found.refused]
    is_released = not stopped or force is not None
    name = found.candidate.manifest.model
    if is_released:
        name = promote(found, folder, time.time(), force).model
    content: dict[str, Any] = {"model": name, "released": is_released, **found.release}
    if is_released and stopped:
        content["forced"] = {"reason": force, "gates": stopped}
    shown = [
        f"  {'passed ' if one.passed else 'REFUSED'}  {one.gate.replace('_', ' '):18} {one.said}"
        for one in found.verdicts
    ]
    answer(content, [*shown, _said(name, folder, stopped, force)], as_json=as_json)
    if not is_released:
        sys.exit(FINDINGS)


def _said(name: str, folder: Path, stopped: list[str], force: str | None) -> str:
    if not stopped:
        return f"{name} is released in {folder}"
    if force is not None:
        return f"{name} is released in {folder} by force, in spite of {', '.join(stopped)}"
    return f"{name} is not released: {', '.join(stopped)}. Train it better, or give --force a reason"
