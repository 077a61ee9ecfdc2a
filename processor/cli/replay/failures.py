"""The failure queue as a source: batches that Lambda gave up on, read again while the stream has them.

A message says shard and range, and nothing of what is in it. It is deleted once all of its range is done.

AWS calls: sqs:GetQueueUrl, sqs:ReceiveMessage, sqs:ChangeMessageVisibility and sqs:DeleteMessage on the
failure queue; dynamodb:GetShardIterator and dynamodb:GetRecords on the stream.
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
from processor.local.filters import wanted
from processor.local.records import event_record
from processor.local.shards import RECORDS_MAX

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
TRIMMED: Final = frozenset({"TrimmedDataAccessException", "ResourceNotFoundException"})
STREAM: Final = re.compile(
    r"arn:[a-z-]+:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[\w.-]+/stream/[\w.:-]+", re.ASCII
)
SHARD: Final = re.compile(r"[\w-]{1,128}", re.ASCII)
SEQUENCE: Final = re.compile(r"[0-9]{1,40}", re.ASCII)
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

    def __str__(self) -> str:
        return f"{self.shard} from {self.first} to {self.last}"


class Failures:
    """The failure queue of one stream."""

    def __init__(self, function: Function, oldest: Callable[[], float], report: Report) -> None:
        self._function, self._oldest, self._report = function, oldest, report
        self._sqs, self._streams = function.client("sqs"), function.client("dynamodbstreams")
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
                records, _ = self._read(one)
                self._report.would[one.condition, ""] += len(records)

    def send(self, sender: Sender, step: Callable[[], object]) -> None:
        """Send what the stream has still, and delete the messages of which all is done.

        Raises:
            TidegateError: the function is in trouble. What is not done stays in the queue.
        """
        with closing(self._ranges(step)) as ranges:
            for one in ranges:
                records, is_done = self._read(one)
                for told in sender.send(_parcel(record, one) for record in records):
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
        records: list[dict[str, Any]] = []
        gone = missed = ""
        try:
            try:
                self._fetch(
                    one, records, ShardIteratorType="AT_SEQUENCE_NUMBER", SequenceNumber=str(one.first)
                )
            except Transient as failure:
                if failure.code not in TRIMMED:
                    raise
                records.clear()
                gone = f"{one.shard} from {one.first} to {one.last}"
                self._fetch(one, records, ShardIteratorType="TRIM_HORIZON")
                if records:
                    before = records[0]["dynamodb"]["SequenceNumber"]
                    gone = f"{one.shard} from {one.first} to before {before}"
        except Transient as failure:
            missed = "" if failure.code in TRIMMED else str(failure)
        kept = [record for record in records if self._is_wanted(record)]
        self._report.found += len(kept)
        lost = max(one.records - len(kept), 1)
        if missed:
            self._report.wrong(NOT_DONE, str(one), missed, lost)
        elif gone:
            self._report.wrong(GONE, gone, count=lost)
        return kept, not (gone or missed)

    def _fetch(self, one: Range, into: list[dict[str, Any]], **position: str) -> None:
        """Read the shard from a position to the end of the range.

        Raises:
            Transient: with one of the codes `TRIMMED` where the stream has forgotten the position.
        """
        with calling("dynamodb:GetShardIterator"):
            where = self._streams.get_shard_iterator(StreamArn=one.stream, ShardId=one.shard, **position)
        iterator = where["ShardIterator"]
        for _ in range(PAGES_MAX):
            with calling("dynamodb:GetRecords"):
                page = self._streams.get_records(ShardIterator=iterator, Limit=RECORDS_MAX)
            for record in page["Records"]:
                sequence = int(record["dynamodb"]["SequenceNumber"])
                if one.first <= sequence <= one.last:
                    into.append(event_record(record, one.stream))
                if sequence >= one.last:
                    return
            iterator = page.get("NextShardIterator")
            if iterator is None:
                return
        raise Transient(f"the range does not end within {PAGES_MAX:,} pages of its shard")


def _range(message: dict[str, Any]) -> Range | None:
    """What a message says; None if it is not Lambda's word about a batch of a stream."""
    try:
        body = json.loads(message["Body"])
        batch, condition = body["DDBStreamBatchInfo"], body["requestContext"]["condition"]
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
    except (ValueError, KeyError, TypeError):
        return None


def _parcel(record: dict[str, Any], one: Range) -> Parcel:
    sequence = int(record["dynamodb"]["SequenceNumber"])
    return Parcel(json.dumps(record, separators=(",", ":")), one.stream, sequence, str(one))
