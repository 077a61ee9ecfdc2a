"""CPF, Brazil's register of individual taxpayers, by the Receita Federal (Instrução Normativa RFB 2172/2024).

Eleven digits, shown 000.000.000-00; the last two are check digits by 11, each over all before it. The ten
numbers of one repeated digit pass and are not issued.
"""

from __future__ import annotations

import re
from operator import mul
from typing import TYPE_CHECKING

from processor.policy.detection.recognizer import CERTAIN, POSSIBLE, Recognizer
from processor.policy.detection.scan import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.detection.scan import Scan

CONTEXT = (
    "cpf",
    "cadastro de pessoa",
    "cadastro de pessoas",
    "contribuinte",
    "receita federal",
    "pix",
    "cic",
)

WEIGHTS = (11, 10, 9, 8, 7, 6, 5, 4, 3, 2)

_FORM = re.compile(
    r"(?<![0-9A-Za-z+])(?<![0-9][-./])"
    r"[0-9]{3}([ .]?)[0-9]{3}\1[0-9]{3}([ /-]?)[0-9]{2}"
    r"(?![0-9A-Za-z]|[-./][0-9])"
)


def is_valid(number: str) -> bool:
    """Whether both check digits are right."""
    digits = list(map(int, number))
    first = sum(map(mul, WEIGHTS[1:], digits)) * 10 % 11 % 10
    second = sum(map(mul, WEIGHTS, digits)) * 10 % 11 % 10
    return digits[9:] == [first, second] and len(set(digits)) > 1


def _find(scan: Scan) -> Iterator[Span]:
    """Two check digits in their usual place are sure; one in a hundred of eleven bare digits has them."""
    for start, end in scan.stretches:
        for match in _FORM.finditer(scan.text, start, end + 2):
            if is_valid("".join(filter(str.isdigit, match[0]))):
                is_sure = match[2] or scan.has_near(CONTEXT, *match.span())
                yield Span("br_cpf", *match.span(), CERTAIN if is_sure else POSSIBLE)


RECOGNIZER = Recognizer(
    entity="br_cpf",
    digits=(11, 11),
    context=CONTEXT,
    find=_find,
    examples=("111.444.777-35", "11144477735", "123.456.789-09", "111444777-35", "111 444 777 35"),
    counterexamples=(
        "111.444.777-36",
        "111.111.111-11",
        "111.444.777-3",
        "111.444.777-350",
        "111.444-777-35",
    ),
)
