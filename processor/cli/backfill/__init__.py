"""`tidegate backfill`: what was in a table before its stream was gated, through the same gate."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from processor.cli import FINDINGS

if TYPE_CHECKING:
    from processor.cli.backfill.locally import Done

_FILE: Final = click.Path(dir_okay=False, path_type=Path)
REPOSITORY: Final = Path(__file__).resolve().parents[3]


def _moment(_ctx: click.Context, _option: click.Parameter, text: str | None) -> int | None:
    """Epoch seconds."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("a day as 2026-11-23 or a time as 2026-11-23T21:04:05Z") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--policy", "policy_file", type=_FILE, default=Path("policies/payments.yaml"), show_default=True,
    help="The policy's YAML file.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", required=True,
    help="Where events go: DIR/events/<policy>/dt=…/hour=…/backfill=<export>/.",
)  # fmt: skip
@click.option(
    "--key-file", type=_FILE,
    help="At least 32 random bytes, in a file that is yours alone (mode 0600). Without it: a key that is "
    "thrown away.",
)  # fmt: skip
@click.option(
    "--key", "keys", multiple=True, metavar="NAME",
    help="A key attribute of the table, for the events' `keys`: an export does not say. Repeatable.",
)  # fmt: skip
@click.option(
    "--written-at", callback=_moment, metavar="TIME",
    help="Of a data file without its manifest: when its items were as they are.",
)  # fmt: skip
@click.option(
    "--table", metavar="NAME", help="Of a data file without its manifest.  [default: the policy's name]"
)
@click.option(
    "--jobs", type=click.IntRange(1, 256), default=lambda: os.cpu_count() or 1, show_default="one per core",
    help="Processes at once; a data file is the work of one.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object on stdout.")
def backfill(*, files: tuple[Path, ...], as_json: bool, **options: Any) -> None:
    """Bring the files of a table's export through the gate's own stages, on this machine, without AWS.

    FILES are full exports in DYNAMODB_JSON as DynamoDB writes them: the folder of one (AWSDynamoDB/<id>), its
    manifest-summary.json, or data files. What a manifest says of a file (its MD5, how many items it has) is
    held against it.

    Each item becomes an event of the kind INSERT at the time of the export. It is scored as if nothing were
    known of its customer but what is in the same thousand items. What cannot pass is written nowhere; stderr
    says which line and why, and the exit code is 1. Running it again goes on where it ended.

    Exit codes: 0 all is out, 1 something could not pass or a file is altered, 2 unusable input.

    \b
    Example: what events of a table would look like, or history for analysts
      aws s3 cp --recursive s3://exports/AWSDynamoDB/01700000000000-a1b2c3d4 export
      (umask 077; head -c 64 /dev/urandom > key)
      tidegate backfill export --policy policies/payments.yaml --key payment_id --key-file key --out history
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    if not files:
        raise click.UsageError("which files? Name the folder of an export, or data files.")
    done, policy = _run(files, options)
    if as_json:
        click.echo(json.dumps({"policy": policy, "out": str(options["out"]), **done.plain()}))
    else:
        _tell(done, options["out"])
    if done.held or done.flaws:
        sys.exit(FINDINGS)


def _run(files: tuple[Path, ...], options: dict[str, Any]) -> tuple[Done, str]:
    # --help needs none of these.
    from processor.cli.audit.place import progress  # noqa: PLC0415
    from processor.cli.backfill.found import Bare, find  # noqa: PLC0415
    from processor.cli.backfill.locally import Done, Means, claim, run  # noqa: PLC0415
    from processor.cli.sanitize import root_of  # noqa: PLC0415
    from processor.policy.source import compile_policy  # noqa: PLC0415
    from processor.scoring import granted_scorer  # noqa: PLC0415

    plan, compiled = compile_policy(options["policy_file"])
    found = find(files, options["keys"], Bare(options["table"] or plan.name, options["written_at"]))
    model = REPOSITORY / "models" / plan.score.model if plan.score else None
    means = Means(compiled, root_of(options["key_file"]), model, options["out"])
    named = granted_scorer(model, plan.score).model if model and plan.score else None
    claim(means, plan, named, [one.source for one in found])
    done, seen = Done(), 0
    with progress("items") as bar:
        if all(one.items is not None for one in found):
            bar.steps(sum(one.items or 0 for one in found))

        def tell(items: int) -> None:
            nonlocal seen
            seen += items
            bar.reading(f"{len(found):,} files", items)

        for one in run(means, found, options["jobs"], tell):
            done.add(one)
    return done, plan.name


def _tell(done: Done, out: Path) -> None:
    for line in (*done.failed, *done.flaws):
        click.echo(line, err=True)
    if (unnamed := done.held - len(done.failed)) > 0:
        click.echo(f"and {unnamed:,} more lines that could not pass", err=True)
    there = f", {done.duplicates:,} were there already" if done.duplicates else ""
    flagged = f", {done.flagged:,} flagged" if done.flagged else ""
    click.echo(f"{done.items:,} items: {done.events:,} events written to {out}{flagged}{there}")
    if done.held:
        click.echo(f"{done.held:,} could not pass, and are not written anywhere")
