"""`tidegate report`: the records of processing (GDPR Art. 30) and the data map of a policy."""

from __future__ import annotations

import json
import textwrap
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import click

from processor.cli import FINDINGS
from processor.cli.lines import unusable
from processor.cli.policy.table import table
from processor.errors import PolicyError
from processor.policy.source import read_source
from processor.review.holdings import read_outputs
from processor.review.processing import as_json, records_of
from processor.review.processing_html import NOT_STATED, records_page
from processor.review.shape import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.review.processing import Mapped, Records

WIDTH: Final = 110


@click.command()
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="The policy by which the data is processed.",
)
@click.option(
    "--outputs",
    type=click.File("r", encoding="utf-8"),
    help="What `terraform output -json` prints of the environment, to say where data lies and who reads it.",
)
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write one page for people and for print to this file.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 if something of Art. 30(1) is not stated.")
@click.option("--json", "as_json_", is_flag=True, help="Answer with one JSON object on stdout.")
def report(
    policy_file: Path, outputs: IO[str] | None, html: Path | None, *, strict: bool, as_json_: bool
) -> None:
    """Write the records of processing of a policy (GDPR Art. 30(1), a to g), and its data map.

    The data map says of each field under which rule it leaves in what form, who reads it raw, for what it is
    opened again, where it lies, how long it is kept and who can read it there. What the product cannot know,
    as who the controller is, comes from the section `processing` of the policy; what nobody has said is shown
    as not stated. Without --outputs, places and readers are not known.

    Exit codes: 0 fine; 1 with --strict, something is not stated; 2 unusable input.

    \b
    Example: the page for the file of the data protection officer.
      python -m processor.local.terraform output prod -json > outputs.json
      tidegate report --policy policies/payments.yaml --outputs outputs.json --html payments.html
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    try:
        plan = read_source(policy_file).plan
    except PolicyError as error:
        unusable(f"the policy is unusable\n{error}")
    known = read_outputs(outputs.read(), getattr(outputs, "name", "stdin")) if outputs else None
    records = records_of(plan, known, str(policy_file))
    if html is not None:
        try:
            html.write_text(records_page(records, int(time.time())), encoding="utf-8")
        except OSError as error:
            unusable(f"{html}: cannot be written: {error.strerror}")
        click.echo(f"{html}: written", err=True)
    if as_json_:
        click.echo(json.dumps(as_json(records), ensure_ascii=False))
    elif html is None:
        click.echo("\n".join(_told(records)))
    if records.lacks:
        click.echo(f"tidegate: {NOT_STATED}: {len(records.lacks)} (see `processing` of the policy)", err=True)
        if strict:
            raise SystemExit(FINDINGS)


def _told(records: Records) -> Iterator[str]:
    yield f"Records of processing: {records.policy}, version {records.version}, sha256 {records.sha256[:16]}…"
    for one in records.statements:
        yield f"\n{one.letter}) {one.title}"
        for line in (*one.says, *(f"{NOT_STATED}: {lack}" for lack in one.lacks)):
            yield textwrap.fill(printable(line), WIDTH, initial_indent="  - ", subsequent_indent="    ")
    yield f"\nData map. Fields that no rule names: {records.unknown}. Opened by: {records.openers}.\n"
    rows = [("exposure", "field", "what leaves", "class", "read raw by", "opened for")]
    rows += [_row(one) for one in sorted(records.fields, key=lambda one: -one.exposure)]
    yield from table(rows)
    yield ""
    places = [("place", "where", "holds", "kept", "who can read it")]
    places += [(one.name, one.where, one.holds, one.kept, one.readers) for one in records.holdings]
    yield from table([tuple(map(printable, place)) for place in places])


def _row(one: Mapped) -> tuple[str, str, str, str, str, str]:
    when = f", when {one.when}" if one.when else ""
    leaves = f"{one.leaves}{', dies with the person' if one.dies_with_person else ''}{when}"
    reads, opened = ", ".join(one.read_by), ", ".join(one.opened_for)
    return f"{one.exposure:>8}", printable(one.path), printable(leaves), one.data_class, reads, opened
