"""CPF, Brazil's register of individual taxpayers, by the Receita Federal (Instrução Normativa RFB 2172/2024).

Eleven digits, shown 000.000.000-00; the last two are check digits by 11, each over all before it. The ten
numbers of one repeated digit pass and are not issued.
"""

from __future__ import annotations

from operator import mul

from processor.policy.detection.recognizer import CERTAIN, POSSIBLE, Recognizer

WEIGHTS = (11, 10, 9, 8, 7, 6, 5, 4, 3, 2)


def is_valid(number: str) -> bool:
    """Whether both check digits are right."""
    digits = list(map(int, number))
    first = sum(map(mul, WEIGHTS[1:], digits)) * 10 % 11 % 10
    second = sum(map(mul, WEIGHTS, digits)) * 10 % 11 % 10
    return digits[9:] == [first, second] and len(set(digits)) > 1


RECOGNIZER = Recognizer(
    entity="br_cpf",
    pattern=r"(?<![0-9A-Za-z])(?<![0-9][-./])"
    r"[0-9]{3}([ .]?)[0-9]{3}\1[0-9]{3}[ /-]?[0-9]{2}"
    r"(?![0-9A-Za-z]|[-./][0-9])",
    digits=(11, 11),
    valid=is_valid,
    context=("cpf", "cadastro de pessoas", "cadastro de pessoa", "contribuinte", "receita federal", "cic"),
    bare=POSSIBLE,
    near=CERTAIN,
    examples=("111.444.777-35", "11144477735", "123.456.789-09", "111444777-35"),
    counterexamples=(
        "111.444.777-36",
        "111.111.111-11",
        "111.444.777-3",
        "111.444.777-350",
        "111.444-777-35",
    ),
)
