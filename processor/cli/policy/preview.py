"""`tidegate policy preview`: what a policy makes of a sample, and who could still be told apart in it."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING, Any, Final

import click

from processor.cli import FINDINGS
from processor.cli.lines import unusable
from processor.cli.policy.sample import records
from processor.cli.policy.table import table
from processor.crypto import KeyRing
from processor.errors import PolicyError
from processor.policy.source import read_source
from processor.review.anonymity import SMALL
from processor.review.html import page
from processor.review.preview import EXAMPLES
from processor.review.preview import preview as preview_of
from processor.review.shape import after, before, counted, in_line, share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from processor.review.anonymity import Anonymity, Contribution, Measure
    from processor.review.preview import Cell, FieldSeen, Preview

EXAMPLES_MAX: Final = 100
COLUMNS: Final = ("exposure", "field", "action", "class", "records", "before", "after", "remarks")

CONTRIBUTION_COLUMNS: Final = (
    "  without it",
    *("k", f"in groups of < {SMALL}", "alone"),
    *("| by it only: groups", "k", f"in groups of < {SMALL}"),
)

_FILE: Final = click.Path(dir_okay=False, path_type=Path)


@click.command(name="preview")
@click.argument("file", type=_FILE)
@click.option("--sample", type=_FILE, required=True, help="Raw records, as JSON Lines.")
@click.option("--html", "html_file", type=_FILE, help="Write a page to read and to pass on, too.")
@click.option(
    "--records",
    "examples",
    type=click.IntRange(0, EXAMPLES_MAX),
    default=EXAMPLES,
    show_default=True,
    help="How many records to show before and after.",
)
@click.option("--show-values", is_flag=True, help="Show raw values, which are personal data, not their form.")
@click.option("--min-k", type=click.IntRange(1), help="The k that the result must reach.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object on stdout.")
def preview(
    file: Path,
    sample: Path,
    html_file: Path | None,
    examples: int,
    min_k: int | None,
    *,
    show_values: bool,
    as_json: bool,
) -> None:
    """Show what the policy FILE makes of a sample: fields, records before and after, and who is still unique.

    Raw values stay on this machine and show by their form only, unless --show-values. Tokens and pseudonyms
    are made with a key that is thrown away. Findings are personal data recognised in a field that is kept,
    records that would go to quarantine, and a k under --min-k.
    Exit codes: 0 fine, 1 findings, 2 unusable input.

    \b
    Example: is everybody in a group of five at least, and what is in the way?
      tidegate policy preview policies/payments.yaml --sample payments.jsonl --min-k 5 --html preview.html
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    try:
        plan = read_source(file).plan
    except PolicyError as error:
        unusable(f"the policy is unusable\n{error}")
    now = int(time.time())
    seen = preview_of(plan, records(sample), keys=KeyRing({1: token_bytes(64)}), now=now, examples=examples)
    if not seen.records:
        unusable(f"{sample}: holds no record")
    findings = seen.findings(min_k or 0)
    if as_json:
        click.echo(json.dumps(_plain(seen, findings, show=show_values), ensure_ascii=False))
    else:
        click.echo("\n".join(_lines(seen, findings, show=show_values)))
    if html_file is not None:
        _write(html_file, page(seen, findings, now=now, show=show_values))
    if findings:
        sys.exit(FINDINGS)


def _write(file: Path, text: str) -> None:
    # For its owner alone: it shows people's data, sanitised or not.
    try:
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:  # noqa: PTH123  Path cannot say the mode
            out.write(text)
    except OSError as error:
        unusable(f"{file}: cannot be written: {error.strerror}")
    click.echo(f"tidegate: wrote {file}", err=True)


def _lines(seen: Preview, findings: Sequence[str], *, show: bool) -> Iterator[str]:
    plan = seen.plan
    yield f"{plan.name}, version {plan.version}, on {counted(seen.records, 'record')} of the sample"
    yield ""
    yield from table([COLUMNS, *(_row(one, seen.records) for one in _by_exposure(seen))])
    if seen.unnamed:
        yield ""
        yield f"Fields that no rule names ({plan.unknown}):"
        yield from (
            f"  {in_line(path)} ({counted(count, 'time')})" for path, count in seen.unnamed.most_common()
        )
    for number, example in enumerate(seen.examples, 1):
        yield ""
        yield from table(
            [(f"record {number}", "before", "after"), *(_cells(cell, show=show) for cell in example)]
        )
    yield ""
    yield from _anonymity(seen.anonymity)
    yield ""
    yield from findings or ("No findings.",)


