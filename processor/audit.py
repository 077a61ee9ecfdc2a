"""The audit trail: what was done to whose data, in records of which each names the one before it.

Whoever writes here writes a *chain* of its own: a random id, links counted from 1, each with the hash of its
predecessor's bytes. One writer, one chain, so nobody waits for anybody. Where a chain ends is kept in another
place than its links, as its *head* in the ledger table: without it, nobody would miss the last links of a
chain, or a whole one. Links and heads are walked by `tidegate audit verify`.

    link 1 {previous: null} ← link 2 {previous: sha256(link 1)} ← … ← head {links: N, sha256(link N)}

A writer that dies between the two writes leaves one link more than the head knows. One that does not learn
what became of a write begins another chain, so that no number is ever given twice.

AWS calls: s3:PutObject under `manifests/<policy>/` and `policies/<policy>/` (the gate) or `records/<kind>/`;
dynamodb:PutItem on the ledger table, under partition keys that begin with `chains/`.
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from processor.aws import calling
from processor.errors import Transient
from processor.sinks import put_once

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from processor.sinks import Stored

SCHEMA: Final = "tidegate.manifest/1"
CHAIN_ID_BYTES: Final = 8  # of 10 million chains, two have one id with a chance of 1 in 370,000
HEAD_OUTLIVES_DAYS: Final = 30  # S3 and DynamoDB delete what has expired when they come to it: days later
DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Link:
    """A record that is there, as one link of a chain."""

    key: str
    version_id: str | None
    sha256: str
    """Of the stored bytes, hex: what the next link gives as its `previous`."""
    number: int
    """From 1."""


class Chain:
    """One writer's records, each carrying the hash of the one before it. Not for several threads.

    Args:
        s3: a client.
        bucket: of the audit trail.
        dynamodb: a client.
        ledger_table: where the head of the chain is kept.
        group: whose chain it is: `stream/<policy>`, `detokenize` or `erase`.
        clock: epoch seconds.
        retention_days: how long the bucket keeps the links; the head outlives them.
        key_version: of the token key that the writer makes tokens with, for who wants to retire one.
    """

    id: str
    links: int
    _sha256: str | None

    def __init__(
        self,
        *,
        s3: Any,
        bucket: str,
        dynamodb: Any,
        ledger_table: str,
        group: str,
        clock: Callable[[], float],
        retention_days: int,
        key_version: int | None = None,
    ) -> None:
        self._s3, self._bucket = s3, bucket
        self._dynamodb, self._table = dynamodb, ledger_table
        self._clock, self._key_version = clock, key_version
        self._kept_s = (retention_days + HEAD_OUTLIVES_DAYS) * DAY_S
        self.group = group
        """As given, for who makes keys of it; with `id` and `links`, where the chain stands."""
        self._begin()

    def append(self, key: str, record: Mapping[str, Any]) -> Link | None:
        """Write a record as the next link; None if the key is taken: then nothing has changed.

        Raises:
            Transient: it may be there or not. The next record begins another chain.
        """
        number = self.links + 1
        place = {"group": self.group, "id": self.id, "link": number, "previous": self._sha256}
        body = json.dumps({**record, "chain": place}, separators=(",", ":")).encode() + b"\n"
        try:
            answer = self._create(key, body)
            if answer is None:
                return None
            self.links, self._sha256 = number, sha256(body).hexdigest()
            self._put_head()
        except Transient:
            self._begin()
            raise
        return Link(key, answer.get("VersionId"), sha256(body).hexdigest(), number)

    def _begin(self) -> None:
        self.id = token_hex(CHAIN_ID_BYTES)
        self.links = 0
        self._sha256 = None

    def _create(self, key: str, body: bytes) -> Mapping[str, Any] | None:
        checksum = b64encode(sha256(body).digest()).decode()
        with calling(f"s3:PutObject under {key.partition('/')[0]}/"):
            try:
                answer: Mapping[str, Any] = self._s3.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=body,
                    IfNoneMatch="*",
                    ChecksumAlgorithm="SHA256",
                    ChecksumSHA256=checksum,
                    ContentType="application/json",
                )
            except ClientError as refused:
                if refused.response.get("Error", {}).get("Code") != "PreconditionFailed":
                    raise
                retried = refused.response.get("ResponseMetadata", {}).get("RetryAttempts", 0)
            else:
                return answer
        if key.endswith(_suffix(self)):
            return {}  # the key is this link's and nobody else's: an earlier try got through
        if retried:
            self._begin()  # the earlier try, or somebody else: nobody can tell
        return None

    def _put_head(self) -> None:
        now = int(self._clock())
        item = {
            "stream": {"S": f"chains/{self.group}"},
            "intent": {"S": self.id},
            "links": {"N": str(self.links)},
            "sha256": {"S": self._sha256},
            "written_at": {"N": str(now)},
            "expires_at": {"N": str(now + self._kept_s)},
        }
        if self._key_version is not None:
            item["key_version"] = {"N": str(self._key_version)}
        with calling("dynamodb:PutItem on the ledger"):
            self._dynamodb.put_item(
                TableName=self._table,
                Item=item,
                # An earlier try that arrives late must not turn the head back.
                ConditionExpression="attribute_not_exists(links) OR links <= :links",
                ExpressionAttributeValues={":links": item["links"]},
            )


def record_key(kind: str, at: float, chain: Chain) -> str:
    """Where the next record of a chain goes: `records/<kind>/dt=…/<HHMMSS>-<chain>-<link>.json`.

    Args:
        kind: `detokenize` or `erase`.
        at: epoch seconds, UTC.
        chain: whose next link it is.
    """
    when = datetime.fromtimestamp(at, UTC)
    return f"records/{kind}/dt={when:%Y-%m-%d}/{when:%H%M%S}{_suffix(chain)}"


def _suffix(chain: Chain) -> str:
    return f"-{chain.id}-{chain.links + 1}.json"


class Audit:
    """The manifests: one for each object of events, saying what was done to what is in it.

    Each is created once; finding it there already is as good. So is the policy that they speak of, which is
    put beside them before the first.

    Args:
        s3: a client.
        bucket: of the audit trail.
        chain: that the manifests are links of.
        policy_name: and
        policy_sha256: that of its YAML, as events carry it: where the plan is put.
        policy: the compiled plan, as it is in the package; empty where it need not be put.
    """

    def __init__(
        self,
        s3: Any,
        bucket: str,
        *,
        chain: Chain,
        policy_name: str,
        policy_sha256: str,
        policy: bytes = b"",
    ) -> None:
        self._s3, self._bucket, self._chain = s3, bucket, chain
        self._policy, self._policy_key = policy, policy_key(policy_name, policy_sha256)

    def describe(self, stored: Stored, summary: Mapping[str, Any], first: str, last: str) -> None:
        """Write the manifest of an object that is there.

        Args:
            stored: the object.
            summary: what was done to its events, in counts, by which policy, model and keys.
            first: sequence number of its first record, and
            last: of its last.

        Raises:
            Transient: it may be there or not; the next delivery sees to it.
        """
        manifest = {
            "schema": SCHEMA,
            "object": {
                "bucket": stored.bucket,
                "key": stored.key,
                "version_id": stored.version_id,
                "bytes": stored.size,
                "sha256": stored.sha256,
            },
            "first": first,
            "last": last,
            **summary,
        }
        if self._policy:
            put_once(self._s3, self._bucket, self._policy_key, self._policy, ContentType="application/json")
            self._policy = b""  # it is there
        self._chain.append(manifest_key(stored.key), manifest)


def manifest_key(object_key: str) -> str:
    """Where the manifest of an object is: `manifests/<policy>/dt=…/<name>.json`, or in a backfill's."""
    _, policy, day, _, name = object_key.split("/", 4)
    return f"manifests/{policy}/{day}/{name.removesuffix('.jsonl.gz')}.json"


def policy_key(name: str, sha256_of_yaml: str) -> str:
    """Where the compiled plan of a policy's version is: `policies/<policy>/<sha256>.json`."""
    return f"policies/{name}/{sha256_of_yaml}.json"
