"""Exactly once in S3: what the gate is about to write, remembered before it is written.

Lambda delivers a batch at least once and may cut it differently each time, and two runs may hold the same
records at once. So every run *declares* an intent (these records, this key), then looks for *other* intents
that name any of its records, fences their keys, and only then creates its object.

Why no record is in two objects: let two intents name it. Whichever run declared second sees the first's
intent, because it looks after declaring and the read is strongly consistent. It fences that key before it
creates its own object. Either the first object was there already, then the second run leaves its records
out; or the fence was first, then the first object can never be created: both are written under the
condition that the key is free.

A record that cannot pass is named in the intent as *held*, before it goes to quarantine. What one run holds,
no other lets out: under another policy, or another version of the code, it might pass. So a run that sees
another hold one of its records does the same, unless the record's event is there already; quarantine keeps
one object per record, whoever puts it. Why no record is in both: of two runs, the second to declare sees the
first. If the first holds the record, the second does not let it out. If the first lets it out, the second
finds the object, or fences it, and then the first begins anew and sees the second.

A Kinesis stream may have one change twice, under two sequence numbers. There a record goes by the id of its
change alone, and a run looks for it not only where its own records are: at every intent after them, and
before them as far back as the first of the two can have arrived (`Window`). Why that is far enough: it
arrived after the change was made, and so did all between the two, because a shard's records stand in the
order in which they arrived. So the first intent of which all arrived before that is beyond it. Both runs see
each other, as above.

AWS calls: dynamodb:PutItem and dynamodb:Query on the ledger table; S3 through `Feed`.
"""

from __future__ import annotations

import json
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from random import uniform
from secrets import token_hex
from time import sleep
from typing import TYPE_CHECKING, Any, Final

from processor.aws import calling
from processor.errors import Transient

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from processor.event import Event
    from processor.quarantine import Poisoned
    from processor.sinks import Feed, Stored

ID_BYTES: Final = 8  # names are compared only among intents that overlap in sequence: few enough
SEQUENCE_DIGITS: Final = 40  # padded, so that sort keys sort as the numbers do; Kinesis has more
SEQUENCE_DIGITS_MAX: Final = 128
BEYOND: Final = "~"  # in front of the longer ones: they sort after all others
ROUNDS_MAX: Final = 8  # of declaring anew; more than two need another run that fences at the same time
WAIT_S, WAIT_S_MAX = 0.05, 1.0  # after a fence, at most; doubling
PAGES_MAX: Final = 64  # of 1 MB
RECENT: Final = 8  # intents of the first page where one looks back: enough for some seconds of a busy shard
CLOCKS_S: Final = 5  # by which DynamoDB's and Kinesis's clocks may differ
LOOK_BACK_S: Final = 900  # what comes a second time later than that is another event, under the same id
GENERATION_BYTES: Final = 4
FENCED_MAX: Final = 10_000  # keys remembered: some 2 MB
SUFFIX: Final = ".jsonl.gz"
DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Intent:
    """These records, in this object: declared before the object is written."""

    lane: str
    """The stream, as a short digest of its ARN: the ledger's partition, and part of the key."""
    key: str
    """A function of the records, the edition and the summary: the same intent is the same object."""
    first: str
    last: str
    records: frozenset[bytes]
    """Whose events are in the object."""
    held: frozenset[bytes]
    """Those that go to quarantine instead."""
    summary: Mapping[str, Any]
    """What the audit manifest says of the events: kept here because another run may have to write it."""

    @property
    def sort_key(self) -> str:
        """Where the intent stands in its lane."""
        return f"{_padded(self.last)}#{self.key.rpartition('-')[2].removesuffix(SUFFIX)}"


