"""What is made under a person's secret is that person's own, and without the secret it is nothing."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from hmac import digest
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.crypto import DataKey, InvalidToken, KeyRing, TokenCipher, open_sealed
from processor.crypto.tokens import person_key

if TYPE_CHECKING:
    from collections.abc import Callable

OLD, NEW = b"o" * 64, b"n" * 64
RING = KeyRing({1: OLD, 2: NEW})
secrets = st.binary(min_size=32, max_size=32)
plaintexts = st.binary(min_size=1, max_size=40)

# From a ring and a secret to what it makes of a plaintext.
MADE: dict[str, Callable[[KeyRing, bytes], Callable[[bytes], Any]]] = {
    "token": lambda ring, secret: lambda plaintext: ring.tokens("email").seal(plaintext, secret),
    "pseudonym": lambda ring, secret: lambda plaintext: ring.pseudonyms("email")(plaintext, secret),
    "hash": lambda ring, secret: lambda plaintext: ring.hashes("email")(plaintext, secret),
    "fpe": lambda ring, secret: (
        lambda plaintext: ring.fpe("email", "0123456789abcdef", secret=secret).encrypt(
            plaintext.hex() + "00000"
        )
    ),
    "pan": lambda ring, secret: (
        lambda _plaintext: ring.pans("email", keep_first=0, keep_last=0, secret=secret).encrypt(
            "4111111111111111"
        )
    ),
}


@pytest.mark.parametrize("kind", MADE)
@given(plaintext=plaintexts, one=secrets, other=secrets)
def test_persons_and_the_domain_share_nothing(kind: str, plaintext: bytes, one: bytes, other: bytes) -> None:
    made = {MADE[kind](RING, secret)(plaintext) for secret in {one, other, b""}}
    assert len(made) == len({one, other, b""})
    assert made == {MADE[kind](KeyRing({2: NEW, 1: OLD}), secret)(plaintext) for secret in {one, other, b""}}


@given(plaintext=plaintexts, secret=secrets, wrong=secrets)
def test_a_person_s_token_opens_with_the_same_secret_alone(
    plaintext: bytes, secret: bytes, wrong: bytes
) -> None:
    token = RING.tokens("email").seal(plaintext, secret)
    assert RING.tokens("email").open(token, secret) == plaintext
    for other in {wrong, b"", bytes(32)} - {secret}:
        with pytest.raises(InvalidToken):
            RING.tokens("email").open(token, other)


@given(plaintext=plaintexts, secret=secrets)
def test_a_domain_s_token_does_not_open_as_a_person_s(plaintext: bytes, secret: bytes) -> None:
    with pytest.raises(InvalidToken):
        RING.tokens("email").open(RING.tokens("email").seal(plaintext), secret)


KEY = bytes(range(64))
BOUND = TokenCipher("email", {1: KEY, 2: KEY}, "identifier")
"""One key whatever is said of it: what refuses a token here is the associated data alone."""
RELABELLED: dict[str, Callable[[bytes], tuple[TokenCipher, Callable[[str], str], bytes]]] = {
    "domain": lambda secret: (
        TokenCipher("mail", {2: KEY}, "identifier"),
        lambda token: token.replace("tok.email.", "tok.mail."),
        secret,
    ),
    "version": lambda secret: (BOUND, lambda token: token.replace(".2.", ".1."), secret),
    "class": lambda secret: (TokenCipher("email", {2: KEY}, "pan"), str, secret),
    "no class": lambda secret: (TokenCipher("email", {2: KEY}), str, secret),
    "scope": lambda secret: (TokenCipher("email", {2: person_key(KEY, secret)}, "identifier"), str, b""),
}


@pytest.mark.parametrize("part", RELABELLED)
@given(plaintext=plaintexts, secret=secrets)
def test_every_part_of_what_a_token_is_bound_to_binds(part: str, plaintext: bytes, secret: bytes) -> None:
    token = BOUND.seal(plaintext, secret)
    assert BOUND.open(token, secret) == plaintext
    cipher, relabel, as_of = RELABELLED[part](secret)
    with pytest.raises(InvalidToken):
        cipher.open(relabel(token), as_of)


def test_a_person_s_key_is_hkdf_of_rfc_5869_with_the_secret_as_salt() -> None:
    key, secret = bytes(range(64)), b"s" * 32
    extracted = digest(secret, key, "sha256")
    first = digest(extracted, b"tidegate/person/v1\x01", "sha256")
    second = digest(extracted, first + b"tidegate/person/v1\x02", "sha256")
    assert person_key(key, secret) == first + second
    assert person_key(key[:32], secret) == digest(
        digest(secret, key[:32], "sha256"), b"tidegate/person/v1\x01", "sha256"
    )


@pytest.mark.parametrize("kind", MADE)
@given(plaintext=plaintexts, secret=secrets, tried=secrets)
def test_after_an_erasure_nothing_that_is_left_makes_it_again(
    kind: str, plaintext: bytes, secret: bytes, tried: bytes
) -> None:
    """What is left: all keys, the person's names, the very value as a guess, any new secret."""
    gone = MADE[kind](RING, secret)(plaintext)
    left = {b"", tried, *(name.encode()[:32] for name in RING.names("customer")(b"sC1"))} - {secret}
    for other in left:
        assert MADE[kind](RING, other)(plaintext) != gone
        if kind == "token":
            with pytest.raises(InvalidToken):
                RING.tokens("email").open(gone, other)


