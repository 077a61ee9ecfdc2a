"""`tidegate model evaluate`."""

# ruff: noqa: PLC0415 - imported when a command runs

from __future__ import annotations

from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING, Any

import click

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
    from collections.abc import Mapping
    from pathlib import Path


@click.command()
@click.argument("folder", type=FOLDER)
@data_option("Records to measure on. Without it: those held out of the simulator's.")
@period_options("it is measured on")
@label_delay
@click.option("--against", type=FOLDER, help="Another model, to be measured on the same records.")
@as_json
def evaluate(
    *,
    folder: Path,
    data: tuple[str, ...],
    more: tuple[str, ...],
    start: float | None,
    end: float | None,
    label_delay: int | None,
    against: Path | None,
    as_json: bool,
) -> None:
    """Measure how much the artefact in FOLDER finds, on records that it was not trained on.

    Records are fraud where the field of the spec's `label` has its value; those of cards that are known to be
    compromised by then are left out. Without --from, the period begins when the labels of training were
    known. With --json there is everything: intervals, alert budgets, calibration, groups, each day.

    \b
    Example: how does the model in use do on last month's payments, and would the candidate do better?
      tidegate model evaluate models/payments_fraud --data last-month.jsonl
      tidegate model evaluate build/candidate --against models/payments_fraud --data last-month.jsonl
    """  # noqa: D301
    from models.measuring import Released, comparison_of, figures_of, measurement

    models = [Released.load(one, label_delay) for one in (folder, against) if one is not None]
    with progress(quiet=as_json) as told:
        found = measurement(models, paths(data, more), told, start=start, end=end)
        told("measuring", len(found.rows))
        figures = figures_of(models[0], found)
        beside = comparison_of(models[0], found) if against else None
    content: dict[str, Any] = {
        "model": models[0].scorer.model,
        "period": {"from": _said(found.start), "to": _said(found.end)},
        "known_cards_left_out": found.known_cards,
        "figures": figures,
    }
    shown = [content["model"], *table(figures)]
    if against:
        content |= {"against": models[1].scorer.model, "comparison": beside}
        shown += ["", *_beside(models[1].scorer.model, beside)]
    answer(content, shown, as_json=as_json)


def table(figures: Mapping[str, Any]) -> list[str]:
    """The figures that one asks for first."""
    flag = figures["flag"]
    days = f"{figures['from']} to {figures['to']}"
    rows = [
        ("records", f"{figures['records']:,} ({days})"),
        (f"alert rate at {flag['at']:g}", figure(flag["alert_rate"], ".2%")),
    ]
    if not figures["labelled"]:
        return [*_lines(rows), "  without labels of both kinds, how much it finds is not known"]
    rows += [
        ("fraud", f"{figures['fraud']['records']:,} ({figures['fraud']['share']:.2%})"),
        ("AUC", figure(figures["ranking"]["auc"])),
        ("average precision", figure(figures["ranking"]["average_precision"])),
        ("precision of the flag", figure(flag["precision"])),
        ("recall of the flag", figure(flag["recall"])),
    ]
    rows += [
        (
            f"at {budget['share']:.1%} alerts",
            f"precision {figure(budget['precision'])}, recall {figure(budget['recall'])}",
        )
        for budget in figures["budgets"]
    ]
    if cards := figures["card_precision"]:
        name = f"card precision@{cards['cards_per_day']}"
        rows.append((name, f"{figure(cards['mean'])}, possible {cards['possible']:.3f}"))
    if flag["value"] is not None:
        rows.append(("value of the flag", f"{flag['value']:,.0f} in the currency of the amounts"))
    for group, told in figures["groups"].items():
        ratio = told["disparity"]["alert_rate_ratio"]
        rows.append((f"alert rates by {group}", f"lowest to highest {figure(ratio)}"))
    return _lines(rows)


def figure(told: Mapping[str, Any], form: str = ".3f") -> str:
    """A figure with its interval."""
    if told["value"] is None:
        return "not known"
    if told["low"] is None:
        return f"{told['value']:{form}}"
    return f"{told['value']:{form}} ({told['low']:{form}} to {told['high']:{form}})"


def _beside(other: str, comparison: Mapping[str, Any] | None) -> list[str]:
    if comparison is None:
        return [f"beside {other}: without labels of both kinds there is nothing to compare"]
    rows = []
    for name, found in comparison["figures"].items():
        if found["candidate"] is not None and found["reference"] is not None:
            both = f"{found['candidate']:.3f}, {found['reference']:.3f}"
            rows.append((name.replace("_", " "), f"{both}; difference {figure(found['difference'], '+.3f')}"))
    return [f"beside {other}, on the same records:", *_lines(rows)]


def _lines(rows: list[tuple[str, str]]) -> list[str]:
    return [f"  {name:24} {words}" for name, words in rows]


def _said(time: float) -> str | None:
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M:%SZ}" if isfinite(time) else None
