"""What DynamoDB does where a table has a Kinesis destination: its changes put into the data stream.

The embedded AWS does nothing of it. Here the table's own stream is read, and each change written in the form
in which DynamoDB writes it; some of them twice and in another order, because DynamoDB promises neither order
nor that a change comes once: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/kds.html
"""

from __future__ import annotations

import json
from hashlib import blake2b
from random import Random
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from processor.local.records import event_record
from processor.local.shards import Stream

if TYPE_CHECKING:
    from collections.abc import Mapping

TWICE: Final = 0.2  # of the changes, where it is as bad as it gets: it takes a rare retry of DynamoDB's
APART: Final = 4  # places by which two changes can have changed places
PUT_MAX: Final = 500  # records of one PutRecords
SECOND_US: Final = 1_000_000


class Carrier:
    """Puts the changes of one table into a data stream.

    Args:
        streams: a Boto3 client of dynamodbstreams, and
        kinesis: of kinesis.
        table_stream_arn: of the table's own stream, which is read from its beginning.
        arn: of the data stream.
        seed: of what comes twice, and where; None: each change once, in its order.
    """

    def __init__(
        self, streams: Any, kinesis: Any, table_stream_arn: str, arn: str, seed: int | None = None
    ) -> None:
        self._stream = Stream(streams, table_stream_arn, "TRIM_HORIZON")
        self._kinesis, self._arn = kinesis, arn
        self._table = table_stream_arn.split("/")[1]
        self._chance = None if seed is None else Random(seed)
        self._again: list[dict[str, Any]] = []
        self._last_us = 0
        self.twice = 0
        """Changes that came, or will come, a second time."""

    def carry(self) -> int:
        """Put in what is new, and what is to come again of what was; how many records those are."""
        self._stream.look_for_shards()
        fresh = [
            self._record(record)
            for shard in list(self._stream.readable(set()))
            for record in self._stream.read(shard)
        ]
        records = [*self._disordered(fresh), *self._again]
        self._again = self._later(fresh)
        for at in range(0, len(records), PUT_MAX):
            self._kinesis.put_records(StreamARN=self._arn, Records=records[at : at + PUT_MAX])
        return len(records)

    def _disordered(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if self._chance is None:
            return records
        twice = [one for one in records if self._chance.random() < TWICE / 2]
        self.twice += len(twice)
        places = [(at + self._chance.uniform(0, APART), one) for at, one in enumerate(records)]
        places += [(self._chance.uniform(0, len(records)), one) for one in twice]
        return [one for _, one in sorted(places, key=lambda place: place[0])]

    def _later(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        later = [one for one in records if self._chance is not None and self._chance.random() < TWICE / 2]
        self.twice += len(later)
        return later

    def _record(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """An entry of PutRecords: one item is always in one shard."""
        event = event_record(record, self._stream.arn)
        body = {
            name: part
            for name, part in event["dynamodb"].items()
            if name not in {"SequenceNumber", "StreamViewType"}
        }
        # The table's stream says whole seconds: what came later in it was made later.
        made = int(record["dynamodb"]["ApproximateCreationDateTime"].timestamp() * SECOND_US)
        self._last_us = max(self._last_us + 1, made)
        carried = {
            "awsRegion": event["awsRegion"],
            # Another id than in the table's stream: AWS does not say that they are the same.
            "eventID": str(UUID(bytes=blake2b(event["eventID"].encode(), digest_size=16).digest())),
            "eventName": event["eventName"],
            "userIdentity": event.get("userIdentity"),
            "recordFormat": "application/json",
            "tableName": self._table,
            "dynamodb": {
                **body,
                "ApproximateCreationDateTime": self._last_us,
                "ApproximateCreationDateTimePrecision": "MICROSECOND",
            },
            "eventSource": "aws:dynamodb",
        }
        key = blake2b(json.dumps(body["Keys"], sort_keys=True).encode(), digest_size=16).hexdigest().upper()
        return {"Data": json.dumps(carried).encode(), "PartitionKey": key}
