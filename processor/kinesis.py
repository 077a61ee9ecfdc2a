"""The other envelope: a change that DynamoDB has put into a Kinesis data stream becomes the same `Change`.

Kinesis gives neither of the two things that a table's own stream does. One change may come twice, under two
sequence numbers of Kinesis and one event id of DynamoDB. And the changes of one item may come in the wrong
order; in which they were made, only their time says, to the microsecond.

Formats: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html and
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/kds_gettingstarted.html
"""

from __future__ import annotations

import json
import re
from binascii import Error as NotBase64
from binascii import a2b_base64
from typing import TYPE_CHECKING, Any, Final

from processor.errors import Poison
from processor.stream import TABLE, TIME_END, Change, part, what_changed

if TYPE_CHECKING:
    from collections.abc import Collection

SOURCE: Final = "aws:kinesis"
DIVISORS: Final = {"MILLISECOND": 1_000, "MICROSECOND": 1_000_000}
"""Units of a second, by what a record calls its precision."""
UNSAID: Final = "MILLISECOND"
"""The precision of records that name none: DynamoDB has named it since it has had a choice."""

_SEQUENCE = re.compile(r"0|[1-9][0-9]{0,127}", re.ASCII)
_TIME = "must be an epoch time of the precision that is named"


def decode(record: Any, names: Collection[str] = ()) -> Change:
    """The change that a record of Kinesis carries.

    Args:
        record: as Lambda delivers it.
        names: attributes that an error may name, because the policy does. Any other may be data.

    Raises:
        Poison: the record is malformed, beyond DynamoDB's limits or lacks its image.
    """
    carried = _carried(record)
    said = what_changed(carried, names)
    time_us = _time_us(carried["dynamodb"])
    table = part(carried, "tableName", str)
    if TABLE.fullmatch(table) is None:
        raise Poison("is not the name of a table", "tableName")
    return Change(
        **said,
        time=time_us // DIVISORS["MICROSECOND"],
        table=table,
        sequence=sequence_of(record),
        time_us=time_us,
        arrived=_arrived(part(record, "kinesis", dict)),
    )


def sequence_of(record: Any) -> str:
    """The sequence number that Kinesis gave a record, however malformed the rest of it is.

    Raises:
        Poison: it has none.
    """
    sequence: str = part(part(record, "kinesis", dict), "sequenceNumber", str)
    if _SEQUENCE.fullmatch(sequence) is None:
        raise Poison("is not a sequence number", "kinesis.sequenceNumber")
    return sequence


def event_id_of(record: Any) -> str:
    """The id that DynamoDB gave the change; Kinesis's of the record where nothing can be read in it."""
    found = _text(record, "eventID") or record.get("eventID")
    return found if isinstance(found, str) else ""


def table_of(record: Any) -> str:
    """The table's name; empty where nothing can be read in the record."""
    return _text(record, "tableName")


def _text(record: Any, name: str) -> str:
    try:
        found = _carried(record).get(name)
    except Poison:
        return ""
    return found if isinstance(found, str) else ""


def _carried(record: Any) -> dict[str, Any]:
    """DynamoDB's record within that of Kinesis."""
    data = part(part(record, "kinesis", dict), "data", str)
    try:
        carried = json.loads(a2b_base64(data, strict_mode=True))
    # Nested too deeply, it ends the recursion before any limit of DynamoDB is looked at.
    except (NotBase64, ValueError, RecursionError):
        raise Poison("is not JSON in base64", "kinesis.data") from None
    if type(carried) is not dict:
        raise Poison("is not JSON in base64", "kinesis.data")
    return carried


def _time_us(body: dict[str, Any]) -> int:
    raw = body.get("ApproximateCreationDateTime")
    per_second = DIVISORS.get(body.get("ApproximateCreationDateTimePrecision", UNSAID))
    # A float would lose microseconds, and AWS writes none; a bool is an int to Python, not to us.
    if per_second is None or type(raw) is not int or not 0 <= raw < TIME_END * per_second:
        raise Poison(_TIME, "dynamodb.ApproximateCreationDateTime")
    return raw * (DIVISORS["MICROSECOND"] // per_second)


def _arrived(envelope: dict[str, Any]) -> int:
    raw: Any = envelope.get("approximateArrivalTimestamp")
    if type(raw) not in {int, float} or not 0 <= raw < TIME_END:
        raise Poison("must be epoch seconds", "kinesis.approximateArrivalTimestamp")
    return int(raw)
