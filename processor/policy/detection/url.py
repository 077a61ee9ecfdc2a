"""Web addresses: they carry names, tokens and searches."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from processor.policy.detection.scan import Scan, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

_URL = re.compile(r"(?<![0-9A-Za-z])(?:(?:https?|ftp)://|www\.)[^\s<>\"]{2,2048}", re.IGNORECASE)


def find(scan: Scan) -> Iterator[Span]:
    """Schemes people type, and www; without the punctuation that ends the sentence."""
    for match in _URL.finditer(scan.text):
        yield Span("url", match.start(), match.start() + len(match[0].rstrip(".,;:!?)]}'")), 0.8)
