"""Passport numbers of any country: the document number of ICAO Doc 9303, up to nine letters and digits.

There is no check digit outside the machine-readable zone, so it takes a word to tell. The forms are those of
most countries: one to three letters and six to eight digits, eight or nine digits, France's 12AB34567, and
nine signs without vowels (Germany). The letters of nine signs are those that Germany uses.
"""

from __future__ import annotations

from processor.policy.detection.recognizer import LIKELY, Recognizer

RECOGNIZER = Recognizer(
    entity="passport",
    pattern=r"(?<![0-9A-Za-z])(?<![0-9][-./])(?:"
    r"(?:[A-Z]{1,2}[ -]?|[A-Za-z]{1,3})[0-9]{6,8}[A-Za-z]?"
    r"|[0-9]{2}[A-Za-z]{2}[0-9]{5}"
    r"|[0-9]{2} [0-9]{7}"
    r"|[0-9]{8,9}"
    r"|(?i:[CFGHJKLMNPRTVWXYZ](?=(?:[A-Z]{0,3}[0-9]){4})[0-9CFGHJKLMNPRTVWXYZ]{8})"
    r")(?![0-9A-Za-z]|[-./][0-9])",
    digits=(4, 9),
    context=(
        "passport",
        "passports",
        "passeport",
        "reisepass",
        "passnummer",
        "pasaporte",
        "passaporto",
        "passaporte",
        "paszport",
        "paszportu",
        "travel document",
        "护照",
        "護照",
        "旅券",
        "パスポート",
        "여권",
        "पासपोर्ट",
    ),
    bare=None,
    near=LIKELY,
    examples=(
        "C01X00T47",
        "123456789",
        "A1234567",
        "AB123456",
        "AAA123456",
        "12AB34567",
        "AA1234567",
        "E12345678",
    ),
    counterexamples=("12345", "1234567890", "ABCDEFGHI", "A123", "1234-56789", "ABCD12345"),
)
