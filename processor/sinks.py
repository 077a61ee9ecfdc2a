"""Where events go: objects in S3, each created once, and alerts on SNS.

AWS calls: s3:PutObject and s3:GetObject (for HEAD, too) under `events/<policy>/`, s3:PutObject by `put_once`,
sns:Publish on the topic (PublishBatch is authorised as Publish).
"""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from processor.aws import calling
from processor.errors import Transient

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from processor.event import Alert, Event

GZIP_LEVEL: Final = 3  # 9 µs and 0.39 of the size; level 6 takes 21 µs for 0.37
GZIP_WBITS: Final = (
    31  # zlib's own gzip header: no file name and no time, so the same events are the same bytes
)
FENCE: Final = {"tidegate": "fence"}
"""The metadata of an object that only keeps its key from being written to."""

ENTRIES_MAX: Final = 10  # of one PublishBatch
BATCH_BYTES_MAX: Final = 256 * 1024  # of one PublishBatch, and of one message
ATTRIBUTE_CHARACTERS_MAX: Final = 256  # a filter is for short values: a long text is cut
POINTER: Final = "tidegate.pointer/1"

# The range in which SNS compares numbers:
# https://docs.aws.amazon.com/sns/latest/dg/numeric-value-matching.html
NUMBER_MAX: Final = 10**9
DECIMAL_PLACES_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Stored:
    """An object of events that is there."""

    bucket: str
    key: str
    size: int
    """Bytes."""
    sha256: str
    """Of the object's bytes, base64 as S3 gives it."""
    version_id: str | None
    created: bool
    """Whether this run created it, rather than found it."""


