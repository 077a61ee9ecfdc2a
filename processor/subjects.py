"""The people: a secret of each, while there is one, and a tombstone for each who was erased.

A person is kept under names (see `processor.policy.people`), one for each version of the token keys, newest
first. The first is where the secret is looked for. After a rotation a person is still under an older name:
then what is there is carried over to the first, so that nobody becomes a stranger and no one erased is back.

Creating is conditional (the first of two runs wins, and the other takes its secret); erasing is not, and
reaches every name. So whichever way the two cross, a person once erased stays erased: who comes late to carry
over or to create finds a tombstone in the place.

AWS calls: dynamodb:BatchGetItem and dynamodb:PutItem (stream), dynamodb:BatchGetItem (detokenize),
dynamodb:GetItem without the secret and dynamodb:UpdateItem (erase; stream, where a removal erases) on the
subjects table.
"""

from __future__ import annotations

from dataclasses import dataclass
from os import urandom
from time import sleep
from typing import TYPE_CHECKING, Any, Final

from processor.aws import calling
from processor.crypto.keyring import SECRET_BYTES
from processor.errors import Transient

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

KEYS_MAX: Final = 100  # of one BatchGetItem
TRIES_MAX: Final = 8  # for what DynamoDB leaves unprocessed
WAIT_S: Final = 0.05  # before the second try, doubling
NAMES_MAX: Final = 100  # of one person: as many rotations
CACHED_MAX: Final = 20_000  # people: some 10 MB

