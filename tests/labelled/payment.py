"""Values that money moves by.

Cards (ISO/IEC 7812), IBANs (SWIFT's registry), crypto wallets (BIP 13, 173, 350; EIP-55).
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from tests.labelled.checks import luhn, mod_97
from tests.labelled.forms import FULL_WIDTH, as_typed, filled, grouped, weighed
from tests.labelled.keccak import keccak_256

if TYPE_CHECKING:
    from random import Random

# Beginning and length of what networks issue, as often as people hold it.
CARDS = {
    "4,16": 40,
    "51,16": 8,
    "53,16": 8,
    "54,16": 8,
    "55,16": 8,
    "2223,16": 2,
    "2458,16": 2,
    "2719,16": 1,
    "34,15": 4,
    "37,15": 8,
    "6011,16": 4,
    "65,16": 2,
    "644,16": 1,
    "3530,16": 2,
    "3566,16": 2,
    "36,14": 2,
    "62,16": 4,
    "62,19": 1,
    "6759,16": 1,
    "6304,19": 1,
    "5018,16": 1,
    "6069,16": 1,
    "8172,16": 1,
}
_GROUPS = {14: (4, 6, 4), 15: (4, 6, 5), 16: (4, 4, 4, 4), 19: (4, 4, 4, 4, 3)}

# Account part by country: n digits, a letters, c either.
BBANS = {
    "DE": "18n",
    "FR": "10n11c2n",
    "ES": "20n",
    "IT": "1a10n12c",
    "PL": "24n",
    "GB": "4a14n",
    "BR": "23n1a1c",
    "NL": "4a10n",
    "BE": "12n",
    "AT": "16n",
    "CH": "5n12c",
    "IE": "4a14n",
    "PT": "21n",
    "SE": "20n",
    "NO": "11n",
    "DK": "14n",
    "FI": "14n",
    "LU": "3n13c",
    "MT": "4a5n18c",
    "AE": "19n",
    "SA": "2n18c",
    "CZ": "20n",
    "LI": "5n12c",
}
_SIGNS = {
    "n": "0123456789",
    "a": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "c": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
}

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def card_digits(rng: Random) -> str:
    """The digits of a card of some network."""
    beginning, length = weighed(rng, CARDS).split(",")
    body = filled(rng, beginning + "#" * (int(length) - 1 - len(beginning)))
    return body + luhn(body)


def card(rng: Random, locale: str) -> str:
    """A card number as people write it."""
    digits = card_digits(rng)
    written = card_written(rng, digits)
    return written.translate(FULL_WIDTH) if locale in {"ja_JP", "zh_CN"} and rng.random() < 0.1 else written


def card_written(rng: Random, digits: str) -> str:
    """These digits in the groups that are printed on a card, or in none."""
    separator = weighed(rng, {" ": 45, "": 30, "-": 17, ".": 2, "  ": 1})
    return as_typed(rng, grouped(digits, _GROUPS[len(digits)], separator))


def iban_plain(rng: Random, country: str) -> str:
    """An IBAN of a country without separators."""
    bban, count = "", ""
    for sign in BBANS[country]:
        if sign.isdigit():
            count += sign
        else:
            bban, count = bban + "".join(rng.choice(_SIGNS[sign]) for _ in range(int(count))), ""
    return country + mod_97(country, bban) + bban


def iban(rng: Random, locale: str) -> str:
    """An IBAN as people write it, most often of their own country."""
    own = locale[-2:]
    country = own if own in BBANS and rng.random() < 0.7 else rng.choice(tuple(BBANS))
    plain = iban_plain(rng, country)
    form = weighed(rng, {"spaced": 55, "plain": 35, "hyphens": 4, "lower": 4, "lower spaced": 2})
    if "spaced" in form or form == "hyphens":
        plain = grouped(plain, (4,) * 8, "-" if form == "hyphens" else " ")
    return as_typed(rng, plain.lower() if "lower" in form else plain)


def crypto_wallet(rng: Random, locale: str) -> str:  # noqa: ARG001  wallets have no country
    """A Bitcoin or an Ethereum address."""
    kind = weighed(rng, {"p2pkh": 3, "p2sh": 2, "bech32": 3, "bech32m": 1, "ether": 4})
    if kind in {"p2pkh", "p2sh"}:
        payload = (b"\0" if kind == "p2pkh" else b"\5") + rng.randbytes(20)
        return base58(payload + sha256(sha256(payload).digest()).digest()[:4])
    if kind == "bech32":
        return segwit(0, rng.randbytes(20))
    if kind == "bech32m":
        return segwit(1, rng.randbytes(32))
    return ether(rng.randbytes(20), checked=rng.random() < 0.7)


def base58(octets: bytes) -> str:
    """Base 58, with a 1 for each leading zero octet."""
    number, text = int.from_bytes(octets, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _BASE58[digit] + text
    return "1" * (len(octets) - len(octets.lstrip(b"\0"))) + text


def segwit(version: int, program: bytes) -> str:
    """A witness address: bech32 for version 0 (BIP 173), bech32m for later ones (BIP 350)."""
    bits = "".join(f"{octet:08b}" for octet in program)
    bits += "0" * (-len(bits) % 5)
    words = [version, *(int(bits[at : at + 5], 2) for at in range(0, len(bits), 5))]
    human = "bc"
    expanded = [ord(sign) >> 5 for sign in human] + [0] + [ord(sign) & 31 for sign in human]
    check = _polymod([*expanded, *words, *[0] * 6]) ^ (0x2BC830A3 if version else 1)
    words += [check >> 5 * (5 - at) & 31 for at in range(6)]
    return f"{human}1{''.join(_BECH32[word] for word in words)}"


def _polymod(words: list[int]) -> int:
    check = 1
    for word in words:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ word
        for at, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> at & 1 else 0
    return check


def ether(octets: bytes, *, checked: bool) -> str:
    """An Ethereum address in lower case, or with the capitals that are its check (EIP-55)."""
    plain = octets.hex()
    if not checked:
        return f"0x{plain}"
    digest = keccak_256(plain.encode()).hex()
    return "0x" + "".join(
        sign.upper() if int(nibble, 16) > 7 else sign for sign, nibble in zip(plain, digest, strict=False)
    )
