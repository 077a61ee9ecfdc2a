"""Telephone numbers: international (ITU-T E.164, written by E.123), and national by a dozen numbering plans.

A number is a row of whole groups of digits. Which rows are one, the numbering plans say: of a country code,
how many digits follow it; of a national number, with what it begins and how people group it. Groups that
other numbers have too (ten digits in one, nine in threes) take a word before or behind; a word for something
else right before takes any back.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from processor.policy.detection.recognizer import CERTAIN, LIKELY, POSSIBLE, Recognizer
from processor.policy.detection.scan import Span, groups

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.detection.scan import Scan

    Places = list[tuple[int, int]]

DIGITS_MIN, DIGITS_MAX = 8, 17  # with the two zeros that some dial instead of the +
E164_MAX, NATIONAL_MAX = 15, 12
GROUPS_MAX = 8
COUNTRY_CODE_MAX = 3
NATIONAL_DIGITS_ANY = (0, E164_MAX)
SHAPES_MAX = 4_096  # remembered: people group their numbers in few ways
PIECE_DIGITS, NEIGHBOUR_DIGITS = 4, 3
BEFORE_CHARACTERS, BEHIND_CHARACTERS = 48, 24  # how far a word may stand from its number

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
    r"|9(?:[0-58]|6[0-8]|7[0-79]|9[2-68])"
)

# Forms by plan. `#` is a digit, a space any gap, `-` a hyphen. What looks like little else:
_OWN = {
    "North America (NANPA)": "1 [2-9]## [2-9]## ####|[2-9]## [2-9]## ####",
    "UK (Ofcom)": "0[1-389]## ### ?####|02# #### ####|01### #{5,6}|07### #{6}|0#### ### ###|0[1237]#{9}",
    "Germany (BNetzA)": "0[2-9]#{1,3} #{5,8}|0[2-9]#{1,2} ### #{3,5}",
    "Germany's mobiles": "01[5-7]#{1,2} #{7,8}|01[5-7]# #### ####|01[5-7]#{9}",
    "Germany in pairs (DIN 5008 of 1996)": "0[2-9]#{1,2} #{2,3} ## ##|0[2-9]#{1,2} ## ## ## ##",
    "France (ARCEP)": "0[1-9] ## ## ## ##|0[1-79]#{8}",
    "Spain (CNMC)": "[6-9]## ## ## ##|[89][1-8] ### ## ##",
    "Poland (UKE)": "[1-9][1-9] ### ## ##",
    "Italy (AGCOM)": "0[1-9]#? #{5,8}|3[2-9]# ### ####",
    "Brazil (Anatel)": "[1-9][1-9] 9####-####|[1-9][1-9] [2-5]###-####",
    "Japan (MIC)": "0[1-9]#? #### ####|0## ### ####|0### ## ####|0120 ### ###",
    "China (MIIT)": "1[3-9]# #### ####|0[1-9]#{1,2} #{7,8}",
    "Australia (ACMA)": "04## ### ###|0[2378] #### ####|1[38]00 ### ###",
    "India (TRAI)": "0[1-9]# #{8}|0[1-9]# #### ####|0[1-9]## #{7}",
}
# What does where the first group, an area code, stands in parentheses:
_IN_PARENTHESES = {
    "North America": "[2-9]## ### ?####",
    "Brazil": "0?[1-9][1-9] 9? ?#### ?####",
    "Spain, Poland": "[1-9]# ### ## ##|9## ## ## ##",
    "with a trunk 0": "0#{1,4} #{3,4} #{3,4}|0#{1,4} #{4,8}",
    "Singapore, by its country code": "65 [3689]### ####",
}
# What other numbers look like too:
_ANYONES = {
    "North America": "1?[2-9]##[2-9]#{6}|[2-9]## [2-9]#{6}|1? ?[2-9]## ### ####",
    "with a trunk 0, in any groups": "0[1-9]## ?####|0[1-9]" + " ?#" * 7 + "(?: ?#){0,3}",
    "China": "1[3-9]#{9}",
    "India": "[6-9]#{9}|[6-9]#### #####|[6-9]#{2,3} ### #{3,4}",
    "Spain, Poland": "[1-9]#{8}|[1-9]## ### ###|[1-9]## ## ## ##",
    "Italy": "3## ?#{6,8}|3## ### #{3,4}",
    "Brazil": "[1-9][1-9] ?9?#### ?####|[1-9][1-9] 9 #### ####",
    "Singapore (IMDA), Hong Kong (OFCA)": "[2-9]### ?####|65 [3689]### ####",
    "Australia, the trunk 0 left out": "[2-9] #### ####",
}


def _any_of(forms: dict[str, str]) -> re.Pattern[str]:
    """One pattern of all forms, over groups written with one sign between them."""
    return re.compile("|".join(forms.values()).replace(" ", "[ -]").replace("#", "[0-9]"))


def _shapes_of(forms: dict[str, str]) -> re.Pattern[str]:
    """The same over shapes, which have a # for every digit."""
    shapes = re.sub(r"(\{[^}]*\})|\[[0-9-]+\]|[0-9]", lambda part: part[1] or "#", "|".join(forms.values()))
    return re.compile(shapes.replace(" ", "[ -]"))


