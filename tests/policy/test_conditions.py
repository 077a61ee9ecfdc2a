"""`when:` conditions: what they accept, what they hold for, and cases of a line at work."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.policy.conditions import TESTS_MAX, parse_condition

Sanitise = Callable[..., Any]


@pytest.mark.parametrize(
    ("text", "siblings", "held"),
    [
        ('country == "DE"', {"country": "DE"}, True),
        ('country == "DE"', {"country": "de"}, False),
        ('country == "DE"', {}, False),
        ('country == "DE"', {"country": None}, False),
        ('country != "DE"', {"country": "FR"}, True),
        ('country != "DE"', {"country": "DE"}, False),
        ('country != "DE"', {}, False),  # a field that is not there passes no test
        ('country != "DE"', {"country": ["DE"]}, False),  # nor does one that is no scalar
        ('country in ["DE", "AT"]', {"country": "AT"}, True),
        ('country not in ["DE", "AT"]', {"country": "CH"}, True),
        ('country not in ["DE", "AT"]', {"country": "AT"}, False),
        ("amount == 0", {"amount": 0}, True),
        ("amount == 0", {"amount": Decimal("0.0")}, True),
        ("amount == 0", {"amount": False}, False),
        ("amount == 1.5", {"amount": Decimal("1.50")}, True),
        ('amount == "1"', {"amount": 1}, False),
        ("test == true", {"test": True}, True),
        ("test == true", {"test": 1}, False),
        ('card.network == "visa"', {"card": {"network": "visa"}}, True),
        ('card.network == "visa"', {"card": "visa"}, False),
        ('["odd name"] == "x"', {"odd name": "x"}, True),
        ('a == "x" and b in [1, 2]', {"a": "x", "b": 2}, True),
        ('a == "x" and b in [1, 2]', {"a": "x", "b": 3}, False),
        ('a == "and b == 1"', {"a": "and b == 1"}, True),
    ],
)
def test_holds_for_what_it_says(text: str, siblings: dict[str, Any], *, held: bool) -> None:
    assert parse_condition(text).holds(siblings) is held


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "unreadable from ''"),
        ("country", "unreadable"),
        ("country = 'DE'", "unreadable"),
        ("country == DE", "unreadable"),
        ('country == "DE" or country == "AT"', "after a test comes the end, or `and` and another"),
        ('items[*].sku == "x"', "is not one field: a condition has no *"),
        ('__import__("os") == 1', "unreadable"),
        ("a == 1e3", "after a test comes the end"),
        (" and ".join(["a == 1"] * (TESTS_MAX + 1)), "after a test comes the end"),
        ('a == "' + "x" * 600 + '"', "at most 500 characters"),
    ],
)
def test_refuses_everything_else_in_words(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_condition(text)
    assert said in str(caught.value)


@given(st.text(max_size=60))
def test_reading_a_condition_never_fails_otherwise(text: str) -> None:
    try:
        condition = parse_condition(text)
    except ValueError:
        return
    assert condition.holds({}) is False


CASES = {
    "country": "keep",
    "tax_id": [
        {"when": 'country == "DE"', "action": "pseudonymize"},
        {"when": 'country in ["US", "CA"]', "action": "mask", "keep_last": 4},
        "redact",
    ],
}


@pytest.mark.parametrize(
    ("country", "left"),
    [("DE", "psn.tax_id.1."), ("US", "*****6789"), ("FR", "[redacted]"), (None, "[redacted]")],
)
def test_the_first_case_that_holds_acts(sanitise: Sanitise, country: str | None, left: str) -> None:
    got = sanitise(CASES, {"country": country, "tax_id": "123456789"})
    assert got.new["tax_id"].startswith(left)


def test_cases_in_items_look_at_their_item_and_in_lists_at_what_holds_the_list(sanitise: Sanitise) -> None:
    case = [{"when": "open == true", "action": "keep"}, "redact"]
    fields = {"items[*].open": "keep", "items[*].sku": case, "tags[*]": case, "open": "keep"}
    record = {"items": [{"open": True, "sku": "a"}, {"open": False, "sku": "b"}], "tags": ["c"], "open": True}
    got = sanitise(fields, record)
    assert [item["sku"] for item in got.new["items"]] == ["a", "[redacted]"]
    assert got.new["tags"] == ["c"]


def test_a_key_leaves_in_the_form_that_it_has_in_the_image(sanitise: Sanitise) -> None:
    got = sanitise(CASES, {"country": "US", "tax_id": "123456789"}, keys={"tax_id": "123456789"})
    assert got.keys == {"tax_id": got.new["tax_id"]}


def test_each_case_counts_for_itself(sanitise: Sanitise) -> None:
    got = sanitise(CASES, {"country": "US", "tax_id": "123456789"})
    assert got.notes.actions == {("country", "keep"): 1, ("tax_id", "mask"): 1}
