"""A file of records as JSON Lines, each a raw image as the table would hold it, numbers exact."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from processor.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONGEST_LINE: Final = 1024 * 1024  # characters; a DynamoDB item has at most 400 KB
MOST_RECORDS: Final = 5_000_000


class Recorded:
    """Records in a file, one JSON object per line, fields as in the table."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def images(self) -> Iterator[dict[str, Any]]:
        """The records.

        Raises:
            ModelError: the file cannot be read, or a line holds no JSON object. It gives only the number.
        """
        try:
            with self._path.open(encoding="utf-8") as lines:
                for number, line in enumerate(iter(lambda: lines.readline(LONGEST_LINE + 1), ""), start=1):
                    if not line.isspace():
                        yield self._image(number, line)
        except OSError as error:
            raise ModelError(f"{self._path}: cannot be read ({error.strerror})") from error
        except UnicodeDecodeError as error:
            raise ModelError(f"{self._path}: is not UTF-8 text; write the records as JSON Lines") from error

    def _image(self, number: int, line: str) -> dict[str, Any]:
        where = f"{self._path}:{number}"
        if len(line) > LONGEST_LINE:
            raise ModelError(f"{where}: is longer than {LONGEST_LINE:,} characters")
        if number > MOST_RECORDS:
            raise ModelError(f"{self._path}: has more than {MOST_RECORDS:,} lines; train on a sample of them")
        try:
            image = json.loads(line, parse_float=Decimal)
        except (ValueError, RecursionError):  # no chaining: a JSON error quotes the line
            raise ModelError(f"{where}: is no JSON; write one record per line") from None
        if not isinstance(image, dict):
            raise ModelError(f"{where}: is no JSON object; write one record per line")
        return image

    def description(self) -> dict[str, Any]:
        """The file's name and checksum."""
        with self._path.open("rb") as data:
            return {"file": self._path.name, "sha256": hashlib.file_digest(data, "sha256").hexdigest()}
