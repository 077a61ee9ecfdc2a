"""The checks themselves: what they must find, they find."""

import gzip
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.local.checks import Bytes, Comparison, Leak, compare, leaks, summed_actions, unpacked

WORDS = st.text(min_size=4, max_size=12)


def test_what_came_out_once_is_fine_in_any_order() -> None:
    assert compare(["a", "b"], ["b", "a"]) == Comparison((), (), ())


def test_what_is_missing_twice_or_unknown_is_named() -> None:
    assert compare(["a", "b", "c"], ["b", "b", "x"]) == Comparison(("a", "c"), ("b",), ("x",))


@pytest.mark.parametrize(
    "content",
    [
        "an äöü@example.org b".encode(),
        b'{"email": "\\u00e4\\u00f6\\u00fc@example.org"}',
        gzip.compress(b'{"email": "\\u00e4\\u00f6\\u00fc@example.org"}', mtime=0),
    ],
    ids=["UTF-8", "escaped", "gzip"],
)
def test_a_value_is_found_in_each_of_its_spellings(content: bytes) -> None:
    assert [leak.place for leak in leaks(["äöü@example.org"], [Bytes("here", unpacked(content))])] == ["here"]


def test_a_slash_may_be_escaped() -> None:
    assert leaks(["Flat 1/2"], [Bytes("here", b'"Flat 1\\/2"')]) == [Leak("here", 1)]


def test_values_of_different_lengths_are_found_where_they_are() -> None:
    found = [Bytes("one", b"....Ann Lee Smith"), Bytes("two", b"Ann Lee"), Bytes("three", b"Ann Le")]
    assert leaks(["Ann Lee", "Ann Lee Smith"], found) == [Leak("one", 4), Leak("one", 4), Leak("two", 0)]


def test_a_value_too_short_to_search_for_is_an_error_not_a_pass() -> None:
    with pytest.raises(ValueError, match="fewer than 4"):
        leaks(["abc"], [Bytes("here", b"abc")])


def test_nothing_to_search_for_finds_nothing() -> None:
    assert leaks([], [Bytes("here", b"abc")]) == []


@given(st.lists(WORDS, min_size=1), st.binary(max_size=200), st.binary(max_size=200), st.data())
def test_a_value_that_is_there_is_always_found(
    values: list[str], before: bytes, after: bytes, data: st.DataObject
) -> None:
    value = data.draw(st.sampled_from(values))
    for spelling in (value.encode(), json.dumps(value)[1:-1].encode()):
        content = b"." + before + spelling + after
        at = len(before) + 1
        assert Leak("here", at) in leaks(values, [Bytes("here", content)])


def test_many_values_in_megabytes_take_seconds() -> None:
    values = [f"customer-{number:06d}@example.org" for number in range(20_000)]
    content = b'{"email": "tok.x.1.AAAAAAAAAAAAAAAAAAAAA"}\n' * 50_000
    begun = time.monotonic()
    assert leaks(values, [Bytes("here", content)]) == []
    assert time.monotonic() - begun < 10


def test_actions_are_added_up_by_field() -> None:
    one = {"actions": [{"field": "name", "action": "redact", "count": 2}]}
    other = {
        "actions": [
            {"field": "name", "action": "redact", "count": 3},
            {"field": "email", "action": "tokenize", "count": 1},
        ]
    }
    assert summed_actions([one, other]) == {"email": {"tokenize": 1}, "name": {"redact": 5}}
