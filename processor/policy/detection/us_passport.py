"""US passport and passport card numbers, by the Department of State.

Nine digits, or (the next generation passport, since 2021) one letter and eight digits; a passport card has a
C before its eight digits. No check digit outside the machine-readable zone, so it takes a word to tell.
"""

from __future__ import annotations

from processor.policy.detection.recognizer import LIKELY, Recognizer

RECOGNIZER = Recognizer(
    entity="us_passport",
    pattern=r"(?<![0-9A-Za-z+])(?<![0-9][-./])"
    r"(?:[A-Za-z][0-9]{8}|[0-9]{9})"
    r"(?![0-9A-Za-z]|[-./][0-9])",
    digits=(8, 9),
    context=("passport", "passports", "travel document", "department of state", "ds-11", "ds-82"),
    bare=None,
    near=LIKELY,
    examples=("123456789", "A12345678", "C12345678"),
    counterexamples=("12345678", "1234567890", "A1234567", "AB12345678", "1234-56789"),
)
