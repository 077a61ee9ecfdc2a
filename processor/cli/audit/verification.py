"""One verification: every link of a trail read, and every object that a manifest names asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from processor.audit import DAY_S, manifest_key, policy_key
from processor.cli.audit.place import each
from processor.errors import TidegateError, Transient
from processor.review.trail import (
    Flaw,
    Head,
    Name,
    NotOfTheTrailError,
    Seen,
    Trail,
    Walked,
    Window,
    misplaced,
    read_link,
)
from processor.sinks import FENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from processor.cli.audit.place import Place, Stack

RECORDS: Final = ("detokenize", "erase")
YOUNG_S: Final = 900  # the longest that a function runs: the manifest of a new object may be on its way


@dataclass(frozen=True, slots=True)
class _Read:
    """What was found at one key."""

    link: tuple[Name, Seen] | None
    flaws: tuple[Flaw, ...]


@dataclass(slots=True)
class Verification:
    """Of the trail of one environment.

    Args:
        place: where it is.
        policy: the only one whose manifests are walked; with none, all are, and the other records.
        window: days of keys.
        now: epoch seconds.
    """

    place: Place
    policy: str | None
    window: Window
    now: float
    objects: int = 0
    """Objects of events that a manifest was held against."""
    fences: int = 0
    young: int = 0
    """Objects of events so new that their manifests may not be there yet."""
    walked: Walked = field(default_factory=Walked)
    _heads: dict[Name, Head] = field(default_factory=dict)
    _retention: dict[tuple[str, str], int | Flaw] = field(default_factory=dict)

    def flaws(self, reading: Callable[[str, int], None], steps: Callable[[int], None]) -> Iterator[Flaw]:
        """All that is wrong, as it is found.

        Args:
            reading: told what is being read, and of each step that is done.
            steps: told how many there are.

        Raises:
            Transient: AWS refused or did not answer.
            TidegateError: there is no trail.
        """
        policies = [self.policy] if self.policy else self.place.policies()
        groups = [f"stream/{policy}" for policy in policies] + ([] if self.policy else [*RECORDS])
        self._heads = {name: head for group in groups for name, head in self.place.heads(group)}
        around = _widened(self.window)
        trail = Trail(self.window)
        days = [(policy, day) for policy in policies for day in self._days(policy, around)]
        kinds = [RECORDS[1]] if self.policy else [*RECORDS]
        records = [(kind, day) for kind in kinds for day in self._record_days(kind, around)]
        if not (self._heads or days or records):
            raise TidegateError(
                f"{self.place.audit_bucket} holds no trail"
                + (f" of a policy {self.policy}" if self.policy else "")
                + ": is it the right environment?"
            )
        steps(len(days) + len(records))
        for policy, day in days:
            reading(f"{policy} {day}", 0)
            yield from self._manifests(trail, policy, day)
            reading(f"{policy} {day}", 1)
        for kind, day in records:
            reading(f"{kind} {day}", 0)
            stacks = self.place.stacks(self.place.audit_bucket, f"records/{kind}/dt={day}/")
            yield from self._taken(trail, stacks)
            reading(f"{kind} {day}", 1)
        yield from (flaw for flaw in self._retention.values() if isinstance(flaw, Flaw))
        yield from trail.walk(self._heads, self.place.head_of, self.now, self.walked)

    def _days(self, policy: str, window: Window) -> list[str]:
        manifests = self.place.days(self.place.audit_bucket, f"manifests/{policy}/", window)
        events = self.place.days(self.place.events_bucket, f"events/{policy}/", window)
        return sorted({*manifests, *events}, reverse=True)

    def _record_days(self, kind: str, window: Window) -> list[str]:
        return self.place.days(self.place.audit_bucket, f"records/{kind}/", window)

    def _manifests(self, trail: Trail, policy: str, day: str) -> Iterator[Flaw]:
        # Objects first: each that is listed then has its manifest in what is listed afterwards.
        prefix = f"events/{policy}/dt={day}/"
        objects = [
            stack
            for stack in (self.place.stacks(self.place.events_bucket, prefix) if day in self.window else ())
            if stack.marker is None
        ]
        described: set[str] = set()

        def seen() -> Iterator[Stack]:
            for stack in self.place.stacks(self.place.audit_bucket, f"manifests/{policy}/dt={day}/"):
                described.add(stack.key)
                yield stack

        yield from self._taken(trail, seen())
        unlisted = (stack for stack in objects if manifest_key(stack.key) not in described)
        yield from filter(None, each(self._unlisted, unlisted))

    def _taken(self, trail: Trail, stacks: Iterable[Stack]) -> Iterator[Flaw]:
        """Read links into the trail."""
        for read in each(self._link, stacks):
            yield from read.flaws
            if read.link is not None and (flaw := trail.add(*read.link)):
                yield flaw

    def _link(self, stack: Stack) -> _Read:
        body = self.place.read(self.place.audit_bucket, stack.key, stack.versions[-1])
        try:
            name, seen, record = read_link(stack.key, body, stack.written)
        except NotOfTheTrailError as error:
            unreadable = Flaw("unreadable", stack.key, f"it is not a record of the trail: {error}")
            return _Read(None, (*self._handled(stack, None), unreadable))
        if self.policy and name.group != f"stream/{self.policy}":
            return _Read(None, ())  # an erasure of the erase function, beside those of this stream
        if seen.day not in self.window:
            return _Read((name, seen), ())
        flaws = tuple(self._handled(stack, self._heads.get(name)))
        flaw = misplaced(name, seen, record)
        if flaw is None and stack.key.startswith("manifests/"):
            flaw = self._object(record, stack.written)
        return _Read((name, seen), (*flaws, flaw) if flaw else flaws)

    def _handled(self, stack: Stack, head: Head | None) -> Iterator[Flaw]:
        """What was done to a key after it was written."""
        if len(stack.versions) > 1:
            yield Flaw("versions", stack.key, f"it has {len(stack.versions)} versions")
        expired = head is not None and self.now >= stack.written + head.kept_s - DAY_S
        if stack.marker is not None and not expired:
            yield Flaw("deleted", stack.key, f"it was deleted: the marker {stack.marker} hides it")

    def _object(self, manifest: dict[str, Any], written: float) -> Flaw | None:
        """Hold the object of events against what its manifest says."""
        described, policy = manifest["object"], manifest.get("policy")
        named = policy if isinstance(policy, dict) else {}
        days = self._events_days(str(named.get("name")), str(named.get("sha256")))
        found = self.place.head(self.place.events_bucket, described["key"])
        if found is None:
            if days is not None and self.now >= written + (days - 1) * DAY_S:
                return None
            words = "the events of its manifest are not there"
            return Flaw("object missing", described["key"], words)
        self.objects += 1
        pairs = {
            "checksum": (found.get("ChecksumSHA256"), described.get("sha256")),
            "size": (found.get("ContentLength"), described.get("bytes")),
            "version": (found.get("VersionId"), described.get("version_id") or found.get("VersionId")),
        }
        differing = [what for what, (is_now, was) in pairs.items() if is_now != was]
        if not differing:
            return None
        verb = "are" if len(differing) > 1 else "is"
        words = f"its {' and '.join(differing)} {verb} not what the manifest says"
        return Flaw("object altered", described["key"], words)

    def _events_days(self, policy: str, sha256: str) -> int | None:
        """How long the policy of a manifest keeps events; None if that cannot be told."""
        which = policy, sha256
        if which not in self._retention:
            self._retention[which] = self._read_retention(policy, sha256)
        days = self._retention[which]
        return days if isinstance(days, int) else None

    def _read_retention(self, policy: str, sha256: str) -> int | Flaw:
        key = policy_key(policy, sha256)
        try:
            compiled = json.loads(self.place.read(self.place.audit_bucket, key))
            if compiled["sha256"] == sha256:
                return int(compiled["policy"]["retention_days"]["events"])
        except Transient as failure:
            if failure.code != "NoSuchKey":
                raise
            return Flaw("policy", key, "the policy that manifests name is not there")
        except (ValueError, KeyError, TypeError, RecursionError):
            pass
        return Flaw("policy", key, "it is not the policy that its key names")

    def _unlisted(self, stack: Stack) -> Flaw | None:
        """What is wrong with an object of events that no manifest names."""
        found = self.place.head(self.place.events_bucket, stack.key)
        if found is None:
            return None
        if found.get("Metadata", {}).items() >= FENCE.items():
            self.fences += 1
            return None
        if self.now - stack.written < YOUNG_S:
            self.young += 1
            return None
        return Flaw("unlisted", stack.key, "it has no manifest")


def _widened(window: Window) -> Window:
    """With a day on each side: a stream may deliver a change up to a day late, between two of another day."""
    since, until = window.since, window.until
    if since != Window().since:
        since = (date.fromisoformat(since) - timedelta(days=1)).isoformat()
    if until != Window().until:
        until = (date.fromisoformat(until) + timedelta(days=1)).isoformat()
    return Window(since, until)
