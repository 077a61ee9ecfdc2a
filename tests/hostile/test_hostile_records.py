"""Records at and beyond DynamoDB's limits: each ends once, and tells no more than the policy lets it."""

from __future__ import annotations

import json
from copy import deepcopy
from random import Random
from typing import Any

import pytest

from processor.errors import TidegateError
from tests.builders import FIRST_SEQUENCE, STREAM
from tests.hostile.deliveries import HANDLER, Context, Outcome, astray, deliver, gate_of, hiding_plan
from tests.worlds import World, records

HIDDEN = ("customer_id", "email", "phone", "name", "birth_date", "ip", "signature", "surprise")
"""Attributes of a payment that the released policy lets nothing recognisable out of, and one that it does not
know."""
OTHERS = ("amount", "created_at", "note", "tags", "items", "card", "address", "currency", "expires_at")
MARK = "mark7219000000001"


def hostile(at: int = 0, image: dict[str, Any] | None = None, **top: Any) -> dict[str, Any]:
    """The `at`th payment, with other attributes (in DynamoDB's JSON) and other parts of its envelope."""
    record = deepcopy(records(at + 1)[at])
    record["dynamodb"]["NewImage"] |= image or {}
    return record | top


def body(record: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """The record with other parts of its body."""
    return record | {"dynamodb": record["dynamodb"] | parts}


def between(*hostile: Any) -> list[Any]:
    """Hostile records in the middle of a batch of payments."""
    plain = records(len(hostile) + 12)[-2:]
    return [plain[0], *hostile, plain[1]]


def settled(batch: list[Any], outcome: Outcome | None = None) -> Outcome:
    """The outcome of a batch that has to pass, with every record in it ending once."""
    outcome = outcome or deliver(batch)
    assert outcome.passed, outcome.error
    assert not astray(outcome, batch)
    return outcome


def paths_to(field: str) -> set[str]:
    """What is said of where something is wrong: a name that no rule names is left out."""
    return {"dynamodb.NewImage.?" if field == "surprise" else f"dynamodb.NewImage.{field}"}


def events_of(batch: list[Any]) -> int:
    return len(settled(batch).world.events())


def nested(levels: int, tag: str, inner: Any) -> dict[str, Any]:
    """A value that takes so many levels."""
    for _ in range(levels - 1):
        inner = {"L": [inner]} if tag == "L" else {"M": {"inner": inner}}
    return {"S": "deep"} if levels == 0 else inner


@pytest.mark.parametrize("tag", ["L", "M"])
@pytest.mark.parametrize("field", ["surprise", "card", "items", "name", "note"])
def test_32_levels_pass_and_33_are_held_back(field: str, tag: str) -> None:
    text = {"S": MARK}
    passed = settled(between(hostile(image={field: nested(32, tag, text)})))
    assert passed.quarantined().total() == 0
    for levels in (33, 34, 300):
        held = settled(between(hostile(image={field: nested(levels, tag, text)})))
        ((reason, path),) = held.reasons()
        assert (reason, path in paths_to(field)) == ("is nested deeper than 32 levels", True)
        assert MARK not in held.everything()


SETS: dict[str, list[str]] = {
    "SS": [f"{MARK}-{at}" for at in range(100_000)],
    "NS": [f"7219{at:09}" for at in range(100_000)],
    "BS": [f"bWFy{at:08}" for at in range(100_000)],
}


@pytest.mark.parametrize("tag", SETS)
@pytest.mark.parametrize("field", ["tags", "items", "email", "surprise"])
def test_a_set_of_a_hundred_thousand_is_one_oversized_value(field: str, tag: str) -> None:
    outcome = settled(between(hostile(image={field: {tag: SETS[tag]}})))
    assert outcome.quarantined().total() == 0
    out = outcome.everything()
    assert not [one for one in SETS[tag][::1000] if one in out]
    event = outcome.world.events()[1]
    assert event["notes"]["oversized"] == (0 if field == "surprise" else 1)


@pytest.mark.parametrize("field", [*HIDDEN, *OTHERS])
def test_a_megabyte_of_text_passes_as_one_value(field: str) -> None:
    text = f"{MARK} " * (1_048_576 // len(MARK))
    outcome = settled(between(hostile(image={field: {"S": text}})))
    assert MARK not in outcome.everything()
    assert outcome.quarantined().total() == 0
    assert max(map(len, map(json.dumps, outcome.world.events()))) < 5_000


@pytest.mark.parametrize(
    "image",
    [
        {f"a{at}": {"S": f"{MARK}-{at}"} for at in range(9_000)},
        {f"a{at}": {"S": f"{MARK}-{at}"} for at in range(12_000)},
        {"surprise": {"L": [{"NULL": True}] * 200_000}},
        {"items": {"L": [{"M": {"sku": {"S": "s"}, "gift_message": {"S": ""}}}] * 9_000}},
        {"items": {"L": [{"L": []}] * 40_000}},
        {"card": {"M": {f"{MARK}@{at}": {"NULL": True} for at in range(15_000)}}},
        {"surprise": {"B": "QUJD" * 100_000}},
    ],
    ids=["attributes", "too many attributes", "nulls", "items", "lists", "keys", "binary"],
)
def test_an_item_of_400_kb_ends_once(image: dict[str, Any]) -> None:
    record = hostile(image=image)
    record["dynamodb"]["OldImage"] = record["dynamodb"]["NewImage"]
    record["eventName"] = "MODIFY"
    outcome = settled(between(record))
    assert MARK not in outcome.everything()
    assert len(outcome.world.events()) >= 2


NAMES = [
    "jane.doe@example.com",
    "4111 1111 1111 1111",
    "+44 7700 900123",
    "\ud800 Jane",
    "",
    MARK * 3_000,
    "Jane Doe",
]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
@pytest.mark.parametrize("unknown", ["drop", "redact", "quarantine"])
def test_a_name_that_is_personal_data_stays_inside(name: str, unknown: str) -> None:
    value, broken = {"S": MARK}, {"N": MARK}
    images: list[dict[str, Any]] = [
        {name: broken},
        {"card": {"M": {name: value}}},
        {"card": {"M": {name: broken}}},
        {"by_mail": {"M": {name: value, f"{name}2": {"M": {name: value}}}}},
        {"by_mail": {"M": {name: broken}}},
        {"items": {"L": [{"M": {name: {"M": {name: broken}}}}]}},
        {"email": {"M": {name: value}}},
    ]
    if unknown != "redact":  # which says the names
        images.append({name: value})
    else:
        images.pop(1)
    batch = between(*(hostile(at, image) for at, image in enumerate(images)))
    world = World()
    outcome = settled(batch, deliver(batch, gate_of(world, hiding_plan(unknown)), world))
    out = outcome.everything()
    shown = {name, json.dumps(name)[1:-1], repr(name)[1:-1]} - {""}
    assert not [one for one in (MARK, *shown) if one in out]


@pytest.mark.parametrize("field", [*HIDDEN, *OTHERS])
@pytest.mark.parametrize(
    "text", ["\ud800", "\udfff\ud800", "a@b.example\ud83d", "41111111\ude00\ud83d11111111", "\0\ud800"]
)
def test_a_lone_surrogate_in_a_value_stops_nobody(field: str, text: str) -> None:
    image: dict[str, Any] = {field: {"S": text}}
    batch = between(
        hostile(0, image),
        hostile(1, {field: {"SS": [text, "b"]}}),
        hostile(2, {field: {"M": {text: {"S": text}}}}),
        hostile(3, {field: {"L": [{"S": text}]}}),
        hostile(4, {text: {"S": text}}),
        body(hostile(5), Keys={"payment_id": {"S": text}, text: {"S": text}}),
    )
    settled(batch)


@pytest.mark.parametrize(
    "number",
    [
        "NaN", "sNaN", "-NaN", "Infinity", "-Infinity", "inf", "1E+500", "1E+126", "-1E+126", "1E-131",
        "1e99999", "1" * 39, "-" + "1" * 39, "0." + "1" * 39, "1_0", " 1", "1 ", "1\n", "\t1", "\uff11\uff12",
        "\u0661", "\u00b2", "1,5", "0x10", "1e", "e5", "--1", "+1", ".5", "5.", "", "-", "\ud800", "1\ud800",
        "1\0", "9" * 100_000,
    ],
)  # fmt: skip
@pytest.mark.parametrize("field", ["amount", "surprise", "payment_id"])
def test_what_only_looks_like_a_number_is_held_back_alone(number: str, field: str) -> None:
    values: list[Any] = [
        {"N": number},
        {"NS": ["1", number]},
        {"L": [{"N": number}]},
        {"M": {"m": {"N": number}}},
    ]
    batch = between(*(hostile(at, {field: value}) for at, value in enumerate(values)))
    outcome = settled(batch)
    assert {path for _, path in outcome.reasons()} <= paths_to(field)
    assert outcome.quarantined().total() == len(values)
    assert len(number) < 20 or number not in outcome.everything()


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        *(
            (text, text)
            for text in ("1E+125", "-9.9999999999999999999999999999999999999E+125", "1E-130", "0.10")
        ),
        ("9" * 38, "9" * 38),
        ("-0", "0"),
        ("1e5", "1E+5"),
    ],
)
def test_a_number_at_the_limit_passes_to_the_last_digit(number: str, shown: str) -> None:
    outcome = settled([hostile(image={"amount": {"N": number}, "expires_at": {"N": number}})])
    assert f'"amount":{shown},' in outcome.everything()


