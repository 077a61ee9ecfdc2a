"""The subjects table in a dict, as far as the gate uses it; held to moto by tests/test_subjects.py."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from tests.fakes import refusal

if TYPE_CHECKING:
    from collections.abc import Callable


class FakeSubjects:
    """A DynamoDB client with one table. `hook` is called with the name of each operation before it."""

    def __init__(self, hook: Callable[[str], None] = lambda _operation: None) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.calls: Counter[str] = Counter()
        self.hook = hook

    def batch_get_item(self, **call: Any) -> dict[str, Any]:
        self._called("BatchGetItem")
        ((table, request),) = call["RequestItems"].items()
        names = [key["subject"]["S"] for key in request["Keys"]]
        assert len(names) == len(set(names)) <= 100, "what DynamoDB refuses"
        assert request["ConsistentRead"] is True
        return {"Responses": {table: [dict(self.items[name]) for name in names if name in self.items]}}

    def get_item(self, **call: Any) -> dict[str, Any]:
        self._called("GetItem")
        wanted = call["ProjectionExpression"].split(", ")
        item = self.items.get(call["Key"]["subject"]["S"])
        return {} if item is None else {"Item": {name: item[name] for name in wanted if name in item}}

    def put_item(self, **call: Any) -> dict[str, Any]:
        self._called("PutItem")
        name = call["Item"]["subject"]["S"]
        attribute = call["ConditionExpression"].removeprefix("attribute_not_exists(").removesuffix(")")
        if attribute in self.items.get(name, ()):
            raise refusal("ConditionalCheckFailedException", "PutItem")
        self.items[name] = call["Item"]
        return {}

    def update_item(self, **call: Any) -> dict[str, Any]:
        self._called("UpdateItem")
        item = self.items.setdefault(call["Key"]["subject"]["S"], dict(call["Key"]))
        values = call["ExpressionAttributeValues"]
        item.setdefault("erased_at", values[":now"])
        if ":older" in values:
            item.setdefault("previous", values[":older"])
        item.pop("secret", None)
        return {}

    def _called(self, operation: str) -> None:
        self.calls[operation] += 1
        self.hook(operation)
