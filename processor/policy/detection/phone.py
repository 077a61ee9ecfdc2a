"""Telephone numbers: international (ITU-T E.164, written by E.123), and the national forms of a dozen plans.

A number is a row of whole groups of digits. Which rows are one, the numbering plans say: of a country code, how
many digits follow it; of a national number, with what it begins and how people group it. Many of those forms
are anything's (nine digits in threes): they take a word. Which forms are a plan's own is said beside each.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from processor.policy.detection.recognizer import CERTAIN, LIKELY, POSSIBLE, Recognizer
from processor.policy.detection.scan import Span, groups

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.detection.scan import Scan

    Places = list[tuple[int, int]]

DIGITS_MIN, DIGITS_MAX = 8, 17  # with the two zeros that some dial instead of the +
E164_MAX = 15
GROUPS_MAX = 8
COUNTRY_CODE_MAX = 3

# Digits after the country code, at least and at most, where the plan is closed enough to say.
NATIONAL_DIGITS = {
    "1": (10, 10), "7": (10, 10), "20": (8, 10), "27": (9, 9), "30": (10, 10), "31": (9, 9), "32": (8, 9),
    "33": (9, 9), "34": (9, 9), "36": (8, 9), "39": (6, 11), "40": (9, 9), "41": (9, 9), "43": (7, 12),
    "44": (9, 10), "45": (8, 8), "46": (7, 10), "47": (8, 8), "48": (9, 9), "49": (6, 11), "51": (8, 9),
    "52": (10, 10), "54": (10, 11), "55": (10, 11), "56": (9, 9), "57": (8, 10), "60": (8, 10), "61": (9, 9),
    "62": (8, 12), "63": (8, 10), "64": (8, 10), "65": (8, 8), "66": (8, 9), "81": (9, 10), "82": (8, 10),
    "84": (9, 10), "86": (9, 11), "90": (10, 10), "91": (10, 10), "92": (9, 10), "351": (9, 9),
    "353": (7, 9), "358": (6, 11), "380": (9, 9), "420": (9, 9), "421": (9, 9), "852": (8, 8),
    "886": (8, 9), "966": (9, 9), "971": (8, 9), "972": (8, 9),
}  # fmt: skip

# Assigned country codes (ITU-T E.164 list); no code is the beginning of another.
_COUNTRY = re.compile(
    r"1|7|2(?:[07]|1[1-368]|[2346][0-9]|5[0-8]|9[0179])|3(?:[0-469]|[57][0-9]|8[0-35-79])|4(?:[013-9]|2[013])"
    r"|5(?:[1-8]|[09][0-9])|6(?:[0-6]|7[02-9]|8[0-9]|9[0-2])|8(?:[1246]|0[08]|5[02356]|7[0-9]|8[0-36-8])"
    r"|9(?:[0-58]|[679][0-9])"
)

# Groups with one space between them. What looks like little else:
_OWN = re.compile(
    r"(?:1 )?[2-9][0-9]{2} [2-9][0-9]{2} [0-9]{4}"  # North America
    r"|0[1-9](?: [0-9]{2}){4}"  # France
    r"|0[1-9][0-9]{0,4} (?:[0-9]{3,4} [0-9]{3,4}|[0-9]{5,8})"  # UK, Germany, Japan, Italy, China, Australia
    r"|0[1-9][0-9]{1,3}(?: [0-9]{2,3}){2,4}"  # Germany
    r"|0[1237][0-9]{9}|0[1-79][0-9]{8}|01[5-7][0-9]{9}"  # UK; France, Australia, Japan; Germany's mobiles
    r"|1[3-9][0-9] [0-9]{4} [0-9]{4}"  # China's mobiles
)
# What other numbers look like too:
_ANYONES = re.compile(
    r"1?[2-9][0-9]{2}[2-9][0-9]{6}|[2-9][0-9]{2} [2-9][0-9]{6}|(?:1 )?[2-9][0-9]{2} [0-9]{3} [0-9]{4}"  # North America
    r"|0[1-9][0-9]{6,10}|0[1-9](?: ?[0-9]){6,10}"  # with a trunk 0, in any groups
    r"|1[3-9][0-9]{9}"  # China
    r"|[6-9][0-9]{9}|[6-9][0-9]{4} [0-9]{5}|[6-9][0-9]{2,3} [0-9]{3} [0-9]{3,4}"  # India
    r"|[1-9][0-9]{8}|[1-9][0-9]{2} [0-9]{3} [0-9]{3}"  # Spain, Poland
    r"|[1-9][0-9] [0-9]{3} [0-9]{2} [0-9]{2}|[1-9][0-9]{2}(?: [0-9]{2}){3}"
    r"|3[0-9]{2} ?[0-9]{6,8}|3[0-9]{2} [0-9]{3} [0-9]{3,4}"  # Italy's mobiles
    r"|[1-9][0-9] ?9?[0-9]{4} ?[0-9]{4}|[1-9][0-9] 9 [0-9]{4} [0-9]{4}"  # Brazil; Japan's mobiles without the 0
    r"|[2-9][0-9]{3} ?[0-9]{4}|65 [2-9][0-9]{3} [0-9]{4}"  # Singapore, Hong Kong
    r"|1[38]00 [0-9]{3} [0-9]{3}"  # Australia
)
# The first group in parentheses, as little else has it.
_IN_PARENTHESES = re.compile(
    r"0?[1-9][0-9] (?:9 ?)?[0-9]{4} ?[0-9]{4}|[1-9][0-9] [0-9]{3} [0-9]{2} [0-9]{2}"  # Brazil; Spain, Poland
    r"|[2-9][0-9]{2} [0-9]{3} ?[0-9]{4}|0[0-9]{1,4} [0-9]{5,8}"  # North America; UK, Germany, India
)
_DATE = re.compile(
    r"[0-3]?[0-9] [0-3]?[0-9] (?:19|20)[0-9]{2}(?: .*)?|(?:19|20)[0-9]{2} [01]?[0-9] [0-3]?[0-9](?: .*)?"
)
_QUAD = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")  # an IP address, a version

_GAP = re.compile(r"[ \t\n\-./()]{1,3}")
_EXTENSION = re.compile(
    r"[,;]? ?(?:x|extn?\.?|extension|durchwahl|dw\.?|poste|int\.?|ramal) ?[0-9]{1,6}(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_GLUED = re.compile(r"(?:[0-9A-Za-z+_#@$]|[0-9][-./,:]|[A-Za-z][-/]|[0-9]{3} )\Z")
_GOES_ON = re.compile(r"[0-9A-Za-z_@%$]|[-./:][0-9]")
_IN_A_ROW = re.compile(r" [0-9]{3}")
_CENTS = re.compile(r",[0-9]{1,2}(?![0-9])")

# One word of each, in plain signs; Japanese, Chinese and Hindi as they are written.
_WORDS = """
    phone telephone tel call called calling caller callback ring dial mobile cell cellphone fax sms text whatsapp
    whats zap telegram viber contact reach voicemail spoke landline
    telefon telefonnummer handy handynummer mobil mobilnummer rufnummer anruf anrufen ruckruf festnetz durchwahl
    erreichbar erreichen telefonisch
    portable appeler appelez appel appelle rappeler rappelez joindre joignable telecopie
    telefono movil celular llamar llame llamen llama llamada llameme fijo contacto contactar responde contesta
    cellulare chiamare chiamate chiama chiamata chiamarmi richiamare richiamatemi richiamami recapito risponde
    telefonu komorka komorkowy kom zadzwonic dzwonic zadzwon oddzwonic odbiera kontakt kontaktowy
    telefone ligar ligue ligacao contato recado atende
    電話 携帯 連絡 连絡 ファックス 折り返し 电话 手机 座机 联系 致电 来电 回电 拨打 传真 फोन मोबाइल
