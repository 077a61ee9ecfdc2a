"""Stream records whose every raw value is a canary: a text or a number that stands nowhere else.

What the policies keep is no canary: ids of payments, amounts, times, states.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from random import Random

CANARY: Final = "canaryvogel"
DIGITS: Final = "4707740774"
"""How numbers begin that are canaries."""
STREAM: Final = "arn:aws:dynamodb:eu-west-1:123456789012:table/{table}/stream/2026-11-23T00:00:00.000"
BEGUN: Final = 1_795_467_845  # 2026-11-23T21:04:05Z
FIRST: Final = 1_100_000_000_017_454_423_009
LARGE: Final = "fair use " * 6_000
AMOUNTS: Final = ("3", "12", "12.5", "40", "250", "900.25", "5000")

POISONS: Final = {
    "number": "an amount that is none",
    "nobody": "the person is missing, whom the policy requires",
    "kind": "an unknown kind of change",
    "type": "a value of a type that there is not",
    "time": "no time",
    "keys": "no keys",
    "deep": "nested deeper than DynamoDB nests",
    "stream": "from a stream that is none",
}
"""What makes a record one that can never pass, under any of the policies."""


Name = tuple[str, str]
"""Event id and sequence number."""


@dataclass(frozen=True, slots=True)
class Told:
    """A record of the stream, and what the world knows of it."""

    index: int
    raw: dict[str, Any]
    item: int
    people: frozenset[str]
    """The subjects of its images, as they stand in them."""
    shard: str
    """`0`, `1`, or children `0.0`, `0.1` of a shard that was split."""
    sequence: int
    poison: str
    """One of POISONS; empty where it can pass."""
    is_twin: bool = False
    """Whether another record has its event id: then it may be held, if both are in one batch."""

    @property
    def name(self) -> Name:
        """By which one knows it in events and alerts."""
        return str(self.raw["eventID"]), str(self.raw["dynamodb"]["SequenceNumber"])


class Source:
    """Writes to a table, as the stream tells it.

    Args:
        table: its name: `payments`, or `members`, whose key is the person.
        chance: decides what is written.
        items: how many there are.
        people: how many there are.
    """

    def __init__(self, table: str, chance: Random, items: int, people: int) -> None:
        self._table, self._chance = table, chance
        self._marks = 0
        self._images: dict[int, dict[str, Any] | None] = dict.fromkeys(range(items))
        self._owner = {item: item for item in range(items)}
        if table != "members":
            self._owner = {item: chance.randrange(people) for item in range(items)}

    def write(
        self, index: int, sequence: int, shard_of: dict[int, str], poison: str = "", *, is_large: bool = False
    ) -> Told:
        """One more change of some item; a large one does not fit into an alert."""
        item = self._chance.choice(list(self._images))
        old = self._images[item]
        kind = "INSERT" if old is None else "REMOVE" if self._chance.random() < 0.25 else "MODIFY"
        new = None if kind == "REMOVE" else self._image(item)
        if new and is_large:
            new["terms"] = {"M": {f"part{at}": {"S": LARGE} for at in range(5)}}
        self._images[item] = new
        key = "member_id" if self._table == "members" else "payment_id"
        body: dict[str, Any] = {
            "ApproximateCreationDateTime": BEGUN + index,
            "Keys": {key: (new or old or {})[key]},
            "SequenceNumber": str(sequence),
            "SizeBytes": 1,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        }
        body |= {"NewImage": dict(new)} if new else {}
        body |= {"OldImage": dict(old)} if old else {}
        raw = {
            "eventID": f"{index:032x}",
            "eventName": kind,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "eu-west-1",
            "dynamodb": body,
            "eventSourceARN": STREAM.format(table=self._table),
        }
        if poison:
            self._spoil(raw, poison)
        subject = "member_id" if self._table == "members" else "customer_id"
        people = {image[subject]["S"] for image in (new, old) if image}
        return Told(index, raw, item, frozenset(people), shard_of[item], sequence, poison)

    def _image(self, item: int) -> dict[str, Any]:
        mark, digits = self._mark, self._digits
        image = {
            "amount": {"N": self._chance.choice(AMOUNTS)},
            "created_at": {"S": f"2026-11-23T{self._chance.randrange(24):02}:04:05Z"},
            "status": {"S": self._chance.choice(["approved", "declined", "chargeback"])},
            "terminal_id": {"S": f"shop-{self._chance.randrange(3)}"},
            "email": {"S": f"{mark()}@Mail.example"},
            "phone": {"S": f"+{digits()}"},
            "name": {"S": f"Jane {mark()}"},
            "account": {"S": mark()},
            "card": {"M": {"number": {"S": digits()}, "holder": {"S": mark()}}},
            "note": {"S": f"write to {mark()}@mail.example soon"},
            "visits": {"L": [{"M": {"place": {"S": mark()}}}]},
            "unheard_of": {"S": mark()},
            f"{mark()} of Jane's": {"SS": [mark(), mark()]},
            "blob": {"B": b64encode(mark().encode()).decode()},
        }
        person = f"{CANARY}person{self._owner[item]}"
        if self._table == "members":
            return {"member_id": {"S": person}} | image
        return {"payment_id": {"S": f"p-{item}"}, "customer_id": {"S": person}} | image

    def _mark(self) -> str:
        self._marks += 1
        return f"{CANARY}{self._marks:04x}"

    def _digits(self) -> str:
        self._marks += 1
        return f"{DIGITS}{self._marks:06d}"

    def _spoil(self, raw: dict[str, Any], poison: str) -> None:
        body = raw["dynamodb"]
        image = body["NewImage" if "NewImage" in body else "OldImage"]
        if poison == "number":
            image["amount"] = {"N": self._mark()}
        elif poison == "nobody":
            image.pop("customer_id" if self._table == "payments" else "member_id")
        elif poison == "kind":
            raw["eventName"] = self._mark()
        elif poison == "type":
            image["status"] = {self._mark(): self._mark()}
        elif poison == "time":
            body["ApproximateCreationDateTime"] = self._mark()
        elif poison == "keys":
            del body["Keys"]
        elif poison == "stream":
            raw["eventSourceARN"] = self._mark()
        elif poison == "deep":
            value: dict[str, Any] = {"S": self._mark()}
            for _ in range(40):
                value = {"M": {"in": value}}
            image["note"] = value
