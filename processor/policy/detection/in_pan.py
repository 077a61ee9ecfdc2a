"""Permanent account numbers of India's Income Tax Department (Income-tax Act 1961, section 139A).

Five letters, four digits that are not all 0, a letter. The fourth letter is the kind of holder: P a person, C
a company, and so on (Income Tax Department, Know your PAN). The rule of the last letter is secret.
"""

from __future__ import annotations

from processor.policy.detection.recognizer import CERTAIN, LIKELY, Recognizer

RECOGNIZER = Recognizer(
    entity="in_pan",
    # All letters of one case: `Route2024b` and the like are not.
    pattern=r"(?<![0-9A-Za-z])"
    r"(?:[A-Z]{3}[ABCFGHJKLPT][A-Z](?!0000)[0-9]{4}[A-Z]|[a-z]{3}[abcfghjklpt][a-z](?!0000)[0-9]{4}[a-z])"
    r"(?![0-9A-Za-z])",
    digits=(4, 4),
    glued=True,
    context=("pan", "permanent account", "pan card", "pan no", "income tax", "itr", "tds", "पैन"),
    bare=LIKELY,
    near=CERTAIN,
    examples=("AAAPL1234C", "AAACB1234D", "aaapl1234c"),
    counterexamples=("AAADL1234C", "AAAPL0000C", "AAAPL123C", "AAAPL12345", "AAAP11234C", "AAAPL1234CX"),
)
