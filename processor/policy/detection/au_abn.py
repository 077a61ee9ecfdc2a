"""Australian business numbers, by the Australian Business Register (A New Tax System Act 1999).

Eleven digits, shown 2-3-3-3. With 1 taken from the first digit, the sum with the weights 10, 1, 3, 5 … 19 is
divisible by 89 (Australian Business Register, Format of the ABN). Of a sole trader it is personal data.
"""

from __future__ import annotations

from operator import mul

from processor.policy.detection.recognizer import CERTAIN, POSSIBLE, Recognizer

WEIGHTS = (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)


def is_valid(number: str) -> bool:
    """Whether the check digits are right."""
    return (sum(map(mul, WEIGHTS, map(int, number))) - WEIGHTS[0]) % 89 == 0


RECOGNIZER = Recognizer(
    entity="au_abn",
    pattern=r"(?<![0-9A-Za-z])(?<![0-9][-./])"
    r"[1-9][0-9]([ -]?)[0-9]{3}\1[0-9]{3}\1[0-9]{3}"
    r"(?![0-9A-Za-z]|[-./][0-9])",
    digits=(11, 11),
    valid=is_valid,
    context=("abn", "australian business number", "business number", "gst", "tax invoice"),
    bare=POSSIBLE,
    near=CERTAIN,
    # The Australian Taxation Office's own.
    examples=("51 824 753 556", "51824753556", "51-824-753-556"),
    counterexamples=(
        "51 824 753 557",
        "15 824 753 556",
        "01 824 753 556",
        "51 824 753 55",
        "51 824 753 5560",
    ),
)
