"""Paths: how they are written, and which of several rules has a value."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.policy import paths
from processor.policy.paths import Wild

names = st.text(min_size=1, max_size=8).filter(lambda name: not set(name) & set('"[]'))
path = st.builds(
    lambda first, rest, last: (first, *rest, *last),
    names,
    st.lists(names | st.sampled_from([Wild.NAME, Wild.ITEM]), max_size=5),
    st.sampled_from([(), (Wild.KEY,)]),
)


@given(path=path)
def test_what_is_rendered_parses_back(path: paths.Path) -> None:
    assert paths.parse(paths.render(path)) == path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", ("a",)),
        ("a.b", ("a", "b")),
        ("a.*", ("a", Wild.NAME)),
        ("*", (Wild.NAME,)),
        ("items[*].sku", ("items", Wild.ITEM, "sku")),
        ("m[*][*]", ("m", Wild.ITEM, Wild.ITEM)),
        ('a["odd.name"].b', ("a", "odd.name", "b")),
        ('["odd name"]', ("odd name",)),
        ("größe-1", ("größe-1",)),
        ("contacts.*~", ("contacts", Wild.KEY)),
        ("a[*].*~", ("a", Wild.ITEM, Wild.KEY)),
        ('["a~b"]', ("a~b",)),
    ],
)
def test_paths_as_people_write_them(text: str, expected: Any) -> None:
    assert paths.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "begins with the name of an attribute"),
        ("[*].a", "begins with the name of an attribute"),
        ("a..b", "unreadable from '..b'"),
        ("a.", "unreadable from '.'"),
        (".a", "unreadable from '.a'"),
        ("a b", "unreadable from ' b'"),
        ("a[0]", "reached all at once"),
        ("a.[*]", "no dot stands before"),
        ("a[*]b", "unreadable from 'b'"),
        ("a*", r"unreadable from '\*'"),
        ("a~", "unreadable from '~'"),
        ("a.*~.b", r"nothing is inside a name: \*~ comes last"),
        (".".join("a" * 33), "at most 32 levels"),
    ],
)
def test_what_is_no_path_is_said_in_words(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        paths.parse(text)


def unfold(written: list[str]) -> paths.Node:
    return paths.unfold({index: paths.parse(text) for index, text in enumerate(written)})


def rule_at(written: list[str], place: list[str]) -> str | None:
    """Which path has the value at a place, `*` standing for a list's item."""
    node = unfold(written)
    for name in place:
        if node.rule is not None:
            break
        below = node.item if name == "*" else node.names.get(name, node.any_name)
        if below is None:
            return None
        node = below
    return written[node.rule] if node.rule is not None else None


@pytest.mark.parametrize(
    ("written", "place", "expected"),
    [
        (["a.*", "a.b"], "a.b", "a.b"),
        (["a.b", "a.*"], "a.c", "a.*"),
        (["*.b", "a.*", "a.b"], "a.b", "a.b"),
        (["*.b", "a.*", "a.b"], "x.b", "*.b"),
        (["*", "a.b"], "a.b", "a.b"),
        (["*", "a.b"], "a.c", None),
        (["*", "a.b"], "x", "*"),
        (["a"], "a.b.c", "a"),
        (["a[*].b", "a[*].*"], "a.*.b", "a[*].b"),
        (["a[*].b", "a[*].*"], "a.*.c", "a[*].*"),
        (["*.*.c", "a.*.c", "a.b.c"], "a.x.c", "a.*.c"),
    ],
)
def test_the_most_specific_rule_has_the_value(written: list[str], place: str, expected: Any) -> None:
    assert rule_at(written, place.split(".")) == expected
    assert rule_at(written[::-1], place.split(".")) == expected


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (["a.b", "a.b"], "written twice"),
        (["a.*", "*.b"], "neither is more specific"),
        (["a", "a.b"], "one names a value whole"),
        (["a", "a[*]"], "one names a value whole"),
        (["a.*", "*.b.c"], "one names a value whole"),
        ([".".join("*" * n + "a" * (14 - n)) for n in range(13)] + [".".join("a*" * 7)], "."),
    ],
)
def test_rules_that_leave_it_open_who_has_a_value_are_refused(written: list[str], words: str) -> None:
    for order in (written, written[::-1]):
        with pytest.raises(paths.Overlap, match=words):
            unfold(order)


def test_rules_for_names_are_beside_those_for_the_values() -> None:
    node = unfold(["a.*", "a.*~", "a.b"]).names["a"]
    assert node.any_name is not None
    assert (node.key, node.any_name.rule, node.names["b"].rule) == (1, 0, 2)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (["a.*~"], "nothing says what becomes of the values: add the same path without ~"),
        (["a.*", "a.*~", "*.*~", "*.*"], ""),
        (["a", "a.*~"], "one names a value whole"),
    ],
)
def test_rules_for_names_need_rules_for_values_and_may_be_more_specific(
    written: list[str], words: str
) -> None:
    if not words:
        unfold(written)
        return
    with pytest.raises(paths.Overlap, match=words):
        unfold(written)
