"""`tidegate model card`."""

# ruff: noqa: PLC0415 - imported when a command runs

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from processor.cli.model.answers import FOLDER, answer, as_json

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("folder", type=FOLDER)
@as_json
def card(folder: Path, *, as_json: bool) -> None:
    """Print the model card of the artefact in FOLDER.

    \b
    Example: what is it for, what does it find, what can it not do?
      tidegate model card models/payments_fraud
    """  # noqa: D301
    from processor.scoring.artefact import checked, read_manifest

    manifest = read_manifest(folder)
    text = checked(manifest, "MODEL_CARD.md").decode()
    content = {"model": manifest.model, "figures": manifest.content.get("figures"), "card": text}
    answer(content, [text], as_json=as_json)
