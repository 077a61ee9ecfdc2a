"""`tidegate cost`: what a million records cost, by what a run measured and a dated list of prices."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import click

from processor.cli.policy.table import table
from processor.review.cost import PRICES, Setting, cost_of, read_prices, read_run


@click.command()
@click.option(
    "--log",
    type=click.File("r", encoding="utf-8", errors="replace"),
    required=True,
    help="The log of the function on a stream: it has the durations, sizes and counts of each batch.",
)
@click.option("--memory", type=click.IntRange(128, 10240), required=True, help="MB that it had in that run.")
@click.option(
    "--arch",
    "archs",
    type=click.Choice(("arm64", "x86_64")),
    multiple=True,
    default=("arm64", "x86_64"),
    show_default=True,
    help="At whose price its time is counted; repeatable.",
)
@click.option(
    "--entities",
    type=click.FloatRange(0, 100),
    default=2.0,
    show_default=True,
    help="Rows of profiles for each record: the model's entities, less what one batch takes together.",
)
@click.option(
    "--people",
    type=click.FloatRange(0, 3),
    default=1.0,
    show_default=True,
    help="People for each record whose secret has to be read.",
)
@click.option(
    "--prices",
    "prices_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=PRICES,
    show_default="those that come along",
    help="A list of prices of your region, in the form of processor/review/prices.json.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object on stdout.")
def cost(
    *,
    log: IO[str],
    memory: int,
    archs: tuple[str, ...],
    entities: float,
    people: float,
    prices_file: Path,
    as_json: bool,
) -> None:
    """Say what a million records cost in US dollars, by a run's own durations, requests and sizes.

    Batch size, window and memory are those of the run: to compare them, give the log of another run. Not in
    it: what costs the same at any load (keys, alarms, metrics), storage, and what reading costs.

    Exit codes: 0 fine, 2 unusable input.

    \b
    Example: of the last hour of a stream with 1,024 MB.
      aws logs tail /aws/lambda/tidegate-prod-payments --since 1h --format short > log
      cut -d' ' -f2- log | tidegate cost --log - --memory 1024
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    prices = read_prices(prices_file)
    run = read_run(log, getattr(log, "name", "stdin"))
    costs = {
        arch: cost_of(run, Setting(memory, arch, entities, people), prices) for arch in dict.fromkeys(archs)
    }
    old = prices.is_old(datetime.now(UTC).date())
    if as_json:
        about = {"prices": {"date": prices.day.isoformat(), "region": prices.region, "old": old}}
        measured = {"records": run.records, "batches": run.batches, "duration_ms": run.duration_ms}
        click.echo(json.dumps({**about, "run": measured, "usd_per_million_records": costs}))
    else:
        click.echo(f"{run.records:,} records in {run.batches:,} batches, {memory} MB")
        rows = [("USD per million records", *costs)]
        names = next(iter(costs.values()))
        rows += [(name, *(f"{one[name]:.2f}" for one in costs.values())) for name in names]
        rows.append(("all", *(f"{sum(one.values()):.2f}" for one in costs.values())))
        click.echo("\n".join(table(rows)))
        click.echo(f"Prices of {prices.region}, {prices.day.isoformat()}")
    if old:
        click.echo("tidegate: these prices are more than a year old: give --prices", err=True)
