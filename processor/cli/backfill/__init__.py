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
    "--env", envvar="TIDEGATE_ENV", show_envvar=True, metavar="ENV",
    help="The environment in which to have it done, as in make apply ENV=….",
)  # fmt: skip
@click.option("--stream", metavar="NAME", help="Whose table: the stream's name in Terraform's `backfills`.")
@click.option(
    "--export", "export_arn", metavar="ARN", help="Go on with an export that was made before, with --env."
)
@click.option(
    "--policy", "policy_file", type=_FILE, default=Path("policies/payments.yaml"), show_default=True,
    help="The policy's YAML file.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
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
    """Bring what is in a table already through the gate that its stream goes through.

    FILES are exports on this machine, and their events go to --out, without AWS. Without FILES, --env and
    --stream have the table exported (to a point in time) and the deployed gate bring the export through.

    A file is one of a full export in DYNAMODB_JSON as DynamoDB writes it: the folder of one
    (AWSDynamoDB/<id>), its manifest-summary.json, or data files. What a manifest says of a file (its MD5, how
    many items it has) is held against it.

    Each item becomes an event of the kind INSERT at the time of the export. It is scored as if nothing were
    known of its customer but what is in the same thousand items. Running it again goes on where it ended, and
    makes no second event. What cannot pass is in quarantine; here it is written nowhere, and stderr says
    which line and why.

    Attach the managed policy tidegate-ENV-backfiller to who starts it: it reads no record.

    Exit codes: 0 all is out, 1 something could not pass or is not done, 2 unusable input.

    \b
    Example: history in an environment, then what the events of another table would look like
      tidegate backfill --env prod --stream payments
      aws s3 cp --recursive s3://exports/AWSDynamoDB/01700000000000-a1b2c3d4 export
      (umask 077; head -c 64 /dev/urandom > key)
      tidegate backfill export --policy policies/payments.yaml --key payment_id --key-file key --out history
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    if bool(files) == bool(options["stream"]):
        raise click.UsageError("what? Either FILES and --out, or --env and --stream.")
    is_clean = _here(files, options, as_json) if files else _there(options, as_json)
    if not is_clean:
        sys.exit(FINDINGS)


def _there(options: dict[str, Any], as_json: bool) -> bool:  # noqa: FBT001
    from processor.cli.audit.place import progress  # noqa: PLC0415  --help does not need AWS
    from processor.cli.backfill.deployed import Backfill  # noqa: PLC0415

    if not options["env"]:
        raise click.UsageError("which environment? Say --env.")
    if options["out"] or options["key_file"] or options["keys"]:
        raise click.UsageError("--out, --key-file and --key go with FILES: the gate has its own")
    with progress("files") as bar:
        outcome = Backfill(options["env"], options["stream"]).run(
            options["export_arn"], bar, lambda text: click.echo(text, err=True)
        )
    click.echo(json.dumps(outcome.plain()) if as_json else "\n".join(outcome.lines()))
    return outcome.is_clean


def _here(files: tuple[Path, ...], options: dict[str, Any], as_json: bool) -> bool:  # noqa: FBT001
    if not options["out"]:
        raise click.UsageError("where to? Say --out DIR.")
    if options["export_arn"] or options["env"]:
        raise click.UsageError("--env and --export go without FILES")
    done, policy = _run(files, options)
    if as_json:
        click.echo(json.dumps({"policy": policy, "out": str(options["out"]), **done.plain()}))
    else:
        _tell(done, options["out"])
    return not (done.held or done.flaws)


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
