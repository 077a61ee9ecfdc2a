"""The files of a table's export: read from this machine or from S3, chosen by time, sent.

AWS calls: s3:GetObject on the export; dynamodb:GetItem and dynamodb:PutItem of `replays/*` in the ledger;
kms:GenerateDataKey and kms:Decrypt on the data key.
"""

from __future__ import annotations

import gzip
import re
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from processor.aws import calling
from processor.cli.functions import explained
from processor.cli.replay.exported import CAVEATS, NoChange, parcel_of, read, record_of
from processor.cli.replay.report import NOT_DONE, TOO_OLD, TOO_YOUNG, UNREADABLE
from processor.cli.replay.sending import Outcome
from processor.errors import TidegateError, Transient
from processor.quarantine import PURPOSE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from processor.cli.replay.exported import Full, Written
    from processor.cli.replay.function import Function
    from processor.cli.replay.report import Report
    from processor.cli.replay.sending import Parcel, Sender

S3_FILE: Final = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,62})/(?P<key>.+)")
GZIP: Final = b"\x1f\x8b"
LINE_BYTES_MAX: Final = 4_000_000  # two images of 400 KB, in JSON
SORTED_BYTES_MAX: Final = 128_000_000  # of records that are sent in one order: bounds the memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Which items are meant, and may be sent; epoch seconds."""

    since: float
    until: float
    """Not included."""
    oldest: Callable[[], float]
    """What was written earlier the ledger may have forgotten."""
    youngest: float
    """What was written later the stream has still."""


class Export:
    """Files of an export of the stream's table."""

    unit = "files"

    def __init__(
        self, function: Function, files: Sequence[str], times: Times, full: Full | None, report: Report
    ) -> None:
        self._function, self._files, self._times, self._report = function, files, times, report
        self._policy, self._full = report.policy, full
        self._stream_arn = f"{function.feed().table_arn}/stream/"
        report.caveats = CAVEATS

    def begin(self, steps: Callable[[int], object]) -> None:
        """How many files there are."""
        steps(len(self._files))

    def look(self, step: Callable[[], object]) -> None:
        """Count what would be sent."""
        for file in self._files:
            for written in self._chosen(file):
                self._report.would[f"written by {written.kind}", ""] += 1
            step()

    def send(self, sender: Sender, step: Callable[[], object]) -> None:
        """Send what is meant.

        Raises:
            TidegateError: the function is in trouble. What is done is found in the ledger the next time.
        """
        secret = self._secret()
        for file in self._files:
            records = (record_of(written, self._stream_arn, secret) for written in self._chosen(file))
            for told in sender.send(_sorted(parcel_of(record) for record in records)):
                if told.outcome is Outcome.UNDONE:
                    for parcel in told.parcels:
                        self._report.wrong(NOT_DONE, f"{file}: {parcel.place}", told.why)
            step()

    def _chosen(self, file: str) -> Iterator[Written]:
        """The items to be sent; what cannot be is counted."""
        times = self._times
        with self._opened(file) as lines:
            for number, line in _numbered(lines, file, self._report):
                try:
                    written = read(line, self._full)
                except NoChange as flaw:
                    self._report.found += 1
                    self._report.wrong(UNREADABLE, f"{file}:{number}", str(flaw))
                    continue
                if not times.since <= written.time < times.until:
                    continue
                self._report.found += 1
                self._report.at(written.time)
                if written.time < times.oldest():
                    self._report.wrong(TOO_OLD, f"{file}:{number}")
                elif self._full is None and written.time > times.youngest:
                    self._report.wrong(TOO_YOUNG, f"{file}:{number}")
                else:
                    yield written

    @contextmanager
    def _opened(self, file: str) -> Iterator[IO[bytes]]:
        """The file's lines, unpacked. Nothing of it is put down anywhere."""
        if parts := S3_FILE.fullmatch(file):
            with explained(f"s3:GetObject on {file}"):
                answer = self._function.client("s3").get_object(Bucket=parts["bucket"], Key=parts["key"])
            with gzip.GzipFile(fileobj=answer["Body"]) as unpacked:
                yield unpacked  # type: ignore[misc]
            return
        try:
            with Path(file).open("rb") as packed:
                is_gzip = packed.read(2) == GZIP
                packed.seek(0)
                yield gzip.GzipFile(fileobj=packed) if is_gzip else packed  # type: ignore[misc]
        except OSError as error:
            if isinstance(error, gzip.BadGzipFile):
                raise
            raise TidegateError(f"{file}: cannot be read ({error.strerror})") from None

    def _secret(self) -> bytes:
        """What the ids of this policy's exports are made with: made once, kept sealed in the ledger."""
        table, function = self._function.environ["LEDGER_TABLE"], self._function
        dynamodb, kms = function.client("dynamodb"), function.client("kms")
        place = {"stream": {"S": f"replays/{self._policy}"}, "intent": {"S": "export-ids"}}
        context = {"purpose": PURPOSE, "policy": self._policy}
        key_arn = function.environ["DATA_KEY_ARN"]
        what = f"dynamodb:GetItem and dynamodb:PutItem of {place['stream']['S']} in {table}"
        with explained(what, function.permit, env=function.env):
            found = dynamodb.get_item(TableName=table, Key=place, ConsistentRead=True).get("Item")
        if found is None:
            with explained("kms:GenerateDataKey on the data key", function.permit, env=function.env):
                made = kms.generate_data_key(KeyId=key_arn, KeySpec="AES_256", EncryptionContext=context)
            item = {**place, "sealed": {"B": made["CiphertextBlob"]}}
            try:
                with calling(what):
                    dynamodb.put_item(
                        TableName=table, Item=item, ConditionExpression="attribute_not_exists(intent)"
                    )
            except Transient as failure:
                if failure.code == "ConditionalCheckFailedException":  # another replay was first
                    return self._secret()
                raise
            found = item
        sealed = bytes(found["sealed"]["B"])
        with explained("kms:Decrypt on the data key", function.permit, env=function.env):
            opened = kms.decrypt(CiphertextBlob=sealed, EncryptionContext=context, KeyId=key_arn)
        return bytes(opened["Plaintext"])


def _numbered(lines: IO[bytes], file: str, report: Report) -> Iterator[tuple[int, bytes]]:
    """The lines with their numbers; what is not a whole file ends it, and is counted."""
    number = 0
    while True:
        number += 1
        try:
            line = lines.readline(LINE_BYTES_MAX + 1)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            report.wrong(
                UNREADABLE, f"{file}:{number}", "no gzip from here on: the file is cut off or altered"
            )
            return
        if not line:
            return
        if len(line) > LINE_BYTES_MAX:
            report.wrong(
                UNREADABLE, f"{file}:{number}", f"longer than {LINE_BYTES_MAX:,} bytes: nothing after it"
            )
            return
        if line.strip():
            yield number, line


def _sorted(parcels: Iterator[Parcel]) -> Iterator[Parcel]:
    """By stream and sequence number, so far as memory allows: else all batches overlap in the ledger."""
    held: list[Parcel] = []
    size = 0
    for parcel in parcels:
        held.append(parcel)
        size += len(parcel.text)
        if size > SORTED_BYTES_MAX:
            yield from sorted(held, key=_order)
            held, size = [], 0
    yield from sorted(held, key=_order)


def _order(parcel: Parcel) -> tuple[str, int]:
    return parcel.stream, parcel.sequence
