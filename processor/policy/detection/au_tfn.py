"""Tax file numbers, by the Australian Taxation Office (Income Tax Assessment Act 1936, part VA).

Nine digits, shown 3-3-3: the sum with the weights 1, 4, 3, 7, 5, 8, 6, 9, 10 is divisible by 11. The oldest
have eight, with weights of their own, 10, 7, 8, 4, 6, 3, 5, 1 (ATO, TFN algorithm, as its test numbers show).
The Privacy (Tax File Number) Rule 2015 forbids to keep one without need.
"""

from __future__ import annotations

from operator import mul

from processor.policy.detection.recognizer import CERTAIN, POSSIBLE, Recognizer

WEIGHTS = {9: (1, 4, 3, 7, 5, 8, 6, 9, 10), 8: (10, 7, 8, 4, 6, 3, 5, 1)}


def is_valid(number: str) -> bool:
    """Whether the check digit is right."""
    return int(number) > 0 and sum(map(mul, WEIGHTS[len(number)], map(int, number))) % 11 == 0


RECOGNIZER = Recognizer(
    entity="au_tfn",
    pattern=r"(?<![0-9A-Za-z+])(?<![0-9][-./])"
    r"[0-9]{3}([ -]?)[0-9]{3}\1[0-9]{2,3}"
    r"(?![0-9A-Za-z]|[-./][0-9])",
    digits=(8, 9),
    valid=is_valid,
    context=("tfn", "tax file", "tax file number", "ato", "australian taxation", "tax number"),
    bare=POSSIBLE,
    near=CERTAIN,
    examples=("123 456 782", "123456782", "876-543-210", "123 456 77"),
    counterexamples=("123 456 789", "000 000 000", "123 456 7", "123 456 7820", "123 456 78"),
)
