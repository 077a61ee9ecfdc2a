"""`tidegate audit verify`: the trail walked, and everything named that is not as the gate left it."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import click

from processor.cli import FINDINGS
from processor.cli.audit.place import of_environment, progress
from processor.cli.audit.verification import Verification
from processor.review.trail import REMEDIES, Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from processor.cli.audit.place import Place
    from processor.review.trail import Flaw

NEWEST: Final = 3  # named in a line; all are with --json
_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command(name="verify")
@of_environment
@click.option("--policy", help="Only the manifests of this policy.")
@click.option("--since", type=_DAY, help="From this day on (UTC).")
@click.option("--until", type=_DAY, help="Up to this day, included (UTC).")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object on stdout.")
def verify(
    place: Place, policy: str | None, since: datetime | None, until: datetime | None, *, as_json: bool
) -> None:
    """Walk the audit trail: every chain link by link, every object of events against its manifest.

    Findings are breaks (a link that does not name the one before it), missing and altered links, heads that
    know of links which are gone, keys that were written twice or deleted, objects of events that are gone,
    altered or without a manifest, and records that nothing names. With --since or --until, chains are walked
    inside of these days only.
    Exit codes: 0 the trail is whole, 1 findings, 2 it cannot be read.

    \b
    Example: every night, the last two days; once a month, everything.
      tidegate audit verify --env prod --since 2026-11-22
      tidegate audit verify --env prod --json > audit.json
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    window = _window(since, until)
    verification = Verification(place, policy, window, time.time())
    with progress("days") as bar:
        flaws = list(verification.flaws(bar.reading, bar.steps))
    if as_json:
        click.echo(json.dumps(_plain(verification, flaws), ensure_ascii=False))
    else:
        click.echo("\n".join([*map(str, flaws), *_summary(verification, flaws)]))
    if flaws:
        sys.exit(FINDINGS)


def _window(since: datetime | None, until: datetime | None) -> Window:
    if since is not None and until is not None and until < since:
        raise click.UsageError("--until is before --since")
    every = Window()
    return Window(
        since.date().isoformat() if since else every.since, until.date().isoformat() if until else every.until
    )


def _plain(verification: Verification, flaws: Sequence[Flaw]) -> dict[str, Any]:
    every, window = Window(), verification.window
    return {
        "findings": [
            {"kind": flaw.kind, "place": flaw.place, "message": flaw.words, "remedy": REMEDIES[flaw.kind]}
            for flaw in flaws
        ],
        "policy": verification.policy,
        "since": None if window.since == every.since else window.since,
        "until": None if window.until == every.until else window.until,
        **asdict(verification.walked),
        "unwitnessed": _newest_first(verification.walked.unwitnessed),
        "objects": verification.objects,
        "fences": verification.fences,
        "young": verification.young,
    }


def _summary(verification: Verification, flaws: Sequence[Flaw]) -> Iterator[str]:
    walked = verification.walked
    if flaws:
        yield ""
    if walked.reaching_out:
        yield (
            f"{_count(walked.reaching_out, 'chain')} with links outside of these days, or no longer kept:"
            " nothing was checked there."
        )
    if walked.newer:
        yield f"{_count(walked.newer, 'link')} came while this ran: left for the next time."
    if verification.young:
        yield f"{_count(verification.young, 'object')} so new that the manifest may be on its way."
    if walked.unwitnessed:
        keys = _newest_first(walked.unwitnessed)
        more = f" and {len(keys) - NEWEST:,} older" if len(keys) > NEWEST else ""
        yield (
            f"{_count(len(keys), 'link')} named by no other record, as when a writer ends between two writes:"
            f" only the bucket's lock vouches for {', '.join(keys[:NEWEST])}{more}."
        )
    yield (
        f"{_count(walked.chains, 'chain')}, {_count(walked.links, 'link')}, "
        f"{_count(verification.objects, 'object')} of events: "
        + (_count(len(flaws), "finding") if flaws else "all as the gate left them")
    )


def _newest_first(keys: Mapping[str, float]) -> list[str]:
    return sorted(keys, key=lambda key: (-keys[key], key))


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
