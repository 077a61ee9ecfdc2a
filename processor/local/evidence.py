"""What there is behind the gate, as an outsider finds it: every byte in S3, SQS, the tables and the logs."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from processor.local.checks import Bytes, unpacked
from processor.local.records import event_record
from processor.local.shards import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.local.stage import Stage

HIDDEN_S: Final = 60
"""How long a message that was read is out of sight: longer than reading all of them takes."""


@dataclass(slots=True)
class Evidence:
    """All that was found."""

    went_in: list[str] = field(default_factory=list)
    """Event ids of the stream's records."""
    events: list[dict[str, Any]] = field(default_factory=list)
    """Lines of the objects of events."""
    objects: list[tuple[str, int]] = field(default_factory=list)
    """The objects of events: key and bytes."""
    manifests: list[dict[str, Any]] = field(default_factory=list)
    audit: list[str] = field(default_factory=list)
    """Keys of the audit bucket: manifests, policies and records."""
    quarantined: int = 0
    alerts: list[dict[str, Any]] = field(default_factory=list)
    """Messages that the subscribed queue received."""
    failures: int = 0
    """Reports in the failure queue."""
    searched: list[Bytes] = field(default_factory=list)
    """Everything, unpacked, for the search for raw values."""


def collect(stage: Stage, log: bytes) -> Evidence:
    """Look everywhere."""
    found = Evidence()
    found.went_in = list(_event_ids(stage))
    for bucket, key, version, content in _objects(stage):
        found.searched.append(Bytes(f"s3://{bucket}/{key}?versionId={version}", unpacked(content)))
        if bucket == stage.outputs["buckets"]["events"]:
            found.objects.append((key, len(content)))
            found.events += [json.loads(line) for line in gzip.decompress(content).splitlines()]
        elif bucket == stage.outputs["buckets"]["audit"]:
            found.audit.append(key)
            if key.startswith("manifests/"):
                found.manifests.append(json.loads(content))
        elif bucket == stage.outputs["buckets"]["quarantine"]:
            found.quarantined += 1
    for message in _messages(stage, stage.inbox_url):
        found.searched.append(Bytes("the alerts", json.dumps(message).encode()))
        found.alerts.append(json.loads(message["Body"]))
    for message in _messages(stage, stage.stream["failure_queue_url"]):
        found.searched.append(Bytes("the failure queue", json.dumps(message).encode()))
        found.failures += 1
    for table in ("ledger_table", "profiles_table", "subjects_table"):
        name: str = stage.outputs[table]
        lines = (json.dumps(item, default=bytes.hex) for item in _items(stage, name))
        found.searched.append(Bytes(name, "\n".join(lines).encode()))
    found.searched.append(Bytes("the functions' logs", log))
    return found


def _event_ids(stage: Stage) -> Iterator[str]:
    """Read the whole stream once more, as nobody's mapping."""
    arn = stage.stream["stream_arn"]
    stream = Stream(stage.aws.client("dynamodbstreams"), arn, "TRIM_HORIZON")
    for shard in list(stream.shards.values()):
        while records := stream.read(shard):
            yield from (event_record(record, arn)["eventID"] for record in records)


def events_in(stage: Stage) -> list[dict[str, Any]]:
    """All events in S3."""
    bucket = stage.outputs["buckets"]["events"]
    contents = [content for name, _, _, content in _objects(stage) if name == bucket]
    return [json.loads(line) for content in contents for line in gzip.decompress(content).splitlines()]


def _objects(stage: Stage) -> Iterator[tuple[str, str, str, bytes]]:
    """Every version of every object: (bucket, key, version, content)."""
    s3 = stage.aws.client("s3")
    for bucket in [one["Name"] for one in s3.list_buckets()["Buckets"]]:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for one in page.get("Versions", ()):
                where = {"Bucket": bucket, "Key": one["Key"], "VersionId": one["VersionId"]}
                yield bucket, one["Key"], one["VersionId"], s3.get_object(**where)["Body"].read()


def _messages(stage: Stage, url: str) -> Iterator[dict[str, Any]]:
    """Every message in a queue, with its attributes; after a while they are there again, for others."""
    sqs = stage.aws.client("sqs")
    request = {"QueueUrl": url, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]}
    while messages := sqs.receive_message(**request, VisibilityTimeout=HIDDEN_S).get("Messages"):
        for message in messages:
            yield {"Body": message["Body"], "Attributes": _texts(message.get("MessageAttributes", {}))}


def _texts(attributes: dict[str, Any]) -> dict[str, str]:
    return {name: attribute.get("StringValue", "") for name, attribute in attributes.items()}


def _items(stage: Stage, table: str) -> Iterator[dict[str, Any]]:
    scan = stage.aws.client("dynamodb").get_paginator("scan")
    for page in scan.paginate(TableName=table):
        yield from page["Items"]
