"""Aadhaar, the number that the Unique Identification Authority gives to every resident of India.

Twelve digits, shown 4-4-4: the first is 2 to 9, the last Verhoeff's check digit, and a number is never the
same read backwards (UIDAI, A UID Numbering Scheme; Aadhaar Act 2016).
"""

from __future__ import annotations

from stdnum.in_ import aadhaar

from processor.policy.detection.recognizer import CERTAIN, POSSIBLE, Recognizer

RECOGNIZER = Recognizer(
    entity="in_aadhaar",
    pattern=r"(?<![0-9A-Za-z])(?<![0-9][-./])(?<![0-9]{4} )"
    r"[2-9][0-9]{3}([ -]?)[0-9]{4}\1[0-9]{4}"
    r"(?![0-9A-Za-z]|[-./][0-9]| [0-9]{4})",  # four more digits make it a card number, or a virtual ID
    digits=(12, 12),
    valid=aadhaar.is_valid,
    context=("aadhaar", "aadhar", "adhaar", "adhar", "uidai", "uid", "uid no"),
    bare=POSSIBLE,
    near=CERTAIN,
    examples=("2341 2341 2346", "234123412346", "2341-2341-2346"),
    counterexamples=(
        "2341 2341 2347",
        "1341 2341 2346",
        "2222 2222 2222",
        "2341 2341 234",
        "2341 2341 2346 1234",
    ),
)
