"""Telephone numbers: the plans' forms, the words that make a form surer or another's, where a number ends."""

from __future__ import annotations

import pytest
from faker import Faker
from hypothesis import given
from hypothesis import strategies as st

from processor.policy.detection import ENTITIES, find
from processor.policy.detection.phone import NATIONAL_DIGITS
from processor.policy.detection.recognizer import CERTAIN, LIKELY, POSSIBLE

NOTHING = 0.0
FULL_WIDTH = 0xFEE0  # from a sign to its full-width form

# Made up but for the numbers that regulators keep for examples.
FORMS = (
    ("+1 212 555 0123", CERTAIN),
    ("+49 (0)30 23125 000", CERTAIN),
    ("0044 20 7946 0958", LIKELY),
    ("020 7946 0958", LIKELY),
    ("07700 900 123", LIKELY),
    ("07700900123", LIKELY),
    ("(212) 555-0123", LIKELY),
    ("1-212-555-0123", LIKELY),
    ("030/23125000", LIKELY),
    ("0221 123 45 67", LIKELY),
    ("0151 1234 5678", LIKELY),
    ("01.99.00.12.34", LIKELY),
    ("985 85 33 34", LIKELY),
    ("93 978 27 15", LIKELY),
    ("(12) 416 95 24", LIKELY),
    ("320 123 4567", LIKELY),
    ("11 3291-2870", LIKELY),
    ("(71) 9 9820-5680", LIKELY),
    ("(011)\N{NO-BREAK SPACE}3291-2870", LIKELY),
    ("03(1234)5678", LIKELY),
    ("138\N{EN DASH}1234\N{EN DASH}5678", LIKELY),
    ("1300 042 508", LIKELY),
    ("(65) 6123 4567", LIKELY),
    ("985 853 334", POSSIBLE),
    ("888610189", POSSIBLE),
    ("2125550123", POSSIBLE),
    ("99507-30029", POSSIBLE),
    ("13812345678", POSSIBLE),
    ("6123 4567", POSSIBLE),
    ("9030-0476", POSSIBLE),
    ("11 91234 5678", POSSIBLE),
    ("123", NOTHING),
    ("12345678", NOTHING),
    ("2026-11-23", NOTHING),
    ("23.11.2026 21:04", NOTHING),
    ("172.27.61.80", NOTHING),
    ("02821-698", NOTHING),  # a Brazilian postcode
    ("0023-9696-62", NOTHING),
    ("+999 123 456 789", NOTHING),
)


def score(text: str) -> float:
    """How sure it is that there is a telephone number in a text; 0 if none is found."""
    return max((span.score for span in find(text, ["phone"], least=POSSIBLE)), default=NOTHING)


def found(text: str) -> list[str]:
    """What is found in a text."""
    return [text[span.start : span.end] for span in find(text, ["phone"])]


@pytest.mark.parametrize(("number", "expected"), FORMS)
def test_a_form_is_as_sure_as_few_other_things_have_it(number: str, expected: float) -> None:
    assert score(f"it says {number} there") == expected


@pytest.mark.parametrize("number", [number for number, expected in FORMS if expected == POSSIBLE])
def test_a_word_before_or_behind_makes_any_form_certain(number: str) -> None:
    for text in (f"mein Handy: {number}", f"{number} (mobile)", f"{number}, call anytime", f"電話{number}"):
        assert score(text) == CERTAIN, text


@pytest.mark.parametrize(
    "before",
    [
        "Phone",
        "Téléphone",
        "Mi número nuevo es",
        "Móvil:",
        "Llámeme al",
        "Richiamatemi al",
        "komórka",
        "pod numerem",
        "O cliente não atende em",
        "Rückruf erbeten:",
        "手机号码是",
        "携帯は",
        "फोन",
    ],
)
def test_words_of_many_languages_say_that_it_is_a_number(before: str) -> None:
    assert found(f"{before} 888610189.") == ["888610189"]


@pytest.mark.parametrize(
    "before",
    [
        "order no",
        "Invoice #",
        "my tax file number is",
        "ref.",
        "Bestellnummer:",
        "facture nº",
        "pedido n.º",
        "zamówienie",
        "IMEI",
        "订单",
        "call about ticket",
    ],
)
def test_a_word_for_another_kind_of_number_takes_any_form_back(before: str) -> None:
    for number in ("6905669610", "0334992084", "612 345 678", "212-555-0123"):
        assert score(f"{before} {number}") == NOTHING, number