@pytest.mark.parametrize("raw", [1, 1.5, float("nan"), float("inf"), True, None, [], {}, ["1"], {"N": "1"}])
def test_a_number_that_is_none_to_json_is_held_back(raw: Any) -> None:
    assert events_of(between(hostile(image={"amount": {"N": raw}}))) == 2


@pytest.mark.parametrize(
    ("parts", "passes"),
    [
        ({"eventVersion": "9.9"}, True),
        ({"eventVersion": None}, True),
        ({"eventVersion": {"x": MARK}}, True),
        ({"eventName": "UPSERT"}, False),
        ({"eventName": "insert"}, False),
        ({"eventName": MARK}, False),
        ({"eventName": ["INSERT"]}, False),
        ({"eventSource": MARK}, True),
        ({"awsRegion": MARK, "userIdentity": {"type": MARK, "principalId": [MARK]}}, True),
        ({"userIdentity": MARK}, True),
        ({MARK: MARK}, True),
    ],
)
def test_what_a_later_format_may_say_stops_nobody(parts: dict[str, Any], *, passes: bool) -> None:
    outcome = settled(between(hostile(**parts)))
    assert len(outcome.world.events()) == 2 + passes
    assert MARK not in outcome.everything()


@pytest.mark.parametrize(
    ("view", "images", "passing"),
    [
        ("KEYS_ONLY", [], set()),
        ("NEW_IMAGE", ["NewImage"], {"INSERT", "MODIFY"}),
        ("OLD_IMAGE", ["OldImage"], {"REMOVE"}),
        ("NEW_AND_OLD_IMAGES", ["NewImage", "OldImage"], {"INSERT", "MODIFY", "REMOVE"}),
    ],
)
def test_each_view_type_passes_what_it_can(view: str, images: list[str], passing: set[str]) -> None:
    batch = []
    for at, (kind, has) in enumerate(
        {"INSERT": ["NewImage"], "MODIFY": ["NewImage", "OldImage"], "REMOVE": ["OldImage"]}.items()
    ):
        record = hostile(at, eventName=kind)
        image = record["dynamodb"].pop("NewImage")
        parts = {name: image for name in has if name in images}
        batch.append(body(record, StreamViewType=view, **parts))
    outcome = settled(batch)
    assert {event["type"] for event in outcome.world.events()} == passing
    assert all("set the view type of the table's stream" in reason for reason, _ in outcome.reasons())


