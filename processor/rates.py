"""How many values a caller has had opened in this hour, and whether there is room for more.

One conditional UpdateItem counts and refuses at once, so that two calls at the same time cannot both have the
last of it. Counted before it is opened: a call that fails afterwards has used its share.

AWS calls: dynamodb:UpdateItem on the ledger table, in partitions `rates/…`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from processor.aws import calling
from processor.errors import Transient
from processor.proof import principal

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT_S: Final = 7200  # from the beginning of the hour: DynamoDB removes them in its own time
HOUR_S: Final = 3600
FULL: Final = "ConditionalCheckFailedException"


class Rates:
    """The counts of all callers, by policy, purpose and hour."""

    def __init__(self, *, dynamodb: Any, table: str, clock: Callable[[], float]) -> None:
        self._dynamodb, self._table, self._clock = dynamodb, table, clock

    def take(self, caller: str, policy: str, purpose: str, values: int, *, most: int) -> bool:
        """Whether the caller may have so many more values opened in this hour; they are counted if so.

        Args:
            caller: an ARN; all sessions of a role are one caller.
            policy: by name.
            purpose: by name.
            values: how many, at least 1.
            most: in an hour.

        Raises:
            Transient: DynamoDB did not say. They may be counted.
        """
        if values > most:
            return False
        now = self._clock()
        hour = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H")
        try:
            with calling("dynamodb:UpdateItem on the rates"):
                self._dynamodb.update_item(
                    TableName=self._table,
                    Key={
                        "stream": {"S": f"rates/{principal(caller)}"},
                        "intent": {"S": f"{policy}/{purpose}/{hour}"},
                    },
                    UpdateExpression="SET expires_at = if_not_exists(expires_at, :over) ADD #values :more",
                    ConditionExpression="attribute_not_exists(#values) OR #values <= :room",
                    ExpressionAttributeNames={"#values": "values"},  # a reserved word
                    ExpressionAttributeValues={
                        ":more": {"N": str(values)},
                        ":room": {"N": str(most - values)},
                        ":over": {"N": str(int(now - now % HOUR_S) + KEPT_S)},
                    },
                )
        except Transient as failure:
            if failure.code == FULL:
                return False
            raise
        return True
