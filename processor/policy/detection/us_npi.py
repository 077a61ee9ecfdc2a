"""US national provider identifiers: of doctors, hospitals and others in health care, by CMS (45 CFR 162.406).

Ten digits, the first 1 or 2, the last Luhn's check digit over the number with the health industry's issuer
prefix 80840 before it (CMS, NPI check digit; ISO/IEC 7812-1).
"""

from __future__ import annotations

from processor.policy.detection.recognizer import CERTAIN, POSSIBLE, Recognizer

PREFIX_SUM = 24  # what 80840 adds to Luhn's sum
DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)  # a digit to the sum of the digits of its double


def is_valid(number: str) -> bool:
    """Whether the check digit is right."""
    digits = list(map(int, number))
    return (PREFIX_SUM + sum(DOUBLED[digit] for digit in digits[::2]) + sum(digits[1::2])) % 10 == 0


RECOGNIZER = Recognizer(
    entity="us_npi",
    pattern=r"(?<![0-9A-Za-z+])(?<![0-9][-./])"
    r"[12][0-9]{3}([ -]?)[0-9]{3}\1[0-9]{3}"
    r"(?![0-9A-Za-z]|[-./][0-9])",
    digits=(10, 10),
    valid=is_valid,
    context=("npi", "national provider", "provider id", "provider identifier", "provider number", "provider"),
    bare=POSSIBLE,  # one time in ten it is a Unix timestamp
    near=CERTAIN,
    examples=("1234567893", "2000000002", "1234-567-893"),
    counterexamples=("1234567890", "3234567899", "123456789", "12345678930"),
)
