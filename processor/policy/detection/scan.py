"""A text made ready for the recognisers: folded to plain signs, with the stretches around its digits."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from processor.policy.detection.words import stand_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TEXT_CHARACTERS_MAX = 100_000
"""Longer texts are not searched: the caller decides, and redacts."""

FOLDED_MAX = 8_192  # signs remembered: a few scripts' worth
BEFORE_CHARACTERS, AFTER_CHARACTERS = 48, 24  # how far a word of the context may stand from what it explains

# Between two digits of one stretch: up to three separators, then a few letters and a sign (`1EG4-TE5-MK72`,
# `SW1A 1AA`). Each sign can be matched in one way only, so a failed start costs a bounded number of signs.
_JOIN = r"[ \t\n\-./()_]{0,3}(?:[A-Za-z]{1,4}[ \-]?)?"
_beyond_ascii = re.compile(r"[^\x00-\x7F]+").findall
PLAIN_SHARE = 8  # up to one octet in eight extra (German, French), sign by sign is twice as fast
COUNTED_MAX = 6
_GROUP = re.compile(r"[0-9]+")
_UUID = re.compile(
    r"[0-9A-Fa-f](?<![0-9A-Za-z].)[0-9A-Fa-f]{7}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?![0-9A-Za-z])"
)
_UUID_BLANK = "x" * 36
UUID_HYPHENS = 4

LETTERS_MAX = 8  # glued to a number, as in `card4111…`; more of them and it is a hash or an identifier


class Span(NamedTuple):
    """What was recognised: characters `start` to `end` (exclusive), and how sure it is, from 0 to 1."""

    entity: str
    start: int
    end: int
    score: float


@dataclass(slots=True)
class Scan:
    """A folded text as one recogniser is to see it: with the stretches that may hold what it looks for."""

    text: str
    stretches: Sequence[tuple[int, int]] = ()
    original: str = ""
    """The text as it was given, where folding changed it: words in other scripts are looked up there."""
    offsets: list[int] | None = None
    """Of each sign in the original; None: the same."""

    def has_near(
        self, words: Sequence[str], start: int, end: int, after: int = AFTER_CHARACTERS, since: int = 0
    ) -> bool:
        """Whether one of some words (lower case) stands shortly before or after `start` to `end`.

        Args:
            words: in plain signs, or in a script that has none.
            start: of what they are to be near.
            end: of the same.
            after: how many characters are looked at on the right; 0 for what is named before, not after.
            since: nothing before this is looked at.
        """
        text = self.text
        around = f"{text[max(since, start - BEFORE_CHARACTERS) : start]}|{text[end : end + after]}".lower()
        if self.original:
            around = f"{around}|{self._original_around(start, end, after, since)}"
        return stand_in(words, around)

    def _original_around(self, start: int, end: int, after: int, since: int) -> str:
        offsets, original = self.offsets, self.original
        if offsets:
            since = offsets[since] if since < len(offsets) else len(original)
            start, end = offsets[start], offsets[end - 1] + 1
        return (
            f"{original[max(since, start - BEFORE_CHARACTERS) : start]}|{original[end : end + after]}".lower()
        )


stretches = re.compile(rf"[0-9][0-9]*(?:{_JOIN}[0-9]+)*").finditer
"""Finds the stretches of a text, those of a single digit too."""


@lru_cache(maxsize=COUNTED_MAX)
def has_digits(count: int) -> Callable[[str], object]:
    """What says whether a text may have a stretch of so many digits: no, of most that have too few.

    It counts to a few: each digit of a shorter number is a start, from which it would count anew.
    """
    return re.compile(rf"[0-9](?:{_JOIN}[0-9]){{{min(count, COUNTED_MAX) - 1}}}").search


def groups(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Where the runs of digits in a stretch are."""
    return [match.span() for match in _GROUP.finditer(text, start, end)]


def without_uuids(folded: str) -> str:
    """The text with its UUIDs blanked: one in a few thousand holds what looks like a card number."""
    return _UUID.sub(_UUID_BLANK, folded)


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
    invisible characters and combining marks vanish, dashes, spaces, dots and slashes of any kind become `-`,
    ` `, `.` and `/`. Letters with case become letters; the rest (Chinese, Arabic and the like stand next to
    numbers without a space) become `~`.
    """
    if text.isascii():
        return text, None
    if len(text.encode("utf-8", "surrogatepass")) - len(text) <= len(text) // PLAIN_SHARE:
        folded = text
        for sign in set("".join(_beyond_ascii(text))):
            folded = folded.replace(sign, _SIGNS[ord(sign)] or "")
    else:
        folded = text.translate(_SIGNS)
    if len(folded) == len(text):
        return folded, None
    return folded, [index for index, sign in enumerate(text) if _SIGNS[ord(sign)] is not None]


# What is read as a separator or as nothing, and whose category does not say so.
_READ_AS: dict[str, str | None] = {
    **dict.fromkeys("\N{MINUS SIGN}\N{HYPHEN BULLET}\N{KATAKANA-HIRAGANA PROLONGED SOUND MARK}", "-"),
    **dict.fromkeys("\N{BOX DRAWINGS LIGHT HORIZONTAL}\N{MODIFIER LETTER MINUS SIGN}", "-"),
    **dict.fromkeys("\N{MIDDLE DOT}\N{BULLET}\N{DOT OPERATOR}\N{BULLET OPERATOR}\N{HYPHENATION POINT}", "."),
    **dict.fromkeys("\N{KATAKANA MIDDLE DOT}\N{GREEK ANO TELEIA}\N{IDEOGRAPHIC FULL STOP}", "."),
    **dict.fromkeys("\N{WORD SEPARATOR MIDDLE DOT}\N{ARABIC FULL STOP}\N{BLACK CIRCLE}", "."),
    **dict.fromkeys(
        "\N{FRACTION SLASH}\N{DIVISION SLASH}\N{BIG SOLIDUS}\N{MATHEMATICAL RISING DIAGONAL}", "/"
    ),
    "\N{BRAILLE PATTERN BLANK}": " ",
    **dict.fromkeys("\N{HANGUL FILLER}\N{HALFWIDTH HANGUL FILLER}\N{HANGUL CHOSEONG FILLER}", None),
    "\N{HANGUL JUNGSEONG FILLER}": None,
}


class _Signs(dict[int, str | None]):
    """Code point to its plain sign, None where it vanishes; worked out when first met."""

    def __missing__(self, code: int) -> str | None:
        plain = _plain(chr(code))
        if len(self) < FOLDED_MAX:
            self[code] = plain
        return plain


def _plain(sign: str) -> str | None:  # noqa: PLR0911  a table of categories, one line each
    if sign.isascii():
        return sign
    if sign in _READ_AS:
        return _READ_AS[sign]
    category = unicodedata.category(sign)
    if category in {"Cf", "Mn", "Me", "Cc"}:
        return None
    if category == "Nd":
        return str(unicodedata.decimal(sign))
    compatible = unicodedata.normalize("NFKC", sign)
    if len(compatible) == 1 and compatible.isascii():
        return compatible
    if category in {"Zs", "Zl", "Zp"}:
        return " "
    if category == "Pd":
        return "-"
    if category == "Sc":
        return "$"
    if category in {"Lu", "Ll", "Lt"}:
        base = unicodedata.normalize("NFKD", sign)[0]
        return base if base.isascii() and base.isalpha() else "x"
    return "~"


_SIGNS = _Signs()
