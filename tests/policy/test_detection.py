"""What is recognised in free text, what is not, and that looking takes bounded time."""

import datetime as dt
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from processor.policy import detection
from processor.policy.detection import ENTITIES, GUARDED, REGIONS, SCORES, Span, expanded, find, finder
from processor.policy.detection.catalog import load
from processor.policy.detection.date import ENGLISH_MONTHS
from processor.policy.detection.recognizer import CERTAIN, LIKELY, POSSIBLE
from processor.policy.detection.scan import fold

ROOT = Path(__file__).parents[2]
ENGINE = {"__init__", "catalog", "custom", "engine", "linear", "recognizer", "scan", "words"}
"""The modules of the folder that are no entity."""


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_recogniser_is_declared_in_full(entity: str) -> None:
    recognizer = load(entity)
    assert recognizer.entity == entity
    assert bool(recognizer.pattern) != bool(recognizer.find)
    assert all(word == word.lower() for word in recognizer.context + recognizer.needs)


CARDS = {
    "a word glued to it": "card4111111111111111",
    "full-width digits": "6011111111111117".translate({code: code + 0xFEE0 for code in b"0123456789"}),
    "keycaps": "".join(f"{digit}\N{VARIATION SELECTOR-16}\N{COMBINING ENCLOSING KEYCAP}" for digit in "4111")
    + " 1111 1111 1111",
    "Devanagari digits": "".join(chr(0x0966 + int(digit)) for digit in "4111111111111111"),
    "a line break": "4111 1111\n1111 1111",
    **{
        f"U+{ord(sign):04X} between groups": f"4111{sign}1111{sign}1111{sign}1111"
        for sign in "\N{NO-BREAK SPACE}\N{FIGURE SPACE}\N{THIN SPACE}\N{IDEOGRAPHIC SPACE}\N{EN DASH}"
        "\N{EM DASH}"
        "\N{MINUS SIGN}\N{NON-BREAKING HYPHEN}\N{MIDDLE DOT}\N{BULLET}\N{FRACTION SLASH}\N{ZERO WIDTH SPACE}"
        "\N{SOFT HYPHEN}\N{WORD JOINER}\N{RIGHT-TO-LEFT MARK}\N{KATAKANA MIDDLE DOT}\N{FULLWIDTH FULL STOP}"
        "\N{HANGUL FILLER}\N{COMBINING GRAPHEME JOINER}\N{FULLWIDTH HYPHEN-MINUS}\N{BRAILLE PATTERN BLANK}"
    },
}


@pytest.mark.parametrize("text", CARDS.values(), ids=list(CARDS))
def test_no_dress_hides_a_card_number(text: str) -> None:
    whole = f"支払い{text}です"
    (span,) = find(whole, ["card"])
    assert whole[span.start : span.end] == text.removeprefix("card").rstrip(
        "\N{VARIATION SELECTOR-16}\N{COMBINING ENCLOSING KEYCAP}"
    )


@pytest.mark.parametrize("at", ["\N{FULLWIDTH COMMERCIAL AT}", "\N{SMALL COMMERCIAL AT}", "\u200b@\u200b"])
def test_no_dress_hides_an_address(at: str) -> None:
    assert [span[:3] for span in find(f"an {at}: ann{at}example.com", ["email"])] == [
        ("email", 3 + len(at) + 2, 3 + len(at) + 2 + 3 + len(at) + 11)
    ]


def test_offsets_are_those_of_the_text_given() -> None:
    text = "\N{SOFT HYPHEN}é ann\N{ZERO WIDTH SPACE}@example.com \N{FULLWIDTH DIGIT FOUR}111 1111 1111 1111"
    assert [text[span.start : span.end] for span in find(text)] == [
        "ann\N{ZERO WIDTH SPACE}@example.com",
        "\N{FULLWIDTH DIGIT FOUR}111 1111 1111 1111",
    ]


def test_plain_text_folds_to_itself() -> None:
    text = "".join(map(chr, range(128)))
    assert fold(text) == (text, None)
    assert fold(text)[0] is text


@given(st.text())
def test_folded_text_is_ascii_and_knows_where_it_comes_from(text: str) -> None:
    folded, offsets = fold(text)
    assert folded.isascii()
    assert len(folded) == len(text if offsets is None else offsets)
    assert offsets is None or offsets == sorted(set(offsets))
    assert fold(folded) == (folded, None)


SIGNS = "0123456789 -.+()@:/abIBANDEwx\n,~#_\u200b\u00b7é話"


