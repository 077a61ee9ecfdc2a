"""How many different values there were: exact while few, near enough beyond, whatever the order."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.review.distinct import REMEMBERED, Distinct, hash_of

scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3) | st.decimals(0, 2, places=1)


def counted(values: object) -> Distinct:
    distinct = Distinct()
    for value in values:  # type: ignore[attr-defined]
        distinct.add(value)
    return distinct


@given(st.lists(st.integers(-50, 50)))
def test_few_are_counted_exactly(values: list[int]) -> None:
    distinct = counted(values)
    assert (distinct.count, distinct.exact) == (len(set(values)), True)


def test_types_are_told_apart() -> None:
    assert counted(["1", 1, True, None, "true", [1], {"1": 1}, "", Decimal("1.5")]).count == 9


@pytest.mark.parametrize("many", [5_000, 60_000])
def test_many_are_estimated_within_the_stated_error(many: int) -> None:
    distinct = counted(range(many))
    assert not distinct.exact
    # Four standard errors; hashes are the same in every process, so this passes always or never.
    assert abs(distinct.count - many) < 4 * many / (REMEMBERED - 2) ** 0.5
    assert str(distinct).startswith("≈ ")
    again = counted([*range(many), *range(many)])
    assert again.count == distinct.count


@pytest.mark.parametrize(("first", "second"), [(10, 20), (10, 9_000), (9_000, 10), (7_000, 9_000)])
def test_what_two_have_counted_is_counted_once(first: int, second: int) -> None:
    one, other, both = counted(range(first)), counted(range(5, second)), counted(range(max(first, second)))
    one.merge(other)
    assert abs(one.count - both.count) <= (0 if both.exact else 4 * both.count / (REMEMBERED - 2) ** 0.5)


def test_each_different_value_is_worth_one_look() -> None:
    distinct = Distinct()
    assert [distinct.add(value) for value in ["a", "b", "a", "b", "c"]] == [True, True, False, False, True]
    looks = sum(distinct.add(f"value {number}") for number in range(200_000))
    assert REMEMBERED < looks < 20 * REMEMBERED


@given(scalars, scalars)
def test_equal_hashes_mean_equal_values(one: object, other: object) -> None:
    same = type(one) is type(other) and str(one) == str(other)
    assert (hash_of(one) == hash_of(other)) is same
