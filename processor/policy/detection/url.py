"""Web addresses (RFC 3986): they carry names, tokens and searches."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from processor.policy.detection.recognizer import CERTAIN, Recognizer
from processor.policy.detection.scan import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.detection.scan import Scan

URL_CHARACTERS_MAX = 2_048

_URL = re.compile(
    rf"(?<![0-9A-Za-z])(?:(?:https?|ftp)://|www\.)[^\s<>\"]{{2,{URL_CHARACTERS_MAX}}}", re.IGNORECASE
)


def _find(scan: Scan) -> Iterator[Span]:
    """Schemes people type, and www; without the punctuation that ends the sentence."""
    for match in _URL.finditer(scan.text):
        yield Span("url", match.start(), match.start() + len(match[0].rstrip(".,;:!?)]}'")), CERTAIN)


RECOGNIZER = Recognizer(
    entity="url",
    needs=("://", "www."),
    find=_find,
    examples=("https://example.com/a?b=c", "www.example.com", "FTP://files.example.org"),
    counterexamples=("example.com", "http//x", "mailto:ann"),
)
