"""Values as people see them in a review: raw ones by their shape alone, sanitised ones in one line."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from processor.event import dumps
from processor.policy import paths
from processor.review.profile import is_name

if TYPE_CHECKING:
    from collections.abc import Sequence

SHAPE_CHARACTERS_MAX: Final = 32  # a longer text is shown by its length
LINE_CHARACTERS_MAX: Final = 60
VALUES_MAX: Final = 3  # of a field that has several


def shape(value: Any) -> str:
    """The type and form of a raw value, and nothing of its content: `Xxx@xxxxxxx.xxx`."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "true or false"
    if isinstance(value, int | Decimal):
        return f"number {_pattern(str(value))}"
    if isinstance(value, str):
        shown = 0 < len(value) <= SHAPE_CHARACTERS_MAX
        return f"text {_pattern(value)}" if shown else f"text of {counted(len(value), 'character')}"
    kind, one = ("map", "key") if isinstance(value, dict) else ("list", "item")
    return f"{kind} of {counted(len(value), one)}"


def in_line(value: Any) -> str:
    """A value in one line of printable signs, cut where it is long."""
    safe = printable(value if isinstance(value, str) else dumps(value))
    return safe if len(safe) <= LINE_CHARACTERS_MAX else safe[: LINE_CHARACTERS_MAX - 1] + "…"


def printable(text: str) -> str:
    """A text without signs that a terminal obeys or that reverse the line: they are written out."""
    return text if text.isprintable() else "".join(map(_printable, text))


def before(values: Sequence[Any], *, show: bool) -> str:
    """The raw values of a field: by their shape unless they are to be shown."""
    return _several([_shown(value) if show else shape(value) for value in values])


def after(values: Sequence[Any]) -> str:
    """The sanitised values of a field; nothing where it does not leave."""
    return _several([_shown(value) for value in values])


def path(written: str) -> str:
    """A path as coverage has it: names in it that are data themselves by their shape."""
    try:
        segments = paths.parse(written)
    except ValueError:
        return "(a name that no policy can write)"
    return paths.render(
        tuple(
            segment if isinstance(segment, paths.Wild) or is_name(segment) else shape(segment)
            for segment in segments
        )
    )


def share(part: int, whole: int) -> str:
    """A part in per cent, in which neither all nor nothing comes about by rounding."""
    if part in (0, whole) or not whole:
        return "100%" if part else "0%"
    return f"{min(max(100 * part / whole, 0.1), 99.9):.1f}%"


def _shown(value: Any) -> str:
    return in_line(value) or '""'


def counted(count: int, one: str) -> str:
    """A number of things, in words: `1 record`, `2,000 records`."""
    return f"{count:,} {one}{'' if count == 1 else 's'}"


def _several(texts: Sequence[str]) -> str:
    more = f", and {len(texts) - VALUES_MAX} more" if len(texts) > VALUES_MAX else ""
    return ", ".join(texts[:VALUES_MAX]) + more


def _pattern(text: str) -> str:
    return "".join(map(_stand_in, text))


def _stand_in(sign: str) -> str:
    """X for a capital, x for another letter, 9 for a digit; ASCII punctuation as it is, all else as `?`."""
    if sign.isnumeric():
        return "9"
    if sign.isalpha():
        return "X" if sign.isupper() else "x"
    return sign if sign.isascii() and sign.isprintable() else "?"


def _printable(sign: str) -> str:
    return sign if sign.isprintable() else json.dumps(sign)[1:-1]
