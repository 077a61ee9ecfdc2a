"""Canada's social insurance numbers, by Service Canada (Employment Insurance Act, section 138).

Nine digits, shown 3-3-3, the last Luhn's check digit. The first is 1 to 7 by province, 9 for temporary
residents and 0 for the Revenue Agency's tax numbers of the same form; 8 is for businesses.
"""

from __future__ import annotations

from processor.policy.detection.recognizer import CERTAIN, POSSIBLE, Recognizer

DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)  # a digit to the sum of the digits of its double
NONE = "000000000"


def is_valid(number: str) -> bool:
    """Whether the check digit is right."""
    digits = list(map(int, number))
    return number != NONE and (sum(digits[::2]) + sum(DOUBLED[digit] for digit in digits[1::2])) % 10 == 0


RECOGNIZER = Recognizer(
    entity="ca_sin",
    pattern=r"(?<![0-9A-Za-z+])(?<![0-9][-./])"
    r"[0-79][0-9]{2}([ .-]?)[0-9]{3}\1[0-9]{3}"
    r"(?![0-9A-Za-z]|[-./][0-9])",
    digits=(9, 9),
    valid=is_valid,
    context=("sin", "social insurance", "assurance sociale", "nas", "service canada", "numero d'assurance"),
    bare=POSSIBLE,
    near=CERTAIN,
    # Service Canada's specimen, which is nobody's.
    examples=("046 454 286", "046454286", "123-456-782"),
    counterexamples=(
        "046 454 287",
        "823 456 785",
        "000 000 000",
        "046 454 28",
        "046 454 2860",
        "046-454 286",
    ),
)
