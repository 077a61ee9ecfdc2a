"""Addresses of wallets: Bitcoin and its kin (base58check; BIP 173 and BIP 350), Ethereum (EIP-55's form).

Ethereum's check is in which letters are capital, and takes Keccak-256, which the standard library does not
have (its SHA-3 pads otherwise). So 0x and forty hexadecimal digits are taken by their form.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

from processor.policy.detection.recognizer import CERTAIN, LIKELY, Recognizer
from processor.policy.detection.scan import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.detection.scan import Scan

CONTEXT = (
    *("wallet", "btc", "bitcoin", "eth", "ether", "ethereum", "usdt", "usdc", "crypto", "coin", "address", "withdrawal"),
    *("adresse", "direccion", "indirizzo", "endereco", "portfel", "cartera", "carteira", "钱包", "ウォレット"),
)  # fmt: skip

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
# First octet: Bitcoin's P2PKH and P2SH, Litecoin's, Dogecoin's.
VERSIONS = frozenset({0x00, 0x05, 0x30, 0x32, 0x1E})
PAYLOAD_OCTETS = 25
BECH32_CHECKS = frozenset({1, 0x2BC830A3})  # BIP 173, BIP 350
GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)

_LEGACY = re.compile(rf"[13LMD](?<![0-9A-Za-z].)[{BASE58}]{{25,33}}(?![0-9A-Za-z])")
_SEGWIT = re.compile(
    rf"(?<![0-9A-Za-z])(?:bc1|ltc1)[{BECH32}]{{11,71}}(?![0-9A-Za-z])"
    rf"|(?<![0-9A-Za-z])(?:BC1|LTC1)[{BECH32.upper()}]{{11,71}}(?![0-9A-Za-z])"
)
_ETHER = re.compile(r"(?<![0-9A-Za-z])0x[0-9A-Fa-f]{40}(?![0-9A-Za-z])")


def _find(scan: Scan) -> Iterator[Span]:
    text = scan.text
    for match in _LEGACY.finditer(text):
        if is_base58check(match[0]):
            yield Span("crypto_wallet", *match.span(), CERTAIN)
    if "bc1" in text or "tc1" in text or "C1" in text:
        for match in _SEGWIT.finditer(text):
            if is_bech32(match[0].lower()):
                yield Span("crypto_wallet", *match.span(), CERTAIN)
    if "0x" in text:
        for match in _ETHER.finditer(text):
            score = CERTAIN if scan.has_near(CONTEXT, *match.span()) else LIKELY
            yield Span("crypto_wallet", *match.span(), score)


def is_base58check(address: str) -> bool:
    """Whether the last four octets are the double SHA-256 of the rest, and the first is a known network's."""
    number = 0
    for sign in address:
        number = number * 58 + BASE58.index(sign)
    if number.bit_length() > 8 * PAYLOAD_OCTETS:
        return False
    octets = number.to_bytes(PAYLOAD_OCTETS, "big")
    body, check = octets[:-4], octets[-4:]
    return octets[0] in VERSIONS and sha256(sha256(body).digest()).digest()[:4] == check


def is_bech32(address: str) -> bool:
    """Whether the checksum is one of the two, over the network's name and what follows the 1."""
    name, _, data = address.partition("1")
    words = [ord(sign) >> 5 for sign in name] + [0] + [ord(sign) & 31 for sign in name]
    words += [BECH32.index(sign) for sign in data]
    check = 1
    for word in words:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ word
        for bit, generator in enumerate(GENERATOR):
            if top >> bit & 1:
                check ^= generator
    return check in BECH32_CHECKS


RECOGNIZER = Recognizer(
    entity="crypto_wallet",
    needs=("1", "3", "0x", "l", "m", "d"),
    context=CONTEXT,
    find=_find,
    # The first block's, and those of BIP 13, 173, 350 and EIP-55.
    examples=(
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "3P14159f73E4gFr7JterCCQh9QjiTjiZrG",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    ),
    counterexamples=(
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAedd",
    ),
)
