"""`tidegate model train`."""

# ruff: noqa: PLC0415 - imported when a command runs

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from processor.cli.model.answers import (
    FOLDER,
    answer,
    as_json,
    chosen_spec,
    data_option,
    history,
    label_delay,
    lines,
    paths,
    period_options,
    progress,
)

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("folder", type=FOLDER)
@data_option("Records to train on. Without it: the seeded simulator.")
@period_options("it is trained on")
@label_delay
@click.option("--out", type=FOLDER, help="Where the artefact goes. Without it: the folder of the spec.")
@as_json
def train(  # noqa: PLR0917 - click gives them by name
    folder: Path,
    data: tuple[str, ...],
    more: tuple[str, ...],
    start: float | None,
    end: float | None,
    label_delay: int | None,
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    """Train the model whose spec is FOLDER/model.yaml, and write its artefact.

    The data is replayed in order of time, as the function would have seen it: labels are known only when
    their delay is over. The model is measured on the records after that. Without --from and --to, the last
    ones (`holdout` in the spec) are held out. The same spec, data and library versions give the same arrays.

    \b
    Example: train on a week of what a table exported, beside the model in use.
      tidegate model train models/payments_fraud --data payments.csv.gz \\
        --from 2026-06-17 --to 2026-06-24 --out build/candidate
    """  # noqa: D301
    from models import release, training
    from models.spec import SPEC

    named, spec = paths(data, more), chosen_spec(folder, label_delay)
    period = None
    if start is not None or end is not None:
        period = training.Period(
            training.Period().start if start is None else start, training.Period().end if end is None else end
        )
    with progress(quiet=as_json) as told:
        trained = training.train(spec, history(spec, named), period, told)
    manifest = release.write(trained, (folder / SPEC).read_bytes(), out or folder)
    notes = trained.training["notes"]
    for note in notes:
        click.echo(f"tidegate: note: {note}", err=True)
    content = {
        "model": manifest.model,
        "folder": str(out or folder),
        "figures": trained.figures,
        "comparison": trained.comparison,
        "searched": trained.training["searched"],
        "notes": notes,
    }
    shown = [f"{manifest.model} in {out or folder}", *lines(trained.figures), *_table(trained.comparison)]
    answer(content, shown, as_json=as_json)


def _table(comparison: list[dict[str, Any]]) -> list[str]:
    """The comparison, a line for each estimator."""
    if not comparison:
        return ["  There are no labels of both kinds to compare estimators by."]
    width = max(len(one["estimator"]) for one in comparison)
    return [
        "",
        f"  {'on the same records':{width}}  features    AUC  average precision",
        *(
            f"  {one['estimator']:{width}}  {one['features']:8}  {one['auc']:.3f}  "
            f"{one['average_precision']:.3f}"
            for one in comparison
        ),
    ]
