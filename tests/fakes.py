"""S3 and DynamoDB in a dict each, as far as the gate uses them, with a hook before and after every call.

What they answer is held to moto's answers by tests/test_ledger.py, which runs on both.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = 1_795_467_845.0  # 2026-11-23T21:04:05Z
Hook = "Callable[[str], None]"


def refusal(code: str, operation: str, status: int = 400) -> ClientError:
    """The error by which AWS refuses a call. Its message quotes the request, as AWS's sometimes do."""
    response = {
        "Error": {"Code": code, "Message": "the request said: jane.doe@example.com"},
        "ResponseMetadata": {"RequestId": "7PDX", "HTTPStatusCode": status},
    }
    return ClientError(response, operation)  # type: ignore[arg-type]


def checksum(body: bytes) -> str:
    """SHA-256 as S3 gives it."""
    return b64encode(sha256(body).digest()).decode()


def _quiet(_moment: str) -> None:
    pass


class FakeS3:
    """Objects by bucket and key, written under `If-None-Match: *` only; those who tamper keep to no rule."""

    def __init__(self, hook: Callable[[str], None] = _quiet) -> None:
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        """What stands at each key now."""
        self.past: dict[tuple[str, str], list[dict[str, Any]]] = {}
        """What stood there before, newest first: versions, and markers of deletions."""
        self.hook = hook
        self.now = NOW
        self._versions = 0

    def put_object(self, **call: Any) -> dict[str, Any]:
        self.hook(f"before PutObject {call['Key'].partition('/')[0]}")
        assert call["IfNoneMatch"] == "*"
        place = call["Bucket"], call["Key"]
        if place in self.objects:
            raise refusal("PreconditionFailed", "PutObject", 412)
        self.objects[place] = call | self._version()
        self.hook(f"after PutObject {call['Key'].partition('/')[0]}")
        return {"VersionId": self.objects[place]["VersionId"]}

    def head_object(self, **call: Any) -> dict[str, Any]:
        self.hook("before HeadObject")
        found = self._found(call, refusal("404", "HeadObject", 404))
        assert call["ChecksumMode"] == "ENABLED"
        answer = {"ContentLength": len(found["Body"]), "ChecksumSHA256": found["ChecksumSHA256"]}
        return answer | {"Metadata": found.get("Metadata", {}), "VersionId": found["VersionId"]}

    def get_object(self, **call: Any) -> dict[str, Any]:
        self.hook("before GetObject")
        found = self._found(call, refusal("NoSuchKey", "GetObject", 404))
        return {"Body": BytesIO(found["Body"]), "LastModified": found["LastModified"]}

    def list_object_versions(self, **call: Any) -> dict[str, Any]:
        """Three keys a page, so that nobody forgets the pages."""
        self.hook("before ListObjectVersions")
        bucket, prefix = call["Bucket"], call.get("Prefix", "")
        places = sorted(
            place
            for place in self.objects.keys() | self.past.keys()
            if place[0] == bucket and place[1].startswith(prefix)
        )
        if "Delimiter" in call:
            ends = {
                key.find("/", len(prefix)) + 1 and key[: key.find("/", len(prefix)) + 1] for _, key in places
            }
            return {"IsTruncated": False, "CommonPrefixes": [{"Prefix": end} for end in sorted(ends) if end]}
        rest = [place for place in places if place[1] > call.get("KeyMarker", "")]
        answer: dict[str, Any] = {"IsTruncated": len(rest) > 3, "Versions": [], "DeleteMarkers": []}
        for place in rest[:3]:
            current = [self.objects[place]] if place in self.objects else []
            for at, one in enumerate([*current, *self.past.get(place, [])]):
                entry = {"Key": place[1], "VersionId": one["VersionId"], "LastModified": one["LastModified"]}
                entry["IsLatest"] = at == 0
                if "Body" in one:
                    answer["Versions"].append(entry | {"Size": len(one["Body"])})
                else:
                    answer["DeleteMarkers"].append(entry)
        if answer["IsTruncated"]:
            answer |= {"NextKeyMarker": rest[2][1], "NextVersionIdMarker": "last"}
        return answer

    def replace(self, place: tuple[str, str], body: bytes) -> None:
        """What a bucket with versions makes of an unconditional PUT: one more version."""
        before = self.objects[place]
        self.past.setdefault(place, []).insert(0, before)
        self.objects[place] = before | {"Body": body, "ChecksumSHA256": checksum(body)} | self._version()

    def delete(self, place: tuple[str, str]) -> None:
        """What a bucket with versions makes of a DELETE: a marker."""
        self.past.setdefault(place, []).insert(0, self.objects.pop(place))
        self.past[place].insert(0, self._version())

    def under(self, prefix: str) -> dict[str, bytes]:
        """The bodies of the objects whose keys begin so."""
        return {key: call["Body"] for (_, key), call in self.objects.items() if key.startswith(prefix)}

    def _version(self) -> dict[str, Any]:
        self._versions += 1
        return {"VersionId": f"v{self._versions}", "LastModified": datetime.fromtimestamp(self.now, UTC)}

    def _found(self, call: dict[str, Any], missing: ClientError) -> dict[str, Any]:
        place, wanted = (call["Bucket"], call["Key"]), call.get("VersionId")
        current = [self.objects[place]] if place in self.objects else []
        versions = [*current, *self.past.get(place, [])] if wanted else current
        for one in versions:
            if "Body" in one and wanted in {None, one["VersionId"]}:
                return one
        raise missing


