"""Numbers that a state or an industry gives a person, by their issuers' rules.

They are written the way that their cards and forms show them.
"""

from __future__ import annotations

from string import ascii_uppercase
from typing import TYPE_CHECKING

from tests.labelled.checks import luhn, verhoeff, weighted
from tests.labelled.forms import filled, laid, weighed

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    Maker = Callable[[Random, str], str]


def _below(rng: Random, first: int, after: int, width: int) -> str:
    return f"{rng.randrange(first, after):0{width}}"


def ssn(rng: Random, locale: str) -> str:  # noqa: ARG001
    """Area, group, serial; none of them zero, the area not 666 and under 900 (SSA, POMS RM 10201.035)."""
    area = rng.choice([number for number in range(1, 900) if number != 666])
    digits = f"{area:03}{_below(rng, 1, 100, 2)}{_below(rng, 1, 10_000, 4)}"
    return laid(
        digits, weighed(rng, {"###-##-####": 68, "### ## ####": 10, "#########": 20, "###.##.####": 2})
    )


def us_itin(rng: Random, locale: str) -> str:  # noqa: ARG001
    """Begins with 9; fourth and fifth digit 50-65, 70-88, 90-92, 94-99 (IRS, Publication 1915)."""
    group = rng.choice([*range(50, 66), *range(70, 89), *range(90, 93), *range(94, 100)])
    return laid(
        filled(rng, f"9##{group}####"), weighed(rng, {"###-##-####": 75, "### ## ####": 10, "#########": 15})
    )


def us_aba(rng: Random, locale: str) -> str:  # noqa: ARG001
    """Nine digits, weights 3 7 1, from the Federal Reserve's ranges (ABA, X9.9)."""
    area = rng.choice([*range(1, 13), *range(21, 33), *range(61, 73)])
    body = filled(rng, f"{area:02}######")
    digits = body + str(-weighted(body, (3, 7, 1, 3, 7, 1, 3, 7)) % 10)
    return laid(digits, weighed(rng, {"#########": 90, "####-####-#": 6, "### ### ###": 4}))


def us_npi(rng: Random, locale: str) -> str:  # noqa: ARG001
    """Ten digits from 1 or 2; Luhn's digit as if 80840 stood before (45 CFR 162.406)."""
    body = filled(rng, f"{rng.choice('12')}########")
    return body + luhn(f"80840{body}")


def us_mbi(rng: Random, locale: str) -> str:  # noqa: ARG001
    """Eleven signs, each of its kind, without the letters S L O I B Z (CMS, "Understanding the MBI")."""
    letters = [letter for letter in ascii_uppercase if letter not in "SLOIBZ"]
    digit, either = "0123456789", [*letters, *"0123456789"]
    kinds = ("123456789", letters, either, digit, letters, either, digit, letters, letters, digit, digit)
    plain = "".join(rng.choice(kind) for kind in kinds)
    return laid(plain, weighed(rng, {"####-###-####": 55, "###########": 45}))


def us_passport(rng: Random, locale: str) -> str:  # noqa: ARG001
    """Nine digits, or since 2021 a letter and eight (US Department of State)."""
    return filled(rng, rng.choice(("#########", "A########", "Y########", "X########")))


def us_driver_license(rng: Random, locale: str) -> str:  # noqa: ARG001
    """Some states' forms: CA, TX, FL, IL, OH, NJ, NY, PA, MI (AAMVA, DL/ID card design standard)."""
    return filled(
        rng,
        weighed(
            rng,
            {
                "@#######": 5,
                "########": 4,
                "@###-###-##-###-#": 3,
                "@###-####-####": 2,
                "@@######": 2,
                "@#### ##### #####": 1,
                "### ### ###": 2,
                "## ### ###": 1,
                "@############": 2,
            },
        ),
    )


def gb_nhs(rng: Random, locale: str) -> str:
    """Ten digits, the last by mod 11; a remainder that would need ten is not issued (NHS Data Dictionary)."""
    body = filled(rng, f"{rng.choice('4679')}########")
    check = -weighted(body, tuple(range(10, 1, -1))) % 11
    if check == 10:
        return gb_nhs(rng, locale)
    return laid(f"{body}{check}", weighed(rng, {"### ### ####": 65, "##########": 25, "###-###-####": 10}))


