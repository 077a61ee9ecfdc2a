"""Formats, card numbers, hashes and offsets: each of its own key, each as its description says."""

import pickle
from collections import Counter
from hmac import digest
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.crypto import DOMAIN_MIN, KeyRing, domain_size, length_floor
from processor.crypto.ff1 import DECIMAL, TextCipher
from processor.crypto.pan import PanCipher

OLD, NEW = b"o" * 64, bytes(range(64))
RING = KeyRing({1: OLD, 2: NEW})
BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
VISA = "4111111111111111"

domains = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,20}", fullmatch=True)
codes = st.text(BASE36, min_size=4, max_size=40)


def key_as_described(purpose: str, domain: str) -> bytes:
    """HKDF (RFC 5869) by its definition, for the one block that a key of 32 bytes takes."""
    extracted = digest(bytes(32), NEW, "sha256")
    return digest(extracted, f"tidegate/{purpose}/v1/{domain}\x01".encode(), "sha256")


@given(text=codes, domain=domains)
def test_a_format_preserving_cipher_is_made_as_described(text: str, domain: str) -> None:
    tweak = f"{domain}:{BASE36}".encode()
    described = TextCipher(key_as_described("fpe", domain), BASE36, tweak)
    cipher = RING.fpe(domain, BASE36)
    assert cipher.encrypt(text) == described.encrypt(text)
    assert cipher.decrypt(cipher.encrypt(text)) == text


def test_a_cipher_of_card_numbers_is_made_as_described() -> None:
    described = PanCipher(key_as_described("pan", "card"), "card", 6, 4)
    cipher = RING.pans("card", keep_first=6, keep_last=4)
    assert cipher.encrypt(VISA) == described.encrypt(VISA)
    assert cipher.decrypt(cipher.encrypt(VISA)) == VISA


@given(plaintext=st.binary(), domain=domains)
def test_a_hash_is_the_whole_hmac(plaintext: bytes, domain: str) -> None:
    expected = digest(key_as_described("hash", domain), plaintext, "sha256").hex()
    assert RING.hashes(domain)(plaintext) == expected
    assert len(expected) == 64


def test_domains_and_alphabets_share_nothing() -> None:
    text = "0" * 20
    fpe = {RING.fpe(domain, DECIMAL).encrypt(text) for domain in ("card", "account")}
    binary = {RING.fpe("card", alphabet).encrypt(text) for alphabet in ("01", "0o")}
    pans = {RING.pans(domain, keep_first=0, keep_last=0).encrypt(VISA) for domain in ("card", "account")}
    hashes = {RING.hashes(domain)(b"s1") for domain in ("card", "account")}
    assert [len(each) for each in (fpe, binary, pans, hashes)] == [2, 2, 2, 2]


def test_the_newest_key_encrypts_and_an_old_one_still_opens() -> None:
    old = KeyRing({1: OLD})
    code, token = (
        old.fpe("code", BASE36).encrypt("abc123"),
        old.pans("card", keep_first=6, keep_last=4).encrypt(VISA),
    )
    assert RING.fpe("code", BASE36, version=1).decrypt(code) == "abc123"
    assert RING.pans("card", keep_first=6, keep_last=4, version=1).decrypt(token) == VISA
    newest = KeyRing({2: NEW})
    for text in ("abc123", "zzzzzz"):
        sealed = RING.fpe("code", BASE36).encrypt(text)
        assert sealed == newest.fpe("code", BASE36).encrypt(text)
        assert sealed != old.fpe("code", BASE36).encrypt(text)
    assert RING.hashes("card")(b"s1") == newest.hashes("card")(b"s1") != old.hashes("card")(b"s1")


@pytest.mark.parametrize("version", [0, 3, -1])
def test_a_key_that_is_not_held_is_asked_for_in_vain(version: int) -> None:
    for ask in (
        lambda: RING.fpe("code", BASE36, version=version),
        lambda: RING.pans("card", keep_first=6, keep_last=4, version=version),
    ):
        with pytest.raises(ValueError, match=f"no key of version {version}"):
            ask()


@pytest.mark.parametrize("alphabet", ["01", DECIMAL, BASE36, "".join(map(chr, range(0x4E00, 0x4E00 + 1000)))])
def test_texts_under_the_standard_s_floor_are_refused(alphabet: str) -> None:
    cipher, floor = RING.fpe("code", alphabet), length_floor(len(alphabet))
    assert domain_size(len(alphabet), floor) >= DOMAIN_MIN
    assert cipher.decrypt(cipher.encrypt(alphabet[0] * floor)) == alphabet[0] * floor
    with pytest.raises(ValueError, match=f"too short to encrypt: at least {floor} characters"):
        cipher.encrypt(alphabet[0] * (floor - 1))


@pytest.mark.parametrize("alphabet", ["", "a", "aa"])
def test_an_alphabet_that_is_none_is_refused(alphabet: str) -> None:
    with pytest.raises(ValueError, match=r"radix|twice"):
        RING.fpe("code", alphabet)


@given(subject=st.binary(), most=st.integers(1, 10_000), domain=domains)
def test_an_offset_is_the_subject_s_own_within_bounds_and_never_nothing(
    subject: bytes, most: int, domain: str
) -> None:
    offset = RING.offsets(domain, most)(subject)
    assert offset != 0
    assert -most <= offset <= most
    assert offset == KeyRing({1: OLD}).offsets(domain, most)(subject), "a rotation moves nobody"


@pytest.mark.parametrize("most", [1, 2, 7, 30])
def test_every_offset_is_as_likely(most: int) -> None:
    """The counts of a fixed sample: each within five standard deviations of the mean."""
    drawn = Counter(map(RING.offsets("visit", most), (b"s%d" % at for at in range(20_000))))
    mean = 20_000 / (2 * most)
    assert set(drawn) == {offset for offset in range(-most, most + 1) if offset}
    assert all(abs(count - mean) < 5 * mean**0.5 for count in drawn.values())


def test_offsets_of_two_ranges_or_domains_are_unrelated() -> None:
    """30 divides 60: remainders of one number would tell each other."""
    subjects = [b"s%d" % at for at in range(2_000)]
    base = list(map(RING.offsets("visit", 30), subjects))
    for other in (RING.offsets("visit", 60), RING.offsets("birth", 30)):
        agreeing = sum(
            one % 30 == offset % 30 for one, offset in zip(base, map(other, subjects), strict=True)
        )
        assert agreeing < 2_000 * 0.06  # one in thirty by chance


@pytest.mark.parametrize("most", [0, -1])
def test_an_offset_needs_room(most: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        RING.offsets("visit", most)


@pytest.mark.parametrize("domain", ["", "a.b", "1a", "a:b", "é"])
def test_a_domain_is_a_plain_word_for_every_purpose(domain: str) -> None:
    for ask in (
        lambda: RING.fpe(domain, DECIMAL),
        lambda: RING.pans(domain, keep_first=6, keep_last=4),
        lambda: RING.hashes(domain),
        lambda: RING.offsets(domain, 30),
    ):
        with pytest.raises(ValueError, match="a domain is a letter"):
            ask()


@pytest.mark.parametrize(
    "made",
    [RING.fpe("card", DECIMAL), RING.pans("card", keep_first=6, keep_last=4)],
    ids=lambda made: type(made).__name__,
)
def test_nothing_shows_a_key(made: Any) -> None:
    assert repr(made) == f"{type(made).__name__}(…)"
    with pytest.raises(TypeError):
        pickle.dumps(made)
