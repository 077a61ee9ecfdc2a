"""The first three signs of a postcode, and where too few people live for as much.

HIPAA's Safe Harbor (45 CFR 164.514(b)(2)(i)(B)) lets three digits of a ZIP code stay where, by the current
data of the Census Bureau, the area of all ZIP codes that share them holds more than 20,000 people; elsewhere
they become 000.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from processor.policy.notes import Mismatch

if TYPE_CHECKING:
    from collections.abc import Callable


def _starts(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


CENSUS_2000: Final = _starts("036 059 063 102 203 556 692 790 821 823 830 831 878 879 884 890 893")
"""As the Department of Health and Human Services lists them from the census of 2000: Guidance Regarding
Methods for De-identification of Protected Health Information, 26 November 2012, "When can ZIP codes be
included in de-identified information?", which tells to go by newer data once there are."""

CENSUS_2020: Final = _starts("036 059 102 202 203 204 205 369 556 692 753 772 821 823 878 879 884 893")
"""Areas of at most 20,000 people in the census of 2020: Demographic and Housing Characteristics File, table
P1, ZIP Code Tabulation Areas summed by their first three digits (https://api.census.gov/data/2020/dec/dhc)."""

UNCOUNTED_2020: Final = _starts(
    """000 001 002 003 004 005 055 090 091 092 093 094 095 096 097 098 099 192 213 269 311 332 340 343 345
    348 353 375 399 419 428 429 459 509 517 518 519 529 533 536 552 555 568 569 578 579 589 621 632 642
    643 649 659 663 682 694 695 696 697 698 699 702 709 715 732 733 742 771 817 818 819 839 842 848 849
    854 858 861 862 866 867 868 869 872 876 885 886 887 888 889 892 896 899 901 909 929 938 942 962 963
    964 965 966 987"""
)
"""First three digits that no tabulation area of that table has: nobody was counted there. Post office boxes,
single organisations, the armed forces, or not in use. Without 008 and 969: the Virgin Islands and Guam are
counted apart, and are larger."""

LOW_POPULATION: Final = {
    "union": CENSUS_2000 | CENSUS_2020 | UNCOUNTED_2020,
    "census_2020": CENSUS_2020 | UNCOUNTED_2020,
    "census_2000": CENSUS_2000,
    "keep": frozenset[str](),
}
LOW_POPULATION_SAYS: Final = {
    "union": "000 where either census says so",
    "census_2020": "000 by the census of 2020: 18 areas, and those in which nobody was counted",
    "census_2000": "000 by the census of 2000: the 17 areas of the Department's list of 2012",
    "keep": "the digits as they are, as for countries other than the United States",
}
NOBODY: Final = "000"

_POSTCODE: Final = re.compile(r"[0-9A-Za-z]{5,10}")
_ZIP: Final = re.compile(r"[0-9]{5}(?:[0-9]{4})?")


def zip3(low_population: str) -> Callable[[str], str]:
    """The function from a postcode to its first three signs; one of five or nine digits goes by the list."""
    low = LOW_POPULATION[low_population]

    def first_three(text: str) -> str:
        postcode = text.replace(" ", "").replace("-", "")
        if not _POSTCODE.fullmatch(postcode):
            raise Mismatch
        start = postcode[:3].upper()
        return NOBODY if start in low and _ZIP.fullmatch(postcode) else start

    return first_three
