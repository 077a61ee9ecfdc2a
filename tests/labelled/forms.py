"""How to fill in a form: `#` is any digit, `@` any capital letter, and everything else stands for itself."""

from __future__ import annotations

from string import ascii_uppercase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

FULL_WIDTH = {code: code + 0xFEE0 for code in b"0123456789"}
NO_BREAK_SPACE, EN_DASH = "\N{NO-BREAK SPACE}", "\N{EN DASH}"


def filled(rng: Random, form: str) -> str:
    """The form with random digits and letters."""
    return "".join(
        rng.choice("0123456789") if sign == "#" else rng.choice(ascii_uppercase) if sign == "@" else sign
        for sign in form
    )


def laid(digits: str, mask: str) -> str:
    """The signs given, one for each `#` of the mask."""
    rest = iter(digits)
    return "".join(next(rest) if sign == "#" else sign for sign in mask)


def grouped(digits: str, sizes: Sequence[int], separator: str) -> str:
    """The signs in groups of these sizes; what is left over is the last group."""
    groups, at = [], 0
    for size in (*sizes, len(digits)):
        if at < len(digits):
            groups.append(digits[at : at + size])
            at += size
    return separator.join(groups)


def as_typed(rng: Random, written: str) -> str:
    """Now and then what word processors and mail programs make of it: other spaces, dashes, a line break."""
    luck = rng.random()
    if luck < 0.03 and " " in written:
        return written.replace(" ", NO_BREAK_SPACE)
    if luck < 0.05 and "-" in written:
        return written.replace("-", EN_DASH)
    if luck < 0.07 and " " in written:
        first = written.index(" ")
        return f"{written[:first]}\n{written[first + 1 :]}"
    return written


def weighed(rng: Random, weights: dict[str, int]) -> str:
    """A key, as often as its weight says."""
    return rng.choices(tuple(weights), tuple(weights.values()))[0]