@given(text=st.text() | st.text(SIGNS, max_size=200))
def test_spans_are_in_order_apart_and_inside(text: str) -> None:
    end = 0
    for span in find(text, least=POSSIBLE):
        assert isinstance(span, Span)
        assert end <= span.start < span.end <= len(text)
        assert 0 < span.score <= 1
        end = span.end


@given(text=st.text(SIGNS, max_size=120), level=st.sampled_from(sorted(SCORES.values())))
def test_looking_for_one_entity_finds_what_is_sure_enough(text: str, level: float) -> None:
    for entity in GUARDED:
        spans = find(text, [entity], least=level)
        assert all(span.score >= level for span in spans)
        # What is surer is within what is less sure.
        everything = find(text, [entity], least=POSSIBLE)
        assert all(
            any(one.start <= span.start and span.end <= one.end for one in everything) for span in spans
        )


@given(before=st.text("abc ,.\n", max_size=30), after=st.text("abc ,.\n", max_size=30))
def test_what_is_found_does_not_depend_on_words_far_from_it(before: str, after: str) -> None:
    text = f"{before} 4111 1111 1111 1111 {after}"
    assert [text[span.start : span.end] for span in find(text, ["world"])] == ["4111 1111 1111 1111"]


def test_a_word_near_makes_it_surer() -> None:
    assert [span.score for span in find("078-05-1120", ["ssn"])] == [LIKELY]
    assert [span.score for span in find("SSN: 078-05-1120", ["ssn"])] == [CERTAIN]
    assert find("078051120", ["ssn"]) == []
    assert [span.score for span in find("078051120 (social security)", ["ssn"])] == [CERTAIN]
    assert find(f"ssn {'and so on ' * 9} 078051120", ["ssn"]) == []
    assert find("lessn 078051120", ["ssn"]) == []


DATE_FORMS = (
    "{0:%Y-%m-%d}",
    "{0:%Y/%m/%d}",
    "{0:%d.%m.%Y}",
    "{0:%m/%d/%Y}",
    "{0.day}-{0.month}-{0.year}",
    "{0.day} {month} {0.year}",
    "{month} {0.day}, {0.year}",
    "{0.year}年{0.month}月{0.day}日",
)


def written(day: dt.date, form: str) -> str:
    return form.format(day, month=list(ENGLISH_MONTHS)[day.month - 1].title())


days = st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 31))
forms = st.sampled_from(DATE_FORMS)


@given(day=days, form=forms)
def test_every_day_of_two_centuries_is_a_date_and_beside_a_word_one_of_birth(day: dt.date, form: str) -> None:
    text = written(day, form)
    assert find(f"on the way {text}.", ["date", "birth_date"]) == [("date", 11, 11 + len(text), LIKELY)]
    assert find(f"birth date {text}.", ["date", "birth_date"]) == [
        ("birth_date", 11, 11 + len(text), CERTAIN)
    ]


@given(st.integers(1900, 2099), st.integers(0, 99), st.integers(0, 99))
def test_what_the_calendar_has_not_is_no_date(year: int, month: int, day: int) -> None:
    try:
        dt.date(year, month, day)
    except ValueError:
        assert find(f"{year}-{month:02}-{day:02}", ["date"], least=POSSIBLE) == []


@given(first=days, second=days, form=forms)
def test_a_word_of_birth_is_said_of_the_next_date_only(first: dt.date, second: dt.date, form: str) -> None:
    one, other = written(first, form), written(second, form)
    for text, entities in (
        (f"born {one}, with us since {other}", ["birth_date", "date"]),
        (f"with us since {one}, born {other}", ["date", "birth_date"]),
        (f"with us since {one}, {other} (DOB)", ["date", "birth_date"]),
    ):
        assert [span.entity for span in find(text, ["date", "birth_date"])] == entities, text


@pytest.mark.parametrize("word", load("birth_date").context)
def test_each_word_of_birth_is_one(word: str) -> None:
    assert [span.entity for span in find(f"{word} 1985-03-05", ["birth_date"])] == ["birth_date"]


@pytest.mark.parametrize(
    "text", ["1985年3月5日生まれ", "1985年3月5日出生", "1985년 3월 5일생", "5.3.1985 (born)"]
)
def test_a_word_of_birth_may_stand_behind(text: str) -> None:
    assert [span.entity for span in find(text, ["date", "birth_date"])] == ["birth_date"]


def test_what_takes_effect_on_a_day_is_not_born_on_it() -> None:
    assert [span.entity for span in find("合同2026年3月5日生效", ["date", "birth_date"])] == ["date"]