_own, _anyones = _any_of(_OWN).fullmatch, _any_of(_ANYONES).fullmatch
_in_parentheses = _any_of(_IN_PARENTHESES).fullmatch
_of_a_form = _shapes_of(_OWN | _IN_PARENTHESES | _ANYONES).fullmatch
_SHAPES = ["#" * length for length in range(NATIONAL_MAX + 1)]


@lru_cache(maxsize=SHAPES_MAX)
def _has_form(shape: str) -> bool:
    """Whether there are numbers of this shape: most rows of digits stop here, and there are few shapes."""
    return _of_a_form(shape) is not None


_date = re.compile(
    r"(?:[0-3]?[0-9][ -][0-3]?[0-9][ -](?:19|20)[0-9]{2}|(?:19|20)[0-9]{2}[ -][01]?[0-9][ -][0-3]?[0-9])"
    r"(?:[ -].*)?"
).fullmatch
_quad = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}").fullmatch  # an IP address, a version

GAP_MAX, SEPARATORS = 3, " \t\n-./()"  # between two groups
_EXTENSION = re.compile(
    r"[,;]? ?(?:x|extn?\.?|extension|durchwahl|dw\.?|poste|int\.?|ramal) ?[0-9]{1,6}(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_GLUED = re.compile(r"(?:[0-9A-Za-z+_#@$]|[0-9][-./,:]|[A-Za-z][-/])\Z")
_GOES_ON = re.compile(r"[0-9A-Za-z_@%$]|[-./:][0-9]")
_CENTS = re.compile(r",[0-9]{1,2}(?![0-9])")

# One word of each, in plain signs; Japanese, Chinese and Hindi as they are written.
_WORDS = """
    phone telephone tel call called calling caller callback ring dial mobile cell cellphone fax sms text spoke
    landline whatsapp whats zap telegram viber contact reach voicemail
    telefon telefonnummer telefonisch handy handynummer mobil mobilnummer rufnummer anruf anrufen ruckruf
    festnetz durchwahl erreichbar erreichen
    portable appeler appelez appel appelle rappeler rappelez joindre joignable telecopie
    telefono movil celular llamar llame llameme llamen llama llamada fijo contacto contactar responde contesta
    cellulare chiamare chiamarmi chiamate chiamatemi chiama chiamata richiamare richiamatemi richiamami
    recapito risponde
    telefonu komorka komorkowy kom zadzwonic dzwonic oddzwonic zadzwon odbiera kontakt kontaktowy
    numerem
    telefone ligar ligue ligacao contato recado atende
    電話 携帯 連絡 连絡 ファックス 折り返し 番号は 电话 手机 座机 联系 致电 来电 回电 拨打 接听 号码是 传真
    फोन मोबाइल
"""
_PHRASES = (
    *("hung up", "new number", "my number", "neue nummer", "meine nummer", "mon numero", "nouveau numero"),
    *("mi numero", "numero nuevo", "nuovo numero", "mio numero", "meu numero", "numero novo"),
    *("moj numer", "nowy numer"),
)
CONTEXT = (*_WORDS.split(), *_PHRASES)
_UNSPACED = tuple(word for word in CONTEXT if not word.isascii())
_BEFORE = frozenset(word + plural for word in _WORDS.split() if word.isascii() for plural in ("", "s"))
_BEHIND = _BEFORE - {"called", "contact", "text"}  # said of the person whose other number it is
_letters = re.compile(r"[a-z]+").findall

# Right before a number, what says that it is another's; what may stand between; how such words begin in
# languages that join or decline them.
_OTHER_KINDS = """
    order invoice ticket ref reference tracking parcel transaction account acc acct contract imei iccid sim
    isbn ean case card serial item article sku policy commit meter id ts epoch token iban pin code zip book
    model version os file insurance social security tax npi nhs acn abn tfn sin ssn tin pesel nip cpf cnpj
    rg dni nie nif passport license licence medicare beneficiary aadhaar pan routing rtn bsb verwendungszweck
    commande facture dossier colis contrat compte motif pedido factura caso envio contrato cuenta concepto
    ordine fattura pratica articolo spedizione contratto conto causale fatura chamado conta
"""
_ANOTHERS = frozenset(_OTHER_KINDS.split())
_BETWEEN = frozenset(
    ("number", "num", "nummer", "numero", "numer", "nr", "no", "n", "o", "id", "is", "ist", "es", "est", "to")
)
_ANOTHERS_BEGIN = (
    *("bestell", "auftrag", "rechnung", "vorgang", "sendung", "vertrag", "konto", "kunden"),
    *("zamowieni", "faktur", "zgloszeni", "przesylk", "umow", "kont", "tytul"),
)
_UNSPACED_ANOTHERS = (
    *("订单", "訂單", "卡号", "账号", "护照", "身份证", "快递", "工单"),
    *("注文", "請求書", "追跡", "口座"),
)
BETWEEN_MAX = 3  # `pedido n.o 123` has two
UNSPACED_CHARACTERS = 8  # `订单` and what may follow it
SIGNS_MAX = 4  # between the last word and the number
_last_word = re.compile(rf"[a-z][^0-9a-z]{{0,{SIGNS_MAX}}}\Z").search
# So far what is behind a number is about it: not the next sentence, nor what introduces the next number.
_clause_ends = re.compile(r"[\n;.。]|[,、][^,、\n]*[0-9]|[0-9]|\Z").search


def _find(scan: Scan) -> Iterator[Span]:
    """Look from each group of digits for the longest row of groups that is a number."""
    text = scan.text
    for begin, end in scan.stretches:
        if _quad(text, begin, end):
            continue
        places, first = groups(text, begin, end), 0
        while first < len(places):
            start = _start(text, places[first][0])
            found = None if start is None else _number(scan, places, first, start)
            if start is None or found is None:
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
    return None if _GLUED.search(text, max(0, start - 2), start) else start


def _number(scan: Scan, places: Places, first: int, start: int) -> tuple[int, float] | None:
    """The last group of the number that begins with group `first`, and how sure it is."""
    text = scan.text
    begin, stop = places[first]
    signs = text[start:begin]
    if "+" in signs or text.startswith("00", begin):
        last = _international(text, places, first, 0 if "+" in signs else 2)
        return None if last is None else (last, CERTAIN if "+" in signs else LIKELY)
    in_parentheses = "(" in signs and text.startswith(")", stop)
    if _continues(text, places, first) and not in_parentheses:
        return None
    found = _national(text, places, first, in_parentheses=in_parentheses)
    return found and _in_context(scan, start, places[found[0]][1], found)


def _in_context(scan: Scan, start: int, stop: int, found: tuple[int, float]) -> tuple[int, float] | None:
    """What a form is worth among its words."""
    before = _words(scan, max(0, start - BEFORE_CHARACTERS), start)
    if _is_anothers(before):
        return None
    if _says_phone(before, _BEFORE):
        return found[0], CERTAIN
    behind = _words(scan, stop, stop + BEHIND_CHARACTERS)
    clause_end = _clause_ends(behind)
    is_said = clause_end is not None and _says_phone(behind[: clause_end.start()], _BEHIND)
    return (found[0], CERTAIN) if is_said else found


def _is_anothers(before: str) -> bool:
    """Whether the last words name a number of another kind."""
    if not before.isascii() and any(word in before[-UNSPACED_CHARACTERS:] for word in _UNSPACED_ANOTHERS):
        return True
    if not _last_word(before, max(0, len(before) - SIGNS_MAX - 1)):
        return False
    for word in _letters(before)[: -BETWEEN_MAX - 2 : -1]:
        if word in _ANOTHERS or word.startswith(_ANOTHERS_BEGIN):
            return True
        if word not in _BETWEEN:
            break
    return False


def _continues(text: str, places: Places, first: int) -> bool:
    """Whether four digits follow four, as in a card number and hardly before a telephone number."""
    (begin, stop), (before, end) = places[first], places[first - 1]
    return first > 0 and stop - begin == end - before == PIECE_DIGITS and text[end:begin] == " "


def _is_piece(text: str, places: Places, first: int, last: int) -> bool:
    """Whether a group of some length is right beside a row that could be a part of anything."""
    return any(
        text[places[left][1] : places[left + 1][0]] == " "
        and places[neighbour][1] - places[neighbour][0] >= NEIGHBOUR_DIGITS
        for left, neighbour in ((first - 1, first - 1), (last, last + 1))
        if 0 <= neighbour < len(places)
    )


def _words(scan: Scan, start: int, end: int) -> str:
    """What stands there in lower case: folded, but as given where folding has no letters for it."""
    folded, original, offsets = scan.text[start:end].lower(), scan.original, scan.offsets
    if not original or "~" not in folded:
        return folded
    return "".join(
        original[offsets[at] if offsets else at] if sign == "~" else sign
        for at, sign in enumerate(folded, start)
    )


def _says_phone(around: str, words: frozenset[str]) -> bool:
    return (
        not words.isdisjoint(_letters(around))
        or any(phrase in around for phrase in _PHRASES)
        or (not around.isascii() and any(word in around for word in _UNSPACED))
    )


def _international(text: str, places: Places, first: int, zeros: int) -> int | None:
    """Where the longest row ends that is as long as its country has numbers, behind so many zeros."""
    digits, found = "", None
    country: re.Match[str] | None = None
    least, most = DIGITS_MIN, E164_MAX
    for last in _row(text, places, first):
        begin, stop = places[last]
        if stop - begin == 1 and text[begin - 1 : stop + 1] == "(0)":  # for callers from inside
            continue
        digits += text[begin : min(stop, begin + DIGITS_MAX + 1)][zeros if last == first else 0 :]
        if country is None:
            country = _COUNTRY.match(digits)
            if country is None and len(digits) >= COUNTRY_CODE_MAX:
                return None
            if country:
                if zeros and country[0] not in NATIONAL_DIGITS:
                    return None
                low, high = NATIONAL_DIGITS.get(country[0], NATIONAL_DIGITS_ANY)
                least, most = max(DIGITS_MIN, len(country[0]) + low), min(E164_MAX, len(country[0]) + high)
        if len(digits) > most:
            break
        if country and len(digits) >= least and _ends(text, stop):
            found = last
    return found


def _national(text: str, places: Places, first: int, *, in_parentheses: bool) -> tuple[int, float] | None:
    """Where the longest row ends that has a plan's form, and how few other things have it."""
    found, end = None, places[first][0]
    written, shape, count = "", "", 0
    for last in _row(text, places, first):
        begin, stop = places[last]
        count += stop - begin
        if count > NATIONAL_MAX:
            break
        gap = "" if last == first else "-" if "-" in text[end:begin] else " "
        written, shape, end = (
            f"{written}{gap}{text[begin:stop]}",
            f"{shape}{gap}{_SHAPES[stop - begin]}",
            stop,
        )
        if count < DIGITS_MIN or not _has_form(shape) or not _ends(text, stop):
            continue
        if _own(written) or (in_parentheses and _in_parentheses(written)):
            score = LIKELY
        elif _anyones(written) and (in_parentheses or not _is_piece(text, places, first, last)):
            score = POSSIBLE
        else:
            continue
        if not _date(written) and not _quad(text, places[first][0], stop):
            found = last, score
    return found


def _row(text: str, places: Places, first: int) -> Iterator[int]:
    """The groups from `first` on, as long as what is between them may stand in a number."""
    yield first
    for last in range(first + 1, min(len(places), first + GROUPS_MAX)):
        end, begin = places[last - 1][1], places[last][0]
        if begin - end > GAP_MAX or text[end:begin].strip(SEPARATORS):
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
