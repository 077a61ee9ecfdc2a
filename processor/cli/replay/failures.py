"""The failure queue as a source: batches that Lambda gave up on, read again while the stream has them.

A message says shard and range, and nothing of what is in it. It is deleted once all of its range is done.

AWS calls: sqs:GetQueueUrl, sqs:ReceiveMessage, sqs:ChangeMessageVisibility and sqs:DeleteMessage on the
failure queue; dynamodb:GetShardIterator and dynamodb:GetRecords on the stream, or kinesis: those of the same
names.
"""

from __future__ import annotations

import json
import re
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from processor.aws import calling
from processor.cli.functions import explained
from processor.cli.replay.report import GONE, NOT_DONE, TOO_OLD, UNREADABLE
from processor.cli.replay.sending import Outcome, Parcel
from processor.errors import Transient
from processor.local import kinesis, records
from processor.local.filters import wanted
from processor.local.shards import RECORDS_MAX
from processor.sources import sequence_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from processor.cli.replay.function import Function
    from processor.cli.replay.report import Report
    from processor.cli.replay.sending import Sender

HIDDEN_S: Final = 3_600  # while a message is in work, no other replay receives it
WAIT_S: Final = 2  # for messages: without, SQS asks some of its servers only
RECEIVED_MAX: Final = 10  # of one request
MESSAGES_MAX: Final = 10_000  # of one run
PAGES_MAX: Final = 1_000  # of one range
# Kinesis calls a number that it has forgotten, or never gave, an invalid argument.
TRIMMED: Final = frozenset(
    {"TrimmedDataAccessException", "ResourceNotFoundException", "InvalidArgumentException"}
)
STREAM: Final = re.compile(
    r"arn:[a-z-]+:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[\w.-]+/stream/[\w.:-]+"
    r"|arn:[a-z-]+:kinesis:[a-z0-9-]+:[0-9]{12}:stream/[\w.-]+",
    re.ASCII,
)
SHARD: Final = re.compile(r"[\w-]{1,128}", re.ASCII)
SEQUENCE: Final = re.compile(r"[0-9]{1,128}", re.ASCII)
WORD: Final = re.compile(r"\w{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Range:
    """A batch that was given up, as its message names it."""

    stream: str
    shard: str
    first: int
    last: int
    records: int
    """As Lambda counted them."""
    arrived: float
    """The first of them; epoch seconds."""
    condition: str
    """Why it was given up."""
    handle: str = field(repr=False)
    """What deletes the message."""

    @property
    def is_of_kinesis(self) -> bool:
        """Whether it is of a data stream, not of a table's own."""
        return ":kinesis:" in self.stream

    def __str__(self) -> str:
        return f"{self.shard} from {self.first} to {self.last}"


class Failures:
    """The failure queue of one stream."""

    def __init__(self, function: Function, oldest: Callable[[], float], report: Report) -> None:
        self._function, self._oldest, self._report = function, oldest, report
        self._sqs = function.client("sqs")
        self._of_table, self._of_kinesis = function.client("dynamodbstreams"), function.client("kinesis")
        queue = f"{function.name}-failures"
        with explained(f"sqs:GetQueueUrl of {queue}", function.permit, env=function.env):
            self._url = self._sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        self._is_wanted = wanted(function.feed().filters)
        self._undone: set[str] = set()  # handles of messages that were received and are to be there again

    unit = "messages"

    def begin(self, _steps: Callable[[int], object]) -> None:
        """Nobody knows how many messages there are before they are received."""

    def look(self, step: Callable[[], object]) -> None:
        """Count what would be sent: what the stream has still of what the messages name."""
        with closing(self._ranges(step)) as ranges:
            for one in ranges:
                found, _ = self._read(one)
                self._report.would[one.condition, ""] += len(found)

    def send(self, sender: Sender, step: Callable[[], object]) -> None:
        """Send what the stream has still, and delete the messages of which all is done.

        Raises:
            TidegateError: the function is in trouble. What is not done stays in the queue.
        """
        with closing(self._ranges(step)) as ranges:
            for one in ranges:
                found, is_done = self._read(one)
                for told in sender.send(_parcel(record, one) for record in found):
                    if told.outcome is Outcome.UNDONE:
                        is_done = False
                        self._report.wrong(NOT_DONE, str(one), told.why, len(told.parcels))
                if is_done:
                    with explained(f"sqs:DeleteMessage on {self._url}", self._function.permit):
                        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=one.handle)
                    self._undone.discard(one.handle)

    def _ranges(self, step: Callable[[], object]) -> Generator[Range]:
        """What the messages say, each once. Those that are not deleted can be received again after."""
        request = {
            "MaxNumberOfMessages": RECEIVED_MAX,
            "VisibilityTimeout": HIDDEN_S,
            "WaitTimeSeconds": WAIT_S,
        }
        try:
            for _ in range(MESSAGES_MAX):
                with explained(f"sqs:ReceiveMessage on {self._url}", self._function.permit):
                    messages = self._sqs.receive_message(QueueUrl=self._url, **request).get("Messages", [])
                if not messages:
                    return
                self._undone.update(message["ReceiptHandle"] for message in messages)
                for message in messages:
                    step()
                    one = _range(message)
                    if one is None:
                        why = "it is no report of Lambda's about a batch of a stream"
                        self._report.wrong(UNREADABLE, f"message {message['MessageId']}", why)
                    elif one.arrived < self._oldest():
                        self._report.wrong(TOO_OLD, str(one), count=one.records)
                    else:
                        self._report.at(one.arrived)
                        yield one
        finally:
            for handle in self._undone:
                with suppress(Transient), calling("sqs:ChangeMessageVisibility"):
                    self._sqs.change_message_visibility(
                        QueueUrl=self._url, ReceiptHandle=handle, VisibilityTimeout=0
                    )

    def _read(self, one: Range) -> tuple[list[dict[str, Any]], bool]:
        """What the stream has still of the range and the mapping would send; whether that is all."""
        found: list[dict[str, Any]] = []
        gone = missed = ""
        try:
            try:
                self._fetch(one, found, at=one.first)
                # Kinesis may begin at what it has still, without a word.
                if one.is_of_kinesis and (not found or _sequence(found[0]) != one.first):
                    gone = _gone(one, found)
            except Transient as failure:
                if failure.code not in TRIMMED:
                    raise
                found.clear()
                gone = _gone(one, found)
                self._fetch(one, found, at=None)
                gone = _gone(one, found)
        except Transient as failure:
            missed = "" if failure.code in TRIMMED else str(failure)
        kept = [record for record in found if self._is_wanted(kinesis.seen_by_filters(record))]
        self._report.found += len(kept)
        lost = max(one.records - len(kept), 1)
        if missed:
            self._report.wrong(NOT_DONE, str(one), missed, lost)
        elif gone:
            self._report.wrong(GONE, gone, count=lost)
        return kept, not (gone or missed)

    def _fetch(self, one: Range, into: list[dict[str, Any]], *, at: int | None) -> None:
        """Read the shard from a number on, or from its oldest record, to the end of the range.

        Raises:
            Transient: with one of the codes `TRIMMED` where the stream has forgotten the position.
        """
        iterator = self._iterator(one, at)
        for _ in range(PAGES_MAX):
            page = self._page(one, iterator)
            for record in page["Records"]:
                event = (
                    kinesis.event_record(record, one.stream, one.shard)
                    if one.is_of_kinesis
                    else records.event_record(record, one.stream)
                )
                sequence = _sequence(event)
                if one.first <= sequence <= one.last:
                    into.append(event)
                if sequence >= one.last:
                    return
            iterator = page.get("NextShardIterator")
            # An open shard of Kinesis goes on for ever, and what is newest in it may be long ago.
            if iterator is None or (not page["Records"] and page.get("MillisBehindLatest") == 0):
                return
        raise Transient(f"the range does not end within {PAGES_MAX:,} pages of its shard")

    def _iterator(self, one: Range, at: int | None) -> Any:
        kind = "TRIM_HORIZON" if at is None else "AT_SEQUENCE_NUMBER"
        where = {"ShardId": one.shard, "ShardIteratorType": kind}
        if one.is_of_kinesis:
            number = {} if at is None else {"StartingSequenceNumber": str(at)}
            with calling("kinesis:GetShardIterator"):
                found = self._of_kinesis.get_shard_iterator(StreamARN=one.stream, **where, **number)
        else:
            number = {} if at is None else {"SequenceNumber": str(at)}
            with calling("dynamodb:GetShardIterator"):
                found = self._of_table.get_shard_iterator(StreamArn=one.stream, **where, **number)
        return found["ShardIterator"]

    def _page(self, one: Range, iterator: Any) -> dict[str, Any]:
        page: dict[str, Any]
        if one.is_of_kinesis:
            with calling("kinesis:GetRecords"):
                page = self._of_kinesis.get_records(
                    ShardIterator=iterator, Limit=RECORDS_MAX, StreamARN=one.stream
                )
        else:
            with calling("dynamodb:GetRecords"):
                page = self._of_table.get_records(ShardIterator=iterator, Limit=RECORDS_MAX)
        return page


