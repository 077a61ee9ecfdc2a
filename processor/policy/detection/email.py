"""E-mail addresses (RFC 5321 without quoted local parts and address literals)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from processor.policy.detection.recognizer import CERTAIN, Recognizer
from processor.policy.detection.scan import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.detection.scan import Scan

LOCAL_MAX, DOMAIN_MAX = 64, 253  # characters (RFC 5321, 4.5.3.1)

_LOCAL = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+'&-"
# One way only to match a run of labels: no backtracking.
_DOMAIN = re.compile(r"[A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*(?:\.[A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*)*")
_TOP_LEVEL = re.compile(r"[A-Za-z]{2,63}|xn--[A-Za-z0-9-]{1,59}", re.IGNORECASE)


def _find(scan: Scan) -> Iterator[Span]:
    """Look left and right of each @, a bounded way: linear however many there are."""
    text = scan.text
    at = text.find("@")
    while at >= 0:
        before = text[max(0, at - LOCAL_MAX) : at]
        local = before[len(before.rstrip(_LOCAL)) :].lstrip("'.-&%")
        domain = _domain(text, at + 1) if local else 0
        if domain:
            yield Span("email", at - len(local), at + 1 + domain, CERTAIN)
        at = text.find("@", at + 1)


def _domain(text: str, start: int) -> int:
    """Length of the domain at `start`, up to its last label that can be a top-level one; 0 if none can."""
    match = _DOMAIN.match(text, start, start + DOMAIN_MAX)
    labels = match[0].split(".") if match else []
    while len(labels) > 1 and not _TOP_LEVEL.fullmatch(labels[-1]):
        labels.pop()
    return len(".".join(labels)) if len(labels) > 1 else 0


RECOGNIZER = Recognizer(
    entity="email",
    needs=("@",),
    find=_find,
    examples=(
        "ann@example.com",
        "ann.lee+x@mail.example.co.uk",
        "ANN@EXAMPLE.ORG",
        "a@xn--bcher-kva.example",
    ),
    counterexamples=("ann@", "@example.com", "ann@localhost", "ann at example.com", "1@2.3"),
)
