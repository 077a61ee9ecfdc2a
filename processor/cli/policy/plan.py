"""`tidegate policy plan`: what a change of a policy exposes, before it ships."""

from __future__ import annotations

import json
import os
import sys
import time
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
from processor.policy import load_plan
from processor.policy.document import BYTES_MAX
from processor.policy.source import read_source
from processor.review.approval import approval_of, approve, write_approval
from processor.review.comparison import compare
from processor.review.differences import Verdict
from processor.review.effects import ABSENT, effects
from processor.review.shape import counted, in_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy import Plan
    from processor.review.approval import Approval
    from processor.review.comparison import Comparison
    from processor.review.differences import Difference
    from processor.review.effects import Effect, Effects

COMPILED: Final = ".json"
COMPILED_BYTES_MAX: Final = 16 * BYTES_MAX  # a policy with every default written out
COLOURS: Final = {Verdict.WIDER: "red", Verdict.NARROWER: "green", Verdict.NEUTRAL: "yellow"}

_FILE: Final = click.Path(dir_okay=False, path_type=Path)


@click.command(name="plan")
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
@click.option("--sample", type=_FILE, help="Raw records, as JSON Lines, to see what changes in them.")
@click.option(
    "--allow-wider", metavar="REASON", help="Answer for what is wider: written beside NEW, to be committed."
)
@click.option("--show-values", is_flag=True, help="With --sample: show some values, as sanitised.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object on stdout.")
def plan(
    old: Path, new: Path, sample: Path | None, allow_wider: str | None, *, show_values: bool, as_json: bool
) -> None:
    """Show what readers of the feed get to see more of (+) and less of (-) when policy NEW follows OLD.

    OLD may be a compiled policy, as a package has it. What is wider needs an answer: --allow-wider writes it
    to <policy>.approval.json beside NEW, and there it holds for this one change.
    Exit codes: 0 nothing is wider, or somebody answers for it, 1 something is, 2 unusable input.

    \b
    Example: what does this branch expose that main does not?
      git show main:policies/payments.yaml > /tmp/main.yaml
      tidegate policy plan /tmp/main.yaml policies/payments.yaml --sample payments.jsonl
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    comparison = compare(_read(old), _read(new))
    try:
        approval = approval_of(new, comparison.new)
        if allow_wider is not None and comparison.of(Verdict.WIDER):
            approval = approve(comparison, allow_wider)
    except (PolicyError, ValueError) as error:
        unusable(error)
    seen = _effects(comparison, sample) if sample is not None else None
    covered = approval if approval is not None and approval.covers(comparison) else None
    if as_json:
        click.echo(json.dumps(plain(comparison, covered, seen, show=show_values), ensure_ascii=False))
    else:
        text = "\n".join(told(comparison, covered, seen, show=show_values))
        # https://no-color.org: by any value that is not empty.
        click.echo(text, color=False if os.environ.get("NO_COLOR") else None)
    if allow_wider is not None:
        _write(new, comparison.new, covered)
    if comparison.of(Verdict.WIDER) and covered is None:
        sys.exit(FINDINGS)


def _read(file: Path) -> Plan:
    try:
        if file.suffix != COMPILED:
            return read_source(file, any_name=True).plan
        with file.open("rb") as stream:
            return load_plan(stream.read(COMPILED_BYTES_MAX))
    except OSError as error:
        unusable(f"{file}: cannot be read: {error.strerror}")
    except PolicyError as error:
        unusable(f"{file}: the policy is unusable\n{error}")


def _effects(comparison: Comparison, sample: Path) -> Effects:
    keys = KeyRing({1: token_bytes(64)})
    seen = effects(comparison.old, comparison.new, records(sample), keys=keys, now=int(time.time()))
    if not seen.records:
        unusable(f"{sample}: holds no record")
    return seen


def _write(new: Path, plan: Plan, approval: Approval | None) -> None:
    if approval is None:
        click.echo("tidegate: nothing is wider, so there is nothing to answer for", err=True)
        return
    try:
        file = write_approval(new, plan, approval)
    except OSError as error:
        unusable(f"the approval cannot be written beside {new}: {error.strerror}")
    click.echo(f"tidegate: wrote {file}: commit it with the policy", err=True)


def told(
    comparison: Comparison, approval: Approval | None, seen: Effects | None = None, *, show: bool = False
) -> Iterator[str]:
    """The lines of a comparison, and of what it does to a sample; `approval` is one that covers it."""
    old, new = comparison.old, comparison.new
    versions = (
        f"version {old.version} → {new.version}" if old.version != new.version else f"version {old.version}"
    )
    yield f"{new.name}, {versions}: + wider, - narrower, ~ neither"
    yield ""
    if comparison.differences:
        yield from _changes(comparison)
    else:
        yield "No changes: what leaves is as before."
    if seen is not None:
        yield ""
        yield from _sample(seen, show=show)
    if _same_version(comparison):
        yield ""
        yield f"Raise `version`: it is still {new.version}, so events would not tell the two policies apart."
    yield ""
    yield f"Plan: {', '.join(f'{len(comparison.of(verdict)):,} {verdict.word}' for verdict in Verdict)}."
    if approval is not None:
        yield f"Wider by intent: {approval.reason}"
    elif comparison.of(Verdict.WIDER):
        yield "Narrow what is wider (+), or answer for it: --allow-wider REASON"


def _changes(comparison: Comparison) -> Iterator[str]:
    rows = [
        (f"  {one.verdict.value}", one.subject, one.aspect, _exposure(one), _change(one))
        for one in comparison.differences
    ]
    for one, line in zip(comparison.differences, table(rows), strict=True):
        yield click.style(line, fg=COLOURS[one.verdict])


def _change(one: Difference) -> str:
    return f"{one.before} → {one.after}" + (f"  # {one.said}" if one.said else "")


def _exposure(one: Difference) -> str:
    """How much is seen, before and after: as whole numbers, unless these are the same and the numbers not."""
    if one.exposure is None:
        return ""
    before, after = one.exposure
    digits = 1 if round(before) == round(after) and before != after else 0
    return f"{before:3.{digits}f} → {after:.{digits}f}"


def _same_version(comparison: Comparison) -> bool:
    old, new = comparison.old, comparison.new
    return bool(comparison.differences) and old.name == new.name and old.version == new.version


def _sample(seen: Effects, *, show: bool) -> Iterator[str]:
    yield f"In {counted(seen.records, 'record')} of the sample:"
    yield f"  {counted(seen.changed, 'record')} would leave otherwise than before"
    for reason, count in seen.held.most_common():
        yield f"  {counted(count, 'record')} would go to quarantine now: {reason}"
    for reason, count in seen.released.most_common():
        yield f"  {counted(count, 'record')} would leave now, and went to quarantine: {reason}"
    ordered = _by_count(seen)
    rows = [(f"    {one.path}", _counts(one), f"{one.before} → {one.after}") for one in ordered]
    for one, line in zip(ordered, table(rows), strict=True):
        yield line
        if show:
            yield from (f"        {_shown(before)} → {_shown(after)}" for before, after in one.shown)


def _by_count(seen: Effects) -> list[Effect]:
    return sorted(seen.fields.values(), key=lambda one: -one.count)


def _counts(one: Effect) -> str:
    counts = {"changed": one.changed, "new": one.came, "gone": one.went}
    return ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)


def _shown(value: Any) -> str:
    return "(nothing)" if value is ABSENT else in_line(value) or '""'


def plain(
    comparison: Comparison, approval: Approval | None, seen: Effects | None = None, *, show: bool = False
) -> dict[str, Any]:
    """The same for scripts."""
    plans = {"old": comparison.old, "new": comparison.new}
    return {
        **{
            which: {"policy": plan.name, "version": plan.version, "sha256": plan.sha256}
            for which, plan in plans.items()
        },
        **{verdict.word: len(comparison.of(verdict)) for verdict in Verdict},
        "differences": [_plain_difference(one) for one in comparison.differences],
        "allowed_wider": approval and approval.reason,
        "same_version": _same_version(comparison),
        "sample": seen and _plain_effects(seen, show=show),
    }


def _plain_difference(one: Difference) -> dict[str, Any]:
    return {
        "verdict": one.verdict.word,
        "subject": one.subject,
        "aspect": one.aspect,
        "before": one.before,
        "after": one.after,
        "exposure": one.exposure and [round(number, 2) for number in one.exposure],
        "said": one.said,
    }


def _plain_effects(seen: Effects, *, show: bool) -> dict[str, Any]:
    return {
        "records": seen.records,
        "changed": seen.changed,
        "held": dict(seen.held),
        "released": dict(seen.released),
        "fields": [_plain_effect(one, show=show) for one in _by_count(seen)],
    }


def _plain_effect(one: Effect, *, show: bool) -> dict[str, Any]:
    effect: dict[str, Any] = {
        "field": one.path,
        "before": one.before,
        "after": one.after,
        "changed": one.changed,
        "new": one.came,
        "gone": one.went,
    }
    return effect | {"values": [[_shown(value) for value in pair] for pair in one.shown]} if show else effect
