"""US bank routing transit numbers, which the American Bankers Association's registrar assigns.

Nine digits: four of the Federal Reserve's routing symbol, four of the institution, a check digit with the
weights 3, 7, 1. The first two are 00 to 12, 21 to 32, 61 to 72 or 80 (ABA, Routing Number Policy; 12 CFR 229,
appendix A).
"""

from __future__ import annotations

from operator import mul

from processor.policy.detection.recognizer import CERTAIN, POSSIBLE, Recognizer

WEIGHTS = (3, 7, 1) * 3
NONE = "000000000"  # its check digit is right, and forms are full of it


def is_valid(number: str) -> bool:
    """Whether the check digit is right."""
    return number != NONE and sum(map(mul, WEIGHTS, map(int, number))) % 10 == 0


RECOGNIZER = Recognizer(
    entity="us_aba",
    pattern=r"(?<![0-9A-Za-z+])(?<![0-9][-./])"
    r"(?:0[0-9]|1[0-2]|2[1-9]|3[0-2]|6[1-9]|7[0-2]|80)"
    r"(?:[0-9]{2}([ -]?)[0-9]{4}\1[0-9]|[0-9] [0-9]{3} [0-9]{3})"
    r"(?![0-9A-Za-z]|[-./][0-9])",
    digits=(9, 9),
    valid=is_valid,
    context=("routing", "aba", "rtn", "transit number", "bank code", "ach", "fedwire", "wire"),
    bare=POSSIBLE,
    near=CERTAIN,
    # The Federal Reserve's own banks in Boston, New York and San Francisco.
    examples=("011000015", "021001208", "1210-0037-4", "011 000 015"),
    counterexamples=("011000016", "000000000", "131000018", "0110000159", "01100001"),
)
