"""The journey of a file of a table's export: the stream's own, chunk by chunk, for what was there before it.

Every chunk passes the same gate as a batch of the stream, ledger and quarantine included, so whatever is run
again, by whomever and after whatever end, each item has one event for this export or is in quarantine once.
What differs: no alert is sent of the past, and neither profiles nor a candidate are asked or told, because
what is known of a customer today would judge a payment of last year by its future.

AWS calls: s3:GetObject on the export, besides those of the pipeline.
"""

from __future__ import annotations

import gzip
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import IO, TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import BotoCoreError

from processor.aws import calling
from processor.errors import Transient
from processor.exports import Chunk, Source, Unreadable, chunks
from processor.pipeline import Gate, pass_through
from processor.telemetry import Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from processor.exports import DataFile

DAY_S: Final = 86_400
MARGIN_S: Final = 7_200  # what is begun is done within that time, or asked for again
COUNTS: Final = ("events", "duplicates", "held", "flagged", "leaks")


@dataclass(slots=True)
class Progress:
    """How far a file is, and what came of it; of all runs that went on with one another."""

    next: int = 1
    """The number of the first line that is not done."""
    done: bool = False
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    """Of the lines that are done: events written now; those there already, of an earlier try too; lines held
    in quarantine; and of the first, how many were flagged, and leaks stopped."""
    stopped: str = ""
    """Why it ended before the file did."""

    def add(self, chunk: Chunk, tally: Tally) -> None:
        """Count what became of a chunk: each of its lines is written, there already or held."""
        self.next = chunk.next
        for name, count in (
            ("events", tally.written),
            ("duplicates", tally.duplicates),
            ("held", sum(tally.reasons.values())),
            ("flagged", tally.flagged),
            ("leaks", tally.leaks),
        ):
            self.counts[name] += count


def gate_for(gate: Gate, export: str) -> Gate:
    """The stream's gate, as it is for what was there before: no alerts, no profiles, a folder of its own."""
    routes = gate.plan.routes
    return replace(
        gate,
        plan=replace(gate.plan, routes=replace(routes, sns=replace(routes.sns, events="none"))),
        judge=gate.judge and replace(gate.judge, profiles=None, shadow=None),
        ledger=gate.ledger.within(f"backfill={export}"),
        alert=lambda _line: None,
    )


def check_age(gate: Gate, source: Source, now: float) -> None:
    """Refuse an export that the ledger may have forgotten.

    Raises:
        Unreadable: nobody knows what of it was let out: its items would come out a second time.
    """
    days = gate.plan.retention_days.ledger
    if now - source.exported_at > days * DAY_S - MARGIN_S:
        raise Unreadable(
            f"the export is older than the {days} days for which the ledger remembers what was let out: "
            "export the table anew"
        )


def bring_through(
    gate: Gate,
    source: Source,
    packed: IO[bytes],
    progress: Progress,
    *,
    is_late: Callable[[], bool],
    tell: Callable[[Tally], object],
    request_id: str = "",
) -> None:
    """Bring a data file through the gate from where it stopped, until its end or the function's.

    Args:
        gate: of `gate_for`.
        source: which file of which export.
        packed: its bytes.
        progress: where it stands; is brought forward.
        is_late: whether the function's time is running out.
        tell: what hears of each chunk.
        request_id: Lambda's, of the call.

    Raises:
        Unreadable: the file is altered or no export's. What is before is done.
    """
    parts = chunks(cast("IO[bytes]", gzip.GzipFile(fileobj=packed)), progress.next - 1)
    while not is_late():
        try:
            chunk = next(parts, None)
        except BotoCoreError as error:  # S3 lets go of a connection
            progress.stopped = f"s3:GetObject on the export: {type(error).__name__}"
            return
        if chunk is None:
            progress.done = True
            return
        tally = Tally(request_id=request_id)
        records = [source.record(number, line) for number, line in enumerate(chunk.lines, chunk.number)]
        try:
            pass_through(gate, records, tally, is_late)
            progress.add(chunk, tally)
        except Transient as failure:
            # What was done of it is in the ledger: the whole chunk comes again, and nothing is written twice.
            tally.stopped = progress.stopped = str(failure)
            return
        finally:
            # The past says nothing of how late the stream is, nor of whether its payments drift.
            tally.oldest, tally.deciles, tally.spread = None, (), ()
            tell(tally)


def opened(s3: Any, bucket: str, file: DataFile) -> Any:
    """The bytes of a data file, being read; closes by `closing`.

    Raises:
        Unreadable: it is not the one that the manifest speaks of.
        Transient: S3 refused or did not answer.
    """
    try:
        with calling("s3:GetObject on the export"):
            answer = s3.get_object(Bucket=bucket, Key=file.key, IfMatch=f'"{file.etag.strip(chr(34))}"')
    except Transient as failure:
        if failure.code == "PreconditionFailed":
            raise Unreadable("it is not the file that the manifest speaks of: its etag is another") from None
        if failure.code == "NoSuchKey":
            raise Unreadable("it is gone, though the manifest names it") from None
        raise
    return closing(answer["Body"])
