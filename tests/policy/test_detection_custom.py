"""Recognisers of a policy's own: what they find, and that no pattern that is accepted can run away."""

import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from processor.policy.detection import find, finder
from processor.policy.detection.custom import CHECKSUMS, pattern_problem, recognizer_of
from processor.policy.detection.linear import PATTERN_CHARACTERS_MAX, REPEAT_MAX, WIDTH_MAX
from processor.policy.detection.recognizer import CERTAIN, LIKELY, POSSIBLE

ACCEPTED = [
    "EMP-[0-9]{6}",
    r"\bEMP[- ]?\d{6}\b",
    "(?:EMP|ENG|SUP)-[0-9]{4,6}",
    "(?i)emp-[0-9]{6}",
    "[A-Z]{2}[0-9]{2}(?:-[A-Z]{4}){3}",
    "[a-z]{1,20}(?:\\.[a-z]{1,20}){1,4}",
    "#[0-9]{5}",
    "[0-9]{2}(?:[0-9]{2})?",
    "K[^ ]{3}x?",
    "(A|B)?7",
    "(?:AB|AC[0-9]{2}|AD?X)-[0-9]{3}",
    "(?:[A-C]|D){1,8}-",
]
REFUSED = {
    "(a{1,9}){1,9}": "may belong to it or to what follows",
    "(?:a|b)+": "no bound",
    "a*": "no bound",
    "a{2,}": "no bound",
    "(a?){5}": "may be empty",
    "[0-9]{3,5}[0-9]{4}": "'0' may belong to it",
    r"\d{1,5}\w": "'0' may belong to it",
    ".{0,20}x": "'x' may belong to it",
    "(?i)[a-c]{1,3}B": "'B' may belong to it",
    "(?:[0-9]{2}|[0-9]{4})": "two alternatives may go on with '0'",
    "(?:ab?|a)c": "two alternatives may be empty",
    "(?:ab|[a-c]d)": "two alternatives may go on with 'a'",
    "AB|AB": "two alternatives may be empty",
    "(?:|x?)y": "two alternatives may be empty",
    "(?:x?|)xy": "'x' may belong to it",
    "a{65}": "up to 65 times",
    "(?:[a-z]{60}-){20}": "can match 1220 characters",
    "x?": "empty text",
    "^$": "empty text",
    r"([0-9])\1": "refers back",
    "(a)?b(?(1)c|d)": "depends on whether a group matched",
    "(?<=EMP)[0-9]{6}": "looks ahead or behind",
    "[0-9]{6}(?!x)": "looks ahead or behind",
    "(?>ab)c": "atomic",
    "a{1,3}+b": "possessive",
    "(?s)a.b": "sets flags",
    "(?i:a)b": "sets flags within a group",
    "[0-9": "no regular expression",
    "[[a]": "no regular expression",
    "a{99999999999}": "no regular expression",
    "é{3}": "beyond ASCII",
    "a" * 301: "longer than",
    "(" * 150 + "a" + ")" * 149: "no regular expression",
}


@pytest.mark.parametrize("pattern", ACCEPTED)
def test_accepts(pattern: str) -> None:
    assert pattern_problem(pattern) is None


@pytest.mark.parametrize(("pattern", "reason"), REFUSED.items(), ids=[one[:30] for one in REFUSED])
def test_refuses_and_says_why(pattern: str, reason: str) -> None:
    problem = pattern_problem(pattern)
    assert problem is not None
    assert reason in problem
    with pytest.raises(ValueError, match=re.escape(problem)):
        recognizer_of(name="own", pattern=pattern)


# Patterns as a person might write them and as a fuzzer does: a few signs, so that repetitions collide.
atoms = st.sampled_from(
    ["a", "b", "1", "[ab]", "[0-9]", "[^a]", r"\d", r"\w", ".", "-", r"\b", "(?:ab)", "^", "$"]
)
bounds = st.sampled_from(["", "", "?", "{2}", "{1,3}", "{0,9}", "{3,64}", "+", "*", "??", "{1,4}?"])
patterns = st.recursive(
    st.builds("{}{}".format, atoms, bounds),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        st.builds("(?:{}){}".format, inner, bounds),
    ),
    max_leaves=8,
)
SIGNS_PER_PATTERN_S = 0.4e-6 * WIDTH_MAX  # seconds a sign may take: a start costs the longest match at most


