"""FF1 is the standard's: its samples, and a step-by-step version for what the samples leave out."""

import pickle
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from processor.crypto.ff1 import (
    DECIMAL,
    DOMAIN_MIN,
    FF1,
    LENGTH_MAX,
    PERMUTATIONS_MAX,
    RADIX_MAX,
    TextCipher,
    domain_size,
    length_floor,
)
from tests.benchmarks.fpe import straightforward

KEY = bytes(range(32))
BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"

# NIST's samples for FF1: radix, key, tweak, plaintext, ciphertext.
KEY_128 = "2b7e151628aed2a6abf7158809cf4f3c"
KEY_192 = KEY_128 + "ef4359d8d580aa4f"
KEY_256 = KEY_192 + "7f036d6f04fc6a94"
TEN, ELEVEN = "39383736353433323130", "3737373770717273373737"
SAMPLES = {
    1: (10, KEY_128, "", "0123456789", "2433477484"),
    2: (10, KEY_128, TEN, "0123456789", "6124200773"),
    3: (36, KEY_128, ELEVEN, "0123456789abcdefghi", "a9tv40mll9kdu509eum"),
    4: (10, KEY_192, "", "0123456789", "2830668132"),
    5: (10, KEY_192, TEN, "0123456789", "2496655549"),
    6: (36, KEY_192, ELEVEN, "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"),
    7: (10, KEY_256, "", "0123456789", "6657667009"),
    8: (10, KEY_256, TEN, "0123456789", "1001623463"),
    9: (36, KEY_256, ELEVEN, "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"),
}

keys = st.sampled_from((16, 24, 32)).flatmap(lambda size: st.binary(min_size=size, max_size=size))
radixes = st.sampled_from((2, 3, 10, 16, 26, 36, 62, 255, 256, 257, RADIX_MAX)) | st.integers(2, RADIX_MAX)
tweaks = st.binary(max_size=40)
digits = st.text(DECIMAL, min_size=2, max_size=40)


@st.composite
def inputs(draw: st.DrawFn) -> tuple[int, list[int]]:
    """A radix and numerals of it."""
    radix = draw(radixes)
    return radix, draw(st.lists(st.integers(0, radix - 1), min_size=2, max_size=70))


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_samples_of_nist(sample: int) -> None:
    radix, key, tweak, plain, sealed = SAMPLES[sample]
    cipher = TextCipher(bytes.fromhex(key), BASE36[:radix], bytes.fromhex(tweak))
    assert cipher.encrypt(plain) == sealed
    assert cipher.decrypt(sealed) == plain


@given(key=keys, tweak=tweaks, given_in=inputs())
@example(key=KEY, tweak=b"", given_in=(256, [255] * 58))  # where floats make a half a byte too long
@example(key=KEY, tweak=b"", given_in=(2, [1] * 256))  # 16 bytes of number: the first with two blocks a round
@example(key=KEY, tweak=b"", given_in=(2, [1] * 208))  # one block in, two out
def test_it_is_the_standard_step_by_step(key: bytes, tweak: bytes, given_in: tuple[int, list[int]]) -> None:
    radix, numerals = given_in
    sealed = straightforward(key, radix, tweak, numerals)
    assert FF1(key, radix).encrypt(numerals, tweak) == sealed
    assert FF1(key, radix).decrypt(sealed, tweak) == numerals
    assert straightforward(key, radix, tweak, sealed, decrypt=True) == numerals