class FakeDynamoDB:
    """The ledger table: items by lane and sort key, found again whole or by a range of sequence numbers."""

    def __init__(self, hook: Callable[[str], None] = _quiet) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.hook = hook

    def put_item(self, **call: Any) -> dict[str, Any]:
        self.hook("before PutItem")
        item = call["Item"]
        self.items[item["stream"]["S"], item["intent"]["S"]] = item
        self.hook("after PutItem")
        return {}

    def get_item(self, **call: Any) -> dict[str, Any]:
        self.hook("before GetItem")
        assert call["ConsistentRead"] is True
        found = self.items.get((call["Key"]["stream"]["S"], call["Key"]["intent"]["S"]))
        return {} if found is None else {"Item": found}

    def query(self, **call: Any) -> dict[str, Any]:
        self.hook("before Query")
        assert call["ConsistentRead"] is True
        if call["KeyConditionExpression"] == "#stream = :stream":
            lane = call["ExpressionAttributeValues"][":stream"]["S"]
            return {"Items": [item for (stream, _), item in sorted(self.items.items()) if stream == lane]}
        values = {name: value["S"] for name, value in call["ExpressionAttributeValues"].items()}
        if call["KeyConditionExpression"] == "#stream = :lane":
            return self._newest(call, values[":lane"])
        found = [
            item
            for (lane, intent), item in sorted(self.items.items())
            if lane == values[":lane"]
            and intent >= values[":first"]
            and item["first_sequence"]["S"] <= values[":last"]
        ]
        return {"Items": found}

    def _newest(self, call: dict[str, Any], wanted: str) -> dict[str, Any]:
        """A page from the lane's end backwards; of ten items where no limit is given."""
        assert call["ScanIndexForward"] is False
        after = call.get("ExclusiveStartKey", {"intent": {"S": "~~"}})["intent"]["S"]
        keys = [key for key in sorted(self.items, reverse=True) if key[0] == wanted and key[1] < after]
        page = keys[: call.get("Limit", 10)]
        answer: dict[str, Any] = {"Items": [self.items[key] for key in page]}
        if len(page) < len(keys):
            answer["LastEvaluatedKey"] = {"stream": {"S": wanted}, "intent": {"S": page[-1][1]}}
        return answer


def with_profiles() -> Any:
    """A client of moto's DynamoDB, in which there is the table of profiles."""
    import boto3  # noqa: PLC0415 - where memory is measured these fakes must bring nothing along

    region = {"region_name": "eu-west-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
    client: Any = boto3.client("dynamodb", **region)  # type: ignore[call-overload]  # a name in a dict
    client.create_table(
        TableName="profiles",
        KeySchema=[{"AttributeName": "entity", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "entity", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return client