@pytest.mark.parametrize("name", ["Keys", "NewImage", "OldImage"])
@pytest.mark.parametrize(
    "what", [None, [], "", MARK, 0, {"payment_id": MARK}, {"payment_id": {"S": None}}, {}]
)
def test_an_image_that_is_none_ends_once(name: str, what: Any) -> None:
    outcome = settled(between(body(hostile(eventName="MODIFY"), **{name: what})))
    assert MARK not in outcome.everything()


@pytest.mark.parametrize(
    "sequence", ["", "x", MARK, "1" * 41, "-1", "1.0", " 1", "\uff11", "\ud800", None, 1, [], {}]
)
def test_what_is_no_sequence_number_is_held_back_without_one(sequence: Any) -> None:
    outcome = settled(between(*(body(hostile(at), SequenceNumber=sequence) for at in range(3))))
    assert len(outcome.world.events()) == 2
    (path,) = {path for _, path in outcome.reasons()}
    assert path.endswith("SequenceNumber")
    assert MARK not in outcome.everything()


def sequenced(*sequences: str) -> list[Any]:
    return [body(hostile(at), SequenceNumber=sequence) for at, sequence in enumerate(sequences)]


@pytest.mark.parametrize(
    "sequences",
    [
        ["3", "1", "2", "5", "4"],
        ["9" * 40, "0", "1" * 39, "5", "9" * 20],
        ["7", "7", "7", "7", "7"],
        ["10", "9", "100", "99", "1"],
    ],
)
def test_sequence_numbers_in_any_order_lose_nothing_and_double_nothing(sequences: list[str]) -> None:
    batch, rng, world = sequenced(*sequences), Random(7), World()
    gate = world.gate()
    settled(batch, deliver(batch, gate, world))
    for _ in range(12):
        again = rng.sample(batch, rng.randint(1, len(batch)))
        assert deliver(again, gate, world).passed
        assert not astray(Outcome(world), batch)


