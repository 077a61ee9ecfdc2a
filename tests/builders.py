"""Stream records and events for tests."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeSerializer

from processor.event import Event
from processor.policy import Notes
from processor.scoring import Fraud

if TYPE_CHECKING:
    from collections.abc import Mapping

STREAM = "arn:aws:dynamodb:eu-west-1:123456789012:table/payments/stream/2026-11-23T00:00:00.000"
TIME = 1_795_467_845  # 2026-11-23T21:04:05Z
FIRST_SEQUENCE = 1_100_000_000_017_454_423_009
KINESIS = "arn:aws:kinesis:eu-west-1:123456789012:stream/payments"
FIRST_OF_KINESIS = 49590338271490256608559692538361571095921575989136588898

_serialize = TypeSerializer().serialize


def delivered(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item of plain values in DynamoDB's JSON, as Lambda delivers it."""
    return {name: _as_delivered(_serialize(value)) for name, value in item.items()}


def _as_delivered(typed: dict[str, Any]) -> dict[str, Any]:
    """A value in Boto3's form in Lambda's: there, binary is base64."""
    ((tag, raw),) = typed.items()
    match tag:
        case "B":
            return {tag: b64encode(bytes(raw)).decode()}
        case "BS":
            return {tag: [b64encode(one).decode() for one in raw]}
        case "L":
            return {tag: [_as_delivered(item) for item in raw]}
        case "M":
            return {tag: {name: _as_delivered(item) for name, item in raw.items()}}
    return typed


def stream_record(
    new: Mapping[str, Any] | None = None,
    old: Mapping[str, Any] | None = None,
    *,
    at: int = 0,
    key: str = "payment_id",
    **changes: Any,
) -> dict[str, Any]:
    """A record as Lambda delivers it, the `at`th of the stream; `changes` replace parts of its body."""
    kind = "REMOVE" if new is None else "INSERT" if old is None else "MODIFY"
    body = {
        "ApproximateCreationDateTime": TIME + at,
        "Keys": delivered({key: (new or old or {})[key]}),
        "SequenceNumber": str(FIRST_SEQUENCE + at),
        "SizeBytes": 1,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    if new is not None:
        body["NewImage"] = delivered(new)
    if old is not None:
        body["OldImage"] = delivered(old)
    return {
        "eventID": f"{at:032x}",
        "eventName": kind,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": {**body, **changes},
        "eventSourceARN": STREAM,
    }


def kinesis_record(
    record: Mapping[str, Any], *, at: int = 0, arrived: float | None = None, shard: int = 0, **changes: Any
) -> dict[str, Any]:
    """What a record of a table's stream is where DynamoDB has put the change into Kinesis instead.

    Args:
        record: as `stream_record` makes it.
        at: the sequence number, from the first one.
        arrived: epoch seconds; a second after the change was made if not said.
        shard: its number.
        changes: replace parts of what DynamoDB wrote.
    """
    body = {name: part for name, part in record["dynamodb"].items() if name != "SequenceNumber"}
    body.pop("StreamViewType", None)
    made = body["ApproximateCreationDateTime"]
    body |= {"ApproximateCreationDateTime": made * 1_000_000 + 123_456}
    body |= {"ApproximateCreationDateTimePrecision": "MICROSECOND"}
    carried = {
        "awsRegion": record["awsRegion"],
        "eventID": record["eventID"],
        "eventName": record["eventName"],
        "userIdentity": record.get("userIdentity"),
        "recordFormat": "application/json",
        "tableName": "payments",
        "dynamodb": body,
        "eventSource": "aws:dynamodb",
    }
    sequence, name = str(FIRST_OF_KINESIS + at), f"shardId-{shard:012}"
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "7A1F",
            "sequenceNumber": sequence,
            "data": b64encode(json.dumps(carried | changes).encode()).decode(),
            "approximateArrivalTimestamp": made + 1 if arrived is None else arrived,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{name}:{sequence}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::123456789012:role/tidegate-dev-payments",
        "awsRegion": "eu-west-1",
        "eventSourceARN": KINESIS,
    }


def event(at: int = 0, *, line: str | None = None, score: float | None = None) -> Event:
    """The `at`th event of a stream, as the envelope would have made it; flagged from a score of 0.995 on."""
    fraud = None if score is None else Fraud(score, score >= 0.995, (), "payments_fraud@0123456789ab", 0)
    return Event(
        event_id=f"{at:032x}",
        sequence=str(FIRST_SEQUENCE + at),
        time=TIME + at,
        line=f'{{"event_id":"{at:032x}"}}' if line is None else line,
        fraud=fraud,
        notes=Notes((("amount", "keep"),), [1], dropped=2),
    )
