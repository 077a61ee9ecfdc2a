"""JSON Lines: one object a line, a plain image or an event of the gate. No line is ever quoted."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from models.sources.columns import compact
from models.sources.fields import Layout, translated
from models.sources.grouped import value_at
from models.sources.images import images
from processor.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from models.sources.blocks import Blocks
    from models.sources.fields import Fields
    from models.sources.images import Images

    Numbered = tuple[int, dict[str, Any]]

PARSED: Final = 4_000  # records in memory as they were parsed
_decode = json.JSONDecoder().raw_decode  # a third of what `json.loads` takes for a short line


def objects_of(blocks: Blocks) -> Iterator[Numbered]:
    """The objects, each with the number of its line; blank lines have none.

    Raises:
        ModelError: a line holds no object. It gives the number alone.
    """
    number = 0
    for block in blocks:
        for line in block.removesuffix("\n").split("\n"):
            number += 1
            if line and not line.isspace():
                yield number, _object(blocks.file, number, line)


def _object(file: str, number: int, line: str) -> dict[str, Any]:
    try:
        found, end = _decode(line)
        if end != len(line) and line[end:].strip():
            raise ValueError  # noqa: TRY301  the same as what the decoder raises
    except (ValueError, RecursionError):  # no chaining: a JSON error quotes the line
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            raise ModelError(f"{file}:{number}: is no JSON; write one record per line") from None
    if type(found) is not dict:
        raise ModelError(f"{file}:{number}: is no JSON object; write one record per line")
    return found


def read_images(file: str, numbered: Iterator[Numbered], fields: Fields, seen: set[str]) -> Iterator[Images]:
    """Plain images.

    Args:
        file: its name, for errors.
        numbered: its objects.
        fields: what is wanted.
        seen: the names that any record has, in the file and in the table; they are added to it.

    Raises:
        ModelError: nothing says when the records are from.
    """
    layout: Layout | None = None
    done = 0
    while found := [image for _, image in islice(numbered, PARSED)]:
        names = set().union(*found)
        if layout is None:
            # By many records, because one may lack a field; and any field may come later.
            layout = fields.layout(file, names)
            layout = Layout({field: field for field in fields.kept} | layout.columns, layout.values)
        seen |= names | {field for field, column in layout.columns.items() if column in names}
        columns = {
            field: compact(
                [value_at(one, column) for one in found]
                if "." in column
                else [one.get(column) for one in found]
            )
            for field, column in layout.columns.items()
        }
        for field, known in layout.values.items():
            values = translated(columns[field].tolist(), known, file, layout.columns[field], done + 1)
            columns[field] = compact(values)
        done += len(found)
        yield images(fields, columns)
