"""PESEL, the number of every resident of Poland in the population register (Act of 24 September 2010).

Eleven digits: the date of birth (the month tells the century), a serial whose last digit tells the sex, and a
check digit with the weights 1, 3, 7, 9 (Ministerstwo Cyfryzacji, Czym jest numer PESEL).
"""

from __future__ import annotations

from stdnum.pl import pesel

from processor.policy.detection.recognizer import CERTAIN, LIKELY, Recognizer

RECOGNIZER = Recognizer(
    entity="pl_pesel",
    pattern=r"(?<![0-9A-Za-z+])(?<![0-9][-./])"
    r"[0-9]{2}[02468][1-9][0-3][0-9]{6}"
    r"(?![0-9A-Za-z]|[-./][0-9])"
    r"|(?<![0-9A-Za-z+])(?<![0-9][-./])"
    r"[0-9]{2}[13579][0-2][0-3][0-9]{6}"
    r"(?![0-9A-Za-z]|[-./][0-9])",
    digits=(11, 11),
    valid=pesel.is_valid,
    context=("pesel", "numer ewidencyjny", "nr ewidencyjny", "ewidencji ludnosci", "dowod osobisty"),
    bare=LIKELY,  # besides the check digit it holds a calendar day: two in a hundred random numbers pass
    near=CERTAIN,
    examples=("44051401359", "02070803628", "02211307589"),
    counterexamples=("44051401358", "44053201351", "44131401353", "4405140135", "440514013590"),
)
