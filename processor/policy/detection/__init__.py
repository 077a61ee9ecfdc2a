"""Personal data in free text, recognised by form and check digit in linear time: one recogniser a file.

Before any pattern runs, one pass looks for what every entity needs (an @, a few digits near each other), so
that the usual text costs next to nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from processor.policy.detection import card, email, iban, ip, phone, ssn, url
from processor.policy.detection.scan import TEXT_CHARACTERS_MAX, Scan, Span, fold, scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["ENTITIES", "GUARDED", "TEXT_CHARACTERS_MAX", "Span", "find", "finder"]

ENTITIES = {
    "card": "payment card numbers, by issuer range and check digit",
    "email": "e-mail addresses",
    "iban": "international bank account numbers, by country and check digits",
    "ip": "IP addresses, version 4 and 6",
    "phone": "telephone numbers: international, US, UK, German and French forms",
    "ssn": "US social security numbers",
    "url": "web addresses",
}
GUARDED = ("card", "email", "iban", "ssn")
"""What the leak guard looks for: what is recognised surely enough to stop a field that a policy lets out."""

# These look into groups of digits only, and texts without one are the usual ones.
_IN_CLUSTERS = {"card": card.find, "phone": phone.find, "ssn": ssn.find}
_DIGIT = re.compile(r"[0-9]")


def find(text: str, entities: Iterable[str] = tuple(ENTITIES)) -> list[Span]:
    """What is recognised in a text, in order and without overlap; offsets are those of the text given."""
    return finder(tuple(entities))(text)


@lru_cache(maxsize=64)
def finder(entities: tuple[str, ...]) -> Callable[[str], list[Span]]:
    """The function that finds these entities. Texts over `TEXT_CHARACTERS_MAX` are the caller's to refuse."""
    in_clusters = tuple(_IN_CLUSTERS[name] for name in entities if name in _IN_CLUSTERS)
    with_iban = "iban" in entities
    by_digits = bool(in_clusters) or with_iban
    with_email, with_ip, with_url = "email" in entities, "ip" in entities, "url" in entities
    has_digit = _DIGIT.search

    def found(text: str) -> list[Span]:
        folded, offsets = fold(text)
        spans: list[Span] = []
        if by_digits and has_digit(folded):
            prepared = scan(folded)
            if prepared.clusters:
                for recognise in in_clusters:
                    spans.extend(recognise(prepared))
            if with_iban:
                spans.extend(iban.find(prepared))
        if with_email and "@" in folded:
            spans.extend(email.find(Scan(folded)))
        if with_ip and ("." in folded or ":" in folded):
            spans.extend(ip.find(Scan(folded)))
        if with_url and ("://" in folded or "www." in folded.lower()):
            spans.extend(url.find(Scan(folded)))
        if len(spans) > 1:
            spans = _apart(spans)
        return spans if offsets is None else [_moved(span, offsets) for span in spans]

    return found


def _apart(spans: Sequence[Span]) -> list[Span]:
    """Where spans overlap, the longer has it, then the surer; it grows over what sticks out of the other.

    Growing, because half a card number beside a telephone number is still half a card number.
    """
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        last = kept[-1] if kept else None
        if last is None or span.start >= last.end:
            kept.append(span)
            continue
        best = max(last, span, key=lambda span: (span.end - span.start, span.score))
        kept[-1] = best._replace(start=last.start, end=max(last.end, span.end))
    return kept


def _moved(span: Span, offsets: list[int]) -> Span:
    return span._replace(start=offsets[span.start], end=offsets[span.end - 1] + 1)
