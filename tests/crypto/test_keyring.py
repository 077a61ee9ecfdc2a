"""Tokens open to what was sealed, under their own domain and version only; nothing shows a key."""

import pickle
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.crypto import InvalidToken, KeyRing, from_plaintext, to_plaintext

OLD, NEW = b"o" * 64, b"n" * 32
RING = KeyRing({1: OLD, 2: NEW})

numbers = st.integers(-(10**37), 10**37) | st.decimals(
    min_value=-(10**9), max_value=10**9, places=6, allow_nan=False
)
scalars = st.text() | st.booleans() | st.binary() | numbers
domains = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,20}", fullmatch=True)


@given(value=scalars, domain=domains)
def test_a_token_opens_to_the_value_with_its_type(value: Any, domain: str) -> None:
    cipher = RING.tokens(domain)
    opened = from_plaintext(cipher.open(cipher.seal(to_plaintext(value))))
    assert opened == value
    assert isinstance(opened, bool) == isinstance(value, bool)
    assert isinstance(opened, int | Decimal) == isinstance(value, int | Decimal)


@given(plaintext=st.binary(min_size=1), domain=domains)
def test_equal_values_get_equal_tokens_and_pseudonyms(plaintext: bytes, domain: str) -> None:
    again = KeyRing({2: NEW, 1: OLD})
    assert RING.tokens(domain).seal(plaintext) == again.tokens(domain).seal(plaintext)
    assert RING.pseudonyms(domain)(plaintext) == again.pseudonyms(domain)(plaintext)


@given(plaintext=st.binary(min_size=1), one=domains, other=domains)
def test_domains_and_purposes_share_nothing(plaintext: bytes, one: str, other: str) -> None:
    names = {RING.tokens(one).seal(plaintext).split(".")[3], RING.pseudonyms(one)(plaintext).split(".")[3]}
    if one != other:
        names |= {RING.tokens(other).seal(plaintext).split(".")[3]}
        names |= {RING.pseudonyms(other)(plaintext).split(".")[3]}
    assert len(names) == (2 if one == other else 4)


@given(plaintext=st.binary(min_size=1), at=st.integers(0, 10**6), sign=st.sampled_from("A_-9z.=+ \n"))
def test_an_altered_token_does_not_open(plaintext: bytes, at: int, sign: str) -> None:
    token = RING.tokens("card").seal(plaintext)
    at %= len(token)
    altered = token[:at] + sign + token[at + 1 :]
    if altered != token:
        with pytest.raises(InvalidToken):
            RING.tokens("card").open(altered)


def test_a_token_opens_in_its_own_domain_and_version_only() -> None:
    token = RING.tokens("card").seal(b"s4111")
    for stranger in (
        RING.tokens("email"),
        KeyRing({1: OLD}).tokens("card"),
        KeyRing({2: OLD}).tokens("card"),
    ):
        with pytest.raises(InvalidToken):
            stranger.open(token)
    for relabelled in (
        token.replace("card", "email"),
        token.replace(".2.", ".1."),
        token.replace(".2.", ".02."),
    ):
        with pytest.raises(InvalidToken):
            RING.tokens("card").open(relabelled)


def test_after_a_rotation_old_tokens_open_and_new_ones_are_made_with_the_new_key() -> None:
    old = KeyRing({1: OLD}).tokens("card").seal(b"s4111")
    assert RING.tokens("card").open(old) == b"s4111"
    assert RING.tokens("card").seal(b"s4111").startswith("tok.card.2.")


@pytest.mark.parametrize("token", ["", "tok", "tok.card.2", "tok.card.2.", "tok.card.2.A", "x" * 2_000_000])
def test_what_is_no_token_does_not_open_and_is_not_repeated(token: str) -> None:
    with pytest.raises(InvalidToken, match=r"^this is not a token that these keys can open$"):
        RING.tokens("card").open(token)


def test_equal_numbers_are_one_value_and_types_differ() -> None:
    assert {to_plaintext(number) for number in (1, Decimal(1), Decimal("1.0"), Decimal("1E0"))} == {b"n1"}
    assert from_plaintext(to_plaintext(10**38)) == 10**38  # 39 digits, one of them significant
    assert {to_plaintext(zero) for zero in (0, Decimal("-0.0"), Decimal("0E+5"))} == {b"n0"}
    assert len({to_plaintext(value) for value in ("1", 1, True, b"1")}) == 4


@pytest.mark.parametrize(
    "value", [None, [], {}, 1.5, Decimal("NaN"), Decimal("1E+500"), 10**38 + 1, Decimal("Infinity")]
)
def test_what_has_no_form_is_refused_without_its_value(value: Any) -> None:
    with pytest.raises(ValueError, match=r"not a scalar|beyond DynamoDB's 38 digits"):
        to_plaintext(value)


@pytest.mark.parametrize("plaintext", [b"", b"q1", b"b2", b"n", b"none", b"n\xff", b"s\xff"])
def test_what_was_never_sealed_is_no_scalar(plaintext: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  of several kinds: text, number, tag
        from_plaintext(plaintext)


@pytest.mark.parametrize(
    ("roots", "words"),
    [
        ({}, "needs at least one root"),
        ({0: OLD}, "count from 1"),
        ({1: b"short"}, "at least 32 bytes"),
    ],
)
def test_a_ring_needs_proper_roots(roots: dict[int, bytes], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        KeyRing(roots)


@pytest.mark.parametrize("domain", ["", "a.b", "1a", "é", "a" * 65])
def test_a_domain_is_a_plain_word(domain: str) -> None:
    with pytest.raises(ValueError, match="a domain is a letter"):
        RING.tokens(domain)


def test_nothing_shows_a_key() -> None:
    cipher = RING.tokens("card")
    assert (repr(RING), repr(cipher)) == ("KeyRing(…)", "TokenCipher('card')")
    with pytest.raises(TypeError):
        pickle.dumps(RING)
