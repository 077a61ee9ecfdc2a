"""Values under a data key: they open in their place, for whoever may unwrap the key, and join nothing."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.crypto import DataKey, InvalidToken, KeyRing, open_sealed

KEY, WRAPPED = bytes(range(32)), b"as KMS wrapped it"
DATA_KEY = DataKey(KEY, WRAPPED)


def unwrap(wrapped: bytes) -> bytes:
    assert wrapped == WRAPPED
    return KEY


@given(plaintext=st.binary(max_size=300), place=st.binary(max_size=40))
def test_what_is_sealed_opens_in_its_place(plaintext: bytes, place: bytes) -> None:
    sealed = DATA_KEY.seal(plaintext, place)
    assert open_sealed(sealed, unwrap, place) == plaintext
    assert DATA_KEY.seal(plaintext, place) == sealed  # a redelivery changes nothing
    with pytest.raises(InvalidToken):
        open_sealed(sealed, unwrap, place + b"x")


@given(st.binary(min_size=1, max_size=40))
def test_equal_values_of_two_places_have_nothing_in_common(plaintext: bytes) -> None:
    one, other = (DATA_KEY.seal(plaintext, place).split(".")[2] for place in (b"event 1", b"event 2"))
    assert one[:16] != other[:16]


@given(text=st.text(max_size=60) | st.just("enc..") | st.just("enc.YQ.YQ"))
def test_anything_else_is_refused_in_constant_words(text: str) -> None:
    with pytest.raises(InvalidToken, match="not a token that these keys can open"):
        open_sealed(text, lambda _wrapped: KEY, b"")


def test_an_altered_one_does_not_open() -> None:
    sealed = DATA_KEY.seal(b"value", b"place")
    for at in range(len(sealed) - 30, len(sealed)):
        altered = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]
        with pytest.raises(InvalidToken):
            open_sealed(altered, lambda _wrapped: KEY, b"place")


def test_the_key_shows_nowhere() -> None:
    assert repr(DATA_KEY) == "DataKey(…)"
    with pytest.raises(TypeError, match="not for pickling"):
        pickle.dumps(DATA_KEY)


def test_without_kms_the_ring_wraps_and_opens() -> None:
    ring = KeyRing({1: b"r" * 64})
    sealed = ring.data_key().seal(b"value", b"place")
    assert open_sealed(sealed, ring.unwrap, b"place") == b"value"
    assert KeyRing({1: b"s" * 64}).data_key().seal(b"value", b"place") != sealed
