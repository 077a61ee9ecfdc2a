"""Keccak-256 with the padding that Ethereum kept from before FIPS 202, which the standard library has not."""

from __future__ import annotations

_LANE = (1 << 64) - 1
_RATE = 136  # octets


def keccak_256(message: bytes) -> bytes:
    """The digest of a message."""
    padded = bytearray(message + b"\1" + b"\0" * (-(len(message) + 1) % _RATE))
    padded[-1] |= 0x80
    lanes = [[0] * 5 for _ in range(5)]
    for block in range(0, len(padded), _RATE):
        for at in range(_RATE // 8):
            word = padded[block + 8 * at : block + 8 * at + 8]
            lanes[at % 5][at // 5] ^= int.from_bytes(word, "little")
        lanes = _permuted(lanes)
    return b"".join(lanes[at][0].to_bytes(8, "little") for at in range(4))


def _turned(lane: int, by: int) -> int:
    return (lane << by | lane >> 64 - by) & _LANE if by else lane


def _permuted(lanes: list[list[int]]) -> list[list[int]]:
    """Keccak-f[1600] (FIPS 202, 3.2), its constants from the shift register that defines them."""
    register = 1
    for _ in range(24):
        parity = [a ^ b ^ c ^ d ^ e for a, b, c, d, e in lanes]
        lanes = [
            [lane ^ parity[x - 1] ^ _turned(parity[(x + 1) % 5], 1) for lane in lanes[x]] for x in range(5)
        ]
        x, y, current = 1, 0, lanes[1][0]
        for step in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            current, lanes[x][y] = lanes[x][y], _turned(current, (step + 1) * (step + 2) // 2 % 64)
        for y in range(5):
            row = [lanes[x][y] for x in range(5)]
            for x in range(5):
                lanes[x][y] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5] & _LANE)
        for power in range(7):
            lanes[0][0] ^= (register & 1) << (1 << power) - 1
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
    return lanes
