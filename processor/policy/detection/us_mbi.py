"""US Medicare beneficiary identifiers, by CMS, in place of the numbers that contained an SSN.

Eleven signs: 1 to 9, then letters (L), digits (9) and either (X) as `L X 9 L X 9 L L 9 9`, where letters are
never S, L, O, I, B or Z (CMS, Understanding the Medicare Beneficiary Identifier format). Random, no check
digit; the hyphens of `1EG4-TE5-MK73` are for display only.
"""

from __future__ import annotations

from processor.policy.detection.recognizer import CERTAIN, LIKELY, Recognizer

RECOGNIZER = Recognizer(
    entity="us_mbi",
    pattern=r"(?i:(?<![0-9A-Z])"
    r"[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9]([ -]?)"
    r"[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9]\1"
    r"[AC-HJKMNP-RT-Y]{2}[0-9]{2}"
    r"(?![0-9A-Z]))",
    digits=(5, 7),
    glued=True,
    context=("medicare", "mbi", "beneficiary", "cms"),
    bare=LIKELY,
    near=CERTAIN,
    # The number on CMS's specimen card.
    examples=("1EG4-TE5-MK73", "1EG4TE5MK73", "1eg4-te5-mk73"),
    counterexamples=(
        "0EG4-TE5-MK73",
        "1SG4-TE5-MK73",
        "1EG4-TL5-MK73",
        "1EG4-TE5-MKA3",
        "1EG4-TE5-MK7",
        "1EG4-TE5MK73",
    ),
)
