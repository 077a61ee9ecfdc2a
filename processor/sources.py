"""Where a record comes from: a table's own stream, or Kinesis. By what it says of itself, each on its own.

A replay may bring back what was held when the stream had the other source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from processor import kinesis, stream

if TYPE_CHECKING:
    from collections.abc import Collection

    from processor.stream import Change


def decode(record: Any, names: Collection[str] = ()) -> Change:
    """The change that a record describes, whichever envelope it is in.

    Args:
        record: as Lambda delivers it.
        names: attributes that an error may name, because the policy does. Any other may be data.

    Raises:
        Poison: the record is malformed, beyond DynamoDB's limits or lacks its image.
    """
    return kinesis.decode(record, names) if _is_of_kinesis(record) else stream.decode(record, names)


def sequence_of(record: Any) -> str:
    """The sequence number that the stream gave a record, by which Lambda knows it.

    Raises:
        Poison: it has none.
    """
    return kinesis.sequence_of(record) if _is_of_kinesis(record) else stream.sequence_of(record)


def event_id_of(record: Any) -> str:
    """The id of the change in a record, however malformed the rest of it is; empty if it has none."""
    if _is_of_kinesis(record):
        return kinesis.event_id_of(record)
    found = record.get("eventID") if isinstance(record, dict) else None
    return found if isinstance(found, str) else ""


def table_of(record: Any) -> str:
    """The name of the table that a record of Kinesis says it is about; empty where none can be read.

    Of a table's own stream it is in the ARN.
    """
    return kinesis.table_of(record) if _is_of_kinesis(record) else ""


def _is_of_kinesis(record: Any) -> bool:
    return isinstance(record, dict) and record.get("eventSource") == kinesis.SOURCE
