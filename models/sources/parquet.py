"""Parquet, by pyarrow, of which only the columns that are wanted are read."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from models.sources.columns import EXACT, Texts, compact, objects
from models.sources.fields import translated
from models.sources.images import CHUNK, images
from processor.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from models.sources.columns import Column
    from models.sources.fields import Fields, Layout
    from models.sources.images import Images

MAGIC: Final = b"PAR1"
BYTES_MAX: Final = 1024 * 1024 * 1024  # of one file: it has to be here as a whole, its index is at its end
SECOND_US: Final = 1_000_000


def read_parquet(file: str, stream: io.RawIOBase, fields: Fields) -> Iterator[Images]:
    """The records of a file.

    Raises:
        ModelError: pyarrow is not installed, that is no Parquet, or a column is missing.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415  165 MB that only this needs
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ModuleNotFoundError:
        raise ModelError(f"{file}: is Parquet, which takes pyarrow: pip install 'tidegate[train]'") from None
    whole = io.BufferedReader(stream).read(BYTES_MAX + 1)
    if len(whole) > BYTES_MAX:
        raise ModelError(f"{file}: is larger than {BYTES_MAX:,} bytes; write it as several files")
    try:
        opened = pq.ParquetFile(pa.BufferReader(whole))
        header = list(opened.schema_arrow.names)
        layout = fields.layout(file, header)
        fields.require(file, layout, header)
        reader = _Reader(file, fields, layout, pa)
        for batch in opened.iter_batches(batch_size=CHUNK, columns=sorted(set(layout.columns.values()))):
            yield reader.images(batch)
    except (pa.ArrowException, OSError):  # no chaining: Arrow's messages may quote a value
        raise ModelError(f"{file}: is no Parquet that pyarrow can read; copy or write it again") from None


class _Reader:
    def __init__(self, file: str, fields: Fields, layout: Layout, pa: Any) -> None:
        self._file, self._fields, self._layout, self._pa = file, fields, layout, pa
        self._texts = {field: Texts() for field in layout.columns}
        self._done = 0

    def images(self, batch: Any) -> Images:
        columns = {}
        for field, column in self._layout.columns.items():
            columns[field] = self._column(field, batch.column(column))
            if known := self._layout.values.get(field):
                values = translated(columns[field].tolist(), known, self._file, column, self._done + 1)
                columns[field] = compact(values)
        self._done += batch.num_rows
        return images(self._fields, columns)

    def _column(self, field: str, array: Any) -> Column:
        types = self._pa.types
        if types.is_dictionary(array.type):
            array = array.dictionary_decode()
        if types.is_decimal(array.type):
            array = array.cast(self._pa.float64())
        kind = array.type
        if types.is_timestamp(kind) or types.is_date(kind):
            return self._moments(array, is_time=field == self._fields.time)
        if types.is_string(kind) or types.is_large_string(kind):
            return self._texts[field].column([text or "" for text in array.to_pylist()])
        if types.is_floating(kind):
            return _floats(array.to_numpy(zero_copy_only=False).astype(np.float64))
        return compact(array.to_pylist())

    def _moments(self, array: Any, *, is_time: bool) -> Column:
        """Moments as the time of records: epoch seconds; elsewhere as text, as a table has them."""
        pa = self._pa
        micros = array.cast(pa.timestamp("us", tz=getattr(array.type, "tz", None)), safe=False).cast(
            pa.int64()
        )
        if is_time:
            return compact([None if at is None else at / SECOND_US for at in micros.to_pylist()])
        whole = micros.fill_null(0).to_numpy()
        unit: Any = "us" if (whole % SECOND_US).any() else "s"
        texts = np.datetime_as_string(whole.astype("datetime64[us]").astype(f"datetime64[{unit}]"), unit=unit)
        present = array.is_valid().to_pylist()
        return compact(
            [text + "Z" if has else None for text, has in zip(texts.tolist(), present, strict=True)]
        )


def _floats(column: Column) -> Column:
    """Numbers, None for NaN. pandas turns integers into floats where one of them is missing: not so here."""
    missing = np.isnan(column)
    if not missing.any():
        return column
    known = column[~missing]
    whole = (known == np.rint(known)).all() and (np.abs(known) < EXACT).all()
    kind: type = int if whole else float
    return objects([None if math.isnan(value) else kind(value) for value in column.tolist()])