Person = tuple[str, ...]
"""Names, newest key first."""


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a person, without the secret. Epoch seconds, None for never."""

    names: Person
    """Those asked for, and older ones that they led to."""
    created_at: int | None
    erased_at: int | None
    """When it was begun: when the first of the names was."""
    last_erased_at: int | None
    """When it was done; None while a secret is left under any name, as where an erasure was interrupted."""

    @property
    def seen(self) -> bool:
        """Whether there ever was anything of this person."""
        return self.created_at is not None or self.erased_at is not None


class Subjects:
    """The subjects table.

    Args:
        dynamodb: the client.
        table: its name.
        clock: epoch seconds.
        cache_s: how long a secret may be used without asking again: an erasure is in force within that time.
    """

    def __init__(self, *, dynamodb: Any, table: str, clock: Callable[[], float], cache_s: float = 60) -> None:
        self._dynamodb, self._table, self._clock, self._cache_s = dynamodb, table, clock, cache_s
        self._cache: dict[str, tuple[float, bytes | None]] = {}

    def __repr__(self) -> str:
        return f"Subjects({self._table!r})"  # never a secret

    def secrets(self, people: Collection[Person]) -> dict[str, bytes | None]:
        """The secret of each person by the first name, None if erased; who has none yet gets one.

        In the normal case that is one request per 100 people who were not asked for within `cache_s`.

        Raises:
            Transient: DynamoDB refused or did not answer. Some people may have got a secret.
        """
        now = self._clock()
        cached = {
            person[0]: found[1]
            for person in people
            if (found := self._cache.get(person[0])) is not None and now - found[0] < self._cache_s
        }
        asked = [person for person in people if person[0] not in cached]
        there = self.known({name for person in asked for name in person}) if asked else {}
        fresh = {person[0]: self._found_or_made(person, there) for person in asked}
        self._remember(fresh, now)
        return cached | fresh

    def known(self, names: Collection[str]) -> dict[str, bytes | None]:
        """What is under each of these names now: a secret, or None if erased; a name never seen is not in it.

        Raises:
            Transient: DynamoDB refused or did not answer.
        """
        ordered = sorted(names)  # the same request for the same people: what is under test can be compared
        batches = (ordered[at : at + KEYS_MAX] for at in range(0, len(ordered), KEYS_MAX))
        return {
            item["subject"]["S"]: _secret(item) for batch in batches for item in self._batch_get_item(batch)
        }

    def state(self, person: Person) -> State:
        """What is known of a person; the secret is not read.

        Raises:
            Transient: DynamoDB refused or did not answer.
        """
        items = self._without_secrets(person)
        created, erased = (_times(items.values(), name) for name in ("created_at", "erased_at"))
        is_left = any(item and "erased_at" not in item for item in items.values())
        return State(
            names=tuple(items),
            created_at=min(created, default=None),
            erased_at=min(erased, default=None),
            last_erased_at=None if is_left else max(erased, default=None),
        )

    def erase(self, person: Person) -> int:
        """Destroy the secret under every name and leave a tombstone; when the person was (first) erased.

        Raises:
            Transient: some names may be done; again is safe and goes on.
        """
        items, now = self._without_secrets(person), int(self._clock())
        names = list(items)
        for name, older in zip(names, [*names[1:], None], strict=True):
            values = {":now": {"N": str(now)}} | ({":older": {"S": older}} if older else {})
            known = ", previous = if_not_exists(previous, :older)" if older else ""
            with calling("dynamodb:UpdateItem on subjects"):
                self._dynamodb.update_item(
                    TableName=self._table,
                    Key={"subject": {"S": name}},
                    UpdateExpression=f"SET erased_at = if_not_exists(erased_at, :now){known} REMOVE secret",
                    ExpressionAttributeValues=values,
                    ReturnValues="NONE",
                )
            self._cache.pop(name, None)
        return min([now, *_times(items.values(), "erased_at")])

    def _without_secrets(self, person: Person) -> dict[str, dict[str, Any]]:
        """What is under each name: those given, and older ones, whose keys may have left the ring."""
        found: dict[str, dict[str, Any]] = {}
        names = list(person)
        while names and len(found) < NAMES_MAX:
            name = names.pop(0)
            with calling("dynamodb:GetItem on subjects"):
                answer = self._dynamodb.get_item(
                    TableName=self._table,
                    Key={"subject": {"S": name}},
                    ProjectionExpression="created_at, erased_at, previous",
                    ConsistentRead=True,
                )
            found[name] = item = answer.get("Item", {})
            older = item.get("previous", {}).get("S")
            if older and older not in found and older not in names:
                names.append(older)
        return found

    def _found_or_made(self, person: Person, there: dict[str, bytes | None]) -> bytes | None:
        first, *older = person
        if first in there:
            return there[first]
        for name in older:
            if name in there:
                return self._create(first, there[name], previous=name)
        return self._create(first, urandom(SECRET_BYTES))

    def _create(self, name: str, secret: bytes | None, previous: str = "") -> bytes | None:
        """Put a secret (None: a tombstone) where nothing is; what is there then."""
        item: dict[str, Any] = {"subject": {"S": name}, "created_at": {"N": str(int(self._clock()))}}
        item |= {"erased_at": item["created_at"]} if secret is None else {"secret": {"B": secret}}
        item |= {"previous": {"S": previous}} if previous else {}
        try:
            with calling("dynamodb:PutItem on subjects"):
                self._dynamodb.put_item(
                    TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(subject)"
                )
        except Transient as failure:
            if failure.code != "ConditionalCheckFailedException":
                raise
            return self.known([name])[name]
        return secret

    def _batch_get_item(self, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        request: dict[str, Any] = {
            self._table: {
                "Keys": [{"subject": {"S": name}} for name in names],
                "ProjectionExpression": "subject, secret",
                "ConsistentRead": True,
            }
        }
        for attempt in range(TRIES_MAX):
            if attempt:
                sleep(WAIT_S * 2 ** (attempt - 1))
            with calling("dynamodb:BatchGetItem on subjects"):
                answer = self._dynamodb.batch_get_item(RequestItems=request)
            yield from answer.get("Responses", {}).get(self._table, [])
            request = answer.get("UnprocessedKeys") or {}
            if not request:
                return
        raise Transient(f"dynamodb:BatchGetItem on subjects: keys left unprocessed {TRIES_MAX} times")

    def _remember(self, fresh: dict[str, bytes | None], now: float) -> None:
        for name, secret in fresh.items():
            # Anew at the end: the dict is in the order of age, and the oldest go first.
            self._cache.pop(name, None)
            self._cache[name] = now, secret
        while len(self._cache) > CACHED_MAX:
            del self._cache[next(iter(self._cache))]


def _secret(item: dict[str, Any]) -> bytes | None:
    return bytes(item["secret"]["B"]) if "secret" in item else None


def _times(items: Collection[dict[str, Any]], attribute: str) -> list[int]:
    return [int(item[attribute]["N"]) for item in items if attribute in item]
