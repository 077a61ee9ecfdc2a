"""A Kinesis data stream as the mapping reads it, and its records as they stand in a Lambda event.

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html and
https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

from processor.local.delivery import Entry
from processor.local.shards import RECORDS_MAX, Shard, Stream

if TYPE_CHECKING:
    from collections.abc import Mapping


class KinesisStream(Stream):
    """A data stream, read from `position` (TRIM_HORIZON or LATEST) on by a client of kinesis."""

    def look_for_shards(self) -> None:
        """Learn of shards that have appeared since."""
        request: dict[str, str] = {"StreamARN": self.arn}
        while True:
            listed = self._streams.list_shards(**request)
            for shard in listed["Shards"]:
                name = shard["ShardId"]
                self.shards.setdefault(name, Shard(name, shard.get("ParentShardId")))
            if not (token := listed.get("NextToken")):
                return
            request = {"NextToken": token}

    def entries(self, shard: Shard) -> list[Entry]:
        """The shard's next records, ready for delivery; none if it has no more yet."""
        return [_entry(record, self.arn, shard.name) for record in self.read(shard)]

    def _page(self, shard: Shard) -> dict[str, Any]:
        page: dict[str, Any] = self._streams.get_records(
            ShardIterator=shard.iterator, Limit=RECORDS_MAX, StreamARN=self.arn
        )
        return page

    def _start(self, shard: Shard, position: str) -> None:
        where = {"StreamARN": self.arn, "ShardId": shard.name, "ShardIteratorType": position}
        shard.iterator = self._streams.get_shard_iterator(**where)["ShardIterator"]
        shard.started = True


def event_record(record: Mapping[str, Any], stream_arn: str, shard: str) -> dict[str, Any]:
    """What the function finds in `Records`: the data as base64, the time as epoch seconds."""
    sequence = record["SequenceNumber"]
    region, account = stream_arn.split(":")[3:5]
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": sequence,
            "data": b64encode(record["Data"]).decode(),
            "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"].timestamp(),
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard}:{sequence}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": f"arn:aws:iam::{account}:role/lambda",
        "awsRegion": region,
        "eventSourceARN": stream_arn,
    }


def seen_by_filters(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """A record as a mapping's filters see it: of Kinesis with its data as JSON.

    https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis-filtering.html
    """
    if "kinesis" not in record:
        return record
    try:
        data = json.loads(b64decode(record["kinesis"]["data"]))
    except ValueError:
        data = None
    return {**record["kinesis"], "data": data}


def _entry(record: Mapping[str, Any], stream_arn: str, shard: str) -> Entry:
    event = event_record(record, stream_arn, shard)
    return Entry(
        record=event,
        sequence=int(record["SequenceNumber"]),
        time=record["ApproximateArrivalTimestamp"].timestamp(),
        size=len(json.dumps(event)) + 2,
    )
