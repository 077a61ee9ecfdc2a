"""The search's short cuts change nothing: it finds what each recogniser finds that looks at everything."""

import random
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from processor.policy.detection import ENTITIES, find, finder
from processor.policy.detection.catalog import load
from processor.policy.detection.recognizer import CERTAIN, LIKELY, POSSIBLE, Recognizer
from processor.policy.detection.scan import Scan, Span, fold
from processor.policy.detection.words import Index, stand_in
from tests.labelled.texts import labelled_texts

EXAMPLES = [example for entity in ENTITIES for example in load(entity).examples]
WORDS = [word for entity in ENTITIES for word in load(entity).context]
BY_PATTERN = [entity for entity in ENTITIES if load(entity).pattern]
TEXTS = 400

separators = st.sampled_from([" ", ", ", "\n", ". ", ": ", "-", "/", "", " (", ") "])
parts = st.sampled_from(EXAMPLES) | st.sampled_from(WORDS) | st.text("0123456789 -./Aa", max_size=8)
mixtures = st.lists(st.tuples(parts, separators).map("".join), max_size=8).map("".join)


def plainly(recognizer: Recognizer, text: str, least: float) -> list[tuple[int, int, float]]:
    """What a pattern finds in all of a folded text, without stretches, shapes and looking for words first."""
    scan = Scan(text)
    found = []
    for match in re.finditer(recognizer.pattern, text):
        number = re.sub("[^0-9A-Za-z]", "", match[0]).upper()
        if recognizer.valid is None or recognizer.valid(number):
            is_near = bool(recognizer.context) and scan.has_near(recognizer.context, *match.span())
            score = recognizer.near if is_near else recognizer.bare or 0.0
            if score >= least:
                found.append((*match.span(), score))
    return found


@pytest.mark.parametrize("entity", BY_PATTERN)
@given(text=mixtures)
def test_a_pattern_finds_what_it_finds_in_the_whole_text(entity: str, text: str) -> None:
    text = fold(text)[0]
    for least in (POSSIBLE, LIKELY):
        spans = [span[1:] for span in find(text, [entity], least=least)]
        assert spans == plainly(load(entity), text, least)


@example(
    text="+4915112345678 card "
)  # a card's digits, certain beside the word, after a telephone number's +
@given(text=mixtures)
def test_to_look_for_more_covers_no_less(text: str) -> None:
    everything = find(text)
    for entity in ENTITIES:
        for one in find(text, [entity]):
            assert any(span.start <= one.start and one.end <= span.end for span in everything), one


def test_to_look_for_more_covers_no_less_in_texts_as_people_write_them() -> None:
    look, alone = finder(tuple(ENTITIES)), [finder((entity,)) for entity in ENTITIES]
    for _, text, _ in labelled_texts(TEXTS):
        covered = {at for span in look(text) for at in range(span.start, span.end)}
        assert all(covered.issuperset(range(span.start, span.end)) for one in alone for span in one(text)), (
            text
        )


@given(text=mixtures, seed=st.integers(0, 99))
def test_the_order_of_what_is_asked_for_changes_nothing(text: str, seed: int) -> None:
    names = list(ENTITIES)
    random.Random(seed).shuffle(names)
    assert find(text, names) == find(text)


@pytest.mark.parametrize("entity", [entity for entity in ENTITIES if load(entity).glued])
def test_what_says_that_a_letter_touches_a_digit_has_one_in_each_example(entity: str) -> None:
    assert all(re.search("[A-Za-z][0-9]|[0-9][A-Za-z]", example) for example in load(entity).examples)


@pytest.mark.parametrize("entity", [entity for entity in ENTITIES if load(entity).digits[0]])
def test_examples_have_as_many_digits_as_is_said(entity: str) -> None:
    least, most = load(entity).digits
    assert all(least <= sum(map(str.isdecimal, example)) for example in load(entity).examples)
    assert least <= most


def test_of_two_that_are_as_sure_the_catalog_decides() -> None:
    """A routing number beside words for it and for an insurance number, whose check digit it has too."""
    for number in (f"{prefix:02}{rest:07}" for prefix in (11, 12, 21) for rest in range(200)):
        text = f"routing, sin: {number}"
        if len(find(text, ["us_aba"])) == len(find(text, ["ca_sin"])) == 1:
            assert find(text, ["ca_sin", "us_aba"]) == [Span("us_aba", 14, 23, CERTAIN)]
            return
    pytest.fail("no number has both check digits")


def test_a_stretch_of_many_groups_may_hold_anything() -> None:
    text = "7 " * 40 + "4111 1111 1111 1111" + " 7" * 40
    assert "card" in [span.entity for span in find(text, ["card", "ssn"])]


words = st.sampled_from(["dob", "born", "date of birth", "ss #", "geb.", "生年月日", "no", "c.f"])


@given(
    st.dictionaries(st.integers(0, 5), st.lists(words, min_size=1).map(tuple)),
    st.text("dobrngei s#.c生年月日of tah"),
)
def test_whose_words_may_be_near_is_told_by_the_text(words_of: dict[int, tuple[str, ...]], text: str) -> None:
    present = Index(words_of.items()).present(text)
    assert present >= {owner for owner, own in words_of.items() if stand_in(own, text)}


@pytest.mark.parametrize(
    ("text", "is_there"),
    [
        ("his dob is", True),
        ("dobs", True),
        ("adobe", False),
        ("dob", True),
        ("date of births", True),
        ("update of birth", False),
        ("pass # 1", False),
        ("ss # 1", True),
        ("生年月日1", True),
    ],
)
def test_a_word_is_a_word_and_no_part_of_one(text: str, *, is_there: bool) -> None:
    assert stand_in(("dob", "date of birth", "ss #", "生年月日"), text) == is_there