@settings(max_examples=300, deadline=None)
@given(pattern=patterns, seeds=st.lists(st.text("ab1-_ ", min_size=1, max_size=6), min_size=1, max_size=3))
@example(pattern="(?:[ab]{1,3}-){1,9}", seeds=["aaa-"])
@example(pattern="(?:(?:a{1,9}-){1,6}b){1,4}", seeds=["aaaaaaaaa-"])
def test_what_is_accepted_runs_in_linear_time(pattern: str, seeds: list[str]) -> None:
    """On what almost matches, as often as it fits, a sign costs no more than the longest match takes."""
    if pattern_problem(pattern) is not None:
        return
    look = finder(("own",), custom=(recognizer_of(name="own", pattern=pattern),))
    for seed in (*seeds, "".join(seeds)):
        text = (seed * 4_000)[:4_000] + "!"
        start = time.process_time()
        look(text)
        assert time.process_time() - start < SIGNS_PER_PATTERN_S * len(text)


@given(pattern=st.text(max_size=40) | st.text("()[]{}|?*+\\a1,-^$.:<=!P", max_size=60))
def test_every_text_gets_an_answer(pattern: str) -> None:
    problem = pattern_problem(pattern)
    assert problem is None or problem
    if problem is None:
        assert re.fullmatch(pattern, "") is None
        recognizer_of(name="own", pattern=pattern)


def own(text: str, *, least: float = POSSIBLE, **options: object) -> list[str]:
    look = finder(("own",), least=least, custom=(recognizer_of(name="own", **options),))  # type: ignore[arg-type]
    return [text[span.start : span.end] for span in look(text)]


def test_finds_whole_words_only() -> None:
    text = "EMP-123456, EMP-1234567, XEMP-123456, (EMP-654321); 社員EMP-111111です"
    assert own(text, pattern="EMP-[0-9]{6}") == ["EMP-123456", "EMP-654321", "EMP-111111"]
    assert own("ref#12345", pattern="#[0-9]{5}") == ["#12345"]
    assert own("emp-123456", pattern="(?i)EMP-[0-9]{6}") == ["emp-123456"]
    assert own("AB or CD", pattern="AB|CD") == ["AB", "CD"]


def test_full_width_signs_are_plain_by_then() -> None:
    assert own("\uff25\uff2d\uff30\u2013\uff11\uff12\uff13", pattern="EMP-[0-9]{3}") == [
        "\uff25\uff2d\uff30\u2013\uff11\uff12\uff13"
    ]


def test_a_word_makes_it_surer() -> None:
    options = {"pattern": "[0-9]{6}", "context": ("Employee", "社員番号"), "bare": None, "near": CERTAIN}
    assert own("employee 123456", **options) == ["123456"]
    assert own("社員番号 123456", **options) == ["123456"]
    assert own("parcel 123456", **options) == []
    assert own("parcel 123456", pattern="[0-9]{6}", bare=POSSIBLE, least=LIKELY) == []


CHECKED = {  # from ISO 7064's and the schemes' own publications: one that is right, one that is not
    "none": ("AB-123", None),
    "luhn": ("7992-7398-713", "7992-7398-710"),
    "verhoeff": ("ID 2363", "ID 2364"),
    "damm": ("5724", "5723"),
    "mod11_2": ("0000-0002-1825-0097", "0000-0002-1825-0098"),
    "mod11_10": ("0792", "0794"),
    "mod37_2": ("G123498654321H", "G123498654321J"),
    "mod37_36": ("A12425GABC1234002M", "A12425GABC1234002N"),
    "mod97_10": ("54930084UKLVMY22DS16", "54930084UKLVMY22DS17"),
}


def test_there_is_a_case_for_every_checksum() -> None:
    assert set(CHECKED) == set(CHECKSUMS)


@pytest.mark.parametrize("checksum", CHECKED)
def test_a_check_digit_tells(checksum: str) -> None:
    right, wrong = CHECKED[checksum]
    assert own(right, pattern="[0-9A-Z][0-9A-Z -]{2,30}", checksum=checksum) == [right]
    assert wrong is None or own(wrong, pattern="[0-9A-Z][0-9A-Z -]{2,30}", checksum=checksum) == []


def test_only_those_that_are_named_are_looked_for_beside_the_gates_own() -> None:
    mine = recognizer_of(name="employee", pattern="EMP-[0-9]{6}", bare=LIKELY)
    look = finder(("email", "employee"), custom=(mine,))
    assert [span.entity for span in look("EMP-123456 ann@example.com 4111111111111111")] == [
        "employee",
        "email",
    ]
    assert finder(("email",), custom=(mine,))("EMP-123456") == []
    assert find("EMP-123456") == []


def test_the_limits_are_what_the_messages_say() -> None:
    assert pattern_problem(f"a{{{REPEAT_MAX}}}") is None
    assert pattern_problem("a" * WIDTH_MAX) is None
    assert str(PATTERN_CHARACTERS_MAX) in (pattern_problem("a" * (PATTERN_CHARACTERS_MAX + 1)) or "")