def gb_nino(rng: Random, locale: str) -> str:
    """Two letters, six digits, A to D; some letters and pairs are not given out (HMRC, NIM39110)."""
    first, second = rng.choice("ABCEGHJKLMNOPRSTWXYZ"), rng.choice("ABCEGHJKLMNPRSTWXYZ")
    if first + second in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}:
        return gb_nino(rng, locale)
    written = laid(
        first + second + filled(rng, "######") + rng.choice("ABCD"),
        weighed(rng, {"## ## ## ## #": 50, "#########": 45, "## ###### #": 5}),
    )
    return written.lower() if rng.random() < 0.06 else written


def gb_postcode(rng: Random, locale: str) -> str:  # noqa: ARG001
    """Area and district, then a digit and two letters without C I K M O V (Royal Mail, BS 7666)."""
    central = ("W1A", "EC1A", "EC2M", "SW1A", "SW1H", "SE1P", "WC2N", "N1C")
    areas = ("M", "B", "LS", "BS", "G", "EH", "CF", "N", "BT", "OX", "SE", "CB")
    outward = rng.choice(central) if rng.random() < 0.25 else f"{rng.choice(areas)}{rng.randint(1, 20)}"
    inward = rng.choice("0123456789") + "".join(rng.choice("ABDEFGHJLNPQRSTUWXYZ") for _ in range(2))
    written = outward + weighed(rng, {" ": 88, "": 12}) + inward
    return written.lower() if rng.random() < 0.06 else written


def in_aadhaar(rng: Random, locale: str) -> str:  # noqa: ARG001
    """Twelve digits from 2 to 9, the last by Verhoeff (UIDAI, "A UID Numbering Scheme")."""
    body = filled(rng, f"{rng.choice('23456789')}##########")
    return laid(
        body + verhoeff(body), weighed(rng, {"#### #### ####": 65, "############": 25, "####-####-####": 10})
    )


def in_pan(rng: Random, locale: str) -> str:  # noqa: ARG001
    """Five letters, the fourth the kind of holder, four digits, a letter (Income-tax Rules, rule 114)."""
    written = filled(rng, f"@@@{rng.choice('PPPPPCHFATBLJG')}@####@")
    return written.lower() if rng.random() < 0.05 else written


def au_abn(rng: Random, locale: str) -> str:  # noqa: ARG001
    """Eleven digits, mod 89 (Australian Business Register)."""
    body = filled(rng, "#########")
    # The two leading digits are the check, 11 to 99: less ten, they make the weighted sum a multiple of 89.
    lead = 11 + -(weighted(body, (3, 5, 7, 9, 11, 13, 15, 17, 19)) + 1) % 89
    return laid(f"{lead}{body}", weighed(rng, {"## ### ### ###": 70, "###########": 30}))


def au_acn(rng: Random, locale: str) -> str:  # noqa: ARG001
    """Nine digits, weights 8 to 1 (ASIC)."""
    body = filled(rng, "########")
    return laid(
        f"{body}{-weighted(body, tuple(range(8, 0, -1))) % 10}",
        weighed(rng, {"### ### ###": 75, "#########": 25}),
    )


def au_tfn(rng: Random, locale: str) -> str:  # noqa: ARG001
    """Nine digits whose weighted sum is a multiple of 11 (Australian Taxation Office)."""
    while True:
        digits = filled(rng, f"{rng.choice('12345678')}########")
        if weighted(digits, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0:
            return laid(digits, weighed(rng, {"### ### ###": 75, "#########": 20, "###-###-###": 5}))


def au_medicare(rng: Random, locale: str) -> str:  # noqa: ARG001
    """Eight digits from 2 to 6, check, issue, often the person's place on the card (Services Australia)."""
    body = filled(rng, f"{rng.choice('23456')}#######")
    digits = f"{body}{weighted(body, (1, 3, 7, 9, 1, 3, 7, 9)) % 10}{rng.randint(1, 9)}"
    mask = weighed(rng, {"#### ##### #": 60, "##########": 25})
    return laid(digits, mask) + (
        rng.choice((" ", "/", "-")) + rng.choice("123456") if rng.random() < 0.15 else ""
    )


_NIF = "TRWAGMYFPDXBNJZSQVHLCKE"


def es_nif(rng: Random, locale: str) -> str:  # noqa: ARG001
    """Eight digits and the letter of their remainder by 23 (Real Decreto 1553/2005)."""
    number = rng.randint(1_000_000, 99_999_999)
    mask = weighed(rng, {"#########": 60, "########-#": 25, "##.###.###-#": 10, "######## #": 5})
    written = laid(f"{number:08}{_NIF[number % 23]}", mask)
    return written.lower() if rng.random() < 0.05 else written


def es_nie(rng: Random, locale: str) -> str:  # noqa: ARG001
    """X, Y or Z for 0, 1 or 2, seven digits, the same letter (Orden INT/2058/2008)."""
    lead, rest = rng.choice("012"), filled(rng, "#######")
    return laid(
        f"{'XYZ'[int(lead)]}{rest}{_NIF[int(lead + rest) % 23]}",
        weighed(rng, {"#########": 65, "#-#######-#": 35}),
    )


_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21,
         2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)  # fmt: skip


