"""Australian company numbers, by ASIC (Corporations Act 2001, section 118).

Nine digits, shown 3-3-3: the last is a check digit with the weights 8 to 1 (ASIC, Australian company number
digit check).
"""

from __future__ import annotations

from operator import mul

from processor.policy.detection.recognizer import CERTAIN, POSSIBLE, Recognizer

WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 1, 1)
NONE = "000000000"


def is_valid(number: str) -> bool:
    """Whether the check digit is right."""
    return number != NONE and sum(map(mul, WEIGHTS, map(int, number))) % 10 == 0


RECOGNIZER = Recognizer(
    entity="au_acn",
    pattern=r"(?<![0-9A-Za-z+])(?<![0-9][-./])"
    r"[0-9]{3}([ -]?)[0-9]{3}\1[0-9]{3}"
    r"(?![0-9A-Za-z]|[-./][0-9])",
    digits=(9, 9),
    valid=is_valid,
    context=("acn", "australian company number", "company number", "company no", "asic", "pty ltd"),
    bare=POSSIBLE,
    near=CERTAIN,
    # From ASIC's list of numbers with right check digits.
    examples=("000 000 019", "004 085 616", "010499966"),
    counterexamples=("004 085 617", "000 000 000", "004 085 61", "004 085 6160", "04 085 616"),
)
