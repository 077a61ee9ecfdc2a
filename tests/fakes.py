"""S3 and DynamoDB in a dict each, as far as the gate uses them, with a hook before and after every call.

What they answer is held to moto's answers by tests/test_ledger.py, which runs on both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

Hook = "Callable[[str], None]"


def refusal(code: str, operation: str, status: int = 400) -> ClientError:
    """The error by which AWS refuses a call. Its message quotes the request, as AWS's sometimes do."""
    response = {
        "Error": {"Code": code, "Message": "the request said: jane.doe@example.com"},
        "ResponseMetadata": {"RequestId": "7PDX", "HTTPStatusCode": status},
    }
    return ClientError(response, operation)  # type: ignore[arg-type]


def _quiet(_moment: str) -> None:
    pass


class FakeS3:
    """Objects by bucket and key, written under `If-None-Match: *` only."""

    def __init__(self, hook: Callable[[str], None] = _quiet) -> None:
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        self.hook = hook

    def put_object(self, **call: Any) -> dict[str, Any]:
        self.hook(f"before PutObject {call['Key'].partition('/')[0]}")
        assert call["IfNoneMatch"] == "*"
        place = call["Bucket"], call["Key"]
        if place in self.objects:
            raise refusal("PreconditionFailed", "PutObject", 412)
        self.objects[place] = call
        self.hook(f"after PutObject {call['Key'].partition('/')[0]}")
        return {"VersionId": f"v{len(self.objects)}"}

    def head_object(self, **call: Any) -> dict[str, Any]:
        self.hook("before HeadObject")
        found = self.objects.get((call["Bucket"], call["Key"]))
        if found is None:
            raise refusal("404", "HeadObject", 404)
        assert call["ChecksumMode"] == "ENABLED"
        answer = {"ContentLength": len(found["Body"]), "ChecksumSHA256": found["ChecksumSHA256"]}
        return answer | {"Metadata": found.get("Metadata", {})}

    def under(self, prefix: str) -> dict[str, bytes]:
        """The bodies of the objects whose keys begin so."""
        return {key: call["Body"] for (_, key), call in self.objects.items() if key.startswith(prefix)}


class FakeDynamoDB:
    """The ledger table: items by lane and sort key, found again by a range of sequence numbers."""

    def __init__(self, hook: Callable[[str], None] = _quiet) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.hook = hook

    def put_item(self, **call: Any) -> dict[str, Any]:
        self.hook("before PutItem")
        item = call["Item"]
        self.items[item["stream"]["S"], item["intent"]["S"]] = item
        self.hook("after PutItem")
        return {}

    def query(self, **call: Any) -> dict[str, Any]:
        self.hook("before Query")
        assert call["ConsistentRead"] is True
        values = {name: value["S"] for name, value in call["ExpressionAttributeValues"].items()}
        found = [
            item
            for (lane, intent), item in sorted(self.items.items())
            if lane == values[":lane"]
            and intent >= values[":first"]
            and item["first_sequence"]["S"] <= values[":last"]
        ]
        return {"Items": found}
