"""Filter criteria, as AWS documents them for DynamoDB."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.errors import TidegateError
from processor.local.filters import wanted

RECORD: dict[str, Any] = {
    "eventName": "REMOVE",
    "userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"},
    "dynamodb": {
        "SizeBytes": 120,
        "Keys": {"id": {"S": "p-1"}},
        "OldImage": {
            "id": {"S": "p-1"},
            "amount": {"N": "12.5"},
            "open": {"BOOL": True},
            "gone": {"NULL": True},
            "tags": {"SS": ["gift", "express"]},
            "note": {"S": ""},
        },
    },
}


def matches(*patterns: Any) -> bool:
    return wanted(json.dumps(pattern) for pattern in patterns)(RECORD)


def image(**attributes: Any) -> dict[str, Any]:
    return {"dynamodb": {"OldImage": attributes}}


def test_without_a_pattern_everything_passes() -> None:
    assert matches()


@pytest.mark.parametrize(
    "pattern",
    [
        {"eventName": ["INSERT", "REMOVE"]},
        {"userIdentity": {"type": ["Service"], "principalId": ["dynamodb.amazonaws.com"]}},
        image(amount={"N": ["12.5"]}),
        image(open={"BOOL": [True]}),
        image(note={"S": [""]}),
        image(tags={"SS": ["express"]}),
        image(id={"S": [{"prefix": "p-"}]}),
        image(id={"S": [{"suffix": "-1"}]}),
        image(id={"S": [{"equals-ignore-case": "P-1"}]}),
        image(id={"S": ["other", {"prefix": "p"}]}),
        image(id={"S": [{"exists": True}]}),
        image(missing={"S": [{"exists": False}]}),
        image(id=[{"exists": False}]),  # an attribute is a map, and only leaves exist
        image(id={"S": [{"anything-but": ["p-2", "p-3"]}]}),
        image(id={"S": [{"anything-but": {"prefix": "q"}}]}),
        {"dynamodb": {"SizeBytes": [{"numeric": [">", 100, "<=", 120]}]}},
        {"dynamodb": {"SizeBytes": [120.0]}},
        {"eventName": ["REMOVE"], "$or": [image(id={"S": ["no"]}), image(open={"BOOL": [True]})]},
    ],
)
def test_what_matches(pattern: dict[str, Any]) -> None:
    assert matches(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        {"eventName": ["INSERT"]},
        {"eventName": ["REMOVE"], "dynamodb": {"Keys": {"id": {"S": ["p-2"]}}}},
        image(amount={"N": [12.5]}),  # numbers are text in a stream record
        image(open={"BOOL": [1]}),
        image(id=[{"exists": True}]),
        image(missing={"S": [{"exists": True}]}),
        image(missing={"S": [{"anything-but": ["p-2"]}]}),
        image(id={"S": [{"anything-but": "p-1"}]}),
        image(id={"S": [{"prefix": "P"}]}),
        {"dynamodb": {"SizeBytes": [{"numeric": ["<", 120]}]}},
        {"dynamodb": {"NewImage": {"id": {"S": ["p-1"]}}}},
        {"eventName": ["REMOVE"], "$or": [image(id={"S": ["no"]})]},
    ],
)
def test_what_does_not_match(pattern: dict[str, Any]) -> None:
    assert not matches(pattern)


def test_one_of_several_filters_is_enough() -> None:
    assert matches({"eventName": ["INSERT"]}, {"eventName": ["REMOVE"]})


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("{", "not JSON"),
        ("[]", "at least one field"),
        ("{}", "at least one field"),
        ('{"eventName": "REMOVE"}', "at eventName: expected a list"),
        ('{"eventName": []}', "at eventName: expected a list"),
        ('{"dynamodb": {"Keys": {}}}', "at dynamodb.Keys: expected a list"),
        ('{"eventName": [{"wildcard": "R*"}]}', "unknown rule wildcard; there are prefix"),
        ('{"eventName": [{"prefix": "R", "suffix": "E"}]}', "unknown rule prefix, suffix"),
        ('{"eventName": [{"prefix": 1}]}', "expected a text"),
        ('{"eventName": [{"exists": "yes"}]}', "true or false"),
        ('{"eventName": [["REMOVE"]]}', "list within the list"),
        ('{"dynamodb": {"SizeBytes": [{"numeric": [">"]}]}}', "numeric takes"),
        ('{"dynamodb": {"SizeBytes": [{"numeric": ["~", 1]}]}}', "numeric takes"),
        ('{"dynamodb": {"SizeBytes": [{"numeric": 1}]}}', "numeric takes"),
        ('{"dynamodb": {"NewImage": {"a": {"N": [{"numeric": ["=", 1]}]}}}}', "never matches"),
        ('{"$or": {"eventName": ["REMOVE"]}}', "expected a list of patterns"),
    ],
)
def test_what_is_not_understood_is_an_error(pattern: str, said: str) -> None:
    with pytest.raises(TidegateError, match=said):
        wanted([pattern])


LEAVES = st.one_of(st.text(max_size=4), st.integers(), st.booleans(), st.none())


@given(
    st.dictionaries(st.text(min_size=1, max_size=4).filter(lambda name: name != "$or"), LEAVES, min_size=1)
)
def test_a_record_matches_the_pattern_made_of_it(record: dict[str, Any]) -> None:
    assert wanted([json.dumps({name: [value] for name, value in record.items()})])(record)


@given(st.sampled_from(["a", "b"]), LEAVES, LEAVES)
def test_anything_but_is_the_opposite_of_equality(name: str, value: Any, other: Any) -> None:
    is_, is_not = (json.dumps({"a": [rule]}) for rule in (other, {"anything-but": [other]}))
    record = {name: value}
    assert wanted([is_])(record) + wanted([is_not])(record) == (name == "a")
