"""Recognisers of a policy's own: a pattern that cannot run away, a check digit by name, words around."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from processor.policy.detection.linear import PATTERN_CHARACTERS_MAX, pattern_problem
from processor.policy.detection.recognizer import CERTAIN, POSSIBLE, Recognizer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["CHECKSUMS", "PATTERN_CHARACTERS_MAX", "pattern_problem", "recognizer_of"]

CHECKSUMS = {
    "none": "no check digit",
    "luhn": "Luhn's (ISO/IEC 7812-1), over the digits: cards, IMEI, many customer numbers",
    "verhoeff": "Verhoeff's, over the digits: Aadhaar",
    "damm": "Damm's, over the digits",
    "mod11_2": "ISO 7064 MOD 11-2, over the digits and a last X: ORCID, ISNI, China's resident identity",
    "mod11_10": "ISO 7064 MOD 11,10, over the digits: Germany's tax number, Croatia's OIB",
    "mod37_2": "ISO 7064 MOD 37-2, over letters, digits and a last *: blood donations (ISBT 128)",
    "mod37_36": "ISO 7064 MOD 37,36, over letters and digits: GRid, LEI's forerunners",
    "mod97_10": "ISO 7064 MOD 97-10, over letters and digits, the check digits last: LEI, RF references",
}
_MODULES = {
    "luhn": "stdnum.luhn",
    "verhoeff": "stdnum.verhoeff",
    "damm": "stdnum.damm",
    "mod11_2": "stdnum.iso7064.mod_11_2",
    "mod11_10": "stdnum.iso7064.mod_11_10",
    "mod37_2": "stdnum.iso7064.mod_37_2",
    "mod37_36": "stdnum.iso7064.mod_37_36",
    "mod97_10": "stdnum.iso7064.mod_97_10",
}
_DIGITS = frozenset("0123456789")
_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")

# A finding neither begins nor ends within a word.
_EDGE = r"(?!(?<=[0-9A-Za-z])[0-9A-Za-z])"


def recognizer_of(
    *,
    name: str,
    pattern: str,
    checksum: str = "none",
    context: Iterable[str] = (),
    bare: float | None = POSSIBLE,
    near: float = CERTAIN,
) -> Recognizer:
    """What finds an entity of a policy's own.

    Args:
        name: what findings are called.
        pattern: a regular expression that `pattern_problem` accepts, over folded text. It is tried on the
            whole text, and finds what neither begins nor ends within a word.
        checksum: a name of `CHECKSUMS`.
        context: words one of which near it makes it surer.
        bare: how sure it is without one; None: it takes one.
        near: how sure it is with one.

    Raises:
        ValueError: if the pattern is refused; the reason is the message.
    """
    if problem := pattern_problem(pattern):
        raise ValueError(problem)
    return Recognizer(
        entity=name,
        pattern=f"{_flags(pattern)}{_EDGE}(?:{pattern.removeprefix('(?i)')}){_EDGE}",
        valid=None if checksum == "none" else _validator(checksum),
        context=tuple(word.lower() for word in context),
        bare=bare,
        near=near,
    )


def _flags(pattern: str) -> str:
    return "(?i)" if pattern.startswith("(?i)") else ""


def _validator(checksum: str) -> Callable[[str], bool]:
    """Whether the check digit of a match is right, over the signs that the scheme knows."""
    is_valid: Callable[[str], bool] = import_module(_MODULES[checksum]).is_valid
    signs = _DIGITS | {
        "mod11_2": frozenset("X"),
        "mod37_2": _LETTERS | {"*"},
        "mod37_36": _LETTERS,
        "mod97_10": _LETTERS,
    }.get(checksum, frozenset())
    return lambda written: is_valid("".join(sign for sign in written if sign in signs))
