"""US driver's license numbers, by the states and the District of Columbia.

Fifty forms without a common check digit (the customer ID, element DAQ of the AAMVA card design standard; the
states' forms as their motor vehicle agencies and the NTSI publish them). So every form takes a word that says
so.
"""

from __future__ import annotations

from processor.policy.detection.recognizer import LIKELY, Recognizer

RECOGNIZER = Recognizer(
    entity="us_driver_license",
    pattern=r"(?<![0-9A-Za-z+])(?<![0-9][-./])(?:"
    r"[A-Za-z][0-9]{6,14}R?"  # CA, FL, IL, MD, MI, MN, MO, NJ, WI and others
    r"|[A-Za-z][ -]?[0-9]{3,4}(?:[ -][0-9]{1,5}){2,4}"  # the same, grouped
    r"|[A-Za-z]{2}[0-9]{5,6}[A-Za-z]?"  # ID, OH, WV
    r"|[A-Za-z]{3}(-?)[0-9]{2}\1[0-9]{4}"  # ND
    r"|(?i:WDL)[0-9A-Za-z]{9}"  # WA
    r"|[0-9]{2}[A-Za-z]{3}[0-9]{5}"  # NH
    r"|[0-9]{3}[A-Za-z]{2}[0-9]{4}"  # IA
    r"|[0-9]{7}[Aa]"  # VT
    r"|[0-9]{2}([ -])[0-9]{3}\2[0-9]{3,4}"  # CO, PA
    r"|[0-9]{3} [0-9]{3} [0-9]{3}"  # NY
    r"|[0-9]{6}-[0-9]{3}"  # WY
    r"|[0-9]{7,10}|(?!97[89])[0-9]{12,14}"  # the rest, but no ISBN
    r")(?![0-9A-Za-z]|[-./][0-9])",
    digits=(3, 17),
    context=(
        "driver's license",
        "drivers license",
        "driver license",
        "driving license",
        "driver's licence",
        "license number",
        "license no",
        "dl",
        "dln",
        "dmv",
        "cdl",
    ),
    bare=None,
    near=LIKELY,
    examples=(
        "A1234567",
        "A123456789012",
        "A123-4567-8901",
        "A1234 56789 01234",
        "AB123456",
        "ABC-12-3456",
        "WDLABCD456DG",
        "01ABC12345",
        "123AB4567",
        "12-345-6789",
        "123 456 789",
        "12345678",
    ),
    counterexamples=("123456", "12345678901", "ABCD12345", "A12345", "A1234567890123456", "12-34-5678"),
)
