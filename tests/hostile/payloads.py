"""Payloads as large as Lambda delivers them, one shape each, as the text that comes over the wire."""

from __future__ import annotations

import json
from itertools import count, islice
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

PAYLOAD_BYTES: Final = 6 * 1024 * 1024
RECORDS_MAX: Final = 10_000
ITEM_BYTES: Final = 400_000
STREAM: Final = "arn:aws:dynamodb:eu-west-1:123456789012:table/payments/stream/2026-11-23T00:00:00.000"

PAYMENT: Final = {
    "customer_id": {"S": "cus_5f3a9c"},
    "created_at": {"S": "2026-11-23T21:04:05Z"},
    "amount": {"N": "12.50"},
    "currency": {"S": "EUR"},
    "status": {"S": "settled"},
    "email": {"S": "jane.doe@example.com"},
    "phone": {"S": "+44 7700 900123"},
    "name": {"S": "Jane Doe"},
    "birth_date": {"S": "1987-04-12"},
    "ip": {"S": "203.0.113.77"},
    "card": {"M": {"number": {"S": "4111 1111 1111 1111"}, "network": {"S": "visa"}}},
    "address": {
        "M": {"street": {"S": "12 High Street"}, "country": {"S": "GB"}, "postcode": {"S": "AB1 2CD"}}
    },
    "note": {"S": "please call before you come, the bell is out of order"},
    "tags": {"SS": ["gift", "express"]},
    "items": {"L": [{"M": {"sku": {"S": "A-1"}, "quantity": {"N": "2"}, "price": {"N": "6.25"}}}]},
}

Image = dict[str, Any]


def _lists(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"S": "deep"}
    for _ in range(levels - 1):
        value = {"L": [value]}
    return value


def _times(value: Any, size: int) -> list[Any]:
    """As many equal members as there is room for."""
    return [value] * (size // (len(json.dumps(value, separators=(",", ":"))) + 1))


def _named(size: int) -> Image:
    return {f"a{at:05}": {"S": ""} for at in range(size // 17)}


DEEP, GIFT = _lists(31), {"M": {"sku": {"S": "s"}, "gift_message": {"S": ""}}}

SHAPES: Final[dict[str, Callable[[int], Image]]] = {
    "payments": lambda _: {},
    "small": lambda _: {name: {"NULL": True} for name in PAYMENT if name != "customer_id"},
    "text": lambda size: {"note": {"S": "the bell is out of order. " * (size // 26)}},
    "telephone text": lambda size: {"note": {"S": "(0)" * (size // 3)}},  # takes longest to look through
    "texts": lambda size: {"items": {"L": _times({"M": {"gift_message": {"S": "1 " * 100}}}, size)}},
    "unknown binary": lambda size: {"surprise": {"B": "QUJD" * (size // 4)}},
    "deep": lambda size: {"items": {"L": _times(DEEP, size)}},
    "unknown deep": lambda size: {"surprise": {"L": _times(DEEP, size)}},
    "unknown nulls": lambda size: {"surprise": {"L": _times({"NULL": True}, size)}},
    "unknown numbers": lambda size: {"surprise": {"L": _times({"N": "7"}, size)}},
    "lists": lambda size: {"items": {"L": _times({"L": []}, size)}},
    "items": lambda size: {"items": {"L": _times(GIFT, size)}},
    "numbers": lambda size: {"tags": {"NS": [f"{at}.5" for at in range(size // 9)]}},
    "set": lambda size: {"tags": {"SS": [f"{at:06x}" for at in range(size // 9)]}},
    "attributes": _named,
    "map": lambda size: {"card": {"M": _named(size)}},
}
"""What makes the attributes beside the usual ones, with so many bytes of JSON."""


def payload(
    shape: str,
    size: int = PAYLOAD_BYTES,
    *,
    item_bytes: int = ITEM_BYTES,
    poison: bool = False,
    first: int = 0,
) -> str:
    """A delivery of records with images of this shape, as many as there is room for, one at least.

    Args:
        shape: a key of `SHAPES`.
        size: bytes of JSON.
        item_bytes: of JSON, what the shape adds to each record.
        poison: whether each record ends with a value that cannot be decoded, so that it is quarantined whole.
        first: of the stream, the first record's number.
    """
    image = PAYMENT | SHAPES[shape](item_bytes)
    if poison:
        image |= {"zz": {"N": "many"}}
    filled = json.dumps(image, separators=(",", ":"))[1:]
    one = len(_record(0, filled)) + 1
    texts = (_record(at, filled) for at in count(first))
    return f'{{"Records":[{",".join(islice(texts, min(RECORDS_MAX, max(1, size // one))))}]}}'


def _record(at: int, image: str) -> str:
    key = f'{{"payment_id":{{"S":"p-{at}"}}'
    return (
        f'{{"eventID":"{at:032x}","eventName":"INSERT","eventVersion":"1.1","eventSource":"aws:dynamodb",'
        f'"awsRegion":"eu-west-1","eventSourceARN":"{STREAM}","dynamodb":{{"SequenceNumber":"{10**20 + at}",'
        f'"ApproximateCreationDateTime":1795467845,"Keys":{key}}},"NewImage":{key},{image}}}}}'
    )
