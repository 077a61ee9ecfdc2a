"""Files of records, whatever their format, as one stream of changes in order of time."""

from __future__ import annotations

import hashlib
import json
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from models.sources.blocks import Blocks
from models.sources.bucket import THREADS, Fetched, Object, objects
from models.sources.changes import Arrived, event_table, image_table, in_order
from models.sources.csv_file import read_csv
from models.sources.events import Events, Once, is_event, read_events
from models.sources.fields import Fields, nearest
from models.sources.found import local
from models.sources.images import Images
from models.sources.json_lines import objects_of, read_images
from models.sources.measured import KEEP, Measured, measured
from models.sources.parquet import MAGIC, read_parquet
from models.uncollected import uncollected
from processor.cli.ahead import each
from processor.errors import ModelError

if TYPE_CHECKING:
    import io
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from models.sources.changes import Changed, Progress, Table
    from models.sources.found import Found
    from models.spec.groups import Group

MOST_RECORDS: Final = 5_000_000
AHEAD: Final = 64  # small objects fetched before their turn
READABLE: Final = (
    "CSV (.csv), JSON Lines (.jsonl) of records or of the gate's events, either packed by gzip (.gz), and "
    "Parquet (.parquet)"
)
EXTENSIONS: Final = {
    ".csv": "csv", ".tsv": "csv", ".jsonl": "json", ".ndjson": "json",
    ".parquet": "parquet", ".pq": "parquet",
}  # fmt: skip
READING: Final = "reading records"


def open_sources(
    paths: Sequence[str | Path],
    *,
    time: str,
    wanted: Collection[str],
    aliases: Mapping[str, Mapping[str, Any]] | None = None,
    id: str | None = None,  # noqa: A002  the word that a spec has for it
    optional: Collection[str] = (),
    numbers: Collection[str] | None = None,
    features: Sequence[str] = (),
    groups: Mapping[str, Group] | None = None,
) -> Data:
    """The records of files, folders and `s3://bucket/prefix`. Nothing is read yet but the names of files.

    Args:
        paths: where they are.
        time: the field that says when a plain image is from.
        wanted: the fields that images are to have. The time is one of them in any case.
        aliases: by a name of its own, what the columns of some files are: a field, or, by field, what each
            text stands for. One is used for a file that has all its columns and not the time's own name.
        id: the field that names a record.
        optional: those of the wanted fields that a file may lack, such as the label.
        numbers: those that are numbers; in CSV, where nothing says so, all others stay text. If this is not
            given, what is written as a number is one. An id is text in any case.
        features: the features that are wanted of the gate's events, by name.
        groups: those of the wanted fields that are groups of people, and what they are made of.

    Raises:
        ModelError: there is nothing to read, or it cannot be listed.
    """
    fields = Fields(
        time=time,
        id=id,
        wanted=frozenset(wanted) | {time},
        optional=frozenset(optional),
        numbers=None if numbers is None else frozenset(numbers),
        aliases=aliases or {},
        groups=groups or {},
    )
    if not paths:
        raise ModelError("no data is named; name files, folders or s3://bucket/prefix")
    found: list[Found] = []
    for path in paths:
        if str(path).startswith("s3:/"):
            found += objects(str(path))
        else:
            found += local(Path(path))
    return Data(found, fields, tuple(features))


