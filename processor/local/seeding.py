"""Payments in the source table: inserted, some changed, some removed by hand, some by their time to live."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from boto3.dynamodb.types import TypeSerializer

from models.simulator import identifying_values, payments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from processor.local.aws import EmbeddedAws

PER_REQUEST: Final = 25  # of BatchWriteItem
SPAN: Final = timedelta(days=7)
CHANGED_EVERY, REMOVED_EVERY, EXPIRED_EVERY = 10, 25, 50
"""One payment in so many; removed and expired ones are never the same."""


@dataclass(frozen=True, slots=True)
class Seed:
    """What was written to the table."""

    payments: dict[str, dict[str, Any]]
    """Raw, by payment id."""
    changed: int
    removed: int
    expired: int

    def identifying(self) -> set[str]:
        """Every raw value that points to a person."""
        return {value for payment in self.payments.values() for value in identifying_values(payment)}


def sow(
    aws: EmbeddedAws,
    table: str,
    *,
    count: int,
    seed: int,
    on_progress: Callable[[str], None] = lambda _: None,
) -> Seed:
    """Write `count` payments of the simulator's world to the table, then change and remove some of them."""
    now = datetime.now(UTC)
    world = list(payments(count, seed, now - SPAN))
    expiring = world[1::EXPIRED_EVERY]
    for payment in expiring:
        payment["expires_at"] = int((now - timedelta(minutes=1)).timestamp())
    removed = [payment for payment in world[2::REMOVED_EVERY] if payment not in expiring]
    changed = [{**payment, "status": "refunded"} for payment in world[::CHANGED_EVERY]]

    writer = _Writer(aws.client("dynamodb"), table, on_progress)
    writer.write("inserted", ({"PutRequest": {"Item": _typed(payment)}} for payment in world))
    writer.write("changed", ({"PutRequest": {"Item": _typed(payment)}} for payment in changed))
    keys = ({"payment_id": {"S": payment["payment_id"]}} for payment in removed)
    writer.write("removed", ({"DeleteRequest": {"Key": key}} for key in keys))
    expired = aws.expire(table, time.time())
    on_progress(f"{expired:,} expired")
    return Seed({payment["payment_id"]: payment for payment in world}, len(changed), len(removed), expired)


class _Writer:
    def __init__(self, dynamodb: Any, table: str, on_progress: Callable[[str], None]) -> None:
        self._dynamodb, self._table, self._on_progress = dynamodb, table, on_progress

    def write(self, what: str, requests: Iterable[dict[str, Any]]) -> None:
        """Send requests in order, as many at a time as DynamoDB takes."""
        rest = list(requests)
        total = len(rest)
        while rest:
            now, rest = rest[:PER_REQUEST], rest[PER_REQUEST:]
            answer = self._dynamodb.batch_write_item(RequestItems={self._table: now})
            rest = answer.get("UnprocessedItems", {}).get(self._table, []) + rest
            self._on_progress(f"{total - len(rest):,} of {total:,} {what}")


def _typed(payment: dict[str, Any]) -> dict[str, Any]:
    serialize = TypeSerializer().serialize
    return {name: serialize(value) for name, value in payment.items()}