def _by_exposure(seen: Preview) -> list[FieldSeen]:
    return sorted(seen.fields, key=lambda one: -one.exposure)


def _row(one: FieldSeen, records: int) -> tuple[str, ...]:
    return (
        str(one.exposure),
        one.path,
        one.action,
        one.data_class,
        share(one.records, records),
        str(one.before),
        str(one.after),
        "; ".join(one.remarks),
    )


def _cells(cell: Cell, *, show: bool) -> tuple[str, ...]:
    left = after(cell.after) if cell.after else "(does not leave)"
    return in_line(cell.path), before(cell.before, show=show), left


def _anonymity(found: Anonymity | None) -> Iterator[str]:
    if found is None:
        yield "No record leaves, so there is nobody to tell apart."
        return
    who = "people" if found.by_person else "records, because the policy names no subject"
    yield f"k-anonymity of what leaves, counted in {who}"
    if not found.fields:
        yield "  no field that narrows down who it was leaves in a readable form: by its class, that is"
        return
    yield f"  over {', '.join(found.fields)}"
    yield from (f"  {line}" for line in _measured(found.measure))
    yield ""
    yield from table([CONTRIBUTION_COLUMNS, *map(_contribution, found.contributions)])
    yield ""
    yield "  the smallest groups"
    yield from table(
        [
            ("  people", "records", *found.fields),
            *((f"  {one.people:,}", f"{one.records:,}", *map(in_line, one.values)) for one in found.smallest),
        ]
    )


def _contribution(one: Contribution) -> tuple[str, ...]:
    return (
        f"  {one.path}",
        *(str(one.without.k), f"{one.without.small:.1%}", f"{one.without.unique:.1%}"),
        *(f"{one.alone.classes:,}", str(one.alone.k), f"{one.alone.small:.1%}"),
    )


def _measured(measure: Measure) -> Iterator[str]:
    yield f"k = {measure.k} (the smallest of {counted(measure.classes, 'group')})"
    small, alone = f"{measure.small:.1%}", f"{measure.unique:.1%}"
    yield f"{small} of the records are in groups of fewer than {SMALL}, {alone} are alone"
    yield f"prosecutor risk: {measure.risk_max:.1%} at most (1/k), {measure.risk:.1%} on average"


def _plain(seen: Preview, findings: Sequence[str], *, show: bool) -> dict[str, Any]:
    plan = seen.plan
    return {
        "policy": plan.name,
        "version": plan.version,
        "sha256": plan.sha256,
        "records": seen.records,
        "findings": list(findings),
        "quarantined": dict(seen.failed),
        "fields": [_plain_field(one) for one in seen.fields],
        "unnamed": dict(seen.unnamed),
        "examples": [[_plain_cell(cell, show=show) for cell in example] for example in seen.examples],
        "anonymity": seen.anonymity and _plain_anonymity(seen.anonymity),
    }


def _plain_field(one: FieldSeen) -> dict[str, Any]:
    return {
        "field": one.path,
        "action": one.action,
        "class": one.data_class or None,
        "exposure": one.exposure,
        "records": one.records,
        "distinct_before": {"count": one.before.count, "exact": one.before.exact},
        "distinct_after": {"count": one.after.count, "exact": one.after.exact},
        "found": dict(one.found),
        "mismatched": one.mismatched,
        "oversized": one.oversized,
        "leaks": one.leaks,
    }


def _plain_cell(cell: Cell, *, show: bool) -> dict[str, Any]:
    return {
        "field": cell.path,
        "action": cell.action,
        "before": before(cell.before, show=show),
        "after": after(cell.after) if cell.after else None,
    }


def _plain_anonymity(found: Anonymity) -> dict[str, Any]:
    return asdict(found) | {"small_is_under": SMALL, "risk_max": found.measure.risk_max}
