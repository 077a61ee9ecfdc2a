"""Decode: a DynamoDB stream record becomes a `Change` of plain Python values, exactly.

A record that is not what AWS documents is `Poison`: it goes to quarantine and takes nobody with it.
Format: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html and
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html
"""

from __future__ import annotations

import re
from binascii import Error as NotBase64
from binascii import a2b_base64
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias

from processor.errors import Poison

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

Value: TypeAlias = "bool | int | Decimal | str | bytes | frozenset[Any] | list[Any] | dict[str, Any] | None"
"""A number written without point or exponent is an int, every other a Decimal: both exact."""

NEEDED: Final = {"INSERT": "NewImage", "MODIFY": "NewImage", "REMOVE": "OldImage"}
"""The kinds of change, each with the image it cannot do without."""

# DynamoDB's limits: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
DEPTH_MAX: Final = 32  # levels of nesting
DIGITS_MAX: Final = 38  # significant digits
EXPONENT_MIN, EXPONENT_MAX = -130, 125
TIME_END: Final = 253_402_300_800  # epoch seconds: the year 9999 is over

_NUMBER = re.compile(r"-?[0-9]{1,200}(?:\.[0-9]{1,200})?(?:[eE][+-]?[0-9]{1,4})?", re.ASCII)
# Without zeros in front: one number is one text.
_SEQUENCE = re.compile(r"0|[1-9][0-9]{0,39}", re.ASCII)
# What a topic takes as deduplication id, and a key of S3 as part of it.
_EVENT_ID = re.compile(r"[!-~]{1,128}", re.ASCII)
TABLE: Final = re.compile(r"[A-Za-z0-9_.-]{1,255}", re.ASCII)
_TTL: Final = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
_TOO_DEEP: Final = f"is nested deeper than {DEPTH_MAX} levels"
_VIEW: Final = "set the view type of the table's stream to NEW_AND_OLD_IMAGES"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one item, as raw as it came: nothing of it may leave but through the sanitiser."""

    event_id: str
    """Stable across redeliveries."""
    kind: str
    """INSERT, MODIFY or REMOVE."""
    time: int
    """Approximate creation, epoch seconds UTC."""
    table: str
    sequence: str
    """The stream's sequence number in decimal digits: of a DynamoDB stream at most 40, of Kinesis more."""
    keys: dict[str, Any]
    new: dict[str, Any] | None
    old: dict[str, Any] | None
    expired: bool
    """Removed by the table's time to live, not by a person."""
    time_us: int | None = None
    """The time in microseconds, where the stream does not keep the order and so says it as exactly."""
    arrived: int | None = None
    """When Kinesis got it, epoch seconds; None for a change that did not come that way."""


def decode(record: Any, names: Collection[str] = ()) -> Change:
    """The change that a stream record describes.

    Args:
        record: as Lambda delivers it.
        names: attributes that an error may name, because the policy does. Any other may be data.

    Raises:
        Poison: the record is malformed, beyond DynamoDB's limits or lacks its image.
    """
    said = what_changed(record, names)
    return Change(
        **said,
        time=_time(record["dynamodb"].get("ApproximateCreationDateTime")),
        table=_table(part(record, "eventSourceARN", str)),
        sequence=sequence_of(record),
    )


def what_changed(record: Any, names: Collection[str] = ()) -> dict[str, Any]:
    """What a record says of a change in both envelopes alike, by the names that a `Change` has for it.

    Raises:
        Poison: as `decode`.
    """
    body = part(record, "dynamodb", dict)
    kind = part(record, "eventName", str)
    if kind not in NEEDED:
        raise Poison("is none of INSERT, MODIFY and REMOVE", "eventName")
    images = {
        name: image(body[name], name, names) if body.get(name) is not None else None
        for name in ("Keys", "NewImage", "OldImage")
    }
    if images["Keys"] is None:
        raise Poison("the record names no item", "dynamodb.Keys")
    if images[NEEDED[kind]] is None:
        raise Poison(f"a record of the kind {kind} lacks this image: {_VIEW}", f"dynamodb.{NEEDED[kind]}")
    event_id = part(record, "eventID", str)
    if _EVENT_ID.fullmatch(event_id) is None:
        raise Poison("is no event id", "eventID")
    user = record.get("userIdentity")
    return {
        "event_id": event_id,
        "kind": kind,
        "keys": images["Keys"],
        "new": images["NewImage"],
        "old": images["OldImage"],
        "expired": isinstance(user, dict) and all(user.get(name) == value for name, value in _TTL.items()),
    }


def sequence_of(record: Any) -> str:
    """The sequence number of a record, however malformed the rest of it is.

    Raises:
        Poison: it has none.
    """
    sequence: str = part(part(record, "dynamodb", dict), "SequenceNumber", str)
    if _SEQUENCE.fullmatch(sequence) is None:
        raise Poison("is not a sequence number", "dynamodb.SequenceNumber")
    return sequence


def image(attributes: Any, name: str, names: Collection[str] = ()) -> dict[str, Any]:
    """An item in DynamoDB's JSON as plain values; `name` says which image, for errors.

    Raises:
        Poison: with the path of the attribute, if it is one of `names`; deeper ones may be data.
    """
    if type(attributes) is not dict:
        raise Poison(f"must be a map of attributes, not {_type(attributes)}", f"dynamodb.{name}")
    try:
        return _map(attributes, 0)
    except Poison as poison:
        raise Poison(poison.reason, f"dynamodb.{name}.{_culprit(attributes, names)}") from None


