"""Reading a DynamoDB stream: its shards, parents before children, each from a position on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from processor.local.records import entry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.local.delivery import Entry

RECORDS_MAX: Final = 1000  # of one GetRecords


@dataclass(slots=True)
class Shard:
    """One shard while it is read."""

    name: str
    parent: str | None
    iterator: str | None = None
    """Where to read on; None before the first read and after the last."""
    started: bool = False

    @property
    def ended(self) -> bool:
        """Whether it is closed and read to its end."""
        return self.started and self.iterator is None


class Stream:
    """A stream, read from `position` (TRIM_HORIZON or LATEST) on.

    LATEST is where each shard ends that exists now; a shard that appears later is read from its start.
    """

    def __init__(self, streams: Any, arn: str, position: str) -> None:
        self._streams, self.arn = streams, arn
        self.shards: dict[str, Shard] = {}
        self.look_for_shards()
        if position == "LATEST":
            for shard in self.shards.values():
                self._start(shard, position)

    def look_for_shards(self) -> None:
        """Learn of shards that have appeared since."""
        request: dict[str, str] = {"StreamArn": self.arn}
        while True:
            described = self._streams.describe_stream(**request)["StreamDescription"]
            for shard in described["Shards"]:
                name = shard["ShardId"]
                self.shards.setdefault(name, Shard(name, shard.get("ParentShardId")))
            if not (last := described.get("LastEvaluatedShardId")):
                return
            request["ExclusiveStartShardId"] = last

    def readable(self, busy: set[str]) -> Iterator[Shard]:
        """The shards to read now: not at their end, their parent read to its end and not busy."""
        for shard in self.shards.values():
            parent = self.shards.get(shard.parent or "")
            if not shard.ended and (parent is None or (parent.ended and parent.name not in busy)):
                yield shard

    def read(self, shard: Shard) -> list[dict[str, Any]]:
        """The shard's next records, none if it has no more yet."""
        if not shard.started:
            self._start(shard, "TRIM_HORIZON")
        answer = self._page(shard)
        shard.iterator = answer.get("NextShardIterator")
        records: list[dict[str, Any]] = answer["Records"]
        return records

    def entries(self, shard: Shard) -> list[Entry]:
        """The shard's next records, ready for delivery; none if it has no more yet."""
        return [entry(record, self.arn) for record in self.read(shard)]

    def _page(self, shard: Shard) -> dict[str, Any]:
        page: dict[str, Any] = self._streams.get_records(ShardIterator=shard.iterator, Limit=RECORDS_MAX)
        return page

    def _start(self, shard: Shard, position: str) -> None:
        where = {"StreamArn": self.arn, "ShardId": shard.name, "ShardIteratorType": position}
        shard.iterator = self._streams.get_shard_iterator(**where)["ShardIterator"]
        shard.started = True