class Data:
    """Records, read once and kept: some 100 MB for a million of them."""

    def __init__(self, files: Sequence[Found], fields: Fields, features: tuple[str, ...]) -> None:
        self._files, self._fields, self._features = files, fields, features
        self._tables: list[Table] | None = None
        self._hashes: list[tuple[str, str]] = []
        self._seen: set[str] = set()
        self._once = Once()
        self.records = self.left_out = self.bytes = 0
        """Records read; those without a usable time, which are left out; and bytes, as stored."""

    @property
    def expected(self) -> int:
        """Records, as far as they are read."""
        return self.records

    @property
    def duplicates(self) -> int:
        """Events that were there more than once, and count once."""
        return self._once.duplicates

    @property
    def id_column(self) -> str | None:
        """What the first file that was read calls the id; the spec's word where that is not known."""
        return next(iter(self._fields.id_columns), self._fields.id)

    def changes(self, progress: Progress) -> Iterator[Changed]:
        """All changes by time, and those of the same time as they were read; as often as asked for.

        Raises:
            ModelError: something cannot be read. It says where, and never what is there.
        """
        return in_order(self._read(progress))

    def measured(self, label_field: str, label_equals: Any, progress: Progress) -> Measured:
        """The gate's events as rows to train on.

        Args:
            label_field: by which an event says that it was fraud; one of the wanted fields.
            label_equals: what it says then.
            progress: is told of what is read.

        Raises:
            ModelError: something cannot be read, or there are no events with these features.
        """
        if label_field not in self._fields.wanted:
            raise ValueError(f"{label_field} is not among the wanted fields")
        for table in self._read(progress):
            if isinstance(table.rows, Events):
                return measured(table.rows, label_field, label_equals, self._fields.wanted)
        raise ModelError(f"there are no events of the gate in the data; {KEEP}")

    def has_events(self, progress: Progress) -> bool:
        """Whether any of it was written by the gate."""
        return any(isinstance(table.rows, Events) for table in self._read(progress))

    def description(self) -> dict[str, Any]:
        """What the card says of the data: the names of files, as far as they are few, and a fingerprint.

        It is known once they have been read. The fingerprint of a single file is its SHA-256; of several,
        that of what `sha256sum` would print of them.
        """
        listing = "".join(f"{digest}  {name}\n" for name, digest in self._hashes)
        single = len(self._hashes) == 1
        return {
            "file": self._hashes[0][0] if single else f"{len(self._hashes):,} files",
            "sha256": self._hashes[0][1] if single else hashlib.sha256(listing.encode()).hexdigest(),
            "bytes": self.bytes,
            "read": self.records,
            "left_out": self.left_out,
            "duplicates": self.duplicates,
        }

    def _read(self, progress: Progress) -> list[Table]:
        if self._tables is None:
            with uncollected():
                parts = list(self._parts(progress))
            self._once.forget()
            tables = (image_table(parts), event_table(parts))
            self._tables = [table for table in tables if table is not None]
        return self._tables

    def _parts(self, progress: Progress) -> Iterator[Arrived]:
        lines = False
        for file in _fetched(self._files):
            before, undated = self.records, self.left_out
            with file.opened() as stream:
                for rows in self._rows(file.name, stream):
                    lines |= isinstance(rows, Images)
                    yield Arrived(self.records, rows)
                    self.left_out += rows.left_out if isinstance(rows, Images) else 0
                    self.records += len(rows.time) + (rows.left_out if isinstance(rows, Images) else 0)
                    if self.records > MOST_RECORDS:
                        raise ModelError(
                            f"{file.name}: more than {MOST_RECORDS:,} records with this; train on a sample"
                        )
                    progress(READING, self.records)
                self._hashes.append((file.label, stream.sha256()))
                self.bytes += stream.bytes
            if self.records > before and self.left_out - undated == self.records - before:
                raise ModelError(
                    f"{file.name}: no record has a usable {self._fields.time}; it should be ISO 8601 "
                    "(2026-11-25T06:30:00Z) or a number of seconds since 1970"
                )
        if lines and (missing := self._fields.missing(self._seen)):
            raise ModelError(
                f"no record has a {missing[0]}{nearest(missing[0], self._seen)}. The model reads it: name it "
                "as the table does, or add an alias to model.yaml"
            )

    def _rows(self, name: str, stream: io.RawIOBase) -> Iterator[Images | Events]:
        kind = EXTENSIONS.get(Path(name.lower().removesuffix(".gz")).suffix)
        if kind == "parquet":
            yield from self._noted(read_parquet(name, stream, self._fields))
            return
        blocks = Blocks(name, stream)
        kind = kind or _kind_of(blocks.peek())
        if kind == "csv":
            yield from self._noted(read_csv(blocks, self._fields))
        elif kind == "json":
            yield from self._lines(name, blocks)
        elif kind == "parquet":
            raise ModelError(f"{name}: looks like Parquet; give it the extension .parquet")
        elif blocks.peek():
            raise ModelError(f"{name}: is of an unknown kind. What can be read: {READABLE}")

    def _lines(self, name: str, blocks: Blocks) -> Iterator[Images | Events]:
        numbered = objects_of(blocks)
        first = next(numbered, None)
        if first is None:  # a fence of the gate, or a file of nothing
            return
        fields, numbered = self._fields, chain([first], numbered)
        if is_event(first[1]):
            yield from read_events(name, numbered, fields, self._features, self._once)
        else:
            yield from read_images(name, numbered, fields, self._seen)

    def _noted(self, found: Iterator[Images]) -> Iterator[Images]:
        """Images, whose fields are noted as seen."""
        for rows in found:
            self._seen |= rows.columns.keys()
            yield rows


def _kind_of(start: bytes) -> str | None:
    """What a file is, by how it begins."""
    start = start.removeprefix(b"\xef\xbb\xbf")
    if start.startswith(MAGIC):
        return "parquet"
    line = start.lstrip().partition(b"\n")[0].rstrip(b"\r")
    if line.startswith(b"{"):
        return "json"
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return None
    return "csv" if text.isprintable() and "," in text and not _is_json(text) else None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text.startswith("[")
    return True


def _fetched(files: Sequence[Found]) -> Iterator[Found]:
    """The files in order, small objects of S3 with their bytes: several are fetched at a time."""
    if not any(isinstance(file, Object) and file.is_small for file in files):
        yield from files
        return
    yield from each(_whole, files, threads=THREADS, ahead=AHEAD)


def _whole(file: Found) -> Found:
    if isinstance(file, Object) and file.is_small:
        return Fetched(file.name, file.label, file.whole())
    return file
