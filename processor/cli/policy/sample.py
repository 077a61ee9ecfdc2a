"""The sample that a policy is looked at with: JSON Lines, read once, with a word on the way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import click

from processor.cli.lines import numbered, parsed, unusable
from processor.errors import Poison

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRESS_S: Final = 5
LINES_BETWEEN: Final = 1_000  # looks at the clock


def records(sample: Path) -> Iterator[dict[str, Any]]:
    """The records of a file. One that cannot be read, or a line that is none, ends the command."""
    started = said = time.monotonic()
    try:
        with sample.open("rb") as stream:
            size = sample.stat().st_size
            for count, (number, line) in enumerate(numbered(stream), 1):
                try:
                    record = parsed(line)
                except Poison as poison:
                    unusable(f"{sample}: line {number}: {poison}")
                yield record
                if count % LINES_BETWEEN == 0 and time.monotonic() - said >= PROGRESS_S:
                    said = time.monotonic()
                    # What is no regular file, a pipe for one, has no size.
                    share = f", {stream.tell() / size:.0%} of the file" if size else ""
                    rate = count / (said - started)
                    click.echo(f"tidegate: {count:,} records{share}, {rate:,.0f} a second", err=True)
    except OSError as error:
        unusable(f"{sample}: cannot be read: {error.strerror}")
