"""`tidegate model score`."""

# ruff: noqa: PLC0415 - imported when a command runs

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import click

from processor.cli.model.answers import (
    FILE,
    FOLDER,
    answer,
    as_json,
    chosen_spec,
    data_option,
    label_delay,
    paths,
    period_options,
    progress,
)

if TYPE_CHECKING:
    from pathlib import Path

    from models.rows import Rows
    from processor.scoring import Scorer


@click.command()
@click.argument("folder", type=FOLDER)
@data_option("Records to score.", required=True)
@period_options("is scored", required=True)
@label_delay
@click.option("--out", type=FILE, required=True, help="The CSV that is written: each record's id and score.")
@as_json
def score(  # noqa: PLR0917 - click gives them by name
    folder: Path,
    data: tuple[str, ...],
    more: tuple[str, ...],
    start: float,
    end: float,
    label_delay: int | None,
    out: Path,
    *,
    as_json: bool,
) -> None:
    """Score a period of recorded data with the artefact in FOLDER, exactly as the function would have then.

    Earlier records of the data warm the profiles, and a label is known to them when its delay is over. There
    is a line for every record of the period, in order of time: its id, under the name that the data has for
    it, and its score.

    \b
    Example: what would the model have said of the first week of July?
      tidegate model score models/payments_fraud --data payments.csv.gz \\
        --from 2026-07-01 --to 2026-07-08 --out scores.csv
    """  # noqa: D301
    from models.rows import gather, opened
    from processor.errors import ModelError
    from processor.scoring import load_scorer

    scorer, spec, named = load_scorer(folder), chosen_spec(folder, label_delay), paths(data, more)
    source = opened(spec, named)
    with progress(quiet=as_json) as told:
        rows = gather(scorer.features, spec, source, told, start=start, end=end)
        if not len(rows):
            raise ModelError(f"{named[0]}: has no record in the period")
        if rows.id is None or (rows.id == None).any():  # noqa: E711 - of each
            name = spec.id or "an id: name its field as `id` in model.yaml"
            raise ModelError(f"{named[0]}: has records without {name}, by which a score would be found again")
        told("scoring", len(rows))
        write_scores(out, source.id_column or "id", rows, scorer)
    content = {"model": scorer.model, "out": str(out), "records": len(rows)}
    answer(content, [f"{len(rows):,} scores of {scorer.model} in {out}"], as_json=as_json)


def write_scores(out: Path, name: str, rows: Rows, scorer: Scorer) -> None:
    """A line for each row.

    Raises:
        ModelError: the file cannot be written.
    """
    from models.rows import scored
    from processor.errors import ModelError

    scores = scored(scorer, rows).tolist()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file, lineterminator="\n")
            lines.writerow([name, "score"])
            lines.writerows(zip([] if rows.id is None else rows.id.tolist(), scores, strict=True))
    except OSError as error:
        raise ModelError(f"{out}: cannot be written ({error.strerror})") from error
