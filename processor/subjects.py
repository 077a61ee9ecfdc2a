"""The people: a secret of each, while there is one, and a tombstone for each who was erased.

A person is kept under names (see `processor.policy.people`), one for each version of the token keys. Not all
functions have the same versions at all times, so all must come to one secret by whatever names they know:

- A new person is created under the *oldest* name first, which those with the shorter ring know too; then the
  secret is carried over to the newest, so that the old key can retire. What is carried over says from where
  (`previous`, all older names).
- A person is erased once *any* of the names is a tombstone. Erasing begins with the oldest name.

Creating and carrying over are conditional on an empty place (the first of two runs wins, and the other takes
what is there); erasing is not. So whichever way they cross, a person once erased stays erased.

AWS calls: dynamodb:BatchGetItem and dynamodb:PutItem (stream), dynamodb:BatchGetItem (detokenize),
dynamodb:GetItem without the secret and dynamodb:UpdateItem (erase; stream, where a removal erases) on the
subjects table.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import urandom
from typing import TYPE_CHECKING, Any, Final

from processor.aws import calling, items_of
from processor.crypto.keyring import SECRET_BYTES
from processor.errors import Transient

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

WRITES_AT_ONCE: Final = 8  # of new people: one after the other, a first batch of thousands would time out
NOBODY: Final = "#nobody"
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
        self._cache_until(now - self._cache_s)
        cached = {person[0]: self._cache[person[0]][1] for person in people if person[0] in self._cache}
        asked = [person for person in people if person[0] not in cached]
        there = self._read({name for person in asked for name in person})
        settled = {person[0]: there[person[0]] for person in asked if _is_settled(person, there)}
        rest = [person for person in asked if person[0] not in settled]
        if rest:
            with ThreadPoolExecutor(min(WRITES_AT_ONCE, len(rest))) as pool:
                made = pool.map(lambda person: self._settle(person, there), rest)
                settled |= {person[0]: secret for person, secret in zip(rest, made, strict=True)}
        self._cache |= {name: (now, secret) for name, secret in settled.items()}
        self._cache_until(now - self._cache_s)
        return cached | settled

    def known(self, names: Collection[str]) -> dict[str, bytes | None]:
        """What is under each of these names now: a secret, or None if erased; a name never seen is not in it.

        Two requests per 100 names, whoever they are of: the second looks whether an older name of the person
        is a tombstone, and asks for nobody where there is none, so that its time tells nothing.

        Raises:
            Transient: DynamoDB refused or did not answer.
        """
        items = self._items(names)
        older = {name: _previous(items.get(name, {})) or (f"{name}{NOBODY}",) for name in names}
        graves = {
            name for name, item in self._items(set().union(*older.values())).items() if "erased_at" in item
        }
        return {
            name: None if not graves.isdisjoint(older[name]) else _secret(item)
            for name, item in items.items()
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
        items, begun = self._without_secrets(person), int(self._clock())
        names = list(items)
        for at in reversed(range(len(names))):
            self._bury(names[at], names[at + 1 :])
        return min([begun, *_times(items.values(), "erased_at")])

    def _bury(self, name: str, older: Sequence[str]) -> None:
        values: dict[str, Any] = {":now": {"N": str(int(self._clock()))}}
        update = "SET erased_at = if_not_exists(erased_at, :now)"
        if older:
            values[":older"] = _listed(older)
            update += ", previous = if_not_exists(previous, :older)"
        with calling("dynamodb:UpdateItem on subjects"):
            self._dynamodb.update_item(
                TableName=self._table,
                Key={"subject": {"S": name}},
                UpdateExpression=f"{update} REMOVE secret",
                ExpressionAttributeValues=values,
                ReturnValues="NONE",
            )
        self._cache.pop(name, None)

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
            names += [older for older in _previous(item) if older not in found and older not in names]
        return found

    def _settle(self, person: Person, there: Mapping[str, bytes | None]) -> bytes | None:
        """Bring all the names of a person to one secret, or to none."""
        found = [name for name in person if name in there]
        oldest = person[-1]
        if any(there[name] is None for name in found):
            secret = None
        elif found:
            secret = there[found[-1]]
        else:
            secret = self._put(oldest, urandom(SECRET_BYTES))
            found = [oldest]
        if person[0] in found and there.get(person[0], secret) == secret:
            return secret
        return self._put(person[0], secret, previous=[name for name in found if name != person[0]])

    def _put(self, name: str, secret: bytes | None, previous: Sequence[str] = ()) -> bytes | None:
        """Put a secret where nothing is, or a tombstone (None) where there is none; what is there then."""
        item: dict[str, Any] = {"subject": {"S": name}, "created_at": {"N": str(int(self._clock()))}}
        item |= {"erased_at": item["created_at"]} if secret is None else {"secret": {"B": secret}}
        item |= {"previous": _listed(previous)} if previous else {}
        free = "attribute_not_exists(erased_at)" if secret is None else "attribute_not_exists(subject)"
        try:
            with calling("dynamodb:PutItem on subjects"):
                self._dynamodb.put_item(TableName=self._table, Item=item, ConditionExpression=free)
        except Transient as failure:
            if failure.code != "ConditionalCheckFailedException":
                raise
            return self._read([name])[name]
        return secret

    def _read(self, names: Collection[str]) -> dict[str, bytes | None]:
        return {name: _secret(item) for name, item in self._items(names).items()}

    def _items(self, names: Collection[str]) -> dict[str, dict[str, Any]]:
        what = "subject, secret, erased_at, previous"
        return {
            item["subject"]["S"]: item
            for item in items_of(self._batch_get_item, self._table, "subject", names, what)
        }

    def _batch_get_item(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        with calling("dynamodb:BatchGetItem on subjects"):
            answer: Mapping[str, Any] = self._dynamodb.batch_get_item(RequestItems=request)
        return answer

    def _cache_until(self, oldest: float) -> None:
        """Drop what is too old or too much: a secret that was destroyed must not stay in memory for good."""
        # The dict is in the order of age: what is asked for anew was dropped before.
        while self._cache:
            name = next(iter(self._cache))
            if self._cache[name][0] > oldest and len(self._cache) <= CACHED_MAX:
                return
            del self._cache[name]


def _is_settled(person: Person, there: Mapping[str, bytes | None]) -> bool:
    """Whether what is under the first name is all there is to know: no other name says otherwise."""
    return person[0] in there and all(there[name] == there[person[0]] for name in person[1:] if name in there)


def _secret(item: dict[str, Any]) -> bytes | None:
    return bytes(item["secret"]["B"]) if "secret" in item else None


def _previous(item: dict[str, Any]) -> Person:
    return tuple(older["S"] for older in item.get("previous", {}).get("L", ()))


def _listed(names: Sequence[str]) -> dict[str, Any]:
    return {"L": [{"S": name} for name in names]}


def _times(items: Collection[dict[str, Any]], attribute: str) -> list[int]:
    return [int(item[attribute]["N"]) for item in items if attribute in item]
