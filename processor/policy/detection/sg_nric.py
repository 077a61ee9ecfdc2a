"""Singapore's identity card (NRIC) and foreigner's (FIN) numbers, by the ICA (National Registration Act).

S, T (citizens and permanent residents), F, G or M (foreigners), seven digits, a check letter by 11. T and G
add 4 to the weighted sum and M adds 3; each pair of series, and M, has its own order of letters.
Organisations may not keep one without need (PDPC, Advisory guidelines on the NRIC, 2018).
"""

from __future__ import annotations

from operator import mul

from processor.policy.detection.recognizer import CERTAIN, LIKELY, Recognizer

WEIGHTS = (2, 7, 6, 5, 4, 3, 2)
SERIES = {
    "S": (0, "JZIHGFEDCBA"),
    "T": (4, "JZIHGFEDCBA"),
    "F": (0, "XWUTRQPNMLK"),
    "G": (4, "XWUTRQPNMLK"),
    "M": (3, "XWUTRQPNJLK"),
}


def is_valid(number: str) -> bool:
    """Whether the check letter is right."""
    more, letters = SERIES[number[0]]
    return letters[(more + sum(map(mul, WEIGHTS, map(int, number[1:-1])))) % 11] == number[-1]


RECOGNIZER = Recognizer(
    entity="sg_nric",
    pattern=r"(?i:(?<![0-9A-Z])(?:[ST][0-9]{7}[A-JZ]|[FGM][0-9]{7}[J-NP-RTUWX])(?![0-9A-Z]))",
    digits=(7, 7),
    glued=True,
    valid=is_valid,
    context=("nric", "fin", "identity card", "ic no", "ic number", "singpass", "work permit"),
    bare=LIKELY,
    near=CERTAIN,
    examples=("S1234567D", "T1234567J", "F1234567N", "G1234567X", "M1234567K", "s1234567d"),
    counterexamples=("S1234567A", "A1234567D", "S123456D", "S12345678D", "S1234567DD"),
)
