"""`tidegate model verify`."""

# ruff: noqa: PLC0415 - imported when a command runs

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from processor.cli import FINDINGS
from processor.cli.model.answers import FOLDER, answer, as_json

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("folder", type=FOLDER)
@as_json
def verify(folder: Path, *, as_json: bool) -> None:
    """Check the artefact in FOLDER end to end.

    Every file against its checksum in the manifest, the scores of the golden rows that the manifest carries,
    and the arrays against the scikit-learn estimator. The function makes the first of these checks itself
    when it starts, and does not start if it fails. Other versions of the libraries than those that it was
    trained with are a warning.

    \b
    Example: in the build, before the package is made.
      tidegate model verify models/payments_fraud || exit 1
    """  # noqa: D301
    from models import release
    from processor.scoring.artefact import read_manifest

    name = read_manifest(folder).model
    found, warnings = release.findings(folder), release.warnings(folder)
    for warning in warnings:
        click.echo(f"tidegate: warning: {warning}", err=True)
    content = {"model": name, "findings": found, "warnings": warnings}
    answer(content, found or [f"{name} is intact"], as_json=as_json)
    if found:
        sys.exit(FINDINGS)
