"""How the demo looks: progress while it runs, then its result as a person wants to read it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console, Group
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType
    from rich.status import Status

    from processor.local.scenario import Report
    from processor.local.stage import Stage

COLD_START_RATIO_MAX: Final = 0.35
OBJECTS_SHOWN: Final = 8
DETAIL_WIDTH: Final = 90


class Live:
    """Progress on a terminal: one line per step that is done, a moving one for what is going on."""

    def __init__(self, console: Console, status: Status) -> None:
        self._console, self._status = console, status
        self._step = ""

    def step(self, text: str) -> None:
        """Something else begins."""
        self.done()
        self._step = text
        self._status.update(f"[bold]{escape(text)}[/]")

    def detail(self, text: str) -> None:
        """How it is getting on."""
        line = text.strip()[:DETAIL_WIDTH]
        if line:
            self._status.update(f"[bold]{escape(self._step)}[/]\n  [dim]{escape(line)}[/]")

    def done(self) -> None:
        """Whatever was going on is done."""
        if self._step:
            self._console.print(f"[green]✓[/] {escape(self._step)}")
        self._step = ""


@contextmanager
def live(console: Console) -> Iterator[Live]:
    """Progress on this console while the context is open."""
    with console.status("") as status:
        progress = Live(console, status)
        yield progress
        progress.done()


def show(report: Report, console: Console) -> None:
    """Print what came of a run."""
    for part in (
        _example(report),
        _fields(report),
        _objects(report),
        _figures(report),
        _rights(report),
        _verdict(report),
    ):
        console.print(part)


def _figures(report: Report) -> RenderableType:
    table = Table(show_header=False, box=None, padding=(0, 2))
    rate = report.records / report.seconds if report.seconds else 0
    written = f"{report.payments:,} payments, {report.changed:,} changed, {report.removed:,} removed, "
    table.add_row("Written", f"{written}{report.expired:,} expired")
    table.add_row("Records in", f"{report.records:,}")
    table.add_row("Events out", f"{report.events:,} in {len(report.objects):,} objects")
    table.add_row("Flagged", f"{report.flagged:,} as suspicious; {report.alerts:,} received from SNS")
    table.add_row("Quarantined", f"{report.quarantined:,}")
    searched = f"{report.searched_values:,} raw values in {report.searched_bytes / 1e6:,.1f} MB"
    table.add_row("Searched", f"{searched} of S3, SNS, SQS, ledger and log: {len(report.leaks):,} found")
    calls = f"{report.tally.invocations:,} calls in {report.seconds:.1f} s, the cold start included"
    table.add_row("Throughput", f"{rate:,.0f} records/s ({calls})")
    if report.cold_start_ms and report.baseline_ms:
        ratio = report.cold_start_ms / report.baseline_ms
        usual = f"{report.baseline_ms:,.0f} ms for Boto3 + scikit-learn + joblib"
        colour = "green" if ratio <= COLD_START_RATIO_MAX else "yellow"
        table.add_row(
            "Cold start",
            f"{report.cold_start_ms:,.0f} ms, [{colour}]{ratio:.2f}[/] of the usual way's {usual}",
        )
    return Panel(table, title="The gate's work", title_align="left")


def _fields(report: Report) -> RenderableType:
    """Fields by what was done to them, the mere keeping in one line at the end."""
    table = Table(title="What was done to each field", title_justify="left", box=None, padding=(0, 2))
    for column in ("field", "action", "times"):
        table.add_column(column, justify="right" if column == "times" else "left")
    rows = [(name, *entry) for name, counts in report.actions.items() for entry in counts.items()]
    for name, action, count in rows:
        if action != "keep":
            table.add_row(escape(name), action, f"{count:,}")
    kept = ", ".join(name for name, action, _ in rows if action == "keep")
    return Group(table, f"  [dim]kept: {escape(kept)}[/]\n")


def _example(report: Report) -> RenderableType:
    """One payment, field by field: as it stands in the table, and as it left."""
    table = Table(
        title="One payment, before and after (simulated; the raw one is shown here and nowhere else)",
        title_justify="left",
        show_lines=True,
    )
    table.add_column("field", style="bold")
    table.add_column("before: in the table", style="red", ratio=1, overflow="fold")
    table.add_column("after: in S3", style="green", ratio=1, overflow="fold")
    new = report.after.get("new") or {}
    for name in sorted(report.before):
        table.add_row(escape(name), escape(_text(report.before[name])), escape(_text(new.get(name, ""))))
    for name in ("fraud", "notes"):
        table.add_row(name, "", escape(_text(report.after.get(name, ""))))
    return table


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    if isinstance(value, set):
        value = sorted(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def _objects(report: Report) -> RenderableType:
    table = Table(title="Objects in S3", title_justify="left", box=None, padding=(0, 2), show_header=False)
    for key, size in report.objects[:OBJECTS_SHOWN]:
        table.add_row(escape(key), f"{size:,} B")
    more = len(report.objects) - OBJECTS_SHOWN
    return Group(table, f"  [dim]and {more:,} more[/]\n" if more > 0 else "")


def _rights(report: Report) -> RenderableType:
    """One person's rights, act by act."""
    rights = report.rights
    table = Table(show_header=False, box=None, padding=(0, 2))
    acts = (
        ("investigator", "opens the token of an e-mail", "opened" if rights.opened else "not opened"),
        ("investigator", "tries to erase the person", "denied by IAM" if rights.denied else "was let"),
        ("privacy officer", "erases the person", "signed receipt" if rights.verified else "no good receipt"),
        ("investigator", "tries the token again", rights.status_after),
        ("customer", "pays once more", "e-mail redacted" if rights.redacted_after else "not as it should be"),
        ("auditor", "walks the audit trail", "whole" if rights.audited else "not whole"),
    )
    for who, act, outcome in acts:
        table.add_row(who, act, f"[bold]{escape(outcome)}[/]")
    return Panel(table, title="One person's rights", title_align="left")


