"""What is recognised in free text, what is not, and that looking takes bounded time."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.policy.detection import ENTITIES, Span, find

FULL_WIDTH = "6011111111111117".translate({code: code + 0xFEE0 for code in b"0123456789"})

# entity: texts that have it, texts that only look so
CASES = {
    "card": (
        [
            "4111111111111111",
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "3782 822463 10005",
            "378282246310005",
            "5555555555554444",
            "card4111111111111111",
            FULL_WIDTH,
            "4111\N{NO-BREAK SPACE}1111 1111 1111",
        ],
        [
            "4111111111111112",
            "1234567812345670",
            "a4111111111111111b2c3d4e5f",
            "41111111-1111-1111-1111-111111111111",
        ],
    ),
    "email": (
        ["ann@example.com", "ann.lee+x@mail.example.co.uk", "ANN@EXAMPLE.ORG", "a@xn--bcher-kva.example"],
        ["ann@", "@example.com", "ann@localhost", "ann at example.com", "1@2.3"],
    ),
    "iban": (
        [
            "DE89370400440532013000",
            "GB82 WEST 1234 5698 7654 32",
            "de89 3704 0044 0532 0130 00",
            "NO93-8601-1117-947",
        ],
        ["DE88370400440532013000", "DE8937040044053201300", "ZZ89370400440532013000"],
    ),
    "ip": (
        ["203.0.113.77", "2001:db8::1", "::ffff:203.0.113.77", "fe80::a:1"],
        ["1.2.3", "256.1.1.1", "1.2.3.4.5", "12:30:45", "a::b"],
    ),
    "phone": (
        [
            "+1 212 555 0123",
            "(212) 555-0123",
            "212-555-0123 ext. 4",
            "+44 (0)20 7946 0958",
            "+4915112345678",
            "01 23 45 67 89",
        ],
        ["2026-11-23 21:04", "order 12345", "01.02.2026 10:30", "+210 123 456 789"],
    ),
    "ssn": (
        ["123-45-6789", "123 45 6789", "ssn 123456789"],
        ["123456789", "000-12-3456", "666-12-3456", "912-34-5678", "123-00-4567", "123-45-0000"],
    ),
    "url": (["https://example.com/a?b=c", "www.example.com"], ["example.com", "http//x"]),
}


def test_there_are_cases_for_every_entity() -> None:
    assert set(CASES) == set(ENTITIES)


@pytest.mark.parametrize(
    ("entity", "text"), [(name, text) for name, (hits, _) in CASES.items() for text in hits]
)
def test_recognises(entity: str, text: str) -> None:
    before = "on the way: "
    (span,) = find(f"{before}{text}, thanks", [entity])
    found = f"{before}{text}, thanks"[span.start : span.end]
    assert found in text
    assert len(found) >= len(text) - 4  # a word glued to it may stay
    assert 0 < span.score <= 1


@pytest.mark.parametrize(
    ("entity", "text"), [(name, text) for name, (_, misses) in CASES.items() for text in misses]
)
def test_does_not_recognise(entity: str, text: str) -> None:
    assert find(f"on the way: {text}, thanks", [entity]) == []


def test_offsets_are_those_of_the_text_given() -> None:
    text = "\N{SOFT HYPHEN}é ann\N{ZERO WIDTH SPACE}@example.com \N{FULLWIDTH DIGIT FOUR}111 1111 1111 1111"
    assert [text[span.start : span.end] for span in find(text)] == [
        "ann\N{ZERO WIDTH SPACE}@example.com",
        "\N{FULLWIDTH DIGIT FOUR}111 1111 1111 1111",
    ]


@given(text=st.text() | st.text("0123456789 -.+()@:abIBANDE/w", max_size=200))
def test_spans_are_in_order_apart_and_inside(text: str) -> None:
    end = 0
    for span in find(text):
        assert isinstance(span, Span)
        assert end <= span.start < span.end <= len(text)
        end = span.end


@pytest.mark.parametrize(
    "sign",
    ["1", "1 ", "@", "a@", "a@b.", "a.", "1.", "+1", "+", "(", "DE89 ", ":", "1:", "www.", "4111-", "0"],
)
def test_no_text_takes_long(sign: str) -> None:
    text = (sign * 100_000)[:100_000]
    start = time.process_time()
    find(text)
    assert time.process_time() - start < 4  # measured at 0.02 to 0.6 s; a quadratic search takes minutes
