"""Hardware addresses (IEEE 802, EUI-48 and EUI-64): pairs with : or -, or Cisco's fours with dots."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from processor.policy.detection.recognizer import CERTAIN, LIKELY, POSSIBLE, Recognizer
from processor.policy.detection.scan import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.detection.scan import Scan

CONTEXT = (
    "mac",
    "bssid",
    "ethernet",
    "hardware",
    "device",
    "adapter",
    "router",
    "wifi",
    "wlan",
    "bluetooth",
    "nic",
    "arp",
)

_SIGNS_MIN = {":": 5, "-": 5, ".": 2}

# Begins with a plain set of signs, the look behind second: `re` then skips ahead.
_MAC = re.compile(
    r"[0-9A-Fa-f](?<![0-9A-Za-z].)(?<![0-9A-Za-z][:.-].)[0-9A-Fa-f](?:"
    r"([:-])[0-9A-Fa-f]{2}(?:\1[0-9A-Fa-f]{2}){4}(?:(?:\1[0-9A-Fa-f]{2}){2})?"
    r"|[0-9A-Fa-f]{2}(?:\.[0-9A-Fa-f]{4}){2}"
    r")(?![0-9A-Za-z]|[:.-][0-9A-Za-z])"
)


def _find(scan: Scan) -> Iterator[Span]:
    """Pairs of digits alone, with hyphens or dots, are anything's."""
    text = scan.text
    if any(text.count(sign) >= least for sign, least in _SIGNS_MIN.items()):
        for match in _MAC.finditer(text):
            if scan.has_near(CONTEXT, *match.span()):
                yield Span("mac", *match.span(), CERTAIN)
            else:
                own = ":" in match[0] or not match[0].replace("-", "").replace(".", "").isdigit()
                yield Span("mac", *match.span(), LIKELY if own else POSSIBLE)


RECOGNIZER = Recognizer(
    entity="mac",
    hint=r"[:.-][0-9A-Fa-f]{2}(?:(?<=[:-]..)[:-][0-9A-Fa-f]{2}[:-]|[0-9A-Fa-f]{2}\.)",
    context=CONTEXT,
    find=_find,
    # From the block that IANA keeps for documentation (RFC 9542).
    examples=("00:00:5E:00:53:AF", "00-00-5e-00-53-af", "0000.5e00.53af", "00:00:5e:ff:fe:00:53:af"),
    counterexamples=("00:00:5E:00:53", "00:00:5E:00:53:AG", "00:00:5E-00:53:AF", "10:30:45", "1234.5678"),
)
