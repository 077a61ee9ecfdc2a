"""The files of an export on this machine, found and checked against its manifests."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from hashlib import md5, sha256
from typing import TYPE_CHECKING, Final

from processor.errors import TidegateError
from processor.exports import (
    ION,
    MANIFEST_BYTES_MAX,
    Source,
    Summary,
    Unreadable,
    read_files,
    read_summary,
    time_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from processor.exports import DataFile

SUMMARY: Final = "manifest-summary.json"
FILES: Final = "manifest-files.json"
DATA: Final = "data"
BLOCK_BYTES: Final = 1_048_576
ACCOUNT: Final = "000000000000"
"""In the ARN of a table whose export has no manifest."""


@dataclass(frozen=True, slots=True)
class Found:
    """A data file of an export."""

    path: Path
    source: Source
    items: int | None
    """How many it holds, if a manifest says so."""
    md5: str | None
    """Base64, if a manifest says so."""

    def check(self) -> None:
        """See that the file is the one that the manifest speaks of.

        Raises:
            Unreadable: it is altered or not all there.
        """
        if self.md5 is not None and _md5(self.path) != self.md5:
            raise Unreadable(f"{self.path}: its MD5 is not what the manifest says: get it again")


@dataclass(frozen=True, slots=True)
class Bare:
    """What a data file without a manifest does not say."""

    table: str
    written_at: int | None
    """Epoch seconds."""


def find(paths: Sequence[Path], keys: Sequence[str], bare: Bare) -> list[Found]:
    """The data files that are meant: given by name, or all of an export by its folder or a manifest.

    Raises:
        Unreadable: something is no export, of another kind, altered or missing; says what to do.
    """
    found: dict[Path, Found] = {}
    for path in paths:
        folder = _folder(path)
        if folder is not None:
            some = _of_export(folder, keys)
        elif (path.parent.parent / SUMMARY).is_file():
            some = [one for one in _of_export(path.parent.parent, keys) if one.path.name == path.name]
            if not some:
                raise Unreadable(f"{path}: the manifest of its export does not name it")
        else:
            some = [_bare(path, keys, bare)]
        found |= {one.path.resolve(): one for one in some}
    return list(found.values())


def _folder(path: Path) -> Path | None:
    """The folder of an export, if the path means all of it."""
    if path.is_dir():
        summaries = sorted(path.rglob(SUMMARY))
        if len(summaries) != 1:
            what = "no" if not summaries else "more than one"
            raise Unreadable(f"{path}: holds {what} {SUMMARY}: name the folder of one export")
        return summaries[0].parent
    if path.name in {SUMMARY, FILES}:
        return path.parent
    return None


def _of_export(folder: Path, keys: Sequence[str]) -> list[Found]:
    try:
        summary = read_summary(_checked(folder / SUMMARY))
        files = read_files(_checked(folder / FILES))
    except Unreadable as flaw:
        raise Unreadable(f"{folder}: {flaw}") from None
    return [_of_manifest(folder, summary, one, keys) for one in files]


def _of_manifest(folder: Path, summary: Summary, file: DataFile, keys: Sequence[str]) -> Found:
    path = folder / DATA / file.key.rpartition("/")[2]
    if not path.is_file():
        raise Unreadable(f"{path}: is missing, though the manifest names it: get it, too")
    return Found(path, summary.source(file.name, keys), file.items, file.md5)


def _bare(path: Path, keys: Sequence[str], bare: Bare) -> Found:
    if path.name.endswith((".ion", ".ion.gz")):
        raise Unreadable(f"{path}: {ION}")
    export = path.parent.parent.name if path.parent.name == DATA else ""
    moment = bare.written_at
    if time_of(export) is None:
        # What is in it is all that it can be known by.
        export = f"file-{_digest(path)}"
    if moment is None:
        moment = time_of(export)
    if moment is None:
        raise Unreadable(
            f"{path}: has no manifest beside its folder, so nothing says when its items were as they are: "
            "say --written-at, or name the folder of the export"
        )
    arn = f"arn:aws:dynamodb:local-0:{ACCOUNT}:table/{bare.table}"
    name = "".join(c for c in path.name.partition(".")[0] if c.isascii() and (c.isalnum() or c in "_-"))
    return Found(path, Source(export, moment, arn, name[:40] or "file", tuple(keys)), None, None)


def _checked(path: Path) -> bytes:
    """A manifest, checked against the checksum beside it if that is there."""
    try:
        text = path.read_bytes()
        beside = path.with_suffix(".checksum")
        checksum = beside.read_text("ascii").strip() if beside.is_file() else None
    except (OSError, UnicodeDecodeError):
        raise Unreadable(f"{path.name}: is not there or cannot be read") from None
    if len(text) > MANIFEST_BYTES_MAX:
        raise Unreadable(f"{path.name}: larger than {MANIFEST_BYTES_MAX:,} bytes")
    if checksum is not None and checksum != b64encode(md5(text, usedforsecurity=False).digest()).decode():
        raise Unreadable(f"{path.name}: its MD5 is not what {beside.name} says: get it again")
    return text


def _md5(path: Path) -> str:
    digest = md5(usedforsecurity=False)  # what AWS gives: against accidents, not against people
    _feed(path, digest)
    return b64encode(digest.digest()).decode()


def _digest(path: Path) -> str:
    digest = sha256()
    _feed(path, digest)
    return digest.hexdigest()[:16]


def _feed(path: Path, digest: object) -> None:
    try:
        with path.open("rb") as stream:
            while block := stream.read(BLOCK_BYTES):
                digest.update(block)  # type: ignore[attr-defined]
    except OSError as error:
        raise TidegateError(f"{path}: cannot be read ({error.strerror})") from None
