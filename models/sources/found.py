"""Where data lies: files, folders and buckets, opened as streams whose every byte is accounted for."""

from __future__ import annotations

import io
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Protocol

from processor.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

FILES_MAX: Final = 1_000_000
HIDDEN: Final = (".", "_")  # such as .DS_Store and _SUCCESS


class Found(Protocol):
    """A file of data."""

    @property
    def name(self) -> str:
        """What a person calls it: for errors."""

    @property
    def label(self) -> str:
        """Its name under the place that was asked for: for the card. It tells nothing of the machine."""

    def opened(self) -> AbstractContextManager[Stream]:
        """Its bytes.

        Raises:
            ModelError: it cannot be read.
        """


class Stream(io.RawIOBase):
    """Bytes as they come, hashed on the way. The hash is the file's once all are read.

    Args:
        read: gives at most so many bytes, none at the end.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read, self._digest, self.bytes = read, sha256(), 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """The next bytes into a buffer."""
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        self._digest.update(data)
        self.bytes += len(data)
        return len(data)

    def sha256(self) -> str:
        """Of what has been read."""
        return self._digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Local:
    """A file on this machine."""

    path: Path
    label: str

    @property
    def name(self) -> str:
        """Its path as it was given."""
        return str(self.path)

    @contextmanager
    def opened(self) -> Iterator[Stream]:
        """Its bytes."""
        with self._explained():
            file = self.path.open("rb")

        def read(most: int) -> bytes:
            with self._explained():
                return file.read(most)

        with file:
            yield Stream(read)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ModelError(f"{self.path}: cannot be read ({error.strerror})") from None


def local(path: Path) -> list[Local]:
    """The file, or all files in the folder and in its folders, by name; hidden ones left out.

    Raises:
        ModelError: there is none, or nothing in it.
    """
    if not path.is_dir():
        return [Local(path, path.name)]
    found = []
    for file in path.rglob("*"):
        inside = file.relative_to(path)
        if not any(part.startswith(HIDDEN) for part in inside.parts) and file.is_file():
            found.append(Local(file, f"{path.name}/{inside.as_posix()}"))
    if not found:
        raise ModelError(f"{path}: has no files in it")
    if len(found) > FILES_MAX:
        raise ModelError(f"{path}: has more than {FILES_MAX:,} files; name the folders that matter")
    return sorted(found, key=lambda one: one.label)
