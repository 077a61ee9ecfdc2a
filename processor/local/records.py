"""A record as the streams API gives it, and as it stands in a Lambda event: the same change in other clothes.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html and
https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
"""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import datetime
from typing import TYPE_CHECKING, Any

from processor.local.delivery import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping


def entry(record: Mapping[str, Any], stream_arn: str) -> Entry:
    """The record, ready for delivery."""
    body = record["dynamodb"]
    event = event_record(record, stream_arn)
    return Entry(
        record=event,
        sequence=int(body["SequenceNumber"]),
        time=body["ApproximateCreationDateTime"].timestamp(),
        size=len(json.dumps(event)) + 2,
    )


def event_record(record: Mapping[str, Any], stream_arn: str) -> dict[str, Any]:
    """What the function finds in `Records`: binary as base64, times as whole epoch seconds."""
    event = {
        "eventID": record["eventID"],
        "eventName": record["eventName"],
        "eventVersion": record["eventVersion"],
        "eventSource": "aws:dynamodb",
        "awsRegion": stream_arn.split(":")[3],
        "dynamodb": _plain(record["dynamodb"]),
        "eventSourceARN": stream_arn,
    }
    if who := record.get("userIdentity"):
        event["userIdentity"] = {"principalId": who["PrincipalId"], "type": who["Type"]}
    return event


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(below) for name, below in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return int(value.timestamp()) if isinstance(value, datetime) else value
