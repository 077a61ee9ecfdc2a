"""UK national insurance numbers, by HMRC and the DWP.

Two letters, six digits, and A, B, C or D. D, F, I, Q, U and V are not in the prefix, O is not its second
letter, and BG, GB, KN, NK, NT, TN and ZZ are none (HMRC, National Insurance Manual, NIM39110). No check
digit.
"""

from __future__ import annotations

from processor.policy.detection.recognizer import CERTAIN, LIKELY, Recognizer

RECOGNIZER = Recognizer(
    entity="gb_nino",
    pattern=r"(?i:(?<![0-9A-Z])(?!BG|GB|KN|NK|NT|TN|ZZ)"
    # Some leave the digits together: AA 123456 A.
    r"[ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z](?:([ -]?)[0-9]{2}\1[0-9]{2}\1[0-9]{2}\1|[ -][0-9]{6}[ -])[A-D]"
    r"(?![0-9A-Z]))",
    digits=(6, 6),
    context=("national insurance", "nino", "ni number", "ni no", "nin", "hmrc", "paye"),
    bare=LIKELY,
    near=CERTAIN,
    examples=("AA 12 34 56 A", "AA123456A", "ab-12-34-56-c", "JG 123456 D"),
    counterexamples=(
        "QQ 12 34 56 A",  # HMRC's specimen, which is not a number
        "AO123456A",
        "GB123456A",
        "AA123456E",
        "AA12345A",
        "AA1234567A",
    ),
)
