"""What the rules meet in a sample."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from processor.review.coverage import UNNAMED_MAX, coverage

PlanOf = Callable[..., Any]


def test_a_misspelled_path_shows_as_a_rule_that_meets_nothing_beside_a_field_without_a_rule(
    plan_of: PlanOf,
) -> None:
    plan = plan_of(
        {"id": "keep", "card.numbr": "mask", "items[*].sku": "keep", "labels.*": "keep", "at[*]": "drop"}
    )
    records: list[dict[str, Any]] = [
        {"id": 1, "card": {"number": "4111"}, "items": [{"sku": 1}, {"skew": 2}], "at": "noon"},
        {"id": None, "items": None, "labels": {"x": {"deep": 1}}, "at": frozenset({1})},
        {"card": "4111", "labels": {}},
    ]
    found = coverage(plan, iter(records))
    assert found.records == 3
    assert [plan.rules[index].path for index in found.unmet(plan)] == ["card.numbr"]
    assert found.unnamed == Counter({"card.number": 1, "items[*].skew": 1, "at": 1, "card": 1})


def test_what_is_remembered_has_an_end(plan_of: PlanOf) -> None:
    found = coverage(plan_of({"id": "keep"}), [{f"x{n}": 1 for n in range(UNNAMED_MAX + 50)}] * 2)
    assert len(found.unnamed) == UNNAMED_MAX
    assert set(found.unnamed.values()) == {2}


def test_names_that_are_data_are_told_by_their_shape(plan_of: Callable[..., Any]) -> None:
    found = coverage(plan_of({"a": "keep"}), [{"m": 1, "ann@example.com": 1}, {"bob@example.com": 2}])
    assert found.unnamed == {"m": 1, '["text xxx@xxxxxxx.xxx"]': 2}
