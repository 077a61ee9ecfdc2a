"""Spain's identity number of a foreigner (NIE), by the Dirección General de la Policía (Ley Orgánica 4/2000).

X, Y or Z, seven digits, a letter: with the first letter as 0, 1 or 2 it is checked as a Spaniard's number is,
by 23 (Orden INT/2058/2008).
"""

from __future__ import annotations

from processor.policy.detection.recognizer import CERTAIN, LIKELY, Recognizer

LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"


def is_valid(number: str) -> bool:
    """Whether the last letter is right."""
    return LETTERS[int(f"{'XYZ'.index(number[0])}{number[1:-1]}") % len(LETTERS)] == number[-1]


RECOGNIZER = Recognizer(
    entity="es_nie",
    pattern=r"(?<![0-9A-Za-z])"
    r"[XYZxyz][ -]?(?:[0-9]{7}|[0-9]\.[0-9]{3}\.[0-9]{3})[ -]?[A-HJ-NP-TV-Za-hj-np-tv-z]"
    r"(?![0-9A-Za-z])",
    digits=(7, 7),
    valid=is_valid,
    context=("nie", "extranjero", "extranjeros", "identidad de extranjero", "n.i.e", "tie", "residencia"),
    bare=LIKELY,
    near=CERTAIN,
    examples=("X1234567L", "X-1234567-L", "Y1234567X", "Z1234567R", "x1234567l"),
    counterexamples=("X1234567A", "W1234567L", "X123456L", "X12345678Z", "X1234567LL"),
)
