"""Australian Medicare card numbers, by Services Australia (National Health Act 1953).

Ten digits, shown 4-5-1: the first is 2 to 6, the ninth a check digit with the weights 1, 3, 7, 9, the tenth
counts the cards issued. The number of the person on the card may follow (AIHW, METEOR, Medicare card number).
"""

from __future__ import annotations

from operator import mul

from processor.policy.detection.recognizer import CERTAIN, POSSIBLE, Recognizer

WEIGHTS = (1, 3, 7, 9, 1, 3, 7, 9)
CHECK = len(WEIGHTS)


def is_valid(number: str) -> bool:
    """Whether the check digit is right."""
    total: int = sum(map(mul, WEIGHTS, map(int, number[:CHECK])))
    return total % 10 == int(number[CHECK])


RECOGNIZER = Recognizer(
    entity="au_medicare",
    pattern=r"(?<![0-9A-Za-z+])(?<![0-9][-./])"
    r"[2-6][0-9]{3}([ -]?)[0-9]{5}\1[1-9](?:[ /-]?[1-9])?"
    r"(?![0-9A-Za-z]|[-./][0-9])",
    digits=(10, 11),
    valid=is_valid,
    context=("medicare", "irn", "medicare card", "bulk bill", "bulk billed", "health fund"),
    bare=POSSIBLE,
    near=CERTAIN,
    examples=("2123 45670 1", "2123456701", "2123 45670 1/2", "21234567011", "2123-45670-1"),
    counterexamples=(
        "2123 45671 1",
        "1123 45679 1",
        "7123 45675 1",
        "2123 45670 0",
        "2123 4567 1",
        "2123 45670 111",
    ),
)
