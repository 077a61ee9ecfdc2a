from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.errors import Poison
from processor.stream import DEPTH_MAX, decode, image
from tests.builders import FIRST_SEQUENCE, TIME, delivered, stream_record

PAYMENT = {"payment_id": "p-1", "amount": Decimal("12.50"), "note": ""}


numbers = st.integers(-(10**38) + 1, 10**38 - 1) | st.decimals(
    allow_nan=False, allow_infinity=False, places=6, min_value=-(10**25), max_value=10**25
)
scalars = st.none() | st.booleans() | st.text(max_size=20) | st.binary(max_size=20) | numbers
sets = (
    st.frozensets(st.text(min_size=1, max_size=8), min_size=1, max_size=4)
    | st.frozensets(st.binary(min_size=1, max_size=8), min_size=1, max_size=4)
    | st.frozensets(st.integers(-(10**30), 10**30), min_size=1, max_size=4)
)
values = st.recursive(
    scalars | sets,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(min_size=1, max_size=8), values, max_size=6))
def test_what_boto3_writes_is_read_back(item: dict[str, Any]) -> None:
    assert image(json.loads(json.dumps(delivered(item))), "NewImage") == item


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ({"N": "1"}, 1),
        ({"N": "-7"}, -7),
        ({"N": "1.0"}, Decimal("1.0")),
        ({"N": "1E+2"}, Decimal("1E+2")),
        (
            {"N": "0.1234567890123456789012345678901234567"},
            Decimal("0.1234567890123456789012345678901234567"),
        ),
        ({"N": "99999999999999999999999999999999999999"}, 99999999999999999999999999999999999999),
        ({"N": "1" + "0" * 125}, 10**125),
        ({"N": "1E-130"}, Decimal("1E-130")),
        ({"S": ""}, ""),
        ({"B": ""}, b""),
        ({"B": "AAECAw=="}, b"\x00\x01\x02\x03"),
        ({"BOOL": False}, False),
        ({"NULL": True}, None),
        ({"L": []}, []),
        ({"M": {}}, {}),
        ({"SS": ["a", "b"]}, frozenset({"a", "b"})),
        ({"NS": ["1", "2.5"]}, frozenset({1, Decimal("2.5")})),
        ({"BS": ["AA==", "AQ=="]}, frozenset({b"\x00", b"\x01"})),
    ],
)
def test_every_type_exactly(typed: dict[str, Any], value: Any) -> None:
    read = image({"field": typed}, "NewImage")["field"]
    assert read == value
    assert type(read) is type(value)


def nested(levels: int, tag: str) -> dict[str, Any]:
    """A value that takes so many levels: a list in a list in … a string, or maps."""
    typed: dict[str, Any] = {"S": "deep"}
    for _ in range(levels - 1):
        typed = {"L": [typed]} if tag == "L" else {"M": {"inner": typed}}
    return typed


@pytest.mark.parametrize("tag", ["L", "M"])
def test_nesting_to_the_limit_and_no_further(tag: str) -> None:
    assert image({"field": nested(DEPTH_MAX, tag)}, "NewImage")
    for levels in (DEPTH_MAX + 1, 900):
        with pytest.raises(Poison, match="deeper than 32 levels"):
            image({"field": nested(levels, tag)}, "NewImage")


SECRET = "4111111111111111"


@pytest.mark.parametrize(
    "typed",
    [
        {"N": SECRET + "x"},
        {"N": "1_000"},
        {"N": " 1"},
        {"N": "١٢"},
        {"N": "NaN"},
        {"N": "Infinity"},
        {"N": "1" * 39},
        {"N": "1E+126"},
        {"N": "1E-131"},
        {"N": "9" * 300},
        {"N": ""},
        {"N": 1},
        {"S": 1},
        {"S": None},
        {"B": SECRET + "!"},
        {"B": "AA"},
        {"BOOL": "true"},
        {"NULL": False},
        {"L": {"S": SECRET}},
        {"M": [SECRET]},
        {"SS": SECRET},
        {"SS": [1]},
        {"NS": [SECRET + "x"]},
        {"X": SECRET},
        {"S": SECRET, "N": "1"},
        {},
        SECRET,
        [SECRET],
        None,
    ],
)
def test_a_malformed_value_is_poison_that_quotes_nothing(typed: Any) -> None:
    with pytest.raises(Poison) as caught:
        image({"card": {"M": {"number": typed}}}, "NewImage", {"card"})
    assert caught.value.path == "dynamodb.NewImage.card"
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_name_that_may_be_data_is_not_repeated() -> None:
    with pytest.raises(Poison) as caught:
        image({"jane.doe@example.com": {"N": "x"}}, "OldImage")
    assert caught.value.path == "dynamodb.OldImage.?"


