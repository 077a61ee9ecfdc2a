"""The profiles: what is known of customers, terminals and the like, as totals that are only added to.

An entity is kept under pseudonyms of its raw value, one for each version of the token keys; where it is the
policy's subject, the person's secret goes into them, so that an erased person's profile belongs to nobody.
What is under the names of older keys still counts, because totals add up; new totals go to the newest.

An event counts once: the run that *created* its object adds it, right afterwards, and no other does; and it
tries no addition again whose answer was lost. A run that dies in between leaves its batch out, and one that
DynamoDB refuses leaves out some entities, which it counts (`ProfilesMissed`): a profile never counts an event
twice, and misses at most those of such batches.

AWS calls: dynamodb:BatchGetItem and dynamodb:UpdateItem on the profiles table.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from processor.aws import calling, items_of
from processor.errors import Transient

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from processor.scoring import Memory
    from processor.scoring.profiles import Known, Profile

    Entity = tuple[str, Any]
    """The name of a profile, and a raw value."""
    Names = Callable[[Profile, Any, Mapping[str, bytes | None]], tuple[str, ...]]
    """From a profile, a raw value and the secrets of people to the names of an entity, newest first."""

KEY: Final = "entity"
WRITES_AT_ONCE: Final = 16
KEPT_LIVES: Final = 4  # of the longest window, after which an idle entity is forgotten
DAY_S: Final = 86_400
PARTS_MAX: Final = 100  # of one UpdateItem, whose expression may have 4 KB and 300 operators
ONCE: Final = frozenset({KEY, "first", "last", "confirmed", "expires_at"})
MET: Final = "m."
"""What the names of sets begin with: of the counterparts met on a day."""


@dataclass(frozen=True, slots=True)
class Recollection:
    """What is known of a batch's entities."""

    memory: Memory
    names: Mapping[Entity, str]
    """Under which totals are added; an erased person has none."""
    kept: Mapping[str, frozenset[str]]
    """The attributes that each name has."""


class Profiles:
    """The profiles table, for one model.

    Args:
        dynamodb: the client.
        adding: one that tries no call again. Who adds twice because the first answer was lost counts double.
        table: its name.
        profiles: of the model.
        names: under which an entity is kept; none for an erased person.
        read_only: the names of profiles that another model keeps, which has them alike.
    """

    def __init__(
        self,
        *,
        dynamodb: Any,
        adding: Any,
        table: str,
        profiles: Sequence[Profile],
        names: Names,
        read_only: Collection[str] = (),
    ) -> None:
        self._dynamodb, self._adding, self._table, self._names = dynamodb, adding, table, names
        self._read_only = frozenset(read_only)
        self._profiles = {profile.name: profile for profile in profiles}

    def recall(
        self, entities: Collection[Entity], secrets: Mapping[str, bytes | None], memory: Memory
    ) -> Recollection:
        """What is known of the entities, put into the memory: one request per 100.

        Raises:
            Transient: DynamoDB refused or did not answer.
        """
        names = {entity: self._names(self._profiles[entity[0]], entity[1], secrets) for entity in entities}
        keys = set().union(*names.values())
        items = {item[KEY]["S"]: item for item in items_of(self._batch_get_item, self._table, KEY, keys, "")}
        for entity, known_as in names.items():
            profile = self._profiles[entity[0]]
            for item in (items[name] for name in known_as if name in items):
                _recall(memory.of(profile, entity[1]), profile, item)
        kept = {name: frozenset(item) - ONCE for name, item in items.items()}
        return Recollection(
            memory, {entity: known_as[0] for entity, known_as in names.items() if known_as}, kept
        )

    def add(self, additions: Memory, to: Recollection, is_late: Callable[[], bool]) -> int:
        """Add totals to what is kept: one request per entity. Answers how many had to be left out.

        Args:
            additions: the totals.
            to: what was known before, and they.
            is_late: whether there is no time for another request.
        """

        def write(entity: Entity) -> bool:
            if (name := to.names.get(entity)) is None:
                return True
            if is_late():
                return False
            profile = self._profiles[entity[0]]
            known = to.memory.of(profile, entity[1])
            stale = known.faded(profile, to.kept.get(name, frozenset()))
            try:
                for update in _updates(profile, additions[entity], known, stale):
                    with calling("dynamodb:UpdateItem on profiles"):
                        self._adding.update_item(TableName=self._table, Key={KEY: {"S": name}}, **update)
            except Transient:
                return False
            return True

        entities = [entity for entity in additions if entity[0] not in self._read_only]
        if not entities:
            return 0
        with ThreadPoolExecutor(min(WRITES_AT_ONCE, len(entities))) as pool:
            return len(entities) - sum(pool.map(write, entities))

    def _batch_get_item(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        with calling("dynamodb:BatchGetItem on profiles"):
            answer: Mapping[str, Any] = self._dynamodb.batch_get_item(RequestItems=request)
        return answer


def _recall(known: Known, profile: Profile, item: Mapping[str, Any]) -> None:
    totals = {name: int(value["N"]) for name, value in item.items() if name not in ONCE and "N" in value}
    known.recall(profile, totals)
    for name, value in item.items():
        if name.startswith(MET) and "NS" in value:
            day = int(name.removeprefix(MET))
            known.met = known.met | {
                int(short): max(day, known.met.get(int(short), day)) for short in value["NS"]
            }
    known.first = min(known.first, _seconds(item, "first", math.inf))
    known.last = max(known.last, _seconds(item, "last", -math.inf))
    known.confirmed = max(known.confirmed, _seconds(item, "confirmed", -math.inf))


def _seconds(item: Mapping[str, Any], name: str, otherwise: float) -> float:
    return float(item[name]["N"]) if name in item else otherwise


def _updates(profile: Profile, added: Known, known: Known, stale: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The UpdateItem that adds the totals, says when, and takes away what has faded; more if that is much."""
    parts: list[tuple[str, str, Any]] = [
        ("ADD", name, {"N": str(total)}) for name, total in added.additions(profile).items()
    ]
    days: dict[str, list[str]] = {}
    for short, day in added.met.items():
        days.setdefault(f"{MET}{day}", []).append(str(short))
    parts += [("ADD", name, {"NS": sorted(shorts)}) for name, shorts in days.items()]
    moments = {name: getattr(known, name) for name in ("first", "last", "confirmed")}
    parts += [("SET", name, {"N": repr(time)}) for name, time in moments.items() if math.isfinite(time)]
    if math.isfinite(known.last):
        expires = int(known.last) + KEPT_LIVES * max(profile.days) * DAY_S
        parts.append(("SET", "expires_at", {"N": str(expires)}))
    parts += [("REMOVE", name, None) for name in stale]
    for at in range(0, len(parts), PARTS_MAX):
        yield _update(parts[at : at + PARTS_MAX])


def _update(parts: Sequence[tuple[str, str, Any]]) -> dict[str, Any]:
    said: dict[str, list[str]] = {}
    for at, (verb, _, _) in enumerate(parts):
        form = {"ADD": f"#{at} :{at}", "SET": f"#{at} = :{at}", "REMOVE": f"#{at}"}[verb]
        said.setdefault(verb, []).append(form)
    values = {f":{at}": value for at, (_, _, value) in enumerate(parts) if value is not None}
    return {
        "UpdateExpression": " ".join(f"{verb} {', '.join(forms)}" for verb, forms in said.items()),
        "ExpressionAttributeNames": {f"#{at}": name for at, (_, name, _) in enumerate(parts)},
    } | ({"ExpressionAttributeValues": values} if values else {})
