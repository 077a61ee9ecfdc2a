"""UK postcodes, by Royal Mail: area, district, sector and unit, about fifteen addresses each.

The forms `A9`, `A99`, `AA9`, `AA99`, `A9A`, `AA9A`, each with `9AA` after it, whose letters are never C, I,
K, M, O or V (Royal Mail, Postcode Address File, programmers' guide; BS 7666-2); 124 areas.
"""

from __future__ import annotations

import re

from processor.policy.detection.recognizer import CERTAIN, LIKELY, Recognizer

AREAS = (
    "AB AL B BA BB BD BF BH BL BN BR BS BT BX CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY "
    "E EC EH EN EX FK FY G GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN "
    "LS LU M ME MK ML N NE NG NN NP NR NW OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP "
    "SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO ZE"
)
_AREA = re.compile(r"[A-Z]+")
_KNOWN = frozenset(AREAS.split())


def is_valid(number: str) -> bool:
    """Whether there is such an area."""
    area = _AREA.match(number)
    return area is not None and area[0] in _KNOWN


RECOGNIZER = Recognizer(
    entity="gb_postcode",
    pattern=r"(?i:(?<![0-9A-Z])(?<![0-9][-.])"
    r"[A-Z]{1,2}[0-9][0-9A-HJKMNPR-Y]? [0-9][ABD-HJLNP-UW-Z]{2}"
    r"(?![0-9A-Z]))",
    digits=(2, 3),
    valid=is_valid,
    context=("postcode", "post code", "postal code", "address", "street", "road", "london", "united kingdom"),
    bare=LIKELY,
    near=CERTAIN,
    # Parliament, Royal Mail's office, and one of each other form.
    examples=("SW1A 0AA", "EC1A 1HQ", "M1 1AE", "B33 8TH", "CR2 6XH", "DN55 1PT", "W1A 0AX", "ec1a 1hq"),
    counterexamples=("SW1A 0CA", "QQ1 1AA", "M1 AE", "M111 1AE", "SW1A 00A", "XX10 2AB"),
)
