"""How identifying records still are: against the definitions, worked out the slow way."""

from collections import Counter, defaultdict
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.review.anonymity import SHOWN_MAX, SMALL, Anonymity, Classes

FIELDS = ("birth_date", "postcode", "sex")
values = st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.sampled_from(["f", "m", ""]))
samples = st.lists(st.tuples(values, st.integers(1, 12)), min_size=1, max_size=40)
Sample = list[tuple[tuple[str, str, str], int]]


def found_in(sample: Sample, *, by_person: bool = True) -> Anonymity:
    classes = Classes(FIELDS, by_person=by_person)
    for combination, person in sample:
        classes.add(combination, person)
    found = classes.anonymity()
    assert found is not None
    return found


def sizes(sample: Sample, fields: tuple[int, ...]) -> list[int]:
    """For each record the number of people who agree with it in these fields, by the definition."""
    people = defaultdict(set)
    for combination, person in sample:
        people[tuple(combination[field] for field in fields)].add(person)
    return [len(people[tuple(combination[field] for field in fields)]) for combination, _ in sample]


@given(samples)
def test_the_measure_is_that_of_the_definitions(sample: Sample) -> None:
    found, sized = found_in(sample), sizes(sample, (0, 1, 2))
    assert found.measure.k == min(sized)
    assert found.measure.classes == len({combination for combination, _ in sample})
    assert found.measure.small == pytest.approx(sum(size < SMALL for size in sized) / len(sized))
    assert found.measure.unique == pytest.approx(sum(size == 1 for size in sized) / len(sized))
    assert found.measure.risk == pytest.approx(sum(1 / size for size in sized) / len(sized))
    assert found.measure.risk_max == 1 / min(sized)


@given(samples)
def test_a_field_contributes_what_goes_without_it(sample: Sample) -> None:
    found = found_in(sample)
    assert {one.path for one in found.contributions} == set(FIELDS)
    for one in found.contributions:
        own = FIELDS.index(one.path)
        rest = tuple(field for field in range(3) if field != own)
        assert one.without.k == min(sizes(sample, rest))
        assert one.alone.k == min(sizes(sample, (own,)))
        # Whoever hides among the people of a class hides among those of any coarser one.
        assert one.without.k >= found.measure.k
        assert one.without.risk <= found.measure.risk + 1e-9
    smalls = [one.without.small for one in found.contributions]
    assert smalls == sorted(smalls)


@given(samples)
def test_the_order_of_the_records_does_not_matter(sample: Sample) -> None:
    forth, back = found_in(sample), found_in(sample[::-1])
    assert (forth.measure.k, forth.measure.classes, forth.bars) == (
        back.measure.k,
        back.measure.classes,
        back.bars,
    )


@given(samples)
def test_the_bars_hold_every_class_and_every_record_once(sample: Sample) -> None:
    found = found_in(sample)
    assert sum(bar.classes for bar in found.bars) == found.measure.classes
    assert sum(bar.records for bar in found.bars) == len(sample)
    assert all(
        one.most is not None and one.most + 1 == two.least
        for one, two in zip(found.bars, found.bars[1:], strict=False)
    )
    assert (found.bars[0].label, found.bars[2].label, found.bars[-1].label) == ("1", "3\u20134", "101+")


@given(samples)
def test_the_smallest_classes_are_shown_with_their_values(sample: Sample) -> None:
    found = found_in(sample)
    assert len(found.smallest) == min(SHOWN_MAX, found.measure.classes)
    assert found.smallest[0].people == found.measure.k
    records = Counter(combination for combination, _ in sample)
    assert all(records[one.values] == one.records for one in found.smallest)


@given(samples)
def test_without_a_subject_each_record_is_a_person_of_its_own(sample: Sample) -> None:
    alone = [(combination, index) for index, (combination, _) in enumerate(sample)]
    assert found_in(sample, by_person=False).measure == found_in(alone).measure


def test_ten_records_of_one_person_are_no_crowd() -> None:
    assert found_in([(("a", "x", "f"), 1)] * 10).measure.k == 1


def test_records_that_do_not_say_whose_they_are_count_as_one_person() -> None:
    classes = Classes(("sex",), by_person=True)
    for _ in range(7):
        classes.add(["f"], None)
    found = classes.anonymity()
    assert found is not None
    assert found.measure.k == 1


def test_where_any_two_fields_single_out_everybody_the_one_with_most_groups_is_first() -> None:
    # A Latin square: each pair of fields has nine groups of one, so none can be left out to any effect.
    sample = [
        ((f"{row}", f"{column}", f"{(row + column) % 3}"), 3 * row + column)
        for row, column in ((row, column) for row in range(3) for column in range(3))
    ]
    found = found_in([((one[0] + one[1], one[1], one[2]), person) for one, person in sample])
    assert found.measure.unique == 1
    assert all(min(sizes(sample, pair)) == 1 for pair in combinations(range(3), 2))
    assert found.contributions[0].alone.classes == 9
    assert found.contributions[0].path == "birth_date"


def test_no_record_has_no_measure_and_no_field_makes_one_class_of_all() -> None:
    assert Classes(FIELDS, by_person=True).anonymity() is None
    classes = Classes((), by_person=True)
    for person in range(8):
        classes.add((), person)
    found = classes.anonymity()
    assert found is not None
    assert (found.measure.k, found.measure.classes, found.contributions) == (8, 1, ())
