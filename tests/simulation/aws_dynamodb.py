"""DynamoDB in memory: conditional writes, strong reads, and reads that are not strong and miss what is new.

What it answers is held to moto's answers by test_world_contract.py.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.simulation.expressions import holds, updated
from tests.simulation.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LAG = 40  # moments by which a weak read is behind: AWS says "a second or less", a simulation takes what hurts
KEYS = {"ledger": ("stream", "intent"), "subjects": ("subject",), "profiles": ("entity",)}
KEYS_MAX = 100  # of one BatchGetItem

Key = tuple[str, ...]


class DynamoDB:
    """Tables.

    Args:
        moment: what counts the moments of this world.
        page: items of one page of a query.
        epoch: seconds, for the time to live.
    """

    def __init__(self, moment: Callable[[], int], epoch: Callable[[], float], page: int = 1000) -> None:
        self._moment, self._epoch, self._page = moment, epoch, page
        self.tables: dict[str, dict[Key, dict[str, Any]]] = {name: {} for name in KEYS}
        self._history: list[tuple[int, str, Key, dict[str, Any] | None]] = []
        self.ever: list[tuple[str, dict[str, Any]]] = []
        """Everything that was ever put or made by an update, with the table."""

    def put_item(self, **call: Any) -> dict[str, Any]:
        key = _key(call["TableName"], call["Item"])
        self._conditional(call, key, "PutItem")
        self._write(call["TableName"], key, dict(call["Item"]))
        return {}

    def update_item(self, **call: Any) -> dict[str, Any]:
        key = _key(call["TableName"], call["Key"])
        self._conditional(call, key, "UpdateItem")
        before = self.tables[call["TableName"]].get(key, call["Key"])
        names, values = call.get("ExpressionAttributeNames", {}), call.get("ExpressionAttributeValues", {})
        self._write(call["TableName"], key, updated(call["UpdateExpression"], before, values, names))
        return {}

    def delete_item(self, **call: Any) -> dict[str, Any]:
        key = _key(call["TableName"], call["Key"])
        self._conditional(call, key, "DeleteItem")
        self._write(call["TableName"], key, None)
        return {}

    def get_item(self, **call: Any) -> dict[str, Any]:
        item = self._seen(call["TableName"], call).get(_key(call["TableName"], call["Key"]))
        return {} if item is None else {"Item": _projected(item, call)}

    def batch_get_item(self, **call: Any) -> dict[str, Any]:
        answer: dict[str, Any] = {"Responses": {}, "UnprocessedKeys": {}}
        for table, request in call["RequestItems"].items():
            keys = [_key(table, key) for key in request["Keys"]]
            if not 1 <= len(keys) <= KEYS_MAX or len(set(keys)) != len(keys):
                raise refusal("ValidationException", "BatchGetItem")
            seen = self._seen(table, request)
            answer["Responses"][table] = [_projected(seen[key], request) for key in keys if key in seen]
        return answer

    def query(self, **call: Any) -> dict[str, Any]:
        seen = self._seen(call["TableName"], call)
        values, names = call.get("ExpressionAttributeValues", {}), call.get("ExpressionAttributeNames", {})
        found = [
            (key, item)
            for key, item in sorted(seen.items())
            if holds(call["KeyConditionExpression"], item, values, names)
        ]
        if start := call.get("ExclusiveStartKey"):
            found = [(key, item) for key, item in found if key > _key(call["TableName"], start)]
        page = found[: self._page]
        answer: dict[str, Any] = {"Items": []}
        if len(found) > len(page):
            parts = KEYS[call["TableName"]]
            answer["LastEvaluatedKey"] = {part: page[-1][1][part] for part in parts}
        wanted = call.get("FilterExpression")
        answer["Items"] = [
            _projected(item, call) for _, item in page if not wanted or holds(wanted, item, values, names)
        ]
        return answer

    def expire(self, is_due: Callable[[], bool] = lambda: True) -> None:
        """Delete what is past its time to live, or what is due of it: AWS says within days, not when.

        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
        """
        now = Decimal(self._epoch())
        for table, items in self.tables.items():
            for key, item in list(items.items()):
                if "expires_at" in item and Decimal(item["expires_at"]["N"]) < now and is_due():
                    self._write(table, key, None)

    def _conditional(self, call: dict[str, Any], key: Key, operation: str) -> None:
        condition = call.get("ConditionExpression")
        item = self.tables[call["TableName"]].get(key, {})
        values, names = call.get("ExpressionAttributeValues", {}), call.get("ExpressionAttributeNames", {})
        if condition and not holds(condition, item, values, names):
            raise refusal("ConditionalCheckFailedException", operation)

    def _write(self, table: str, key: Key, item: dict[str, Any] | None) -> None:
        items = self.tables[table]
        self._history.append((self._moment(), table, key, items.get(key)))
        if item is None:
            items.pop(key, None)
        else:
            items[key] = item
            self.ever.append((table, item))

    def _seen(self, table: str, call: dict[str, Any]) -> dict[Key, dict[str, Any]]:
        """What a read sees: all of it, if it is strong."""
        if call.get("ConsistentRead") is True:
            return self.tables[table]
        seen = dict(self.tables[table])
        for moment, name, key, before in self._recent():
            if name == table and moment > self._moment() - LAG:
                if before is None:
                    seen.pop(key, None)
                else:
                    seen[key] = before
        return seen

    def _recent(self) -> Iterator[tuple[int, str, Key, dict[str, Any] | None]]:
        return reversed(self._history)


def _key(table: str, item: dict[str, Any]) -> Key:
    return tuple(item[part]["S"] for part in KEYS[table])


def _projected(item: dict[str, Any], call: dict[str, Any]) -> dict[str, Any]:
    wanted = call.get("ProjectionExpression")
    if not wanted:
        return dict(item)
    names = call.get("ExpressionAttributeNames", {})
    attributes = [names.get(name.strip(), name.strip()) for name in wanted.split(",")]
    return {name: item[name] for name in attributes if name in item}