@given(plaintext=plaintexts, secret=secrets, tried=secrets)
def test_after_an_erasure_the_data_key_tells_nothing_of_what_was_encrypted(
    plaintext: bytes, secret: bytes, tried: bytes
) -> None:
    """Neither the nonce, which stands in the clear, nor the ciphertext: not even whether a guess is right."""
    key, place = b"k" * 32, b"place"
    gone = sealed(DataKey(key, b"wrapped").seal(plaintext, place, secret))
    for other in {b"", tried} - {secret}:
        again = sealed(DataKey(key, b"wrapped").seal(plaintext, place, other))
        assert again[:12] != gone[:12], "the nonce"
        assert again[12:] != gone[12:]
    framed = len(place).to_bytes(8, "big") + place + plaintext
    assert digest(digest(key, b"tidegate/nonce/v1", "sha256"), framed, "sha256")[:12] != gone[:12]
    text = DataKey(key, b"wrapped").seal(plaintext, place, secret)
    assert open_sealed(text, lambda _wrapped: key, place, secret) == plaintext
    with pytest.raises(InvalidToken):
        open_sealed(text, lambda _wrapped: key, place)


def sealed(text: str) -> bytes:
    """The nonce, then the ciphertext."""
    part = text.split(".")[2]
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_a_person_has_a_name_under_every_version_newest_first() -> None:
    assert RING.versions == (2, 1)
    names = RING.names("customer")(b"sC1")
    assert [name.rpartition(".")[0] for name in names] == ["psn.customer.2", "psn.customer.1"]
    assert names == (
        RING.pseudonyms("customer")(b"sC1"),
        KeyRing({1: OLD}).pseudonyms("customer")(b"sC1"),
    )


def test_the_ring_before_the_newest_version_made_what_it_made_then() -> None:
    before = RING.previous
    assert before
    assert before.versions == (1,)
    assert before.previous is None
    assert before.tokens("email").seal(b"x") == KeyRing({1: OLD}).tokens("email").seal(b"x")


@pytest.mark.slow
def test_no_two_of_300_000_values_have_one_token_or_pseudonym() -> None:
    seal, pseudonym = RING.tokens("email").seal, RING.pseudonyms("email")
    for make in (seal, pseudonym):
        assert len({hash(make(b"s%d" % number)) for number in range(300_000)}) == 300_000
