"""NHS numbers of patients in England, Wales and the Isle of Man, and those of Scotland and Northern Ireland.

Ten digits, shown 3-3-4. The tenth makes the sum with the weights 10 to 1 divisible by 11 (NHS Data
Dictionary, NHS number); a number that would need a 10 there is not issued.
"""

from __future__ import annotations

from operator import mul

from processor.policy.detection.recognizer import CERTAIN, POSSIBLE, Recognizer

WEIGHTS = (10, 9, 8, 7, 6, 5, 4, 3, 2, 1)
NONE = "0000000000"


def is_valid(number: str) -> bool:
    """Whether the check digit is right."""
    return number != NONE and sum(map(mul, WEIGHTS, map(int, number))) % 11 == 0


RECOGNIZER = Recognizer(
    entity="gb_nhs",
    pattern=r"(?<![0-9A-Za-z+])(?<![0-9][-./])"
    r"[0-9]{3}([ .-]?)[0-9]{3}\1[0-9]{4}"
    r"(?![0-9A-Za-z]|[-./][0-9])",
    digits=(10, 10),
    valid=is_valid,
    context=("nhs", "national health", "patient", "chi number", "health and care number"),
    bare=POSSIBLE,  # an American telephone number is written the same way
    near=CERTAIN,
    examples=("943 476 5919", "9434765919", "943-476-5919"),
    counterexamples=("943 476 5918", "9434765918", "0000000000", "943 476 591", "943 476 59190"),
)
