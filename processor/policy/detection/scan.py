"""A text made ready for the recognisers: folded to plain signs, its groups of digits found once for all."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import NamedTuple

TEXT_CHARACTERS_MAX = 100_000
"""Longer texts are not searched: the caller decides, and redacts."""

FOLDED_MAX = 8_192  # signs remembered: a few scripts' worth

# Seven digits or more with up to three separators between them: the shortest thing a number recogniser takes.
# Each digit can be matched in one way only, so a failed start costs at most 24 characters.
_CLUSTER = re.compile(r"[0-9](?:[ \t\-./()_]{0,3}[0-9]){6,}")
_UUID = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?![0-9A-Za-z])")
_UUID_BLANK = "x" * 36
_UUID_HYPHENS = 4

LETTERS_MAX = 8  # glued to a number, as in `card4111…`; more of them and it is a hash or an identifier


class Span(NamedTuple):
    """What was recognised: characters `start` to `end` (exclusive), and how sure it is, from 0 to 1."""

    entity: str
    start: int
    end: int
    score: float


@dataclass(slots=True)
class Scan:
    """One folded text and where in it the numbers are."""

    text: str
    clusters: list[tuple[int, int]] = field(default_factory=list)


def scan(folded: str) -> Scan:
    """Find the groups of digits, UUIDs blanked: one in a few thousand holds what looks like a card number."""
    if folded.count("-") >= _UUID_HYPHENS:
        folded = _UUID.sub(_UUID_BLANK, folded)
    return Scan(folded, [match.span() for match in _CLUSTER.finditer(folded)])


def is_apart(text: str, start: int, end: int) -> bool:
    """Whether at most a short word is glued to the number at `start` to `end`: if more, it is in a hash."""
    before = text[max(0, start - LETTERS_MAX - 1) : start]
    after = text[end : end + LETTERS_MAX + 1]
    return _ends_soon(before[::-1]) and _ends_soon(after)


def _ends_soon(text: str) -> bool:
    for index, sign in enumerate(text):
        if not sign.isalnum():
            return True
        if sign.isdigit() or index == LETTERS_MAX:
            return False
    return True


def fold(text: str) -> tuple[str, list[int] | None]:
    """The text in plain ASCII signs for matching, and the offset of each in the original (None: the same).

    Digits of every script become digits, full-width forms and other dresses of ASCII signs lose them,
    invisible characters and combining marks vanish, dashes and spaces of any kind become `-` and ` `. Letters
    with case become letters; the rest (Chinese, Arabic and the like stand next to numbers without a space)
    become `~`.
    """
    if text.isascii():
        return text, None
    folded = text.translate(_SIGNS)
    if len(folded) == len(text):
        return folded, None
    return folded, [index for index, sign in enumerate(text) if _SIGNS[ord(sign)] is not None]


class _Signs(dict[int, str | None]):
    """Code point to its plain sign, None where it vanishes; worked out when first met."""

    def __missing__(self, code: int) -> str | None:
        plain = _plain(chr(code))
        if len(self) < FOLDED_MAX:
            self[code] = plain
        return plain


def _plain(sign: str) -> str | None:  # noqa: PLR0911  a table of categories, one line each
    category = unicodedata.category(sign)
    if sign.isascii():
        return sign
    if category in {"Cf", "Mn", "Me"}:
        return None
    if category == "Nd":
        return str(unicodedata.decimal(sign))
    compatible = unicodedata.normalize("NFKC", sign)
    if len(compatible) == 1 and compatible.isascii():
        return compatible
    if category in {"Zs", "Zl", "Zp"}:
        return " "
    if category == "Pd" or sign == "\N{MINUS SIGN}":
        return "-"
    if category in {"Lu", "Ll", "Lt"}:
        base = unicodedata.normalize("NFKD", sign)[0]
        return base if base.isascii() and base.isalpha() else "x"
    return "~"


_SIGNS = _Signs()
