"""Spain's tax number of a person (NIF), which for Spaniards is the number of their identity card (DNI).

Eight digits and a letter, or K, L or M, seven digits and a letter for those without a card; the letter is the
number's remainder by 23 in a fixed order (Ministerio del Interior, Cálculo del dígito de control; Orden
EHA/451/2008).
"""

from __future__ import annotations

from processor.policy.detection.recognizer import CERTAIN, LIKELY, Recognizer

LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"


def is_valid(number: str) -> bool:
    """Whether the letter is right."""
    return LETTERS[int(number[:-1].lstrip("KLM")) % len(LETTERS)] == number[-1]


RECOGNIZER = Recognizer(
    entity="es_nif",
    pattern=r"(?<![0-9A-Za-z+])(?<![0-9][-./])"
    r"(?:[0-9]{2}(?:\.[0-9]{3}\.|[0-9]{3})|[KLMklm][0-9]{4})[0-9]{3}[ -]?[A-HJ-NP-TV-Za-hj-np-tv-z]"
    r"(?![0-9A-Za-z])",
    digits=(7, 8),
    valid=is_valid,
    context=(
        "dni",
        "nif",
        "documento nacional",
        "identidad",
        "numero de identificacion fiscal",
        "d.n.i",
        "n.i.f",
    ),
    bare=LIKELY,
    near=CERTAIN,
    examples=("12345678Z", "12.345.678-Z", "00000000T", "12345678-z", "K1234567L"),
    counterexamples=("12345678A", "12.345.678-A", "1234567Z", "123456789Z", "N1234567L", "12345678ZZ"),
)
