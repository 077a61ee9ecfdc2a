"""Kinesis on moto: numbers as long as AWS's, destinations of tables, and which stream a request is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from moto.awslambda.models import LambdaBackend
from moto.core.responses import ActionResult
from moto.dynamodb.responses import DynamoHandler
from moto.kinesis.models import Record, Shard
from moto.kinesis.responses import KinesisResponse
from moto.kinesis.utils import decompose_shard_iterator

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_SEQUENCE: Final = 49590338271490256608559692538361571095921575989136588898
"""Of the first shard; moto begins each at 1, and who counts digits would not notice."""
SHARD_STEP: Final = 10**40
"""Between the numbers of two shards: none is given twice."""
PRECISION: Final = "MILLISECOND"  # where none is asked for


def _put_with_long_number(shard: Shard, partition_key: str, data: str, explicit_hash_key: str) -> str:
    first = FIRST_SEQUENCE + shard._shard_id * SHARD_STEP  # noqa: SLF001
    number = shard.get_max_sequence_number() + 1 if shard.records else first
    shard.records[number] = Record(partition_key, data, number, explicit_hash_key)
    return str(number)


_create_stream = KinesisResponse.create_stream


def _create_with_tags(response: Any) -> ActionResult:
    """Make a data stream with its tags. moto forgets them, and a second plan would differ."""
    made: ActionResult = _create_stream(response)
    if tags := response._get_param("Tags"):  # noqa: SLF001
        name = response._get_param("StreamName")  # noqa: SLF001
        response.kinesis_backend.add_tags_to_stream(None, name, tags)
    return made


def _send_nothing(*_: Any, **_named: Any) -> None:
    """Deliver no record to a function: the mapping reads the stream, as Lambda does."""


def _destinations(handler: Any) -> list[dict[str, Any]]:
    """Those of the table that the request names, kept with the table itself."""
    table = handler.dynamodb_backend.get_table(handler.body["TableName"])
    kept: list[dict[str, Any]] = table.__dict__.setdefault("kinesis_destinations", [])
    return kept


def _enable(handler: Any) -> ActionResult:
    """Note the destination: what puts the changes there is `processor.local.carrying`."""
    asked = handler.body.get("EnableKinesisStreamingConfiguration") or {}
    precision = asked.get("ApproximateCreationDateTimePrecision", PRECISION)
    about = {"StreamArn": handler.body["StreamArn"], "DestinationStatus": "ACTIVE"}
    kept = _destinations(handler)
    kept[:] = [one for one in kept if one["StreamArn"] != about["StreamArn"]]
    kept.append({**about, "ApproximateCreationDateTimePrecision": precision})
    return ActionResult({"TableName": handler.body["TableName"], **about})


def _disable(handler: Any) -> ActionResult:
    for one in _destinations(handler):
        if one["StreamArn"] == handler.body["StreamArn"]:
            one["DestinationStatus"] = "DISABLED"
    about = {"StreamArn": handler.body["StreamArn"], "DestinationStatus": "DISABLED"}
    return ActionResult({"TableName": handler.body["TableName"], **about})


def _describe(handler: Any) -> ActionResult:
    table = handler.body["TableName"]
    return ActionResult({"TableName": table, "KinesisDataStreamDestinations": _destinations(handler)})


def _stream(response: Any) -> str:
    """The ARN of the data stream that a request is about."""
    arn, name = response._get_param("StreamARN"), response._get_param("StreamName")  # noqa: SLF001
    if iterator := response._get_param("ShardIterator"):  # noqa: SLF001
        name = decompose_shard_iterator(iterator)[0]
    if arn or not name:
        return arn or "*"
    return f"arn:aws:kinesis:{response.region}:{response.current_account}:stream/{name}"


Mending = tuple[Any, str, "Callable[..., Any]"]
MENDINGS: Final[tuple[Mending, ...]] = (
    (Shard, "put_record", _put_with_long_number),
    (LambdaBackend, "send_kinesis_message", _send_nothing),
    (KinesisResponse, "create_stream", _create_with_tags),
    (KinesisResponse, "_determine_resource", _stream),
    (DynamoHandler, "enable_kinesis_streaming_destination", _enable),
    (DynamoHandler, "disable_kinesis_streaming_destination", _disable),
    (DynamoHandler, "describe_kinesis_streaming_destination", _describe),
)
