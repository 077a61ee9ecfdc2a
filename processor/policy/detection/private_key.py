"""Private keys in PEM (RFC 7468; OpenSSH's and PGP's likewise): the block whole, whatever is in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from processor.policy.detection.recognizer import CERTAIN, Recognizer
from processor.policy.detection.scan import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.detection.scan import Scan

_LABEL = r"(?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
_BEGIN = re.compile(rf"-----BEGIN {_LABEL}", re.IGNORECASE)
_END = re.compile(rf"-----END {_LABEL}", re.IGNORECASE)


def _find(scan: Scan) -> Iterator[Span]:
    """From BEGIN to END; where the end was cut off, to the end of the text: half a key is too much."""
    text, at = scan.text, 0
    while begin := _BEGIN.search(text, at):
        end = _END.search(text, begin.end())
        at = end.end() if end else len(text)
        yield Span("private_key", begin.start(), at, CERTAIN)


_BODY = "MC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"  # of zeros

RECOGNIZER = Recognizer(
    entity="private_key",
    needs=("-----begin ",),
    find=_find,
    examples=tuple(
        f"-----BEGIN {label}-----{line}{_BODY}{line}-----END {label}-----"
        for label, line in (
            ("PRIVATE KEY", "\n"),
            ("RSA PRIVATE KEY", "\r\n"),
            ("OPENSSH PRIVATE KEY", " "),
            ("ENCRYPTED PRIVATE KEY", "\\n"),
            ("PGP PRIVATE KEY BLOCK", "\n\n"),
        )
    ),
    counterexamples=(
        f"-----BEGIN PUBLIC KEY-----\n{_BODY}\n-----END PUBLIC KEY-----",
        f"-----BEGIN CERTIFICATE-----\n{_BODY}\n-----END CERTIFICATE-----",
        "-----END PRIVATE KEY-----",
        "BEGIN PRIVATE KEY",
    ),
)
