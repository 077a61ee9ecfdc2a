"""Aadhaar, the number that the Unique Identification Authority gives to every resident of India.

Twelve digits, shown 4-4-4: the first is 2 to 9, the last Verhoeff's check digit, and a number is never the
same read backwards (UIDAI, A UID Numbering Scheme; Aadhaar Act 2016).
"""

from __future__ import annotations

from stdnum.in_ import aadhaar

from processor.policy.detection.recognizer import CERTAIN, POSSIBLE, Recognizer

RECOGNIZER = Recognizer(
    entity="in_aadhaar",
    # With four more digits on either side it is a card number, an IBAN's middle or a virtual ID.
    pattern=r"(?<![0-9A-Za-z+])(?<![0-9][-./])"
    r"(?:[2-9][0-9]{11}|(?<![0-9] )[2-9][0-9]{3}([ -])[0-9]{4}\1[0-9]{4}(?! [0-9]))"
    r"(?![0-9A-Za-z]|[-./][0-9])",
    digits=(12, 12),
    valid=aadhaar.is_valid,
    context=("aadhaar", "aadhar", "adhaar", "adhar", "uidai", "uid", "आधार"),
    bare=POSSIBLE,  # carriers group the numbers of parcels alike, and one in ten is right
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
