"""`tidegate model drift`."""

# ruff: noqa: PLC0415 - imported when a command runs

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

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
from processor.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from models.drift import Baseline, Drift
    from processor.cli.model.answers import Progress


@click.command()
@click.argument("folder", type=FOLDER)
@click.option(
    "--log", "logs", multiple=True, metavar="FILE…",
    help="What the function has printed, a line of JSON for each batch; - is stdin.",
)  # fmt: skip
@data_option("Records of the period, instead of a log.")
@period_options("is compared, of --data")
@label_delay
@as_json
def drift(
    *,
    folder: Path,
    logs: tuple[str, ...],
    data: tuple[str, ...],
    more: tuple[str, ...],
    start: float | None,
    end: float | None,
    label_delay: int | None,
    as_json: bool,
) -> None:
    """Compare how features and scores are spread now with how they were in training.

    For each there is the population stability index: below 0.1 it is as it was, from 0.25 it has drifted, and
    then the exit code is 1. The function counts them in its log, without any value of a record; or they are
    measured from records, such as the gate's own events with `score.keep_features: true`.

    \b
    Example: the alarm has rung; what has changed since yesterday?
      aws logs tail /aws/lambda/tidegate-prod-payments --since 1d |
        tidegate model drift models/payments_fraud --log -
    """  # noqa: D301
    from models.drift import DRIFTED_FROM, Baseline
    from models.drift import drift as drifts
    from processor.scoring.artefact import read_manifest

    named = (*data, *more) if logs else paths(data, more)
    if bool(logs) == bool(data):
        raise click.UsageError("name what is to be compared: --log or --data, one of the two")
    manifest = read_manifest(folder)
    if not manifest.content.get("baseline"):
        raise ModelError(f"{folder}: has no baseline to compare with; train the model again")
    baseline = Baseline.from_content(manifest.content["baseline"])
    if logs:
        counted, told = _logged((*logs, *more), manifest.model, baseline)
    else:
        with progress(quiet=as_json) as tell:
            counted, told = _measured(folder, named, (start, end), label_delay, baseline=baseline, tell=tell)
    found = drifts(baseline, counted)
    content = {"model": manifest.model, **told, "drift": [one._asdict() for one in found]}
    content["drifted"] = [one.name for one in found if one.reading == "drifted"]
    title = f"{manifest.model}: {int(counted[-1].sum()):,} records, {baseline.records:,} in training"
    answer(content, [title, *_table(found), f"from {DRIFTED_FROM} on it has drifted"], as_json=as_json)
    if content["drifted"]:
        sys.exit(FINDINGS)


def _logged(logs: Sequence[str], model: str, baseline: Baseline) -> tuple[NDArray[np.int64], dict[str, Any]]:
    from models.log import read_logs

    found = read_logs(logs, model, baseline)
    if not found.batches:
        rest = f"; {found.of_others:,} lines are of other models" if found.of_others else ""
        raise ModelError(f"{logs[0]}: no line tells of drift of {model}{rest}")
    return found.counted, {"batches": found.batches, "of_other_models": found.of_others}


def _measured(
    folder: Path,
    named: tuple[str, ...],
    period: tuple[float | None, float | None],
    delay: int | None,
    *,
    baseline: Baseline,
    tell: Progress,
) -> tuple[NDArray[np.int64], dict[str, Any]]:
    from math import inf

    from models.drift import counts
    from models.rows import gather, opened, scored
    from processor.cli.model.answers import chosen_spec
    from processor.scoring import load_scorer

    scorer, spec = load_scorer(folder), chosen_spec(folder, delay)
    start, end = period
    rows = gather(
        scorer.features, spec, opened(spec, named), tell,
        start=-inf if start is None else start, end=inf if end is None else end,
    )  # fmt: skip
    if not len(rows):
        raise ModelError(f"{named[0]}: has no record in the period")
    return counts(baseline, rows.matrix, scored(scorer, rows)), {"records": len(rows)}


def _table(found: Sequence[Drift]) -> list[str]:
    wide = max(len(one.name) for one in found)
    return [
        f"  {one.name:{wide}}  {one.psi:7.3f}  {one.reading:15}  "
        f"{one.most_changed}: {one.share_then:.1%} then, {one.share_now:.1%} now"
        for one in found
    ]