def _gone(one: Range, found: list[dict[str, Any]]) -> str:
    """What of a range the stream has forgotten."""
    until = f"before {_sequence(found[0])}" if found else str(one.last)
    return f"{one.shard} from {one.first} to {until}"


def _sequence(record: dict[str, Any]) -> int:
    """The number of a record as Lambda delivers it."""
    return int(sequence_of(record))


def _range(message: dict[str, Any]) -> Range | None:
    """What a message says; None if it is not Lambda's word about a batch of a stream."""
    try:
        body = json.loads(message["Body"])
        batch = body.get("KinesisBatchInfo") or body["DDBStreamBatchInfo"]
        condition = body["requestContext"]["condition"]
        texts = batch["streamArn"], batch["shardId"], batch["startSequenceNumber"], batch["endSequenceNumber"]
        stream, shard, first, last = texts
        forms = (STREAM, stream), (SHARD, shard), (SEQUENCE, first), (SEQUENCE, last), (WORD, condition)
        if not all(form.fullmatch(text) for form, text in forms) or int(first) > int(last):
            return None
        arrived = datetime.fromisoformat(batch["approximateArrivalOfFirstRecord"]).timestamp()
        handle = message["ReceiptHandle"]
        return Range(
            stream, shard, int(first), int(last), int(batch["batchSize"]), arrived, condition, handle
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _parcel(record: dict[str, Any], one: Range) -> Parcel:
    return Parcel(json.dumps(record, separators=(",", ":")), one.stream, _sequence(record), str(one))