def test_an_insertion() -> None:
    change = decode(stream_record(PAYMENT, at=3))
    assert (change.kind, change.event_id, change.table) == ("INSERT", f"{3:032x}", "payments")
    assert (change.sequence, change.time) == (str(FIRST_SEQUENCE + 3), TIME + 3)
    assert (change.keys, change.new, change.old) == ({"payment_id": "p-1"}, PAYMENT, None)
    assert not change.expired


def test_a_modification_and_a_removal() -> None:
    modified = decode(stream_record(PAYMENT | {"amount": 1}, PAYMENT))
    assert (modified.kind, modified.old) == ("MODIFY", PAYMENT)
    removed = decode(stream_record(None, PAYMENT))
    assert (removed.kind, removed.new, removed.old, removed.expired) == ("REMOVE", None, PAYMENT, False)


def test_an_expiry_is_told_from_a_removal() -> None:
    identity = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    assert decode(stream_record(None, PAYMENT) | {"userIdentity": identity}).expired


@pytest.mark.parametrize("view", ["NewImage", "OldImage"])
def test_a_record_without_its_image_says_what_to_set(view: str) -> None:
    record = stream_record(PAYMENT) if view == "NewImage" else stream_record(None, PAYMENT)
    del record["dynamodb"][view]
    with pytest.raises(
        Poison, match="set the view type of the table's stream to NEW_AND_OLD_IMAGES"
    ) as caught:
        decode(record)
    assert caught.value.path == f"dynamodb.{view}"


@pytest.mark.parametrize(
    ("part", "path"),
    [
        ({"eventID": None}, "eventID"),
        ({"eventName": "UPSERT"}, "eventName"),
        ({"eventName": 1}, "eventName"),
        ({"eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:queue"}, "eventSourceARN"),
        ({"dynamodb": None}, "dynamodb"),
        ({"dynamodb": {}}, "dynamodb"),
    ],
)
def test_a_malformed_record_says_where(part: dict[str, Any], path: str) -> None:
    with pytest.raises(Poison) as caught:
        decode(stream_record(PAYMENT) | part)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"SequenceNumber": "12x"}, "dynamodb.SequenceNumber"),
        ({"SequenceNumber": "1" * 41}, "dynamodb.SequenceNumber"),
        ({"SequenceNumber": None}, "SequenceNumber"),
        ({"ApproximateCreationDateTime": "yesterday"}, "dynamodb.ApproximateCreationDateTime"),
        ({"ApproximateCreationDateTime": True}, "dynamodb.ApproximateCreationDateTime"),
        ({"ApproximateCreationDateTime": float("nan")}, "dynamodb.ApproximateCreationDateTime"),
        ({"ApproximateCreationDateTime": 10**18}, "dynamodb.ApproximateCreationDateTime"),
        ({"Keys": None}, "dynamodb.Keys"),
        ({"Keys": []}, "dynamodb.Keys"),
        ({"NewImage": "x"}, "dynamodb.NewImage"),
    ],
)
def test_a_malformed_body_says_where(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(Poison) as caught:
        decode(stream_record(PAYMENT, **changes))
    assert caught.value.path == path


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(json_values, st.sampled_from(["record", "dynamodb", "NewImage", "value", "eventID", "time"]))
def test_nothing_but_poison_comes_of_garbage(garbage: Any, where: str) -> None:
    record: Any = stream_record(PAYMENT)
    match where:
        case "record":
            record = garbage
        case "NewImage":
            record["dynamodb"]["NewImage"] = garbage
        case "value":
            record["dynamodb"]["NewImage"]["note"] = garbage
        case "time":
            record["dynamodb"]["ApproximateCreationDateTime"] = garbage
        case _:
            record[where] = garbage
    with suppress(Poison):
        assert decode(record).event_id