def it_fiscal_code(rng: Random, locale: str) -> str:  # noqa: ARG001
    """Consonants of names, year, month, day (40 more for women), commune, check (DM 12 March 1974)."""
    # A name gives its first three consonants; one with too few, a vowel behind them.
    names = "".join(rng.choice("BCDFGLMNPRSTVZ") for _ in range(5)) + rng.choice("AEIOBCDLMNRST")
    day = rng.randint(1, 28) + rng.choice((0, 40))
    born = f"{_below(rng, 0, 100, 2)}{rng.choice('ABCDEHLMPRST')}{day:02}"
    body = f"{names}{born}{rng.choice('ABCDEFGHILMZ')}{_below(rng, 100, 1000, 3)}"
    total = sum(_ODD[sign] for sign in body[::2]) + sum(
        int(sign) if sign.isdigit() else ascii_uppercase.index(sign) for sign in body[1::2]
    )
    plain = body + ascii_uppercase[total % 26]
    written = laid(plain, weighed(rng, {"################": 88, "### ### ##### #####": 12}))
    return written.lower() if rng.random() < 0.06 else written


def pl_pesel(rng: Random, locale: str) -> str:  # noqa: ARG001
    """Birth date, the century in its month, serial, weighted check (ustawa o ewidencji ludności, art. 15)."""
    year, month = rng.randint(1940, 2012), rng.randint(1, 12)
    month += 20 if year > 1999 else 0
    body = f"{year % 100:02}{month:02}{_below(rng, 1, 29, 2)}{_below(rng, 0, 10_000, 4)}"
    return f"{body}{-weighted(body, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10}"


def sg_nric(rng: Random, locale: str) -> str:  # noqa: ARG001
    """A letter for who and when, seven digits, a letter of their sum by 11 (ICA; series M since 2022)."""
    series, digits = rng.choice("SSSTTFGM"), filled(rng, "#######")
    offset = {"T": 4, "G": 4, "M": 3}.get(series, 0)
    rest = (weighted(digits, (2, 7, 6, 5, 4, 3, 2)) + offset) % 11
    letters = {"F": "XWUTRQPNMLK", "G": "XWUTRQPNMLK", "M": "XWUTRQPNJLK"}.get(series, "JZIHGFEDCBA")
    written = series + digits + letters[rest]
    return written.lower() if rng.random() < 0.06 else written


def ca_sin(rng: Random, locale: str) -> str:  # noqa: ARG001
    """Nine digits, no leading 0 or 8, Luhn's check (Service Canada)."""
    body = filled(rng, f"{rng.choice('12345679')}#######")
    return laid(body + luhn(body), weighed(rng, {"### ### ###": 55, "###-###-###": 25, "#########": 20}))


def br_cpf(rng: Random, locale: str) -> str:  # noqa: ARG001
    """Nine digits and two checks by 11 (Receita Federal, IN RFB 1548/2015)."""
    digits = filled(rng, "#########")
    for count in (9, 10):
        rest = weighted(digits, tuple(range(count + 1, 1, -1))) * 10 % 11
        digits += str(rest % 10)
    return laid(
        digits,
        weighed(rng, {"###.###.###-##": 72, "###########": 22, "#########-##": 4, "### ### ### ##": 2}),
    )


# Passports by their issuers' forms (ICAO Doc 9303 leaves them to each state).
_PASSPORTS = {
    "en_GB": "#########",
    "en_IN": "@#######",
    "en_AU": "P@#######",
    "en_CA": "@@######",
    "en_SG": "K#######@",
    "fr_FR": "##@@#####",
    "es_ES": "@@@######",
    "it_IT": "Y@#######",
    "pl_PL": "E@#######",
    "pt_BR": "F@######",
    "ja_JP": "T@#######",
    "zh_CN": "E########",
}


def passport(rng: Random, locale: str) -> str:
    """A passport's number."""
    if locale == "de_DE":  # the letters that cannot be read as a word (BMI)
        return "C" + "".join(rng.choice("0123456789CFGHJKLMNPRTVWXYZ") for _ in range(8))
    return filled(rng, _PASSPORTS[locale])
