"""Hardware addresses (IEEE 802, EUI-48 and EUI-64): pairs with : or -, Cisco's fours with dots.

They name a device for life, and so its owner. There is no check digit; longer rows of such pairs are
fingerprints of keys.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from processor.policy.detection.recognizer import CERTAIN, LIKELY, POSSIBLE, Recognizer
from processor.policy.detection.scan import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.detection.scan import Scan

CONTEXT = (
    *(
        "mac",
        "hardware address",
        "physical address",
        "ethernet",
        "bssid",
        "bluetooth",
        "wifi",
        "wi-fi",
        "wlan",
    ),
    *("router", "device", "network", "gerat", "netz", "appareil", "reseau", "dispositivo", "端末", "设备"),
)

_PAIRS = re.compile(
    r"(?<![0-9A-Za-z])(?<![0-9A-Za-z][:-])[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}"
    r"(?:[0-9A-Fa-f]{2}\1[0-9A-Fa-f]{2}\1)?[0-9A-Fa-f]{2}"
    r"(?![0-9A-Za-z]|[:-][0-9A-Za-z])"
)
_FOURS = re.compile(
    r"(?<![0-9A-Za-z])(?<![0-9A-Za-z]\.)[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2}(?![0-9A-Za-z]|\.[0-9A-Za-z])"
)
_SEPARATORS = ((":", 5, _PAIRS), ("-", 5, _PAIRS), (".", 2, _FOURS))
"""How many of each an address has: to count them costs a tenth of looking for it."""


def _find(scan: Scan) -> Iterator[Span]:
    """Only digits are as likely a serial number; those take a word."""
    text = scan.text
    for pattern in {pattern for sign, count, pattern in _SEPARATORS if text.count(sign) >= count}:
        for match in pattern.finditer(text):
            if scan.has_near(CONTEXT, *match.span()):
                score = CERTAIN
            else:
                score = LIKELY if any(map(str.isalpha, match[0])) else POSSIBLE
            yield Span("mac", *match.span(), score)


RECOGNIZER = Recognizer(
    entity="mac",
    hint=r"[:.-][0-9A-Fa-f]{2}(?:(?<=[:-]..)[:-][0-9A-Fa-f]{2}[:-]|(?<=\...)[0-9A-Fa-f]{2}\.)",
    context=CONTEXT,
    find=_find,
    # IEEE RA's block for documentation (RFC 9542, 2.1.2) and others.
    examples=(
        "00:00:5e:00:53:af",
        "00-00-5E-00-53-AF",
        "0000.5e00.53af",
        "AA:BB:CC:DD:EE:FF",
        "00:00:5e:ff:fe:00:53:af",
        "01:23:45:67:89:01",
    ),
    counterexamples=(
        "00:00:5e:00:53",
        "00:00:5e:00:53:af:01",
        "00:00-5e:00-53:af",
        "00:00:5g:00:53:af",
        "0000.5e00",
        "0000.5e00.53af.0001",
        "12:30:45",
    ),
)
