"""Erasure by removal: with `on_remove: erase`, the person whose record is removed is forgotten.

AWS calls: those of `Subjects.erase`, and s3:PutObject under `records/erase/` through the chain.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from processor.audit import Chain
    from processor.policy import Plan
    from processor.stream import Change
    from processor.subjects import Person, Subjects

SCHEMA: Final = "tidegate.erasure/1"
ERASED_AT_ONCE: Final = 8  # three requests each: a batch that is all removals must not run into the timeout


class Removals:
    """Forgets people in the name of one policy.

    Args:
        plan: the policy.
        subjects: the table of people.
        chain: of the audit trail.
        function: the name of the function that runs this, for the record.
        clock: epoch seconds.
    """

    def __init__(
        self,
        *,
        plan: Plan,
        subjects: Subjects,
        chain: Chain,
        function: str,
        clock: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._subjects, self._chain, self._function, self._policy = subjects, chain, function, plan.name
        covered = {"name": plan.name, "version": plan.version, "sha256": plan.sha256}
        self._covered = {**covered, "fields": list(plan.subject_fields)}

    def forget(self, removed: Sequence[tuple[Person, Change]]) -> int:
        """Erase the people of these removals and record it, once for the same removals; how many they are.

        Raises:
            Transient: some may be erased; the next delivery goes on from there.
        """
        people = sorted({person for person, _ in removed})
        if not people:
            return 0
        begun = int(self._clock())
        with ThreadPoolExecutor(min(ERASED_AT_ONCE, len(people))) as pool:
            times = list(pool.map(self._subjects.erase, people))
        changes = [change for _, change in removed]
        latest = max(change.time for change in changes)
        record: dict[str, Any] = {
            "schema": SCHEMA,
            "kind": "erase",
            "time": _iso(latest),
            "who": self._function,
            "reason": f"removed from the table {changes[0].table}",
            "subjects": [name for person in people for name in person],
            "erased_at": _iso(max(times)),
            "again": max(times) < begun,
            "policies": [self._covered],
            "events": sorted(change.event_id for change in changes),
        }
        self._chain.append(self._key(record["events"], latest), record)
        return len(people)

    def _key(self, events: list[str], latest: int) -> str:
        """A function of the removals: the same delivered again finds its record there."""
        name = blake2b("/".join(events).encode(), digest_size=8).hexdigest()
        when = datetime.fromtimestamp(latest, UTC)
        return f"records/erase/dt={when:%Y-%m-%d}/{when:%H%M%S}-{self._policy}-{name}.json"


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
