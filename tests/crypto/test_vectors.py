"""The primitives give what their standards say, and our keys and tokens are what their description says."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from hmac import digest

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from processor.crypto import KeyRing

ROOT = bytes(range(64))


def hexed(text: str) -> bytes:
    return bytes.fromhex("".join(text.split()))


# RFC 5297, appendix A: key, associated data (the nonce last), plaintext, IV and ciphertext.
SIV = {
    "A.1": (
        "fffefdfc fbfaf9f8 f7f6f5f4 f3f2f1f0 f0f1f2f3 f4f5f6f7 f8f9fafb fcfdfeff",
        ["10111213 14151617 18191a1b 1c1d1e1f 20212223 24252627"],
        "11223344 55667788 99aabbcc ddee",
        "85632d07 c6e8f37f 950acd32 0a2ecc93 40c02b96 90c4dc04 daef7f6a fe5c",
    ),
    "A.2": (
        "7f7e7d7c 7b7a7978 77767574 73727170 40414243 44454647 48494a4b 4c4d4e4f",
        [
            "00112233 44556677 8899aabb ccddeeff deaddada deaddada ffeeddcc bbaa9988 77665544 33221100",
            "10203040 50607080 90a0",
            "09f91102 9d74e35b d84156c5 635688c0",
        ],
        """74686973 20697320 736f6d65 20706c61 696e7465 78742074 6f20656e 63727970 74207573 696e6720 5349562d
        414553""",
        """7bdb6e3b 432667eb 06f4d14b ff2fbd0f cb900f2f ddbe4043 26601965 c889bf17 dba77ceb 094fa663 b7a3f748
        ba8af829 ea64ad54 4a272e9c 485b62a3 fd5c0d""",
    ),
}


@pytest.mark.parametrize("name", SIV)
def test_aes_siv_is_that_of_rfc_5297(name: str) -> None:
    key, associated, plaintext, sealed = SIV[name]
    cipher, context = AESSIV(hexed(key)), [hexed(part) for part in associated]
    assert cipher.encrypt(hexed(plaintext), context) == hexed(sealed)
    assert cipher.decrypt(hexed(sealed), context) == hexed(plaintext)


# RFC 5869, appendix A: input key, salt, info, output key.
HKDFS = {
    "A.1": (
        b"\x0b" * 22,
        bytes(range(0x0D)),
        bytes(range(0xF0, 0xFA)),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    "A.3, without salt and info": (
        b"\x0b" * 22,
        None,
        b"",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
}


@pytest.mark.parametrize("name", HKDFS)
def test_hkdf_is_that_of_rfc_5869(name: str) -> None:
    material, salt, info, output = HKDFS[name]
    derived = HKDF(algorithm=SHA256(), length=42, salt=salt, info=info).derive(material)
    assert derived == hexed(output)


def key_as_described(purpose: str, domain: str, length: int) -> bytes:
    """HKDF by its definition, without the library that the code under test uses."""
    extracted = digest(bytes(sha256().digest_size), ROOT, "sha256")
    block, output = b"", b""
    while len(output) < length:
        info = f"tidegate/{purpose}/v1/{domain}".encode()
        block = digest(extracted, block + info + bytes([len(output) // 32 + 1]), "sha256")
        output += block
    return output[:length]


def test_a_token_is_made_as_described() -> None:
    token = KeyRing({3: ROOT}).tokens("email").seal(b"sann@example.com")
    prefix, _, body = token.rpartition(".")
    cipher = AESSIV(key_as_described("token", "email", 64))
    assert prefix == "tok.email.3"
    assert cipher.decrypt(
        urlsafe_b64decode(body + "=" * (-len(body) % 4)),
        [b"tidegate.token/2", b"email", b"", b"3", b"domain"],
    ) == (b"sann@example.com")


def test_a_pseudonym_is_made_as_described() -> None:
    mac = digest(key_as_described("pseudonym", "customer", 32), b"sC1", "sha256")[:16]
    expected = "psn.customer.3." + urlsafe_b64encode(mac).rstrip(b"=").decode()
    assert KeyRing({3: ROOT}).pseudonyms("customer")(b"sC1") == expected
