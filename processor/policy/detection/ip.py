"""IP addresses, version 4 and 6."""

from __future__ import annotations

import re
from socket import AF_INET6, inet_pton
from typing import TYPE_CHECKING

from processor.policy.detection.scan import Scan, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_V4 = re.compile(rf"(?<![0-9A-Za-z.]){_OCTET}(?:\.{_OCTET}){{3}}(?![0-9A-Za-z]|\.[0-9])")
_V6 = re.compile(r"(?<![0-9A-Za-z:.])[0-9A-Fa-f:.]{3,45}(?![0-9A-Za-z:])")


def find(scan: Scan) -> Iterator[Span]:
    """Dotted quads; then runs of hexadecimal digits and colons that the system reads as an address."""
    text = scan.text
    if text.count(".") >= 3:  # noqa: PLR2004
        for match in _V4.finditer(text):
            yield Span("ip", match.start(), match.end(), 0.7)
    if text.count(":") >= 2:  # noqa: PLR2004
        for match in _V6.finditer(text):
            candidate = match[0].rstrip(".")
            if candidate.count(":") >= 2 and any(sign.isdigit() for sign in candidate) and _is_v6(candidate):  # noqa: PLR2004
                yield Span("ip", match.start(), match.start() + len(candidate), 0.8)


def _is_v6(text: str) -> bool:
    try:
        inet_pton(AF_INET6, text)
    except OSError:
        return False
    return True
