"""The Lambda function that brings one data file of a table's export through the gate.

It has the stream's package, and a role of its own. A state machine calls it for each file, and again with
what it answered until the file is done.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from processor.aws import Patience, connect
from processor.errors import TidegateError, Transient
from processor.exports import Source, Unreadable, read_file
from processor.history import COUNTS, Progress, bring_through, check_age, gate_for, opened
from processor.start import start
from processor.telemetry import place_of

sys.setrecursionlimit(max(sys.getrecursionlimit(), 4000))  # as in handler.py
PATIENCE = Patience(time.monotonic)
GATE, TELEMETRY = start(Path(__file__).parents[1], os.environ, PATIENCE, apart=".backfill")
(S3,) = connect("s3", patience=PATIENCE)
BUCKET, TABLE_ARN = os.environ["EXPORTS_BUCKET"], os.environ["TABLE_ARN"]


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Bring a file on from line `next` (from 1) until its end or the function's; answer how far it came.

    The event: `{"export": id, "exported_at": epoch seconds, "keys": [name, …], "file": a line of
    manifest-files.json, "next": number, "counts": {…}}`. The answer has `next`, `done`, `counts` (of all runs
    so far) and `name`, the file's.

    Raises:
        Unreadable: the event or the file cannot be used, now or later.
        TidegateError: AWS is in trouble and nothing was done: call again later.
    """
    PATIENCE.begin(context.get_remaining_time_in_millis() / 1000)
    try:
        file = read_file(event["file"], "file")
        source = Source(
            event["export"], int(event["exported_at"]), TABLE_ARN, file.name, tuple(event["keys"])
        )
        counts = {name: int(event.get("counts", {}).get(name, 0)) for name in COUNTS}
        progress = Progress(int(event.get("next", 1)), counts=counts)
    except (KeyError, TypeError, ValueError, AttributeError) as flaw:
        raise Unreadable(f"not a file of an export to be brought through: {type(flaw).__name__}") from None
    first = progress.next
    check_age(GATE, source, time.time())
    try:
        with opened(S3, BUCKET, file) as packed:
            bring_through(
                gate_for(GATE, source.export),
                source,
                packed,
                progress,
                is_late=PATIENCE.is_over,
                tell=TELEMETRY.batch,
                request_id=context.aws_request_id,
            )
    except Transient as failure:
        raise TidegateError(str(failure)) from None
    except TidegateError:
        raise
    except Exception as bug:  # noqa: BLE001  raised again, without what it may quote
        raise TidegateError(f"unexpected {place_of(bug)}") from None
    if not progress.done and progress.next == first:
        raise TidegateError(progress.stopped or "the function's time is too short for a single chunk")
    if progress.done and progress.next - 1 != file.items:
        raise Unreadable(
            f"the file has {progress.next - 1:,} items and its manifest says {file.items:,}: it is altered"
        )
    return {
        "name": source.name,
        "next": progress.next,
        "done": progress.done,
        "items": progress.next - 1,
        "counts": progress.counts,
    }
