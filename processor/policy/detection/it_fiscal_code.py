"""Italy's fiscal code of a person, by the Agenzia delle Entrate (DM 23 December 1976, n. 13813).

Sixteen signs: three letters of the surname, three of the name, year, month (a letter) and day of birth (40
more for women), the place, a check letter. Where two people would share one, digits give way to letters, from
the right.
"""

from __future__ import annotations

from stdnum.it import codicefiscale

from processor.policy.detection.recognizer import CERTAIN, Recognizer

RECOGNIZER = Recognizer(
    entity="it_fiscal_code",
    pattern=r"(?i:(?<![0-9A-Z])"
    r"[A-Z]{3}( ?)[A-Z]{3}\1[0-9LMNP-V]{2}[ABCDEHLMPRST][0-9LMNP-V]{2}\1[A-Z][0-9LMNP-V]{3} ?[A-Z]"
    r"(?![0-9A-Z]))",
    digits=(4, 7),  # more than three that gave way have not been needed
    glued=True,
    valid=codicefiscale.is_valid,
    context=("codice fiscale", "cod. fisc", "cod fiscale", "c.f", "cf", "fiscal code", "tax code"),
    bare=CERTAIN,  # seldom met by chance: the form, a date, and a letter in 26
    near=CERTAIN,
    # Made up, as in every explanation of the rule; the third is the first with a digit that gave way.
    examples=("RSSMRA85T10A562S", "RSS MRA 85T10 A562S", "RSSMRA85T10A56NH", "rssmra85t10a562s"),
    counterexamples=(
        "RSSMRA85T10A562A",
        "RSSMRA85F10A562S",
        "RSSMRA85T10A562",
        "RSSMRA85T10A562SS",
        "RSSMR185T10A562S",
    ),
)
