"""Values of a column as compact arrays: numbers, moments, and texts that are kept once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from processor.scoring.features import instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    FloatColumn = NDArray[np.float64]
    Column = NDArray[Any]  # of float64, int64 or objects, None where a record has no value

INT: Final = r"(?:0|-?[1-9][0-9]{0,17})"
# An exponent only as programs write it, with a sign: 1E5 is more often a code than a number.
FLOAT: Final = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-][0-9]+)?"
_ALL_INTS: Final = re.compile(rf"(?:{INT}\n)++")
_ALL_FLOATS: Final = re.compile(rf"(?:{FLOAT}\n)++")
_AN_INT: Final = re.compile(INT)
_A_FLOAT: Final = re.compile(FLOAT)
_ANY_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_SECONDS: Final = re.compile(r"(?![0-9]{8}$)[0-9]{1,18}(?:\.[0-9]+)?")  # eight digits are a date: 20260401

# ISO 8601 by length: (unit, how many of a second). The rest is read one by one.
_UNITS: Final = {19: ("s", 1), 23: ("ms", 1_000), 26: ("us", 1_000_000)}
_MARKS: Final = {4: b"-", 7: b"-", 13: b":", 16: b":", 19: b"."}
MEMO_MAX: Final = 200_000
EXACT: Final = 2**53  # up to which a float64 holds every integer


def objects(values: Sequence[Any]) -> Column:
    """The values as they are."""
    return np.fromiter(values, dtype=object, count=len(values))


def compact(values: Sequence[Any]) -> Column:
    """The values, as numbers side by side if they are all of one kind."""
    kinds = set(map(type, values))
    try:
        if kinds == {float}:
            return np.array(values, dtype=np.float64)
        if kinds == {int}:
            return np.array(values, dtype=np.int64)
    except OverflowError:
        pass
    return objects(values)


class Texts:
    """Texts of one column, each kept once as long as few of them differ."""

    def __init__(self) -> None:
        self._memo: dict[str, str] = {}

    def column(self, texts: Sequence[str]) -> Column:
        """The texts, None for an empty one."""
        memo = self._memo
        if len(memo) < MEMO_MAX:
            texts = list(map(memo.setdefault, texts, texts))
        return objects([text or None for text in texts] if "" in memo or "" in texts else texts)


def by_form(texts: Sequence[str], memo: Texts) -> Column:
    """The column of a file without types: what is written as a number is one, and nothing is None.

    What has a leading zero or a plus, or is as long as a card number with 19 digits, is text.
    """
    joined = "\n".join(texts) + "\n"
    if (column := _all_numbers(texts, joined)) is not None:
        return column
    if not re.search(r"^-?[0-9]", joined, re.MULTILINE):
        return memo.column(texts)
    return objects([_by_form(text) for text in texts])


def _by_form(text: str) -> Any:
    if _AN_INT.fullmatch(text):
        return int(text)
    return float(text) if _A_FLOAT.fullmatch(text) else text or None


def numbers(texts: Sequence[str]) -> Column:
    """A column that should hold numbers; what is none stays text."""
    column = _all_numbers(texts, "\n".join(texts) + "\n")
    return objects([_number(text.strip()) for text in texts]) if column is None else column


def _all_numbers(texts: Sequence[str], joined: str) -> Column | None:
    """The column, if every text is written as a number; `joined` has a newline after each."""
    try:
        if _ALL_INTS.fullmatch(joined):
            return np.array(list(map(int, texts)), dtype=np.int64)
        if _ALL_FLOATS.fullmatch(joined):
            return np.array(list(map(float, texts)), dtype=np.float64)
    except ValueError:  # a text with a newline in it
        pass
    return None


def _number(text: str) -> Any:
    if _AN_INT.fullmatch(text):
        return int(text)
    return float(text) if _ANY_NUMBER.fullmatch(text) else text or None


def moments(values: Sequence[Any]) -> FloatColumn:
    """Epoch seconds, as `instant` reads them, NaN where it cannot."""
    fast = _iso(values)
    return np.array([instant(value) for value in values], dtype=np.float64) if fast is None else fast


def text_moments(texts: Sequence[str]) -> FloatColumn:
    """Epoch seconds of texts that may be ISO 8601 or a number of seconds."""
    fast = _iso(texts)
    if fast is not None:
        return fast
    read = (float(text) if _SECONDS.fullmatch(text) else text for text in texts)
    return np.array([instant(value) for value in read], dtype=np.float64)


def _iso(texts: Sequence[Any]) -> FloatColumn | None:
    """Epoch seconds of texts that are all alike, in UTC; None where they have to be read one by one.

    Half a million in 0.1 s, a tenth of what `datetime.fromisoformat` takes.
    """
    try:
        first = texts[0]
        length, zoned = len(first), first.endswith("Z")
        digits = length - zoned
        raw = "".join(texts).encode("ascii")
    except (IndexError, TypeError, AttributeError, UnicodeEncodeError):
        return None
    if digits not in _UNITS or len(raw) != length * len(texts):
        return None
    table = np.frombuffer(raw, dtype=np.uint8).reshape(len(texts), length)
    marks = {at: mark for at, mark in _MARKS.items() if at < digits} | ({digits: b"Z"} if zoned else {})
    numeric = [at for at in range(digits) if at not in marks and at != len("2026-04-01")]
    shape = table[:, numeric]
    separator = table[:, 10]
    fits = (
        all((table[:, at] == ord(mark)).all() for at, mark in marks.items())
        and ((separator == ord("T")) | (separator == ord(" "))).all()
        and ((shape >= ord("0")) & (shape <= ord("9"))).all()
        and not (table[:, :4] == ord("0")).all(axis=1).any()  # the year 0 is none of Python's
    )
    if not fits:
        return None
    unit, per_second = _UNITS[digits]
    text = np.ascontiguousarray(table[:, :digits]).view(f"S{digits}").ravel()
    try:
        units = text.astype(f"datetime64[{unit}]").astype(np.int64)
    except ValueError:  # such as 31 February: one by one
        return None
    return units / per_second if (np.abs(units) < EXACT).all() else None
