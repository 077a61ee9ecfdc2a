"""US individual taxpayer identification numbers, which the IRS gives to people who cannot have an SSN.

Nine digits that begin with 9; the fourth and fifth are 50 to 65, 70 to 88, 90 to 92 or 94 to 99 (IRS,
Internal Revenue Manual 3.21.263; 93 is for children in adoption, the rest for the agency itself). No check
digit.
"""

from __future__ import annotations

from processor.policy.detection.recognizer import CERTAIN, LIKELY, Recognizer

RECOGNIZER = Recognizer(
    entity="us_itin",
    # The separators make the form: nine bare digits are too often something else, even beside a word.
    pattern=r"(?<![0-9A-Za-z])(?<![0-9][-.])"
    r"9[0-9]{2}([ .-])(?:5[0-9]|6[0-5]|7[0-9]|8[0-8]|9[0-24-9])\1[0-9]{4}"
    r"(?![0-9A-Za-z]|[-.][0-9])",
    digits=(9, 9),
    context=("itin", "individual taxpayer", "taxpayer id", "tax id", "tin", "w-7", "irs"),
    bare=LIKELY,
    near=CERTAIN,
    examples=("900-70-0000", "999-88-9999", "912 50 1234"),
    counterexamples=(
        "900-93-0000",
        "912-66-1234",
        "912-89-1234",
        "812-70-1234",
        "900-70-000",
        "900-70-00001",
    ),
)
