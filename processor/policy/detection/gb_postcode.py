"""UK postcodes, by Royal Mail: area, district, sector and unit, about fifteen addresses each.

The forms `A9`, `A99`, `AA9`, `AA99`, `A9A`, `AA9A`, each with `9AA` after it, whose letters are never C, I,
K, M, O or V (Royal Mail, Postcode Address File, programmers' guide; BS 7666-2); 124 areas, and BF and BX,
which are nowhere.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from processor.policy.detection.recognizer import CERTAIN, LIKELY, Recognizer
from processor.policy.detection.scan import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.detection.scan import Scan

CONTEXT = (
    "postcode",
    "post code",
    "postal code",
    "address",
    "street",
    "road",
    "avenue",
    "lane",
    "deliver",
    "delivered",
    "delivery",
    "moved",
    "flat",
    "uk",
    # An address ends with the town and the postcode: the cities by status whose name is no word besides.
    *(
        "aberdeen",
        "armagh",
        "bangor",
        "belfast",
        "birmingham",
        "bradford",
        "brighton",
        "bristol",
        "cambridge",
    ),
    *("canterbury", "cardiff", "carlisle", "chelmsford", "chichester", "colchester", "coventry", "derby"),
    *("derry", "doncaster", "dundee", "dunfermline", "durham", "edinburgh", "exeter", "glasgow"),
    *("gloucester", "hereford", "inverness", "kingston upon hull", "lancaster", "leeds", "leicester"),
    *("lichfield", "lincoln", "lisburn", "liverpool", "london", "manchester", "milton keynes", "newcastle"),
    *("newport", "newry", "norwich", "nottingham", "oxford", "perth", "peterborough", "plymouth"),
    *("portsmouth", "preston", "ripon", "salford", "salisbury", "sheffield", "southampton", "southend"),
    *("st albans", "stirling", "stoke on trent", "sunderland", "swansea", "truro", "wakefield"),
    *("westminster", "winchester", "wolverhampton", "worcester", "wrexham", "york"),
)
AREAS = (
    "AB AL B BA BB BD BF BH BL BN BR BS BT BX CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY "
    "E EC EH EN EX FK FY G GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN "
    "LS LU M ME MK ML N NE NG NN NP NR NW OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP "
    "SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO ZE"
)
MEMORY = ("GB", "TB")  # an M1 8GB is a computer
LETTERS_BEFORE, LETTERS_AFTER = 2, 2  # the first and the last digit

_FORM = re.compile(
    r"(?i:(?<![0-9A-Z])(?<![0-9][-.])"
    r"([A-Z]{1,2})[0-9][0-9A-HJKMNPR-Y]?( ?)[0-9][ABD-HJLNP-UW-Z]{2}"
    r"(?![0-9A-Z]))"
)
_KNOWN = frozenset(AREAS.split())


def _find(scan: Scan) -> Iterator[Span]:
    """With its space it is likely, in capitals; all else is too often a product's name, and takes a word."""
    for start, end in scan.stretches:
        first, last = max(0, start - LETTERS_BEFORE), end + LETTERS_AFTER + 1
        for match in _FORM.finditer(scan.text, first, last):
            if match[1].upper() in _KNOWN:
                is_usual = match[2] and match[0].isupper() and not match[0].endswith(MEMORY)
                is_near = scan.has_near(CONTEXT, *match.span())
                if is_usual or is_near:
                    yield Span("gb_postcode", *match.span(), CERTAIN if is_usual and is_near else LIKELY)


RECOGNIZER = Recognizer(
    entity="gb_postcode",
    digits=(2, 3),
    glued=True,
    context=CONTEXT,
    find=_find,
    # Parliament, a sorting office, and one of each other form.
    examples=("SW1A 0AA", "EC1A 1HQ", "M1 1AE", "B33 8TH", "CR2 6XH", "DN55 1PT", "W1A0AX", "ec1a 1hq"),
    counterexamples=("SW1A 0CA", "QQ1 1AA", "M1 AE", "M111 1AE", "SW1A 00A", "XX10 2AB"),
)