@pytest.mark.parametrize(
    "text",
    [
        "NPI 1, Karin, 6905669610, fax +1 212 555 0123",  # the word is the next number's
        "here is 6905669610\nTel. below",
        "6905669610. Call me",
        "Rebecca Fowler, 690566961, called from",
    ],
)
def test_a_word_behind_has_to_be_of_the_same_clause(text: str) -> None:
    assert "690566961" not in "".join(found(text))


def test_the_pieces_of_a_card_number_are_none() -> None:
    for card in ("4111 1111 1111 1111", "4929 0766 7123 4567", "5105 0415 3316 6516"):
        for cut in (4, 9, 14):
            broken = f"{card[:cut]}\n{card[cut + 1 :]}"
            assert found(f"The card {broken} was refused") == [], broken


@pytest.mark.parametrize(
    "number", ["+1 212 555 0123", "(212) 555-0123", "212-555-0123", "020 7946 0958", "07700 900123"]
)
def test_a_number_beside_another_is_found_as_a_whole(number: str) -> None:
    for text in (f"ZIP 10001 {number} ok", f"from 9:30, {number}, 10 people", f"{number}\n12345 Berlin"):
        assert found(text) == [number], text


@pytest.mark.parametrize(
    "text",
    [
        "256-811-3189x10726",
        "212-555-0123 ext. 4",
        "(212) 555-0123, x12",
        "030 23125000 Durchwahl 12",
        "020\n7946\n0958",
        "030 / 23125000",
        "+44 (0)20 7946\N{EN DASH}0958",
        "(+86) 138 1234 5678",
        "".join(chr(ord(sign) + FULL_WIDTH) for sign in "03-1234-5678"),
    ],
)
def test_extensions_and_odd_separators_belong_to_it(text: str) -> None:
    assert found(f"call {text}!") == [text]


@pytest.mark.parametrize("locale", ["en_US", "en_GB", "fr_FR", "es_ES", "it_IT", "pl_PL", "pt_BR", "zh_CN"])
def test_finds_the_forms_of_another_author_after_a_word(locale: str) -> None:
    fake = Faker(locale)
    fake.seed_instance(0)
    numbers = {fake.phone_number() for _ in range(300)}
    personal = [number for number in numbers if sum(map(str.isdigit, number)) > len("1234567")]
    assert [number for number in personal if found(f"Phone: {number}, thanks") != [number]] == []


@given(
    code=st.sampled_from(sorted(NATIONAL_DIGITS)),
    digits=st.text("0123456789", min_size=11, max_size=11),
    gap=st.sampled_from(["", " ", "-", "."]),
    data=st.data(),
)
def test_every_length_that_a_country_has_is_found_by_its_code(
    code: str, digits: str, gap: str, data: st.DataObject
) -> None:
    low, high = NATIONAL_DIGITS[code]
    count = data.draw(st.integers(max(low, len("12345678") - len(code)), min(high, len(digits))))
    number = f"+{code}{gap}{digits[:count]}"
    assert found(f"see {number}, please") == [number]


@given(st.text("0123456789 -./()+x\nt電話", max_size=60))
def test_what_is_found_begins_and_ends_within_the_text_and_has_its_digits(text: str) -> None:
    for number in found(text):
        assert 8 <= sum(sign.isdigit() for sign in number) <= 17 + len("123456")
        assert number[0] in "0123456789(+"
        assert number[-1].isdigit()


@given(st.from_regex(r"[2-9][0-9]{2}[2-9][0-9]{6}", fullmatch=True))
def test_ten_bare_digits_alone_are_not_taken_for_a_number(digits: str) -> None:
    assert found(digits) == []
    assert found(f"call {digits}") == [digits]


@pytest.mark.parametrize(("word", "entity"), [("NHS number", "gb_nhs"), ("SSN", "ssn")])
def test_leaves_the_numbers_of_others_to_them(word: str, entity: str) -> None:
    number = {"gb_nhs": "943 476 5919", "ssn": "123-45-6789"}[entity]
    assert [span.entity for span in find(f"{word} {number}", tuple(ENTITIES))] == [entity]
