"""Bytes of a file as text: unpacked where it is packed, in blocks of whole lines, no line without an end."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import TYPE_CHECKING, Any, Final

from processor.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK: Final = 1024 * 1024  # bytes
LONGEST_LINE: Final = 1024 * 1024  # bytes; a DynamoDB item has at most 400 KB
GZIP: Final = b"\x1f\x8b"


class Blocks:
    """The text of a file.

    Args:
        file: its name, for errors.
        stream: its bytes. They are read to the end, those of a packed file too.
    """

    def __init__(self, file: str, stream: io.RawIOBase) -> None:
        self.file = file
        raw = io.BufferedReader(stream, BLOCK)
        start = raw.peek(2)[:2]
        if start and start != GZIP and file.lower().endswith(".gz"):
            raise ModelError(f"{file}: is not packed by gzip, whatever its name says")
        self._stream: Any = gzip.GzipFile(fileobj=raw) if start == GZIP else raw
        self._held = self._read()

    def peek(self) -> bytes:
        """How it begins: its first block."""
        return self._held

    def __iter__(self) -> Iterator[str]:
        """Text of one or more whole lines each time; the last line may lack its end.

        Raises:
            ModelError: it is cut off, is not UTF-8, or has a line longer than any record.
        """
        block, self._held, rest, line = self._held.removeprefix(b"\xef\xbb\xbf"), b"", b"", 1
        while block:
            ends = block.rfind(b"\n") + 1
            if not ends:
                rest += block
            else:
                text = self._text(rest + block[:ends])
                yield text
                line += text.count("\n")
                rest = block[ends:]
            if len(rest) > LONGEST_LINE:
                raise ModelError(f"{self.file}:{line}: is longer than {LONGEST_LINE:,} bytes")
            block = self._read()
        if rest:
            yield self._text(rest)

    def lines(self) -> Iterator[str]:
        """The lines, each with its end, as `csv.reader` wants them."""
        for block in self:
            yield from io.StringIO(block, newline="")

    def _text(self, data: bytes) -> str:
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise ModelError(f"{self.file}: is not UTF-8 text; save it as UTF-8") from None

    def _read(self) -> bytes:
        try:
            data: bytes = self._stream.read(BLOCK)
        except EOFError:
            raise ModelError(f"{self.file}: ends in the middle of what gzip packed; copy it again") from None
        except (gzip.BadGzipFile, zlib.error):
            raise ModelError(f"{self.file}: gzip cannot unpack it; copy it again") from None
        return data