@pytest.mark.parametrize("poison", [False, True])
def test_the_same_record_twice_ends_once(*, poison: bool) -> None:
    record = hostile(0, {"amount": {"N": "many"}} if poison else None)
    world = World()
    gate = world.gate()
    batch = [record, *records(4)[2:], record]
    settled(batch, deliver(batch, gate, world))
    for again in ([record], [record, record], batch[::-1]):
        settled(batch, deliver(again, gate, world))
    assert world.s3.under("manifests/")
    assert sum(json.loads(one)["records"] for one in world.s3.under("manifests/").values()) == 3 - poison


def test_records_of_other_tables_end_once_each_with_its_own_table() -> None:
    tables = ["payments", "orders", "payments", "refunds"]
    batch = [hostile(at, eventSourceARN=STREAM.replace("payments", table)) for at, table in enumerate(tables)]
    world = World()
    gate = world.gate()
    outcome = settled(batch, deliver(batch, gate, world))
    assert sorted(event["table"] for event in outcome.world.events()) == sorted(tables)
    settled(batch, deliver(batch, gate, world))


@pytest.mark.parametrize(
    "arn",
    [
        "",
        MARK,
        "arn:aws:sqs:eu-west-1:1:queue",
        "arn:aws:dynamodb:eu-west-1:1:table/x",
        "a/b/c/d",
        [MARK],
        None,
    ],
)
def test_what_is_no_stream_is_held_back(arn: Any) -> None:
    outcome = settled(between(hostile(eventSourceARN=arn)))
    assert outcome.reasons()
    assert MARK not in outcome.everything()


KINDS_OF_POISON: list[Any] = [
    None, True, 0, 1.5, "", MARK, [], [MARK], {}, {MARK: MARK}, {"dynamodb": MARK}, {"dynamodb": {}},
    {"dynamodb": {"SequenceNumber": "1"}}, {"dynamodb": {"SequenceNumber": MARK}, "eventID": MARK},
]  # fmt: skip


def test_a_batch_that_is_all_poison_is_all_in_quarantine() -> None:
    outcome = settled(KINDS_OF_POISON)
    assert outcome.world.events() == []
    assert outcome.line["RecordsQuarantined"] == len(KINDS_OF_POISON)
    assert MARK not in outcome.everything()


def test_poison_again_is_neither_written_nor_counted_again() -> None:
    world = World()
    gate = world.gate()
    deliver(KINDS_OF_POISON, gate, world)
    before = dict(world.s3.objects)
    again = deliver(KINDS_OF_POISON[::-1], gate, world)
    assert (world.s3.objects, again.line["RecordsQuarantined"]) == (before, 0)


@pytest.mark.slow
def test_ten_thousand_records_of_which_every_second_is_poison() -> None:
    plain = records(400)
    batch: list[Any] = []
    for at in range(10_000):
        record = plain[at % 400] | {"eventID": f"{at:032x}"}
        record = body(record, SequenceNumber=str(FIRST_SEQUENCE + at))
        batch.append(record if at % 2 else body(record, NewImage={"n": {"N": f"{MARK}{at}"}}))
    outcome = settled(batch)
    assert (outcome.line["EventsWritten"], outcome.line["RecordsQuarantined"]) == (5_000, 5_000)
    poison = [body(one, ApproximateCreationDateTime=MARK) for one in batch[:2_000]]
    held = settled(poison)
    assert held.line["RecordsQuarantined"] == 2_000
    assert MARK not in outcome.everything() + held.everything()


@pytest.mark.parametrize("event", [{}, {"Records": None}, {"Records": {}}, {"Records": "x"}, {"records": []}])
def test_what_is_no_event_of_a_stream_is_refused_without_a_word_of_it(event: dict[str, Any]) -> None:
    with pytest.raises(TidegateError, match="it has no list of Records"):
        HANDLER.handler(event, Context())
