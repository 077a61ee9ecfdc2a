"""Wallets of cryptocurrencies: addresses of Bitcoin and its kin by their checksums, Ethereum's by their form.

Base58Check has four octets of a double SHA-256 at its end, which chance meets once in four milliards: so the
version before them need not be known. A witness address has a BCH code: bech32 for version 0 (BIP 173),
bech32m for later ones (BIP 350).

The capitals of an Ethereum address are a check too (EIP-55), but by Keccak-256, which is not the SHA-3 of the
standard library: it is not looked at, and an address in lower case has none.
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
    *("wallet", "bitcoin", "btc", "ethereum", "eth", "ether", "crypto", "coin", "usdt", "usdc", "erc20"),
    *("blockchain", "binance", "coinbase", "metamask", "deposit address"),
)

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
OCTETS = 25  # a version, a hash of 20, a checksum of 4
GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)  # BIP 173
CHECK_BECH32, CHECK_BECH32M = 1, 0x2BC830A3
BITS = 5
PROGRAMS_0 = (20, 32)  # octets that version 0 allows
PROGRAM_MIN, PROGRAM_MAX = 2, 40
VERSION_MAX = 16
CHECK_SIGNS = 6

# Bitcoin, Dogecoin, Litecoin, Tron, Dash. The first sign is a plain set, looked behind afterwards: `re` skips
# ahead to it.
_BASE58 = re.compile(rf"[13DLMTX](?<![0-9A-Za-z].)[{BASE58}]{{24,34}}(?![0-9A-Za-z])")
_WITNESS = re.compile(
    rf"(?<![0-9A-Za-z])(?:(?:bc|ltc)1[{BECH32}]{{11,71}}|(?:BC|LTC)1[{BECH32.upper()}]{{11,71}})(?![0-9A-Za-z])"
)
_ETHER = re.compile(r"(?<![0-9A-Za-z])0[xX][0-9A-Fa-f]{40}(?![0-9A-Za-z])")


def _find(scan: Scan) -> Iterator[Span]:
    """Three kinds, each where what it begins with is."""
    text = scan.text
    for match in _BASE58.finditer(text):
        if is_base58check(match[0]):
            yield Span("crypto_wallet", *match.span(), CERTAIN)
    if "c1" in text or "C1" in text:
        for match in _WITNESS.finditer(text):
            if is_witness(match[0]):
                yield Span("crypto_wallet", *match.span(), CERTAIN)
    if "0x" in text or "0X" in text:
        for match in _ETHER.finditer(text):
            score = CERTAIN if scan.has_near(CONTEXT, *match.span()) else LIKELY
            yield Span("crypto_wallet", *match.span(), score)


def is_base58check(address: str) -> bool:
    """Whether it is a version, a hash and their checksum, in base 58."""
    number = 0
    for sign in address:
        number = number * len(BASE58) + BASE58.index(sign)
    if number >> 8 * OCTETS:
        return False
    octets = number.to_bytes(OCTETS, "big")
    zeros = len(octets) - len(octets.lstrip(b"\0"))
    return (
        len(address) - len(address.lstrip("1")) == zeros  # each is written as a 1, no more
        and sha256(sha256(octets[:-4]).digest()).digest()[:4] == octets[-4:]
    )


def is_witness(address: str) -> bool:
    """Whether it is a witness program with the checksum of its version."""
    network, _, data = address.lower().partition("1")
    words = [BECH32.index(sign) for sign in data]
    version, bits = words[0], BITS * (len(words) - 1 - CHECK_SIGNS)
    octets, left = divmod(bits, 8)
    return (
        version <= VERSION_MAX
        and PROGRAM_MIN <= octets <= PROGRAM_MAX
        and (version > 0 or octets in PROGRAMS_0)
        and left < BITS
        and not words[-1 - CHECK_SIGNS] & ((1 << left) - 1)
        and _remainder([*_spread(network), *words]) == (CHECK_BECH32M if version else CHECK_BECH32)
    )


def _spread(network: str) -> list[int]:
    """The network's name as it enters the code: high bits, a zero, low bits (BIP 173)."""
    signs = network.encode()
    return [sign >> BITS for sign in signs] + [0] + [sign & 31 for sign in signs]


def _remainder(words: list[int]) -> int:
    """The words' remainder by the code's generator (BIP 173)."""
    check = 1
    for word in words:
        top = check >> 25
        check = (check & 0x1FFFFFF) << BITS ^ word
        for at, generator in enumerate(GENERATORS):
            check ^= generator if top >> at & 1 else 0
    return check


RECOGNIZER = Recognizer(
    entity="crypto_wallet",
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
        "11A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7KV8F3T4",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed0",
        "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    ),
)
