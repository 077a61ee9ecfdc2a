"""`tidegate model evaluate`."""

# ruff: noqa: PLC0415 - imported when a command runs

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from processor.cli.model.answers import FOLDER, answer, as_json, data_option, history, lines, paths, progress
from processor.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("folder", type=FOLDER)
@data_option("Records to measure on. Without it: those held out of the simulator's.")
@as_json
def evaluate(folder: Path, data: tuple[str, ...], more: tuple[str, ...], *, as_json: bool) -> None:
    """Measure the artefact in FOLDER: on the later records of the simulator, or on records of your own.

    Records are fraud where the field of the spec's `label` has its value.

    \b
    Example: how does the model in use do on last month's payments?
      tidegate model evaluate models/payments_fraud --data last-month.jsonl --json
    """  # noqa: D301
    from models.evaluation import figures
    from models.rows import gather
    from models.spec import load_spec
    from processor.scoring import load_scorer
    from processor.scoring.artefact import read_manifest

    scorer = load_scorer(folder)
    spec = load_spec(folder)
    named = paths(data, more)
    training = read_manifest(folder).content.get("training", {})
    if not named and "simulator" not in training:
        raise ModelError(
            f"{folder}: was not trained on the simulator; name records to measure on with --data"
        )
    with progress(quiet=as_json) as told:
        rows = gather(scorer.features, spec, history(spec, named), told)
    if not named:
        rows = rows[rows.time >= training["held_out_from"]]
    if not len(rows):
        raise ModelError(f"{named[0]}: holds no record with a usable {spec.time}")
    found = figures(scorer, rows)
    answer({"model": scorer.model, "figures": found}, [scorer.model, *lines(found)], as_json=as_json)