def _verdict(report: Report) -> RenderableType:
    problems = report.problems()
    if problems:
        lines = [f"[bold red]✗[/] {escape(problem)}" for problem in problems]
        if report.rights.problems():
            lines += [f"  [dim]{escape(said)}[/]" for said in report.rights.said]
        return "\n".join(lines)
    return "[bold green]✓ Every record came out once, and no raw value is anywhere behind the gate.[/]"


def show_way_around(stage: Stage, console: Console) -> None:
    """Print how to look at a stage that stays up, ready to be copied."""
    buckets, table = stage.outputs["buckets"], stage.stream["source_table"]
    item = '{"payment_id": {"S": "mine"}, "customer_id": {"S": "C1"}, "email": {"S": "me@example.org"}}'
    lines = [
        *(f"export {name}={value}" for name, value in sorted(stage.aws.environ().items())),
        f"aws s3 ls --recursive s3://{buckets['events']}",
        f"aws s3 ls --recursive s3://{buckets['audit']}",
        f"aws sqs receive-message --queue-url {stage.inbox_url}",
        f"aws dynamodb scan --table-name {stage.outputs['ledger_table']} --max-items 3",
        f"aws dynamodb put-item --table-name {table} --item '{item}'",
        f"curl {stage.aws.endpoint}/moto-api/data.json",
        "tidegate audit verify --env local",
        "tidegate keys status --env local",
        "tidegate erase --env local --subject C1 --reason case-1 --unseen --dry-run",
    ]
    console.print("\n[bold]Still up.[/] Look around from another terminal; Ctrl-C here takes it down.\n")
    console.print("\n".join(lines), soft_wrap=True, markup=False, highlight=False)
    console.print("\nWhat you put into the table is an event in S3 a few seconds later.\n")