"""
CONTEXT = (
    *_WORDS.split(),
    *("new number is", "numero nuevo es", "nuovo numero e", "numero novo e", "nowy numer to", "numerem"),
    *("nouveau numero est", "neue nummer ist", "hung up", "番号は", "号码是"),
)
# In parentheses behind it.
BEHIND_CHARACTERS = 12

# Right before a number, what says that it is another's.
_ANOTHERS = re.compile(
    r"(?<![a-z])(?:order|invoice|ticket|ref|reference|tracking|parcel|transaction|account|acct?|contract|imei|iccid|sim"
    r"|isbn|ean|case|card|serial|item|sku|commit|meter|id|ts|epoch|token|iban|pin|code|zip|book|model|version|os"
    r"|file|insurance|tax|npi|nhs|acn|abn|tfn|sin|ssn|tin|pesel|nip|cpf|cnpj|rg|dni|nie|nif|passport|license|licence"
    r"|medicare|beneficiary|aadhaar|pan|routing|bsb"
    r"|bestell\w*|auftrag\w*|rechnung\w*|vorgang\w*|sendung\w*|vertrag\w*|konto\w*|kunden\w*|verwendungszweck"
    r"|commande|facture|dossier|colis|contrat|compte|motif|pedido|factura|caso|envio|contrato|cuenta|concepto"
    r"|ordine|fattura|pratica|spedizione|contratto|conto|causale|zamowieni\w*|faktur\w*|zgloszeni\w*|przesylk\w*"
    r"|umow\w*|kont\w*|tytul\w*|fatura|chamado|conta)"
    r"(?:[ -]?(?:no|nr|number|num|nummer|numero|numer|n|n\.o|id))?(?: is| ist| es| est| to)?[^0-9a-z]{0,4}\Z"
)
BEFORE_CHARACTERS = 32


def _find(scan: Scan) -> Iterator[Span]:
    """Look from each group of digits for the longest row of groups that is a number."""
    text = scan.text
    for begin, end in scan.stretches:
        places, first = groups(text, begin, end), 0
        while first < len(places):
            start = _start(text, places[first][0])
            found = _number(scan, places, first, start) if start is not None else None
            if found is None:
                first += 1
                continue
            last, score = found
            stop = places[last][1]
            extension = _EXTENSION.match(text, stop)
            yield Span("phone", start, extension.end() if extension else stop, score)
            first = last + 1


def _start(text: str, begin: int) -> int | None:
    """Where the number begins, with the signs before its first digit; None if it goes on to the left."""
    start = begin
    while start and begin - start < len("(+") and text[start - 1] in "(+":
        start -= 1
    return None if _GLUED.search(text, max(0, start - 4), start) else start


def _number(scan: Scan, places: Places, first: int, start: int) -> tuple[int, float] | None:
    """The last group of the number that begins with group `first`, and how sure it is."""
    text = scan.text
    begin, stop = places[first]
    signs = text[start:begin]
    if "+" in signs or text.startswith("00", begin):
        last = _international(text, places, first, 0 if "+" in signs else 2)
        return None if last is None else (last, CERTAIN if "+" in signs else LIKELY)
    found = _national(text, places, first, in_parentheses="(" in signs and text.startswith(")", stop))
    if found is None or _ANOTHERS.search(text[max(0, start - BEFORE_CHARACTERS) : start].lower()):
        return None
    last, score = found
    stop = places[last][1]
    behind = BEHIND_CHARACTERS if text.startswith(" (", stop) else 0
    return last, CERTAIN if scan.has_near(CONTEXT, start, stop, behind) else score


def _international(text: str, places: Places, first: int, zeros: int) -> int | None:
    """Where the longest row ends that is as long as the country's numbers, dialled with so many zeros before."""
    digits, found = "", None
    least, most = DIGITS_MIN, E164_MAX
    for last in _row(text, places, first):
        begin, stop = places[last]
        if stop - begin == 1 and text[begin - 1 : stop + 1] == "(0)":  # for callers from inside
            continue
        digits += text[begin : min(stop, begin + DIGITS_MAX + 1)][zeros if last == first else 0 :]
        country = _COUNTRY.match(digits)
        if country:
            if zeros and country[0] not in NATIONAL_DIGITS:
                return None
            low, high = NATIONAL_DIGITS.get(country[0], (0, E164_MAX))
            least, most = (
                max(DIGITS_MIN, low) if low == 0 else len(country[0]) + low,
                min(E164_MAX, len(country[0]) + high),
            )
        elif len(digits) >= COUNTRY_CODE_MAX:
            return None
        if len(digits) > most:
            break
        if country and len(digits) >= least and _ends(text, stop):
            found = last
    return found


