"""`tidegate detect`: what the recognisers see in free text."""

from __future__ import annotations

import json
import sys

import click

from processor.cli import FINDINGS
from processor.cli.lines import numbered, parsed, report
from processor.errors import Poison
from processor.policy.detection import ENTITIES, REGIONS, SCORES, TEXT_CHARACTERS_MAX, find


@click.command(epilog=f"Entities: {', '.join(ENTITIES)}.\n\nRegions: {', '.join(REGIONS)}.")
@click.option(
    "--entity",
    "entities",
    type=click.Choice([*ENTITIES, *REGIONS]),
    metavar="NAME",
    multiple=True,
    help="What to look for, by entity or by region; may be given several times. Without it: everything.",
)
@click.option(
    "--least",
    type=click.Choice(list(SCORES)),
    default="likely",
    show_default=True,
    help="How sure a finding has to be: its form fits, a word near says so or its form is its own, "
    "its check digits are right.",
)
def detect(entities: tuple[str, ...], least: str) -> None:
    """Find personal data in text: JSON Lines {"text": …} on stdin, {"spans": […]} on stdout, in that order.

    Offsets count characters (code points) from 0, `end` exclusive. A line that fails is not on stdout; stderr
    says which one and why, and the exit code is 1.

    \b
    Example:
      echo '{"text": "call +1 212 555 0123"}' | tidegate detect
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    failed = 0
    for number, line in numbered(sys.stdin.buffer):
        try:
            spans = find(_text(line), entities or tuple(ENTITIES), least=SCORES[least])
        except Poison as poison:
            report(number, poison)
            failed += 1
        else:
            click.echo(json.dumps({"spans": [span._asdict() for span in spans]}))
    if failed:
        sys.exit(FINDINGS)


def _text(line: bytes) -> str:
    text = parsed(line).get("text")
    if type(text) is not str:
        raise Poison("lacks a text", "text")
    if len(text) > TEXT_CHARACTERS_MAX:
        raise Poison(f"is longer than the {TEXT_CHARACTERS_MAX:,} characters that are searched", "text")
    return text