def _culprit(attributes: dict[str, Any], names: Collection[str]) -> str:
    """The first attribute that cannot be decoded."""
    for name, typed in attributes.items():
        try:
            _value(typed, 1)
        except Poison:
            return name if name in names else "?"
    return "?"


def _value(typed: Any, depth: int) -> Any:
    if type(typed) is not dict or len(typed) != 1:
        raise Poison(f"a value must be a map with one type, not {_type(typed)}")
    for tag in typed:
        decode_as = _DECODERS.get(tag)
        if decode_as is None:
            break
        if depth > DEPTH_MAX:
            raise Poison(_TOO_DEEP)
        return decode_as(typed[tag], depth)
    raise Poison("a value has a type that DynamoDB does not have")


def _string(raw: Any, _depth: int) -> str:
    if type(raw) is not str:
        _refuse("S", raw)
    return raw


def _number(raw: Any, _depth: int) -> int | Decimal:
    if type(raw) is not str:
        _refuse("N", raw)
    if len(raw) <= DIGITS_MAX and raw.isascii() and raw.isdigit():
        return int(raw)
    if _NUMBER.fullmatch(raw) is None:
        raise Poison("N holds what is not a number")
    number = Decimal(raw)  # exact: the constructor does not round to the context
    # So short and without an exponent, it cannot be beyond the limits.
    if (len(raw) > DIGITS_MAX or "e" in raw.lower()) and _is_beyond(number):
        raise Poison(f"N holds a number beyond DynamoDB's {DIGITS_MAX} digits or its range")
    return int(raw) if raw.lstrip("-").isdigit() else number


def _is_beyond(number: Decimal) -> bool:
    significant = "".join(map(str, number.as_tuple().digits)).strip("0")
    return len(significant) > DIGITS_MAX or (
        bool(number) and not EXPONENT_MIN <= number.adjusted() <= EXPONENT_MAX
    )


def _binary(raw: Any, _depth: int) -> bytes:
    if type(raw) is not str:
        _refuse("B", raw)
    try:
        return a2b_base64(raw, strict_mode=True)
    except (NotBase64, ValueError):
        raise Poison("B holds what is not base64") from None


def _boolean(raw: Any, _depth: int) -> bool:
    if type(raw) is not bool:
        _refuse("BOOL", raw)
    return raw


def _null(raw: Any, _depth: int) -> None:
    if raw is not True:
        _refuse("NULL", raw)


def _list(raw: Any, depth: int) -> list[Any]:
    if type(raw) is not list:
        _refuse("L", raw)
    return [_value(item, depth + 1) for item in raw]


def _map(raw: Any, depth: int) -> dict[str, Any]:
    if type(raw) is not dict:
        _refuse("M", raw)
    depth += 1
    if depth > DEPTH_MAX and raw:
        raise Poison(_TOO_DEEP)
    out = {}
    for name, typed in raw.items():
        # Strings are most of what comes: decoding them here saves two calls each, a fifth of the whole.
        if type(typed) is dict and len(typed) == 1 and type(text := typed.get("S")) is str:
            out[name] = text
        else:
            out[name] = _value(typed, depth)
    return out


def _set_of(tag: str, member: Callable[[Any, int], Any]) -> Callable[[Any, int], frozenset[Any]]:
    def members(raw: Any, depth: int) -> frozenset[Any]:
        if type(raw) is not list:
            _refuse(tag, raw)
        return frozenset(member(item, depth) for item in raw)

    return members


_DECODERS: dict[str, Callable[[Any, int], Any]] = {
    "S": _string,
    "N": _number,
    "B": _binary,
    "BOOL": _boolean,
    "NULL": _null,
    "L": _list,
    "M": _map,
    "SS": _set_of("SS", _string),
    "NS": _set_of("NS", _number),
    "BS": _set_of("BS", _binary),
}


def _refuse(tag: str, raw: Any) -> NoReturn:
    raise Poison(f"{tag} holds {_type(raw)}")


def part(holder: Any, name: str, kind: type[Any]) -> Any:
    """The part of a record that goes by this name.

    Raises:
        Poison: it is not there, is empty or of another type.
    """
    if type(holder) is not dict:
        raise Poison(f"a stream record must be a map, not {_type(holder)}")
    found = holder.get(name)
    if type(found) is not kind or not found:
        raise Poison(f"must be a {kind.__name__}, not {_type(found)}", name)
    return found


def _time(raw: Any) -> int:
    # Whole seconds, or with milliseconds as some tools write them; a bool is an int to Python, not to us.
    if type(raw) not in {int, float} or not 0 <= raw < TIME_END:
        raise Poison("must be epoch seconds", "dynamodb.ApproximateCreationDateTime")
    return int(raw)


def _table(stream_arn: str) -> str:
    """The table of `arn:aws:dynamodb:region:account:table/NAME/stream/LABEL`."""
    parts = stream_arn.split("/")
    if len(parts) != 4 or parts[2] != "stream" or TABLE.fullmatch(parts[1]) is None:  # noqa: PLR2004
        raise Poison("is not the ARN of a table's stream", "eventSourceARN")
    return parts[1]


def _type(value: Any) -> str:
    """The type of a value in the words of JSON: all that an error may say about it."""
    words = {type(None): "null", bool: "a boolean", str: "a string", list: "a list", dict: "a map"}
    return "nothing" if value == "" else words.get(type(value), "a number")
