"""The event source mapping: reads a stream and delivers it to a function as the mapping in AWS says."""

from __future__ import annotations

import json
import time
import uuid
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

from processor.errors import TidegateError
from processor.local.delivery import FOREVER, Answer, Entry, Lane, Rules, failure_report, judge, sift
from processor.local.filters import wanted
from processor.local.kinesis import KinesisStream, seen_by_filters
from processor.local.shards import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from processor.local.delivery import Batch

BACKLOG_MAX: Final = 10_000  # records read ahead of a shard's delivery
BACKOFF_S: Final = (0.1, 2.0)  # between retries: the first pause, doubled each time, and the longest
POLL_S: Final = 0.05
POSITIONS: Final = ("TRIM_HORIZON", "LATEST")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A mapping's settings, as Lambda keeps them."""

    function_arn: str
    stream_arn: str
    position: str
    lanes: int
    destination_arn: str | None
    filters: tuple[str, ...]
    rules: Rules

    @classmethod
    def read(cls, mapping: Mapping[str, Any]) -> Settings:
        """The settings in an answer of GetEventSourceMapping.

        Raises:
            TidegateError: it starts at a position that a DynamoDB stream does not have.
        """
        position = mapping.get("StartingPosition", "")
        if position not in POSITIONS:
            raise TidegateError(
                f"The mapping starts at {position!r}; a stream has {' and '.join(POSITIONS)}."
            )
        criteria = mapping.get("FilterCriteria") or {}
        on_failure = (mapping.get("DestinationConfig") or {}).get("OnFailure") or {}
        return cls(
            function_arn=mapping["FunctionArn"],
            stream_arn=mapping["EventSourceArn"],
            position=position,
            lanes=mapping.get("ParallelizationFactor") or 1,
            destination_arn=on_failure.get("Destination"),
            filters=tuple(one["Pattern"] for one in criteria.get("Filters", ())),
            rules=Rules(
                batch_size=mapping["BatchSize"],
                window_s=mapping.get("MaximumBatchingWindowInSeconds") or 0,
                retries=mapping.get("MaximumRetryAttempts", FOREVER),
                max_age_s=mapping.get("MaximumRecordAgeInSeconds", FOREVER),
                bisect=bool(mapping.get("BisectBatchOnFunctionError")),
                partial="ReportBatchItemFailures" in (mapping.get("FunctionResponseTypes") or ()),
            ),
        )


@dataclass(slots=True)
class Tally:
    """What a mapping has done so far, in records unless it says otherwise."""

    read: int = 0
    filtered: int = 0
    done: int = 0
    lost: int = 0
    """Given up; the failure destination was told."""
    trimmed: int = 0
    """Gone from the stream before they could be delivered; nobody is told."""
    invocations: int = 0
    """Calls of the function."""
    failures: int = 0
    """Calls of the function after which something had to come again, or was given up."""


class EventSource:
    """A mapping at work.

    Args:
        settings: what it does.
        streams: a Boto3 client of dynamodbstreams, or of kinesis for a data stream.
        invoke: calls the function; from several threads at once if there are several lanes.
        report: gives a failure report, as JSON, to the failure destination; None if there is none.
        carry: puts what is new into a data stream, as DynamoDB does by itself; says how many records.
        clock, sleep: for tests.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        streams: Any,
        invoke: Callable[[dict[str, Any]], Answer],
        report: Callable[[str], object] | None = None,
        carry: Callable[[], int] = lambda: 0,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.tally = Tally()
        self._settings, self._rules = settings, settings.rules
        self._streams = streams
        self._stream = self._at(settings.position)
        self._wanted = wanted(settings.filters)
        self._invoke, self._report, self._carry = invoke, report, carry
        self._clock, self._sleep = clock, sleep
        self._lock = Lock()  # lanes are delivered side by side
        self._lanes: dict[str, list[Lane]] = defaultdict(
            lambda: [Lane(self._rules) for _ in range(settings.lanes)]
        )

    def drain(self, on_progress: Callable[[Tally], None] = lambda _: None) -> Tally:
        """Deliver until the stream has nothing more and every record is done or given up."""
        while self.turn() or self._busy():
            on_progress(self.tally)
        on_progress(self.tally)
        return self.tally

    def skip_what_is_there(self) -> None:
        """Begin at the stream's end, whatever the mapping says: what is there has been delivered before."""
        self._stream = self._at("LATEST")

    def turn(self) -> int:
        """Read what is new, deliver what is due; 0 if there was nothing to do."""
        carried = self._carry()
        self._stream.look_for_shards()
        moved = carried + sum(self._read(shard.name) for shard in list(self._stream.readable(self._busy())))
        now = self._clock()
        due = [
            (shard, lane, batch)
            for shard, lanes in self._lanes.items()
            for lane in lanes
            if (batch := lane.take(now))
        ]
        if due:
            with ThreadPoolExecutor(len(due)) as pool:
                list(pool.map(lambda one: self._deliver(*one), due))
        elif self._busy():
            self._sleep(POLL_S)
        return moved + len(due)

    def _at(self, position: str) -> Stream:
        reader = KinesisStream if ":kinesis:" in self._settings.stream_arn else Stream
        return reader(self._streams, self._settings.stream_arn, position)

    def _busy(self) -> set[str]:
        return {shard for shard, lanes in self._lanes.items() if any(map(len, lanes))}

    def _read(self, shard: str) -> int:
        lanes = self._lanes[shard]
        if sum(map(len, lanes)) >= BACKLOG_MAX:
            return 0
        reading = self._stream.shards[shard]
        found = self._stream.entries(reading)
        kept = [one for one in found if self._wanted(seen_by_filters(one.record))]
        for number, lane in enumerate(lanes):
            lane.offer((one for one in kept if _lane_of(one, len(lanes)) == number), self._clock())
        self.tally.read += len(found)
        self.tally.filtered += len(found) - len(kept)
        return len(found) + reading.ended  # reaching an end lets its children begin

    def _deliver(self, shard: str, lane: Lane, batch: Batch) -> None:
        fresh, too_old, trimmed = sift(batch, self._rules, self._clock())
        with self._lock:
            self.tally.trimmed += len(trimmed)
            self._give_up(too_old, shard)
        if fresh is None:
            return
        answer = self._invoke({"Records": [one.record for one in fresh.entries]})
        verdict = judge(fresh, answer, self._rules)
        with self._lock:
            self.tally.invocations += 1
            self.tally.done += len(verdict.done)
            self.tally.failures += bool(verdict.again or verdict.lost)
            self._give_up(verdict.lost, shard)
        first, longest = BACKOFF_S
        pause = min(first * 2**batch.failures, longest) if verdict.again else 0
        lane.put_back(verdict.again, self._clock() + pause)

    def _give_up(self, lost: Iterable[Any], shard: str) -> None:
        for one in lost:
            self.tally.lost += len(one.batch.entries)
            if self._report:
                about = {"function_arn": self._settings.function_arn, "stream_arn": self._stream.arn}
                report = failure_report(
                    one, **about, shard=shard, request_id=str(uuid.uuid4()), now=self._clock()
                )
                self._report(json.dumps(report))


def _lane_of(one: Entry, lanes: int) -> int:
    """All changes of an item go down one lane, so that they stay in order."""
    if of_kinesis := one.record.get("kinesis"):
        keys = of_kinesis["partitionKey"]
    else:
        keys = json.dumps(one.record["dynamodb"]["Keys"], sort_keys=True)
    return crc32(keys.encode()) % lanes
