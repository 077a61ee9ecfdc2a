"""How Lambda delivers a stream: batches, retries, bisection, checkpoints, giving up. Values in, values out.

https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html and
https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html

Where AWS is silent, the choice that makes a function's life harder is taken, and said here:

- A retry counts unless it is of a smaller batch while bisection is on: splitting does not count towards the
  quota, wherever the batch is split.
- An answer that names a record which is not in the batch, or is no JSON object, fails the whole batch.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

PAYLOAD_BYTES_MAX: Final = 6 * 1024 * 1024
ENVELOPE_BYTES: Final = len('{"Records": []}')
STREAM_KEEPS_S: Final = 24 * 60 * 60
FOREVER: Final = -1
"""As retries or age: until the stream forgets the record."""

EXHAUSTED: Final = "RetryAttemptsExhausted"
TOO_OLD: Final = "RecordAgeExceeded"


@dataclass(frozen=True, slots=True)
class Entry:
    """A record on its way to the function."""

    record: dict[str, Any]
    """As it will stand in the function's event."""
    sequence: int
    time: float
    """When it was written to the stream, epoch seconds."""
    size: int
    """Bytes as JSON, with what separates it from the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a mapping says about delivery."""

    batch_size: int = 100
    window_s: float = 0
    retries: int = FOREVER
    max_age_s: float = FOREVER
    bisect: bool = False
    partial: bool = False
    """Whether the function's answer may name failed records (ReportBatchItemFailures)."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that are delivered together, in order. Never empty."""

    entries: tuple[Entry, ...]
    failures: int = 0
    """Deliveries that failed and count towards the quota of retries."""
    deliveries: int = 0

    def part(self, start: int, stop: int | None = None) -> Batch:
        """The records from `start` to `stop`, with the batch's history."""
        return replace(self, entries=self.entries[start:stop])


@dataclass(frozen=True, slots=True)
class Answer:
    """What a function gave back: its answer, or how it failed."""

    payload: Any = None
    error: str = ""
    log: bytes = field(default=b"", repr=False, compare=False)
    """The end of what was logged meanwhile, as Lambda gives it to who asks for it."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Records that were given up, and why. The failure destination is told."""

    batch: Batch
    condition: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a batch after a delivery: each of its records is in exactly one of these."""

    done: tuple[Entry, ...] = ()
    again: tuple[Batch, ...] = ()
    """In the order in which they are to be delivered, before anything else."""
    lost: tuple[Lost, ...] = ()


def judge(batch: Batch, answer: Answer, rules: Rules) -> Verdict:
    """What becomes of a batch that got this answer."""
    batch = replace(batch, deliveries=batch.deliveries + 1)
    at, named = _checkpoint(batch, answer, rules)
    done, rest = batch.entries[:at], batch.part(at)
    if not rest.entries:
        return Verdict(done)
    if rules.bisect and at:
        return Verdict(done, (rest,))
    if rules.bisect and not named and len(rest.entries) > 1:
        middle = len(rest.entries) // 2
        return Verdict((), (rest.part(0, middle), rest.part(middle)))
    rest = replace(rest, failures=rest.failures + 1)
    if rules.retries != FOREVER and rest.failures > rules.retries:
        return Verdict(done, (), (Lost(rest, EXHAUSTED),))
    return Verdict(done, (rest,))


def _checkpoint(batch: Batch, answer: Answer, rules: Rules) -> tuple[int, bool]:
    """(how many records at the start are done, whether the answer names the first that is not)."""
    whole = len(batch.entries)
    if answer.error:
        return 0, False
    if not rules.partial or answer.payload in (None, {}):
        return whole, False
    if not isinstance(answer.payload, dict):
        return 0, False
    failures = answer.payload.get("batchItemFailures")
    if failures in (None, []):
        return whole, False
    positions = {str(entry.sequence): at for at, entry in enumerate(batch.entries)}
    try:
        return min(positions[failure["itemIdentifier"]] for failure in failures), True
    except (KeyError, TypeError):
        return 0, False


def sift(batch: Batch, rules: Rules, now: float) -> tuple[Batch | None, tuple[Lost, ...], tuple[Entry, ...]]:
    """(what is still young enough, what is too old for the mapping, what the stream itself has forgotten)."""
    ages = [now - entry.time for entry in batch.entries]
    limit = rules.max_age_s if rules.max_age_s != FOREVER else STREAM_KEEPS_S
    fresh = tuple(entry for entry, age in zip(batch.entries, ages, strict=True) if age <= limit)
    old = tuple(entry for entry, age in zip(batch.entries, ages, strict=True) if age > limit)
    kept = replace(batch, entries=fresh) if fresh else None
    if not old or rules.max_age_s == FOREVER:
        return kept, (), old
    return kept, (Lost(replace(batch, entries=old), TOO_OLD),), ()


class Lane:
    """The records of one shard, or of one share of its items, in order: one batch of it is out at a time."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._again: deque[Batch] = deque()
        self._waiting: deque[Entry] = deque()
        self._window_opened = 0.0
        self._not_before = 0.0

    def __len__(self) -> int:
        return len(self._waiting) + sum(len(batch.entries) for batch in self._again)

    def offer(self, entries: Iterable[Entry], now: float) -> None:
        """Add records behind all others."""
        if not self._waiting:
            self._window_opened = now
        self._waiting.extend(entries)

    def put_back(self, batches: Iterable[Batch], not_before: float = 0.0) -> None:
        """Return what has to come again: it is taken first, but not before the given time."""
        self._again.extendleft(reversed(tuple(batches)))
        self._not_before = not_before

    def take(self, now: float) -> Batch | None:
        """The next batch, if it is time for one."""
        if now < self._not_before:
            return None
        if self._again:
            return self._again.popleft()
        if not self._waiting:
            return None
        fitting = self._fitting()
        more = fitting < min(len(self._waiting), self._rules.batch_size)  # cut short by the payload limit
        full = more or fitting == self._rules.batch_size
        if not full and now < self._window_opened + self._rules.window_s:
            return None
        batch = Batch(tuple(self._waiting.popleft() for _ in range(fitting)))
        self._window_opened = now
        return batch

    def _fitting(self) -> int:
        """How many of the waiting records go into one batch: one at least."""
        size, count = ENVELOPE_BYTES, 0
        for entry in self._waiting:
            size += entry.size
            if count == self._rules.batch_size or (count and size > PAYLOAD_BYTES_MAX):
                break
            count += 1
        return count


def failure_report(
    lost: Lost, *, function_arn: str, stream_arn: str, shard: str, request_id: str, now: float
) -> dict[str, Any]:
    """What the failure destination gets: where the records are, and nothing that is in them.

    https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html and
    https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
    """
    entries = lost.batch.entries
    batch = "KinesisBatchInfo" if ":kinesis:" in stream_arn else "DDBStreamBatchInfo"
    return {
        "requestContext": {
            "requestId": request_id,
            "functionArn": function_arn,
            "condition": lost.condition,
            "approximateInvokeCount": lost.batch.deliveries,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": _iso(now),
        batch: {
            "shardId": shard,
            "startSequenceNumber": str(entries[0].sequence),
            "endSequenceNumber": str(entries[-1].sequence),
            "approximateArrivalOfFirstRecord": _iso(entries[0].time),
            "approximateArrivalOfLastRecord": _iso(entries[-1].time),
            "batchSize": len(entries),
            "streamArn": stream_arn,
        },
    }


def _iso(seconds: float) -> str:
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