@dataclass(frozen=True, slots=True)
class Settled:
    """An intent whose object is there."""

    intent: Intent
    stored: Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What a batch holds back, and how."""

    records: dict[bytes, Poisoned]
    """Those that cannot pass, by their names in intents. What other runs hold joins them."""
    keep: Callable[[Collection[Poisoned]], object]
    """Puts records into quarantine, each once however often it is called."""
    of: Callable[[Event], Poisoned]
    """From an event to its record, held because another run does."""
    is_pardon: bool = False
    """Whether what other runs hold is let out nevertheless: in a replay, which somebody has asked for."""


@dataclass(frozen=True, slots=True)
class Window:
    """How far back a change of a batch may have come before: of a stream that may have one twice."""

    since: int
    """Epoch seconds: what arrived before that is none of these changes."""
    arrived: int
    """The last record of the batch, epoch seconds."""

    @classmethod
    def of(cls, times: Collection[tuple[int, int]]) -> Window:
        """Of changes, each with when it was made and when its record arrived."""
        made, arrived = (min(column) for column in zip(*times, strict=True))
        return cls(max(made - CLOCKS_S, arrived - LOOK_BACK_S), max(when for _, when in times))


class Ledger:
    """The intents of all streams, in one table, for as long as the policy says.

    `edition` is what would make another event of the same record: the policy's hash and the model.
    `summarise` says what the manifest of some events is to say.
    """

    def __init__(
        self,
        *,
        dynamodb: Any,
        table: str,
        feed: Feed,
        policy: str,
        edition: str,
        retention_days: int,
        summarise: Callable[[Sequence[Event]], Mapping[str, Any]],
        clock: Callable[[], float],
    ) -> None:
        self._dynamodb, self._table, self._feed, self._clock = dynamodb, table, feed, clock
        self._policy, self._edition, self._summarise = policy, edition, summarise
        self._retention_s = retention_days * DAY_S
        self._folder = ""
        self._fenced: set[str] = set()

    def within(self, folder: str) -> Ledger:
        """The same ledger, whose objects are in a folder of their own within the hour."""
        other = copy(self)
        other._folder = f"{folder}/"  # noqa: SLF001  its own
        return other

    def settle(
        self, lane: str, events: Sequence[Event], holding: Holding, window: Window | None = None
    ) -> list[Settled]:
        """Bring every event into exactly one object, and say which intents hold them now.

        In the normal case this is one PutItem, one Query and one PutObject, whatever the number of events.

        Args:
            lane: of the batch.
            events: to be written.
            holding: the records of the batch that go to quarantine; what other runs hold joins them.
            window: where the stream may have a change twice; None where it has each once.

        Raises:
            Transient: how far it came is in the ledger and in S3; the next delivery goes on from there.
        """
        held = dict(holding.records)
        remaining = {
            name: event for event in events if (name := record_id(event.event_id, event.sequence)) not in held
        }
        settled: list[Settled] = []
        generation = ""
        for number in range(ROUNDS_MAX):
            if not remaining and not held:
                return settled
            intent = self._intent(lane, remaining, held, generation)
            self._declare(intent, window)
            done, doomed = self._said_by_others(intent, window)
            written = frozenset().union(*(other.intent.records for other in done))
            doomed = frozenset() if holding.is_pardon else (doomed & remaining.keys()) - written
            if done or doomed:
                settled += done
                held.update({name: holding.of(remaining[name]) for name in doomed})
                for name in written:
                    held.pop(name, None)
                remaining = {name: event for name, event in remaining.items() if name not in written | doomed}
                continue
            holding.keep(held.values())
            if not remaining:
                return settled
            if (stored := self._feed.create(intent.key, remaining.values())) is not None:
                return [*settled, Settled(intent, stored)]
            # Fenced by another run: the same records need another key, and one that no earlier delivery had,
            # or a few fences would keep them out for ever.
            generation = token_hex(GENERATION_BYTES)
            # Runs that go on at once fence each other again and again, the more the longer the ledger gets.
            sleep(uniform(0.0, min(WAIT_S * 2**number, WAIT_S_MAX)))
        raise Transient(f"ledger: {ROUNDS_MAX} rounds without a free key, because other runs fence at once")

    def _said_by_others(self, mine: Intent, window: Window | None) -> tuple[list[Settled], frozenset[bytes]]:
        """The other intents that hold events of these records, and which of the records they hold back.

        Intents whose objects are not there never will be: they are fenced.
        """
        done, doomed = [], frozenset[bytes]()
        for other in self._around(mine, window) if window else self._overlapping(mine):
            if other.key == mine.key:
                continue
            doomed |= other.held
            if not other.records.isdisjoint(mine.records | mine.held):
                stored = self._fence(other.key)
                if stored is not None:
                    done.append(Settled(other, stored))
        return done, doomed

    def _fence(self, key: str) -> Stored | None:
        """What `Feed.fence` says. What is fenced stays so, and is not asked again."""
        if key in self._fenced:
            return None
        if (stored := self._feed.fence(key)) is None:
            if len(self._fenced) == FENCED_MAX:
                self._fenced.clear()
            self._fenced.add(key)
        return stored

    def _partition(self, lane: str) -> str:
        """Where the intents of a lane are: two policies on one stream do not take each other's for theirs."""
        return f"{self._policy}/{lane}"

    def _declare(self, intent: Intent, window: Window | None) -> None:
        item = {
            "stream": {"S": self._partition(intent.lane)},
            "intent": {"S": intent.sort_key},
            "object_key": {"S": intent.key},
            "first_sequence": {"S": _padded(intent.first)},
            "last_sequence": {"S": _padded(intent.last)},
            "record_ids": {"B": b"".join(sorted(intent.records))},
            "held_ids": {"B": b"".join(sorted(intent.held))},
            "summary": {"S": json.dumps(intent.summary, separators=(",", ":"))},
            "expires_at": {"N": str(int(self._clock()) + self._retention_s)},
        }
        if window is not None:
            item["arrived_at"] = {"N": str(window.arrived)}
        with calling("dynamodb:PutItem on the ledger"):
            self._dynamodb.put_item(TableName=self._table, Item=item)

    def _overlapping(self, mine: Intent) -> Iterator[Intent]:
        """The lane's intents whose range of sequence numbers meets this one's, itself included.

        All that end after its beginning are read: few for the newest batches, more for a replay.
        """
        yield from (
            _read(item, mine.lane)
            for item in self._queried(
                {
                    "KeyConditionExpression": "#stream = :lane AND intent >= :first",
                    "FilterExpression": "first_sequence <= :last",
                    "ExpressionAttributeValues": {
                        ":lane": {"S": self._partition(mine.lane)},
                        ":first": {"S": _padded(mine.first)},
                        ":last": {"S": _padded(mine.last)},
                    },
                }
            )
        )

    def _around(self, mine: Intent, window: Window) -> Iterator[Intent]:
        """The lane's intents that can name these changes: from the newest back to the window's beginning.

        In the normal case one page, because nothing is after this batch and its changes are new.
        """
        request = {
            "KeyConditionExpression": "#stream = :lane",
            "ExpressionAttributeValues": {":lane": {"S": self._partition(mine.lane)}},
            "ScanIndexForward": False,
            "Limit": RECENT,
        }
        for item in self._queried(request):
            other = _read(item, mine.lane)
            yield other
            # One of records that cannot be decoded does not say when they arrived.
            if "arrived_at" in item and int(item["arrived_at"]["N"]) < window.since:
                return

    def _queried(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The items that a Query finds; with a limit each page may have as many times more than the last."""
        names = {"#stream": "stream"}  # a reserved word
        query = {
            "TableName": self._table,
            "ConsistentRead": True,
            "ExpressionAttributeNames": names,
            **request,
        }
        for _ in range(PAGES_MAX):
            with calling("dynamodb:Query on the ledger"):
                page = self._dynamodb.query(**query)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
            if "Limit" in query:
                query["Limit"] *= RECENT
        raise Transient(f"ledger: more than {PAGES_MAX} MB of intents after this batch")

    def _intent(
        self, lane: str, events: dict[bytes, Event], held: Mapping[bytes, Poisoned], generation: str
    ) -> Intent:
        sequences = [*(event.sequence for event in events.values()), *(one.sequence for one in held.values())]
        first, last = _range(sequences)
        # Not the clock: the key must be the same on every delivery, so the earliest change decides.
        earliest = datetime.fromtimestamp(min((event.time for event in events.values()), default=0), UTC)
        summary = self._summarise(list(events.values()))
        digest = blake2b(digest_size=8)
        # With the range, because where a change may come twice the same records can be of two ranges.
        digest.update(f"{self._edition}/{generation}/{first}-{last}/".encode())
        digest.update(b"".join(sorted(events)) + b"/" + b"".join(sorted(held)))
        # A person may have been erased between two deliveries: the manifest of what was written first must
        # not say what the second would have done.
        digest.update(json.dumps(summary, sort_keys=True).encode())
        name = f"{lane}-{first}-{last}-{digest.hexdigest()}{SUFFIX}"
        return Intent(
            lane=lane,
            key=f"events/{self._policy}/dt={earliest:%Y-%m-%d}/hour={earliest:%H}/{self._folder}{name}",
            first=first,
            last=last,
            records=frozenset(events),
            held=frozenset(held),
            summary=summary,
        )


def record_id(event_id: str, sequence: str) -> bytes:
    """The short name of a record in intents, with nothing of the record in it.

    Of Kinesis, which its longer sequence numbers tell, it is that of the change: there it may come twice.
    """
    name = event_id if len(sequence) > SEQUENCE_DIGITS else f"{event_id}/{sequence}"
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=ID_BYTES).digest()


def lane_of(record: Any) -> str:
    """The short name of the stream that a record is from; a new stream of the same table has another.

    Of a Kinesis stream each shard is a lane: the id of a record names its shard, and numbers of two shards
    do not compare. Of a table's stream Lambda does not say the shard, so all of them share a lane.
    """
    said = record if isinstance(record, dict) else {}
    names = [said.get("eventSourceARN")]
    if said.get("eventSource") == "aws:kinesis":
        names.append(str(said.get("eventID")).partition(":")[0])
    return _lane("/".join(name for name in names if isinstance(name, str)))


@lru_cache(1024)  # Kinesis has as many shards as it takes
def _lane(arn: str) -> str:
    return blake2b(arn.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()


def _read(item: dict[str, Any], lane: str) -> Intent:
    return Intent(
        lane=lane,
        key=item["object_key"]["S"],
        first=_unpadded(item["first_sequence"]["S"]),
        last=_unpadded(item["last_sequence"]["S"]),
        records=_ids(item["record_ids"]),
        held=_ids(item.get("held_ids", {"B": b""})),
        summary=json.loads(item["summary"]["S"]),
    )


def _ids(attribute: dict[str, Any]) -> frozenset[bytes]:
    ids = bytes(attribute["B"])
    return frozenset(ids[at : at + ID_BYTES] for at in range(0, len(ids), ID_BYTES))


def _range(sequences: Iterable[str]) -> tuple[str, str]:
    ordered = sorted(sequences, key=int)
    return ordered[0], ordered[-1]


def _padded(sequence: str) -> str:
    if len(sequence) > SEQUENCE_DIGITS:
        return BEYOND + sequence.zfill(SEQUENCE_DIGITS_MAX)
    return sequence.zfill(SEQUENCE_DIGITS)


def _unpadded(text: str) -> str:
    return text.lstrip(BEYOND).lstrip("0") or "0"
