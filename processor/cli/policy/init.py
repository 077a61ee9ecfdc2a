"""`tidegate policy init`: a first policy from a sample, closed by default."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import click

from processor.cli.lines import unusable
from processor.cli.policy.sample import records
from processor.policy.sections import NAME
from processor.policy.source import SUFFIX
from processor.review.draft import draft

NAME_CHARACTERS_MAX: Final = 63

_FILE: Final = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--sample", type=_FILE, required=True, help="Raw records, as JSON Lines.")
@click.option("--name", help="The policy's name. That of the file, or else of the sample, if left out.")
@click.option("--out", type=_FILE, help="The file to write. Without it the policy is on stdout.")
@click.option("--force", is_flag=True, help="Overwrite the file if it is there.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object on stdout.")
def init(sample: Path, name: str | None, out: Path | None, *, force: bool, as_json: bool) -> None:
    """Draft a policy from a sample of records.

    Fields are told by their values, their names (in English, German, French and Spanish) and their form. What
    remains in doubt does not leave: it stands in the draft under a comment that begins with "decide:". Types,
    counts and what was recognised are in the comments, values never.
    Exit codes: 0 fine, 2 unusable input.

    \b
    Example: from a table's sample to a policy to work on.
      tidegate policy init --sample orders.jsonl --out policies/orders.yaml
      tidegate policy preview policies/orders.yaml --sample orders.jsonl
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    name = name or _name_of(out or sample)
    if not re.fullmatch(NAME.pattern, name):
        raise click.UsageError(f"a policy's name is {NAME.says}: say another with --name")
    if out is not None and out.name != f"{name}{SUFFIX}":
        raise click.UsageError(
            f"the policy {name} belongs in a file {name}{SUFFIX}: Terraform finds it by that"
        )
    if out is not None and out.exists() and not force:
        unusable(f"{out}: is there already; --force overwrites it")
    drafted = draft(name, records(sample))
    if drafted is None:
        unusable(f"{sample}: holds no record with a field")
    if out is not None:
        _write(out, drafted.text, force=force)
    undecided = drafted.undecided
    if as_json:
        answer = {
            "policy": name,
            "file": out and str(out),
            "rules": len(drafted.lines),
            "subject": drafted.subject,
            "undecided": undecided,
            "text": drafted.text,
        }
        click.echo(json.dumps(answer, ensure_ascii=False))
    elif out is None:
        click.echo(drafted.text, nl=False)
    click.echo(
        f"tidegate: {out or name}: {len(drafted.lines)} rules, {len(undecided)} of them to decide", err=True
    )


def _name_of(file: Path) -> str:
    """A policy's name from that of a file: `Orders of May.jsonl` is `orders_of_may`."""
    return re.sub(r"[^a-z0-9-]+", "_", file.name.partition(".")[0].lower()).strip("_-0123456789")[
        :NAME_CHARACTERS_MAX
    ]


def _write(out: Path, text: str, *, force: bool) -> None:
    try:
        # Exclusively, so that a file which came about meanwhile is not lost either.
        with out.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        unusable(f"{out}: cannot be written: {error.strerror}")
