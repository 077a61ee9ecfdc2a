"""A table's export: its files' lines become records as the stream gives them, each the same in every run.

The name of an item is its place: the export, the file, the number of the line. An export never changes, so
that is as stable as the id of a stream's record, and tells nothing of what is in the item.

Layout of a full export in DYNAMODB_JSON:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

from processor.errors import TidegateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

CHUNK_ITEMS: Final = 1_000  # of one object of events, at most
CHUNK_BYTES: Final = 4_000_000  # of their lines, at most but for the last: bounds the memory
LANE_ITEMS: Final = 10_000
"""Items of a file whose intents stand together in the ledger. No chunk reaches into two lanes; and never
change it: runs before and after the change would not find each other's intents."""
LINE_BYTES_MAX: Final = 4_000_000  # an item holds 400 KB; escapes make at most six times that of it
MANIFEST_BYTES_MAX: Final = 64_000_000
FILE_DIGITS: Final = 14
LINE_DIGITS: Final = 12

_EXPORT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}", re.ASCII)
_AWS_EXPORT: Final = re.compile(r"0?(?P<millis>[0-9]{13})-[0-9a-f]{8}", re.ASCII)
_FILE: Final = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)
_TABLE_ARN: Final = re.compile(
    r"arn:[a-z-]+:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[A-Za-z0-9_.-]{3,255}", re.ASCII
)
ION: Final = "it is Ion: export in DYNAMODB_JSON, which says the same in JSON"
INCREMENTAL: Final = (
    "it is an incremental export, which holds changes, not a table: `tidegate replay --export` sends those"
)
_OTHERS: Final = {b"$ion": ION, b"\xe0\x01\x00\xea": ION, b'{"Metadata"': INCREMENTAL}
"""What data files of other kinds begin with."""


class Unreadable(TidegateError):  # noqa: N818  an outcome with a name
    """What is there is no export, or no whole one. Says what to do."""


