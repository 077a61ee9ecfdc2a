"""IP addresses: version 4 in dotted decimal (RFC 791, RFC 6943 3.1.1), version 6 in text (RFC 4291, 2.2)."""

from __future__ import annotations

import re
from socket import AF_INET6, inet_pton
from typing import TYPE_CHECKING

from processor.policy.detection.recognizer import CERTAIN, LIKELY, POSSIBLE, Recognizer
from processor.policy.detection.scan import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.detection.scan import Scan

CONTEXT = ("ip", "ipv4", "ipv6", "address", "adresse", "host", "server", "client", "login", "remote", "vpn")
VERSIONS = (
    *(
        "version",
        "versao",
        "versione",
        "wersja",
        "versie",
        "release",
        "build",
        "firmware",
        "driver",
        "app",
        "os",
    ),
    *("oid", "section", "版本", "バージョン"),
)
_EITHER = CONTEXT + VERSIONS
VERSION_CHARACTERS = 20  # how far before a version it says so

DOTS, COLONS_MIN = 3, 2

# Both begin with a plain set of signs and look behind it second: `re` then skips ahead, five times as fast.
_V4 = re.compile(r"\.(?<=[0-9].)[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(?![0-9A-Za-z]|\.[0-9])")
_FIRST = re.compile(r"(?<![0-9A-Za-z.])[0-9]{1,3}\Z")
_V6 = re.compile(r"[0-9A-Fa-f:](?<![0-9A-Za-z:.].)[0-9A-Fa-f:.]{2,44}(?![0-9A-Za-z:])")


def _find(scan: Scan) -> Iterator[Span]:
    """Dotted quads; then runs of hexadecimal digits and colons that the system reads as an address."""
    text = scan.text
    if text.count(".") >= DOTS:
        for rest in _V4.finditer(text):
            first = _FIRST.search(text, max(0, rest.start() - 4), rest.start())
            if first and _is_v4(f"{first[0]}{rest[0]}"):
                yield Span("ip", first.start(), rest.end(), _score(scan, first.start(), rest.end()))
    if text.count(":") >= COLONS_MIN:
        for match in _V6.finditer(text):
            candidate = match[0].rstrip(".")
            if _is_v6(candidate):
                end = match.start() + len(candidate)
                score = CERTAIN if scan.has_near(CONTEXT, match.start(), end) else LIKELY
                yield Span("ip", match.start(), end, score)


def _score(scan: Scan, start: int, end: int) -> float:
    """Versions of programs have four parts too."""
    if not scan.has_near(_EITHER, start, end):
        return LIKELY
    if scan.has_near(CONTEXT, start, end):
        return CERTAIN
    return POSSIBLE if scan.has_near(VERSIONS, start, end, 0, max(0, start - VERSION_CHARACTERS)) else LIKELY


def _is_v4(quad: str) -> bool:
    """Whether each part is a byte, without a leading zero (some read it as octal)."""
    return all(int(part) <= 255 and (part == "0" or part[0] != "0") for part in quad.split("."))  # noqa: PLR2004


def _is_v6(text: str) -> bool:
    """Whether the system reads it so, and it is more than letters and colons (`a::b` is a name in C++)."""
    if text.count(":") < COLONS_MIN or not any(sign.isdigit() for sign in text):
        return False
    try:
        inet_pton(AF_INET6, text)
    except OSError:
        return False
    return True


RECOGNIZER = Recognizer(
    entity="ip",
    hint=r"[.:](?:(?<=[0-9].)[0-9]{1,3}\.|(?<=:)[0-9A-Fa-f]{0,4}:)",
    context=CONTEXT,
    find=_find,
    examples=("203.0.113.77", "2001:db8::1", "::ffff:203.0.113.77", "fe80::a:1", "255.255.255.255"),
    counterexamples=("1.2.3", "256.1.1.1", "1.2.3.4.5", "12:30:45", "a::b", "01.2.3.4"),
)
