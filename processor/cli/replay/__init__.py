"""`tidegate replay`: what was held back or given up, sent through the gate once more."""

from __future__ import annotations

import json
import re
import sys
import time
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from math import inf
from typing import TYPE_CHECKING, Any, Final

import click

from processor.cli import FINDINGS
from processor.cli.functions import env_option
from processor.cli.replay.report import Report, iso_day
from processor.cli.replay.sending import BATCH_SIZE, BATCH_SIZE_MAX
from processor.errors import TidegateError

if TYPE_CHECKING:
    from collections.abc import Callable

    from processor.cli.replay.export import Export
    from processor.cli.replay.failures import Failures
    from processor.cli.replay.function import Function
    from processor.cli.replay.quarantined import Quarantine

STREAM_KEEPS_S: Final = 86_400
NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,40}")


def _name(_ctx: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    if name is not None and not NAME.fullmatch(name):
        raise click.BadParameter("lower-case letters, digits, _ and -, as payments")
    return name


def _moment(_ctx: click.Context, option: click.Parameter, text: str | None) -> float | None:
    """Epoch seconds. A day as the end of a range is the start of the next."""
    if text is None:
        return None
    with suppress(ValueError):
        day = date.fromisoformat(text) + timedelta(days=option.name == "until")
        return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("a day as 2026-11-23 or a time as 2026-11-23T21:04:05Z") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


@click.command()
@env_option()
@click.option(
    "--stream", required=True, callback=_name, metavar="NAME",
    help="Whose records: the stream's name in Terraform's `streams`. Its function is called.",
)  # fmt: skip
@click.option("--quarantine", is_flag=True, help="Replay what its policy holds in quarantine.")
@click.option("--failures", is_flag=True, help="Replay the batches that Lambda gave up on.")
@click.option(
    "--export", "files", multiple=True, metavar="FILE",
    help="Replay a file of a table's export, here or at s3://…; may be given several times.",
)  # fmt: skip
@click.option(
    "--policy", callback=_name, metavar="NAME", help="Its policy, if it was another when these were held."
)
@click.option(
    "--since", callback=_moment, metavar="TIME",
    help="From this day or time on (UTC): of the change, or of writing in an export.",
)  # fmt: skip
@click.option(
    "--until", callback=_moment, metavar="TIME", help="Up to this day, included, or this time, excluded."
)
@click.option("--reason", default="", metavar="TEXT", help="Only what is held for a reason with this text.")
@click.option("--again", is_flag=True, help="Also what a replay has let out before.")
@click.option("--older", is_flag=True, help="Also what the ledger may have forgotten: it may come out twice.")
@click.option(
    "--written-at", callback=_moment, metavar="TIME",
    help="Of a full export, which does not say: when its items count as written.",
)  # fmt: skip
@click.option("--key", "keys", multiple=True, metavar="NAME", help="Of a full export: a key of the table.")
@click.option(
    "--batch-size", type=click.IntRange(1, BATCH_SIZE_MAX), default=BATCH_SIZE, show_default=True,
    help="Records in one call of the function, at most.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object on stdout.")
def replay(*, env: str, stream: str, policy: str | None, as_json: bool, **options: Any) -> None:
    """Send records through the gate once more: after a mended policy, an outage, or a loss.

    They go to the deployed function under its own role and today's policy. The ledger knows what was let out,
    so a second run, and one that was interrupted, writes nothing twice. No record is written to a file, a log
    or the terminal; attach the managed policy tidegate-ENV-replayer to who replays.

    --quarantine: opened with your own credentials. What is out gets a marker beside it and is skipped the
    next time; what still cannot pass stays held.

    --failures: a message of the failure queue names a range of a shard. The stream has it for a day; what is
    gone is named, and the message stays, as it does until all of its range is done.

    --export: for what the stream has forgotten before the gate saw it. An export knows no ids of the stream,
    so give --since and --until of what was lost: what was delivered would come out a second time. It has no
    order within a second and no version that was overwritten. Its ids are the same in each run.

    What is older than `retention_days.ledger` of the policy is refused without --older: the ledger has
    forgotten whether it was let out, and it would be written a second time.

    Exit codes: 0 all is out, 1 something is held again, unreadable, refused or not done, 2 unusable input.

    \b
    Example: see what is held, then let it out
      tidegate replay --env prod --stream payments --quarantine --dry-run
      tidegate replay --env prod --stream payments --quarantine --reason 'required field'
      tidegate replay --env prod --stream payments --failures
      tidegate replay --env prod --stream payments --since 2026-11-23T09:00Z --until 2026-11-23T11:30Z \\
        --export s3://exports/AWSDynamoDB/01700-ab12/data/x7sample.json.gz
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    source = _source(options)
    report = Report(source, stream, policy or "", dry_run=options["dry_run"])
    try:
        _run(report, env, options)
    except TidegateError as error:
        if not report.found and not report.calls:
            raise  # nothing has begun: it is the input
        report.stopped = str(error).rstrip(".")
    except KeyboardInterrupt:
        report.stopped = "interrupted"
    click.echo(json.dumps(report.plain()) if as_json else "\n".join(report.lines()))
    for caveat in () if as_json else report.caveats:
        click.echo(f"mind: {caveat}", err=True)
    if not report.is_clean:
        sys.exit(FINDINGS)


def _source(options: dict[str, Any]) -> str:
    """Which of the three it is.

    Raises:
        click.UsageError: it is none or several of them, or options of another.
    """
    given = {"quarantine": options["quarantine"], "failures": options["failures"], "export": options["files"]}
    chosen = [name for name, is_given in given.items() if is_given]
    if len(chosen) != 1:
        raise click.UsageError("which source? One of --quarantine, --failures and --export FILE.")
    (source,) = chosen
    belong = {
        "since": ("quarantine", "export"), "until": ("quarantine", "export"), "reason": ("quarantine",),
        "again": ("quarantine",), "written_at": ("export",), "keys": ("export",),
    }  # fmt: skip
    for name, sources in belong.items():
        if options[name] not in (None, "", False, ()) and source not in sources:
            option = "--key" if name == "keys" else "--" + name.replace("_", "-")
            raise click.UsageError(f"{option} goes with {' and '.join('--' + one for one in sources)} only")
    is_full = options["written_at"] is not None
    if source == "export" and is_full != bool(options["keys"]):
        raise click.UsageError("a full export needs both --written-at and --key")
    if source == "export" and not is_full and None in (options["since"], options["until"]):
        raise click.UsageError(
            "an export needs --since and --until: what the stream delivered before or after would come out a "
            "second time"
        )
    return source


def _run(report: Report, env: str, options: dict[str, Any]) -> None:
    from processor.cli.audit.place import progress  # noqa: PLC0415  --help does not need AWS
    from processor.cli.replay.age import oldest  # noqa: PLC0415
    from processor.cli.replay.function import find  # noqa: PLC0415
    from processor.cli.replay.sending import Sender  # noqa: PLC0415

    now = time.time()
    function = find(env, report.stream)
    report.policy = report.policy or function.policy
    known_since = oldest(function, report.policy, older=options["older"], clock=time.time)
    source = _made(report, function, known_since, now, options)
    with progress(source.unit) as bar:
        source.begin(bar.steps)
        if report.dry_run:
            source.look(lambda: bar.reading(report.source, 1))
        else:
            sender = Sender(function.caller(), report, batch_size=options["batch_size"])
            source.send(sender, lambda: bar.reading(report.source, 1))


def _made(
    report: Report, function: Function, known_since: Callable[[], float], now: float, options: dict[str, Any]
) -> Quarantine | Failures | Export:
    """The source that was asked for."""
    from processor.cli.replay.export import Export, Times  # noqa: PLC0415
    from processor.cli.replay.exported import Full  # noqa: PLC0415
    from processor.cli.replay.failures import Failures  # noqa: PLC0415
    from processor.cli.replay.quarantined import Choice, Quarantine  # noqa: PLC0415

    since, until = options["since"], options["until"]
    if report.source == "failures":
        return Failures(function, known_since, report)
    if report.source == "quarantine":
        choice = Choice(
            since="" if since is None else iso_day(since),
            until="9999" if until is None else iso_day(until - 1),
            reason=options["reason"],
            again=options["again"],
            oldest=known_since,
        )
        return Quarantine(function, choice, report)
    times = Times(
        since=-inf if since is None else since,
        until=inf if until is None else until,
        oldest=known_since,
        youngest=now - STREAM_KEEPS_S,
    )
    full = None if options["written_at"] is None else Full(options["written_at"], options["keys"])
    return Export(function, options["files"], times, full, report)