class Feed:
    """The objects of events. A key is written at most once: by its events, or by a fence."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3, self._bucket = s3, bucket

    def create(self, key: str, events: Iterable[Event]) -> Stored | None:
        """The object with these events, created or found at its key; None if the key is fenced.

        Raises:
            Transient: S3 did not say. The object may be there.
        """
        body = "".join([event.line + "\n" for event in events]).encode("ascii")
        return self._put(key, body, {}) or self._find(key)

    def fence(self, key: str) -> Stored | None:
        """None once nothing is at the key and nothing ever will be; the object if it was there first.

        Raises:
            Transient: S3 did not say.
        """
        return None if self._put(key, b"", FENCE) else self._find(key)

    def lines(self, stored: Stored) -> list[str]:
        """The events in an object, as they are stored.

        Raises:
            Transient: S3 did not say.
        """
        with calling("s3:GetObject on events"):
            body = self._s3.get_object(Bucket=stored.bucket, Key=stored.key)["Body"].read()
        return zlib.decompress(body, GZIP_WBITS).decode("ascii").splitlines()

    def _put(self, key: str, content: bytes, metadata: dict[str, str]) -> Stored | None:
        body = zlib.compress(content, GZIP_LEVEL, GZIP_WBITS)
        answer = put_once(
            self._s3, self._bucket, key, body, Metadata=metadata, ContentType="application/gzip"
        )
        if answer is None:
            return None
        return Stored(
            self._bucket, key, len(body), answer["ChecksumSHA256"], answer.get("VersionId"), created=True
        )

    def _find(self, key: str) -> Stored | None:
        with calling("s3:HeadObject on events"):
            head = self._s3.head_object(Bucket=self._bucket, Key=key, ChecksumMode="ENABLED")
        if FENCE.items() <= head.get("Metadata", {}).items():
            return None
        checksum = head.get("ChecksumSHA256", "")
        return Stored(
            self._bucket, key, head["ContentLength"], checksum, head.get("VersionId"), created=False
        )


def put_once(s3: Any, bucket: str, key: str, body: bytes, **options: Any) -> dict[str, Any] | None:
    """Create an object: S3's answer with the `ChecksumSHA256` of the body, or None if the key is taken.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html

    Raises:
        Transient: S3 refused, did not answer, or another write to the key is under way.
    """
    checksum = b64encode(sha256(body).digest()).decode()
    condition = {"IfNoneMatch": "*", "ChecksumAlgorithm": "SHA256", "ChecksumSHA256": checksum}
    try:
        with calling(f"s3:PutObject under {key.partition('/')[0]}/"):
            answer = s3.put_object(Bucket=bucket, Key=key, Body=body, **condition, **options)
    except Transient as failure:
        if failure.code == "PreconditionFailed":
            return None
        raise
    return {**answer, "ChecksumSHA256": checksum}


class Alerts:
    """The topic: at least once, the event id stable. A FIFO topic gets it as deduplication id."""

    def __init__(self, sns: Any, topic_arn: str, policy: str) -> None:
        self._sns, self._topic_arn = sns, topic_arn
        self._fifo = {"MessageGroupId": policy} if topic_arn.endswith(".fifo") else None

    def publish(self, alerts: Sequence[tuple[Alert, Stored]]) -> None:
        """Publish in the order given; beside each alert stands the object in which its event is.

        Raises:
            Transient: with the sequence number of the first event that was not published; none after it was
            but those of the same request.
        """
        entries = (self._entry(str(at), *alert) for at, alert in enumerate(alerts))
        for request in _requests(entries):
            first, _ = alerts[int(request[0]["Id"])]
            with calling("sns:Publish", first.sequence):
                answer = self._sns.publish_batch(TopicArn=self._topic_arn, PublishBatchRequestEntries=request)
            if answer.get("Failed"):
                failed = min(answer["Failed"], key=lambda entry: int(entry["Id"]))
                sequence, code = alerts[int(failed["Id"])][0].sequence, str(failed.get("Code", "unknown"))
                raise Transient(f"sns:Publish: {code}", sequence=sequence, code=code)

    def _entry(self, name: str, alert: Alert, stored: Stored) -> dict[str, Any]:
        attributes = {key: _attribute(value) for key, value in alert.attributes.items() if value != ""}
        message = alert.line
        if len(message) + _size(attributes) > BATCH_BYTES_MAX:
            message = _pointer(alert, stored)
        entry = {"Id": name, "Message": message, "MessageAttributes": attributes}
        if self._fifo is not None:
            entry |= self._fifo | {"MessageDeduplicationId": alert.event_id}
        return entry


def _requests(entries: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Cut entries into requests as large as SNS takes them."""
    request: list[dict[str, Any]] = []
    size = 0
    for entry in entries:
        added = len(entry["Message"]) + _size(entry["MessageAttributes"])
        if request and (len(request) == ENTRIES_MAX or size + added > BATCH_BYTES_MAX):
            yield request
            request, size = [], 0
        request.append(entry)
        size += added
    if request:
        yield request


def _attribute(value: Any) -> dict[str, str]:
    if _is_comparable(value):
        return {"DataType": "Number", "StringValue": str(value)}
    text = str(value).lower() if isinstance(value, bool) else str(value)[:ATTRIBUTE_CHARACTERS_MAX]
    # SNS takes what XML can hold.
    return {"DataType": "String", "StringValue": "".join(c if c.isprintable() else "?" for c in text)}


def _is_comparable(value: Any) -> bool:
    """Whether SNS can compare the value as a number."""
    if type(value) is Decimal:
        return abs(value) <= NUMBER_MAX and value == round(value, DECIMAL_PLACES_MAX)
    return type(value) is int and abs(value) <= NUMBER_MAX


def _size(attributes: Mapping[str, Mapping[str, str]]) -> int:
    """Bytes that SNS counts for attributes: names, types and values."""
    return sum(
        len(name) + sum(len(text.encode()) for text in attribute.values())
        for name, attribute in attributes.items()
    )


def _pointer(alert: Alert, stored: Stored) -> str:
    """What is published of an event that is too large for SNS: where it is (claim check pattern)."""
    return json.dumps(
        {
            "schema": POINTER,
            "event_id": alert.event_id,
            "sequence": alert.sequence,
            "score": None if (score := alert.attributes.get("score")) is None else float(score),
            "bucket": stored.bucket,
            "key": stored.key,
        }
    )
