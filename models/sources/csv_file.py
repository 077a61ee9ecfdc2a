"""CSV (RFC 4180), its first line naming the columns; tabs or semicolons where that has no comma.

There are no types in CSV. What is written as a number becomes one, an empty field is a missing one, and the
rest is text; ids are text whatever they look like.
"""

from __future__ import annotations

import csv
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from models.sources.columns import Texts, by_form, numbers, objects, text_moments
from models.sources.fields import SCENARIO, translated
from models.sources.images import CHUNK, images
from processor.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from models.sources.blocks import Blocks
    from models.sources.columns import Column
    from models.sources.fields import Fields, Layout
    from models.sources.images import Images


def read_csv(blocks: Blocks, fields: Fields) -> Iterator[Images]:
    """The records of a file.

    Raises:
        ModelError: a column is missing, or a line has not the columns of the first.
    """
    file, lines = blocks.file, blocks.lines()
    first = next(lines, "")
    delimiter = max(",", "\t", ";", key=lambda mark: (mark in first, mark == ","))
    reader = csv.reader(chain([first], lines), delimiter=delimiter, strict=True)
    header = [name.strip() for name in _rows(file, reader, 1)[0]] if first.strip() else []
    if not header:
        raise ModelError(f"{file}: its first line should name the columns, and is empty")
    layout = fields.layout(file, header)
    fields.require(file, layout, header)
    for field, column in layout.columns.items():
        if header.count(column) > 1:
            raise ModelError(f"{file}: two columns are called {column}, from which {field} is read")
    yield from _Reader(file, fields, layout, header).chunks(reader)


def _rows(file: str, reader: Any, most: int) -> list[list[str]]:
    try:
        return list(islice(reader, most))
    except csv.Error:
        why = "a quote that is not closed or not doubled, or a field beyond all bounds"
        raise ModelError(f"{file}:{reader.line_num}: is no CSV: {why}") from None


class _Reader:
    def __init__(self, file: str, fields: Fields, layout: Layout, header: list[str]) -> None:
        self._file, self._fields, self._layout, self._header = file, fields, layout, header
        self._texts = {field: Texts() for field in layout.columns}
        self._done = 0

    def chunks(self, reader: Any) -> Iterator[Images]:
        line = reader.line_num
        while rows := _rows(self._file, reader, CHUNK):
            table = self._transposed(rows, line, reader.line_num)
            line = reader.line_num
            if table:
                yield self._images(dict(zip(self._header, table, strict=True)))
                self._done += len(table[0])

    def _transposed(self, rows: list[list[str]], line: int, last: int) -> list[tuple[str, ...]]:
        width = len(self._header)
        try:
            table = list(zip(*rows, strict=True))
            if len(table) == width:
                return table
        except ValueError:
            pass
        for number, row in enumerate(rows, start=1):
            if row and len(row) != width:
                # A record may be of several lines: then only where these records end is known.
                where = line + number if last - line == len(rows) else f"up to {last}"
                raise ModelError(
                    f"{self._file}:{where}: has {len(row)} columns, and the first line names {width}"
                )
        return list(zip(*filter(None, rows), strict=True))

    def _images(self, table: dict[str, Sequence[str]]) -> Images:
        names = self._layout.columns
        columns = {field: self._column(field, column, table[column]) for field, column in names.items()}
        time = text_moments(table[names[self._fields.time]])
        return images(self._fields, columns, time)

    def _column(self, field: str, column: str, texts: Sequence[str]) -> Column:
        fields, memo = self._fields, self._texts[field]
        if field in self._layout.values:
            known = self._layout.values[field]
            values = [text or None for text in texts]
            return objects(translated(values, known, self._file, column, self._done + 1))
        if field == fields.id and field not in fields.wanted:
            return objects([text or None for text in texts])
        if field == fields.id:
            return memo.column(texts)
        if field == fields.time:
            return objects(texts)
        if fields.numbers is None or field == SCENARIO:
            return by_form(texts, memo)
        return numbers(texts) if field in fields.numbers else memo.column(texts)
