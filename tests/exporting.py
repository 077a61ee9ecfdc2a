"""Exports of payments for tests, on disk in DynamoDB's layout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from processor.local.exporting import Layout
from tests.builders import delivered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

EXPORT = "01795467845000-a1b2c3d4"
EXPORTED_AT = 1_795_467_845  # 2026-11-23T21:04:05Z
TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/payments"
LAYOUT = Layout(EXPORT, TABLE, EXPORTED_AT, "exports")


def written(folder: Path, items: Sequence[Mapping[str, Any]], parts: int = 2) -> Path:
    """The folder of an export of these items, written under another."""
    for key, content in LAYOUT.files([delivered(item) for item in items], parts).items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder / LAYOUT.folder


def data_files(folder: Path) -> list[Path]:
    """Of an export."""
    return sorted((folder / "data").iterdir())