@pytest.mark.parametrize(
    "address", [one for one in load("crypto_wallet").examples if not one.startswith("0x")]
)
@given(data=st.data())
def test_one_wrong_sign_of_a_wallet_is_noticed(address: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(3, len(address) - 1))
    other = data.draw(st.sampled_from("023456789acdefghjklmnpqrstuvwxyzACDEFGHJKLMNPQRSTUVWXYZ"))
    assume(other.lower() != address[place].lower())
    changed = f"{address[:place]}{other}{address[place + 1 :]}"
    assert find(f"wallet {changed}", ["crypto_wallet"], least=POSSIBLE) == []


def test_a_private_key_that_is_cut_off_is_taken_to_the_end() -> None:
    block = load("private_key").examples[1]
    assert [span[1:3] for span in find(f"see {block[:-30]}", ["private_key"])] == [(4, 4 + len(block) - 30)]
    assert [span[1:3] for span in find(f"{block} and {block}", ["private_key"])] == [
        (0, len(block)),
        (len(block) + 5, 2 * len(block) + 5),
    ]


def test_pairs_of_digits_alone_take_a_word_to_be_a_hardware_address() -> None:
    assert find("01-23-45-67-89-01", ["mac"]) == []
    assert [span.score for span in find("router 01-23-45-67-89-01", ["mac"])] == [CERTAIN]
    assert [span.score for span in find("0a-23-45-67-89-01", ["mac"])] == [LIKELY]


def test_where_two_overlap_the_longer_has_it_and_grows() -> None:
    text = "https://example.com/?card=4111111111111111&to=ann@example.com"
    assert [span[:3] for span in find(text)] == [("url", 0, len(text))]


def test_regions_stand_for_their_entities() -> None:
    assert expanded(["us", "email", "ssn", "own"]) == (*REGIONS["us"], "email", "own")
    assert find("078-05-1120", ["us"]) == find("078-05-1120", ["ssn"])
    assert finder(("us",)) is finder(("us",))


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(ValueError, match="no recogniser is called shoe_size"):
        finder(("shoe_size",))


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    """A policy that looks for mail addresses pays for neither national numbers nor their libraries."""
    code = (
        "import sys; from processor.policy.detection import finder; finder(('email',));"
        "print(*sorted(name for name in sys.modules if 'detection.' in name or name.startswith('stdnum')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {name.rpartition(".")[2] for name in done.stdout.split()} <= {*ENGINE, "email"}


def test_the_public_face_is_what_it_says() -> None:
    assert all(hasattr(detection, name) for name in detection.__all__)


REPEATED = [
    *("1", "1 ", "@", "a@", "a@b.", "a.", "1.", "+1", "+", "(", "DE89 ", ":", "1:", "www.", "4111-", "0"),
    *("1/", "0(0)", "a1", "1a ", "-----BEGIN ", "eyJ", "eyJa.", "sk-", "0x", "bc1q", "1 Jan ", "P<<", "00:"),
    *(
        "ssn 123456789 ",
        "born 1.1.1990 ",
        "\uff11",
        "\u200b1",
        "é1",
        "話1",
        "20261231",
        "AB12",
        "e",
        "-",
        ".",
    ),
    *(
        "2026 ",
        "dob 1/1/85 ",
        "de 2026",
        "年2026年1月1日生",
        "aa:",
        "0000.",
        "-eyJ",
        "-eyJaaaaaaaaaa.eyJaa",
        "SG.aa.",
    ),
    *("-sk-", "xoxb-", "3" * 34 + " ", "bc1q" * 18 + " ", f"0x{'a' * 40} ", "-----BEGIN PRIVATE KEY-----"),
]


@pytest.mark.parametrize("sign", REPEATED)
def test_no_text_takes_long(sign: str) -> None:
    check_time((sign * 100_000)[:100_000])


@pytest.mark.parametrize("seed", range(6))
def test_no_mixture_takes_long(seed: int) -> None:
    """Texts of a few signs in random order, which is what breaks patterns that repeat one sign does not."""
    chance = random.Random(seed)
    signs = chance.sample(REPEATED, 3) + chance.sample(SIGNS, 4)
    check_time("".join(chance.choices(signs, k=100_000))[:100_000])


def check_time(text: str) -> None:
    look = finder(tuple(ENTITIES), least=POSSIBLE)
    start = time.process_time()
    look(text)
    assert time.process_time() - start < 4  # measured at 0.02 to 1 s; a quadratic search takes minutes
