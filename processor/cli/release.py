"""`tidegate release`: a new version on a part of the stream, watched, and then on all of it or on none."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
import click

from processor.cli import FINDINGS
from processor.cli.alias import Live, lambda_client
from processor.cli.functions import env_option, explained
from processor.cli.releasing import Release
from processor.cli.watch import Watch
from processor.local.planning import progress
from processor.local.terraform import Terraform

if TYPE_CHECKING:
    from collections.abc import Iterator

UNITS_S: Final = {"s": 1, "m": 60, "h": 3600}
SHORT_S: Final = 600  # alarms go by up to five minutes, and metrics come late


def _duration(_ctx: click.Context, _option: click.Parameter, text: str) -> float:
    found = re.fullmatch(r"([1-9][0-9]{0,3})([smh])", text)
    if not found:
        raise click.BadParameter("a whole number and s, m or h, as 15m")
    return float(int(found[1]) * UNITS_S[found[2]])


@click.command()
@env_option()
@click.option(
    "--canary", "percent", type=click.IntRange(1, 99), required=True, metavar="PERCENT",
    help="How many of 100 batches go to the new version while it is watched.",
)  # fmt: skip
@click.option(
    "--for", "for_s", default="15m", callback=_duration, show_default=True, help="How long it is watched."
)
@click.option("--stream", metavar="NAME", help="The stream that must be the only one to change.")
@click.option("--yes", is_flag=True, help="Do not ask before applying.")
@click.option(
    "--json", "as_json", is_flag=True, help="Answer with one JSON object on stdout; all else goes to stderr."
)
@click.argument("terraform_options", nargs=-1)
def release(
    env: str, percent: int, for_s: float, stream: str | None, terraform_options: tuple[str, ...], *,
    yes: bool, as_json: bool,
) -> None:  # fmt: skip
    """Try a new version on a part of the stream, and go on with it only if no alarm rings.

    It plans and shows what changes as make apply does, asks, and applies with PERCENT of the batches for the
    new version. Then it watches the alarms that tidegate-ENV-STREAM-canary sums up. If none rings and records
    came, all batches go to the new version, and a last apply writes that down. If one rings, on Ctrl-C, or if
    no record came, all go to the old version again, and the new one is marked as withdrawn.

    If this machine dies meanwhile, the canary stays as it is: start the same release again to
    watch it anew, or take it back with tidegate rollback. It does not begin while an alarm rings.

    Exit codes: 0 went on, or there was nothing to release; 1 went back, or was not begun; 2 unusable
    input. Options after -- are Terraform's.

    \b
    Example: 10 % for a quarter of an hour, for scripts
      make package
      tidegate release --env prod --canary 10 --for 15m --yes --json -- -var=runtime=python3.13
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    terraform = Terraform(env, on_line=progress)
    client = lambda_client()
    with explained("the credentials"):
        watch = Watch(env, boto3.client("cloudwatch"))
    with _told_on_stderr(as_json), tempfile.TemporaryDirectory(prefix="tidegate-release-") as folder:
        terraform.init()
        releasing = Release(
            terraform=terraform,
            options=(*terraform_options, *(["-auto-approve"] if yes else [])),
            watch=watch,
            live=lambda name: Live(env, name, client),
            folder=Path(folder),
        )
        if for_s < SHORT_S:
            click.echo(
                "In less than 10m few of the alarms can ring: they go by up to five minutes.", err=True
            )
        with _terminated_as_interrupted():
            outcome = releasing.run(percent, for_s, stream)
    for line in outcome.told():
        click.echo(line, err=as_json)
    if as_json:
        click.echo(json.dumps(outcome.as_json()))
    if not outcome.is_fine:
        raise SystemExit(FINDINGS)


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Whoever ends us by SIGTERM means what Ctrl-C means: go back first."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


@contextmanager
def _told_on_stderr(wanted: bool) -> Iterator[None]:  # noqa: FBT001
    """Let what Terraform and the review print to stdout go to stderr, while the context is open."""
    if not wanted:
        yield
        return
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
