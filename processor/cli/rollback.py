"""`tidegate rollback`: a stream sent to the version before the one in force, in seconds."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from processor.cli.alias import Live, lambda_client, streams
from processor.cli.functions import env_option
from processor.errors import TidegateError
from processor.review.canary import before

if TYPE_CHECKING:
    from collections.abc import Sequence

    from processor.review.canary import Pointing, Version


@dataclass(frozen=True, slots=True)
class Move:
    """A roll-back that can be made."""

    live: Live
    bad: Version
    """What is taken back: the canary, or else the version in force."""
    target: Version
    passed_over: list[int]
    """Versions between that were withdrawn earlier."""

    def make(self, why: str) -> None:
        """Move the alias."""
        self.live.go_back(self.target, self.bad, why)

    def as_json(self) -> dict[str, Any]:
        """The same for scripts."""
        ends = {"from": self.bad, "to": self.target}
        told = {end: {"version": one.number, "description": one.description} for end, one in ends.items()}
        return {"stream": self.live.stream, **told, "passed_over": self.passed_over}


@click.command()
@env_option()
@click.option(
    "--stream", metavar="NAME", help="Which stream; needed where there are several and no canary runs."
)
@click.option("--to", type=click.IntRange(1), metavar="VERSION", help="A version of your choice.")
@click.option(
    "--reason", default="tidegate rollback", help="Why, for whoever reads the alias. No personal data."
)
@click.option("--dry-run", is_flag=True, help="Say from what to what, and move nothing.")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object on stdout.")
def rollback(
    env: str, stream: str | None, to: int | None, reason: str, *, dry_run: bool, as_json: bool
) -> None:
    """Send a stream to the version before the one in force; take back a canary that runs.

    It moves the alias and nothing else: no Terraform, no build, and the next batch meets the older version.
    Records that were held back meanwhile wait in quarantine for tidegate replay. The version it leaves is
    marked (an alias withdrawn-N), so that the next rollback does not end there. The next make plan says above
    the plan that the stream was rolled back; an apply sends it to the newest version again: mend first.
    Exit codes: 0 moved, 2 there is nothing to go back to or it cannot be done.

    \b
    Examples
      tidegate rollback --env prod                       # the stream with a canary, or the only stream
      tidegate rollback --env prod --stream payments --dry-run
      tidegate rollback --env prod --stream payments --to 12 --reason 'flags every second payment'
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    client = lambda_client()
    move = planned(_chosen(env, stream, client), to)
    if not dry_run:
        move.make(reason)
    if as_json:
        click.echo(json.dumps(move.as_json() | {"moved": not dry_run}))
        return
    for number in move.passed_over:
        click.echo(f"passed over: version {number}, which was withdrawn", err=True)
    would = "would go" if dry_run else "goes"
    click.echo(
        f"{move.live.stream}: {would} from {move.bad}\n{' ' * len(move.live.stream)}  to {move.target}"
    )
    if not dry_run:
        click.echo("The next make plan says so, and what an apply would do.", err=not sys.stdout.isatty())


def _chosen(env: str, stream: str | None, client: Any) -> Live:
    names = streams(env, client)
    if stream is not None and stream not in names:
        raise TidegateError(f"there is no stream {stream}; there are {', '.join(names)}")
    lives = [Live(env, name, client) for name in ([stream] if stream else names)]
    if len(lives) == 1:
        return lives[0]
    pointing = {live.stream: live.now() for live in lives}
    tried = [live for live in lives if pointing[live.stream].canary is not None]
    if len(tried) == 1:
        return tried[0]
    raise TidegateError(f"say which with --stream: {_listed(pointing)}")


def _listed(pointing: dict[str, Pointing]) -> str:
    return ", ".join(f"{name} ({where})" for name, where in pointing.items())


def planned(live: Live, to: int | None = None) -> Move:
    """What a roll-back would do.

    Raises:
        TidegateError: there is no such version, or the role of today does not serve it.
    """
    now, versions, withdrawn = live.now(), live.versions(), live.withdrawn()
    bad = versions[now.version if now.canary is None else now.canary]
    if to is not None:
        target = versions.get(to)
    else:
        target = (
            before(versions.values(), now.version, withdrawn) if now.canary is None else versions[now.version]
        )
    if target is None or (target == bad and now.canary is None):
        there = ", ".join(map(str, sorted(versions)))
        wanted = f"version {to}" if to else f"a version before {now.version}"
        raise TidegateError(
            f"{live.stream}: {wanted} is not there to go back to. In force is {now}; there are {there}."
        )
    _must_be_served(live.stream, target, (max(versions.values()), versions[now.version]))
    between = [] if to or now.canary else [one for one in withdrawn if target.number < one < now.version]
    return Move(live, bad, target, sorted(between))


def _must_be_served(stream: str, target: Version, served: Sequence[Version]) -> None:
    """The role is made for the newest version, and while a canary runs for the one in force besides."""
    reaches = target.reach.difference(*(one.reach for one in served))
    keys = target.token_keys.difference(*(one.token_keys for one in served))
    if missing := [*sorted(reaches), *(f"token key {key}" for key in sorted(keys))]:
        raise TidegateError(
            f"{stream}: {target} reaches {', '.join(missing)}, which the role does not grant now: "
            "every batch would stop. Go back by its package: check it out, make package, make apply"
        )