@pytest.mark.parametrize("radix", [2, 10, 29, 256, 1000, RADIX_MAX])
def test_every_length_is_the_standard_s(radix: int) -> None:
    """Halves of 1 to 63 bytes: every alignment, and from one to four blocks a round."""
    ff1, bits = FF1(KEY, radix), (radix - 1).bit_length()
    halves = {size * 8 // bits for size in range(1, 64)} - {0}
    for length in sorted(2 * half + odd for half in halves for odd in (0, 1)):
        numerals = [at * 7 % radix for at in range(length)]
        sealed = ff1.encrypt(numerals, b"tweak")
        assert sealed == straightforward(KEY, radix, b"tweak", numerals), length
        assert ff1.decrypt(sealed, b"tweak") == numerals, length


@pytest.mark.parametrize(("radix", "length"), [(2, 7), (3, 5), (10, 3), (17, 2)])
def test_it_is_a_permutation_of_all_inputs(radix: int, length: int) -> None:
    permutation = FF1(KEY, radix).permutation(length, b"whole")
    everything = range(domain_size(radix, length))
    images = [permutation.encrypt(number) for number in everything]
    assert sorted(images) == list(everything)
    assert images != list(everything)
    assert [permutation.decrypt(image) for image in images] == list(everything)


@given(text=digits, tweak=tweaks)
def test_digits_go_the_fast_way_to_the_same_end(text: str, tweak: bytes) -> None:
    """The interpreter converts decimal texts; another alphabet's ten characters go one by one."""
    letters = str.maketrans(DECIMAL, "abcdefghij")
    sealed = TextCipher(KEY, DECIMAL, tweak).encrypt(text)
    assert TextCipher(KEY, "abcdefghij", tweak).encrypt(text.translate(letters)) == sealed.translate(letters)
    assert [int(digit) for digit in sealed] == FF1(KEY, 10).encrypt([int(digit) for digit in text], tweak)


@given(
    alphabet=st.text(min_size=2, max_size=60).map(lambda text: "".join(dict.fromkeys(text))),
    data=st.data(),
)
def test_a_text_keeps_its_length_and_alphabet_and_opens(alphabet: str, data: st.DataObject) -> None:
    assume(len(alphabet) > 1)
    cipher = TextCipher(KEY, alphabet, b"any")
    text = "".join(data.draw(st.lists(st.sampled_from(alphabet), min_size=2, max_size=40)))
    sealed = cipher.encrypt(text)
    assert len(sealed) == len(text)
    assert set(sealed) <= set(alphabet)
    assert cipher.decrypt(sealed) == text


def test_key_and_tweak_and_length_each_make_another_permutation() -> None:
    text = "0" * 24
    sealed = TextCipher(KEY, DECIMAL, b"one").encrypt(text)
    others = (
        TextCipher(KEY, DECIMAL, b"other").encrypt(text),
        TextCipher(KEY[::-1], DECIMAL, b"one").encrypt(text),
        TextCipher(KEY[:16], DECIMAL, b"one").encrypt(text),
        TextCipher(KEY, DECIMAL, b"one").encrypt(text + "0")[:24],
    )
    assert sealed not in others
    assert len(set(others)) == len(others)


def test_more_lengths_than_are_kept_change_nothing() -> None:
    cipher = TextCipher(KEY, DECIMAL, b"kept")
    lengths = [*range(2, PERMUTATIONS_MAX + 10), 2, 3, LENGTH_MAX]
    for length in lengths:
        text = "7" * length
        assert cipher.encrypt(text) == TextCipher(KEY, DECIMAL, b"kept").encrypt(text)


@given(text=st.text(min_size=2, max_size=40))
@example("12345 ")
@example("1_2345")
@example("+12345")
@example("-12345")
@example("12345\n")
@example("١٢٣٤٥٦")  # digits of another script, which `int` takes
@example("²³²³²³")
def test_what_the_alphabet_lacks_is_refused_without_its_text(text: str) -> None:
    assume(set(text) - set(DECIMAL))
    cipher = TextCipher(KEY, DECIMAL)
    for refuse in (cipher.encrypt, cipher.decrypt):
        with pytest.raises(ValueError, match=r"^a character outside the alphabet$") as refused:
            refuse(text)
        assert refused.value.__cause__ is None
        assert refused.value.__suppress_context__  # the KeyError would show the character


@pytest.mark.parametrize("numerals", [[-1, 0], [0, 10], [10**9, 1]])
def test_numerals_of_another_radix_are_refused(numerals: list[int]) -> None:
    for refuse in (FF1(KEY, 10).encrypt, FF1(KEY, 10).decrypt):
        with pytest.raises(ValueError, match=r"^a numeral that is not of the radix$"):
            refuse(numerals)


@pytest.mark.parametrize("length", [0, 1, LENGTH_MAX + 1])
def test_too_few_and_too_many_are_refused(length: int) -> None:
    for refuse in (FF1(KEY, 10).encrypt, FF1(KEY, 10).decrypt):
        with pytest.raises(ValueError, match=r"^FF1 takes 2 to 1024 numerals$"):
            refuse([1] * length)


def test_a_cipher_can_ask_for_more_than_the_least() -> None:
    cipher = TextCipher(KEY, DECIMAL, length_min=6)
    assert cipher.decrypt(cipher.encrypt("123456")) == "123456"
    for text in ("", "12345"):
        with pytest.raises(ValueError, match=r"^too short to encrypt: at least 6 characters$"):
            cipher.encrypt(text)


@pytest.mark.parametrize("size", [0, 8, 20, 31, 33, 64])
def test_a_key_of_aes_is_wanted(size: int) -> None:
    with pytest.raises(ValueError, match="16, 24 or 32 bytes"):
        FF1(bytes(size), 10)


@pytest.mark.parametrize("radix", [-1, 0, 1, RADIX_MAX + 1])
def test_a_radix_has_bounds(radix: int) -> None:
    for refuse in (lambda: FF1(KEY, radix), lambda: length_floor(radix)):
        with pytest.raises(ValueError, match="a radix is 2 to 65536"):
            refuse()


@pytest.mark.parametrize(
    ("alphabet", "words"), [("", "radix"), ("a", "radix"), ("aba", "no character twice")]
)
def test_an_alphabet_has_two_characters_and_none_twice(alphabet: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        TextCipher(KEY, alphabet)


@given(radix=radixes)
def test_the_floor_is_the_shortest_length_of_a_million(radix: int) -> None:
    length = length_floor(radix)
    assert domain_size(radix, length) >= DOMAIN_MIN
    assert length == 2 or domain_size(radix, length - 1) < DOMAIN_MIN


def test_the_floor_of_some_alphabets() -> None:
    assert {radix: length_floor(radix) for radix in (2, 10, 36, 62, 1000)} == {
        2: 20,
        10: 6,
        36: 4,
        62: 4,
        1000: 2,
    }


@pytest.mark.parametrize(
    "cipher",
    [FF1(KEY, 10), FF1(KEY, 10).permutation(16), TextCipher(KEY, DECIMAL)],
    ids=lambda cipher: type(cipher).__name__,
)
def test_nothing_shows_a_key(cipher: Any) -> None:
    assert KEY.hex() not in repr(cipher)
    assert repr(KEY) not in repr(cipher)
    with pytest.raises(TypeError):
        pickle.dumps(cipher)