@dataclass(frozen=True, slots=True)
class Source:
    """One data file of an export."""

    export: str
    """The export's id, which is part of each event's id."""
    exported_at: int
    """The point in time that the export shows, epoch seconds UTC: when its items are taken to be inserted."""
    table_arn: str
    name: str
    """The file's, without its folder and endings."""
    keys: tuple[str, ...]
    """The names of the table's key attributes, which an export does not tell."""

    def __post_init__(self) -> None:
        """Refuse what cannot be part of an event's id.

        Raises:
            Unreadable: names which part it is.
        """
        for part, text, form in (
            ("export's id", self.export, _EXPORT),
            ("name of its data file", self.name, _FILE),
            ("table's ARN", self.table_arn, _TABLE_ARN),
        ):
            if form.fullmatch(text) is None:
                raise Unreadable(f"the {part} is not in the form of DynamoDB's")

    def record(self, number: int, line: bytes) -> dict[str, Any]:
        """The record that stands for a line, numbered from 1; what is no item becomes a record that fails."""
        item = _item(line)
        body: dict[str, Any] = {
            "ApproximateCreationDateTime": self.exported_at,
            "NewImage": item,
            "SequenceNumber": f"{self.exported_at}{self._digits:0{FILE_DIGITS}}{number:0{LINE_DIGITS}}",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        }
        if isinstance(item, dict) and all(name in item for name in self.keys):
            body["Keys"] = {name: item[name] for name in self.keys}
        return {
            "eventID": f"backfill-{self.export}-{self.name}-{number}",
            "eventName": "INSERT",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": self.table_arn.split(":")[3],
            "dynamodb": body,
            "eventSourceARN": f"{self.table_arn}/stream/{self._lane(number)}",
        }

    def number(self, sequence: str) -> int:
        """The number of the line whose record has this sequence number."""
        return int(sequence[-LINE_DIGITS:])

    def _lane(self, number: int) -> str:
        # A stream of its own for so many items: a run finds what others have written in one short query.
        return f"backfill-{self.export}-{self.name}-{(number - 1) // LANE_ITEMS}"

    @property
    def _digits(self) -> int:
        digest = blake2b(f"{self.export}/{self.name}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) % 10**FILE_DIGITS


class Chunk(NamedTuple):
    """Some lines of a file that become one object of events."""

    number: int
    """Of its first line, from 1."""
    lines: list[bytes]

    @property
    def next(self) -> int:
        """The number of the line after it."""
        return self.number + len(self.lines)


def chunks(unpacked: IO[bytes], skip: int = 0) -> Iterator[Chunk]:
    """The lines of a data file in chunks that are the same in every run.

    Args:
        unpacked: the file, being read through `gzip` where it is packed.
        skip: how many lines at the beginning to leave out.

    Raises:
        Unreadable: the file is cut off, altered or in another format. What came before is whole.
    """
    number, lines, size = 1, list[bytes](), 0
    for line in _lines(unpacked):
        if number == 1 and (kind := next((one for one in _OTHERS if line.startswith(one)), None)):
            raise Unreadable(_OTHERS[kind])
        if number > skip:
            lines.append(line)
            size += len(line)
            is_full = len(lines) == CHUNK_ITEMS or size >= CHUNK_BYTES or number % CHUNK_ITEMS == 0
            if is_full:
                yield Chunk(number + 1 - len(lines), lines)
                lines, size = [], 0
        number += 1
    if lines:
        yield Chunk(number - len(lines), lines)


def _lines(unpacked: IO[bytes]) -> Iterator[bytes]:
    try:
        while line := unpacked.readline(LINE_BYTES_MAX + 1):
            if len(line) > LINE_BYTES_MAX:
                raise Unreadable(f"a line is longer than {LINE_BYTES_MAX:,} bytes: no item is")
            yield line
    except gzip.BadGzipFile:
        raise Unreadable("it is not gzip, as the data files of an export are, or altered") from None
    except (EOFError, zlib.error):
        raise Unreadable("it is cut off or altered: get it again") from None


def _item(line: bytes) -> Any:
    """The item of a line in DynamoDB's JSON; the line as text where it is none, which no image may be."""
    try:
        entry = json.loads(line)
        if type(entry) is dict and len(entry) == 1 and "Item" in entry:
            return entry["Item"]
    except (ValueError, RecursionError):
        pass
    return line.decode("utf-8", "backslashreplace")


# --- Manifests ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DataFile:
    """What the manifest says of a data file."""

    key: str
    """In its bucket."""
    items: int
    md5: str
    """Of its bytes, base64."""
    etag: str

    @property
    def name(self) -> str:
        """Without folder and endings."""
        return PurePosixPath(self.key).name.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Summary:
    """What `manifest-summary.json` says."""

    export: str
    table_arn: str
    exported_at: int
    bucket: str
    files_key: str
    """Of the manifest of the files, in the bucket."""
    items: int

    def source(self, file: str, keys: Sequence[str]) -> Source:
        """One of its data files, by name."""
        return Source(self.export, self.exported_at, self.table_arn, file, tuple(keys))


def read_summary(text: bytes) -> Summary:
    """The export that a `manifest-summary.json` is of.

    Raises:
        Unreadable: it is none, or one of another kind; says what to do.
    """
    said = _object(text, "manifest-summary.json")
    if said.get("exportType", "FULL_EXPORT") != "FULL_EXPORT":
        raise Unreadable(INCREMENTAL)
    if said.get("outputFormat") == "ION":
        raise Unreadable(ION)
    if said.get("outputFormat") != "DYNAMODB_JSON":
        raise Unreadable("manifest-summary.json: outputFormat is not DYNAMODB_JSON")
    arn = _text(said, "exportArn", "manifest-summary.json")
    try:
        exported_at = datetime.fromisoformat(_text(said, "exportTime", "manifest-summary.json"))
    except ValueError:
        raise Unreadable("manifest-summary.json: exportTime is no time") from None
    return Summary(
        export=arn.rpartition("/")[2],
        table_arn=_text(said, "tableArn", "manifest-summary.json"),
        exported_at=int(exported_at.astimezone(UTC).timestamp()),
        bucket=_text(said, "s3Bucket", "manifest-summary.json"),
        files_key=_text(said, "manifestFilesS3Key", "manifest-summary.json"),
        items=_count(said, "manifest-summary.json"),
    )


def read_files(text: bytes) -> list[DataFile]:
    """The data files that a `manifest-files.json` names.

    Raises:
        Unreadable: a line is not what DynamoDB writes.
    """
    return [
        read_file(_object(line, f"manifest-files.json:{number}"), f"manifest-files.json:{number}")
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip()
    ]


def read_file(said: Mapping[str, Any], where: str) -> DataFile:
    """What one line of a `manifest-files.json` says.

    Raises:
        Unreadable: it is not what DynamoDB writes.
    """
    key, md5, etag = (_text(said, name, where) for name in ("dataFileS3Key", "md5Checksum", "etag"))
    if key.endswith((".ion", ".ion.gz")):
        raise Unreadable(f"{where}: {ION}")
    return DataFile(key, _count(said, where), md5, etag)


def time_of(export: str) -> int | None:
    """When an export was asked for, as DynamoDB's ids of exports tell; epoch seconds, None for another id."""
    found = _AWS_EXPORT.fullmatch(export)
    return int(found["millis"]) // 1000 if found else None


def _object(text: bytes, where: str) -> dict[str, Any]:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise Unreadable(f"{where}: is not one JSON object")
    return said


def _text(said: Mapping[str, Any], name: str, where: str) -> str:
    text = said.get(name)
    if not isinstance(text, str) or not text:
        raise Unreadable(f"{where}: lacks {name}, which DynamoDB writes")
    return text


def _count(said: Mapping[str, Any], where: str) -> int:
    count = said.get("itemCount")
    if type(count) is not int or count < 0:
        raise Unreadable(f"{where}: itemCount is no number of items")
    return count