def _national(text: str, places: Places, first: int, *, in_parentheses: bool) -> tuple[int, float] | None:
    """Where the longest row ends that has a plan's form, and how few other things have it."""
    written, found = "", None
    for last in _row(text, places, first):
        begin, stop = places[last]
        written = f"{written} {text[begin : min(stop, begin + DIGITS_MAX + 1)]}".lstrip()
        if len(written) > DIGITS_MAX + GROUPS_MAX:
            break
        if not _ends(text, stop) or _DATE.fullmatch(written) or _QUAD.fullmatch(text, places[first][0], stop):
            continue
        if _OWN.fullmatch(written) or (in_parentheses and _IN_PARENTHESES.fullmatch(written)):
            found = last, LIKELY
        elif (
            _ANYONES.fullmatch(written)
            and not _IN_A_ROW.match(text, stop)
            and "\n" not in text[places[first][0] : stop]
        ):
            found = last, POSSIBLE
    return found


def _row(text: str, places: Places, first: int) -> Iterator[int]:
    """The groups from `first` on, as long as what is between them may stand in a number."""
    yield first
    for last in range(first + 1, min(len(places), first + GROUPS_MAX)):
        if not _GAP.fullmatch(text, places[last - 1][1], places[last][0]):
            return
        yield last


def _ends(text: str, stop: int) -> bool:
    """Whether a number may end there: not within a word, a sum of money or a longer number."""
    after = text[stop : stop + 2]
    if not after or _GOES_ON.match(after) is None:
        return not (after[:1] == "," and _CENTS.match(text, stop))
    return _EXTENSION.match(text, stop) is not None


RECOGNIZER = Recognizer(
    entity="phone",
    digits=(DIGITS_MIN, DIGITS_MAX),
    context=CONTEXT,
    find=_find,
    # Numbers that the plans keep for examples and films (NANPA 555-01xx, Ofcom, ARCEP, Bundesnetzagentur).
    examples=(
        "+1 212 555 0123",
        "(212) 555-0123",
        "212-555-0123 ext. 4",
        "2125550123",
        "+44 (0)20 7946 0958",
        "020 7946 0958",
        "07700 900123",
        "+4915112345678",
        "(030) 23125 000",
        "0171/3920000",
        "01 99 00 12 34",
        "0033 1 99 00 12 34",
        "090-1234-5678",
        "03(1234)5678",
        "138 1234 5678",
        "98765 43210",
        "(11) 91234-5678",
        "612 345 678",
    ),
    counterexamples=(
        "2026-11-23 21:04",
        "order 12345",
        "01.02.2026 10:30",
        "+210 123 456 789",
        "08:30-17:30",
        "1.234.567,89",
        "order no. 2125550123",
        "INV-2125550123",
    ),
)
