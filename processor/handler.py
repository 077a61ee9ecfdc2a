"""The Lambda function on the stream. Everything is made ready at import: what fails there fails the start."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from processor.aws import Patience
from processor.errors import Poison, TidegateError, Transient
from processor.pipeline import pass_through
from processor.sources import sequence_of
from processor.start import start
from processor.telemetry import Tally, place_of

# What could be read as JSON can be written: the quarantine stands deeper in the stack than the reader.
sys.setrecursionlimit(max(sys.getrecursionlimit(), 4000))
PATIENCE = Patience(time.monotonic)
GATE, TELEMETRY = start(Path(__file__).parents[1], os.environ, PATIENCE)


def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """Take a batch of stream records; answer where to deliver again from, if anywhere.

    `"replay": true` beside the records, which no stream says, lets out what was held back and can pass now.

    https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html and, for Kinesis,
    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html

    Raises:
        TidegateError: not an event of a stream, or an unexpected error: its type and place, without
            its text, which may quote a record. Lambda counts it and delivers the batch again, in halves.
    """
    records = event.get("Records") if isinstance(event, dict) else None
    if not isinstance(records, list):
        raise TidegateError("not an event of a stream: it has no list of Records")
    if (milliseconds_left := getattr(context, "get_remaining_time_in_millis", None)) is not None:
        PATIENCE.begin(milliseconds_left() / 1000)
    tally = Tally(request_id=getattr(context, "aws_request_id", ""))
    try:
        pass_through(GATE, records, tally, PATIENCE.is_over, is_replay=event.get("replay") is True)
    except Transient as failure:
        tally.stopped = str(failure)
        return {"batchItemFailures": [{"itemIdentifier": failure.sequence or _first(records)}]}
    except Exception as bug:  # noqa: BLE001  raised again, without what it may quote
        tally.stopped = place_of(bug)
        raise TidegateError(f"unexpected {tally.stopped}") from None
    finally:
        TELEMETRY.batch(tally)
    return {"batchItemFailures": []}


def _first(records: list[Any]) -> str:
    """The batch's first sequence number; empty, which means the whole batch too, if no record has one."""
    sequences = []
    for record in records:
        try:
            sequences.append(sequence_of(record))
        except Poison:
            continue
    return min(sequences, key=int, default="")
