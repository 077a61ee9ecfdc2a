"""One verification: every link of a trail read, and every object that a manifest names asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from processor.audit import DAY_S, manifest_key
from processor.cli.ahead import each
from processor.cli.audit.editions import STREAM, Editions
from processor.errors import TidegateError
from processor.policy.sections import NAME
from processor.review.trail import (
    YOUNG_S,
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
    _editions: Editions = field(init=False)
    _told: set[str] = field(default_factory=set)
    """Policies that records name."""

    def flaws(self, reading: Callable[[str, int], None], steps: Callable[[int], None]) -> Iterator[Flaw]:
        """All that is wrong, as it is found.

        Args:
            reading: told what is being read, and of each step that is done.
            steps: told how many there are.

        Raises:
            Transient: AWS refused or did not answer.
            TidegateError: there is no trail.
        """
        everywhere = self.place.policies()
        policies = [self.policy] if self.policy else everywhere
        groups = [f"{STREAM}{policy}" for policy in policies] + ([] if self.policy else [*RECORDS])
        self._heads = {name: head for group in groups for name, head in self.place.heads(group)}
        self._editions = Editions(self.place, everywhere)
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
        for policy in policies:
            for stack in self._editions.stacks.get(policy, ()):
                yield from self._handled(stack)
        yield from self._editions.flaws(self.policy)
        if not self.policy:
            self._take_heads_of(self._told.difference(policies))
        yield from trail.walk(self._heads, self.place.head_of, self._editions.links_s, self.now, self.walked)

    def _take_heads_of(self, policies: set[str]) -> None:
        """Of policies that only records name: nothing else of them is there, so what heads know is gone."""
        for policy in sorted(policies):
            heads = self.place.heads(f"{STREAM}{policy}")
            # What was written since the first key was listed would seem to be gone.
            self._heads |= {name: head for name, head in heads if head.written < self.now}

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
            return _Read(None, (*self._handled(stack), unreadable))
        is_manifest = stack.key.startswith("manifests/")
        foreign = self.policy is not None and name.group != f"{STREAM}{self.policy}"
        if foreign and not is_manifest:
            return _Read(None, ())  # an erasure of the erase function, beside those of this stream
        link = None if foreign else (name, seen)
        if not is_manifest:
            self._told.update(_policies_in(name, record))
        if seen.day not in self.window:
            return _Read(link, ())
        flaws = tuple(self._handled(stack, name))
        flaw = misplaced(name, seen, record)
        if flaw is None and is_manifest:
            policy = stack.key.split("/")[1]
            self._editions.name(policy, _sha256(record), stack.written)
            flaw = self._object(record, policy, stack.written)
        return _Read(link, (*flaws, flaw) if flaw else flaws)

    def _handled(self, stack: Stack, name: Name | None = None) -> Iterator[Flaw]:
        """What was done to a key after it was written; `name` is of the chain, if it is a link."""
        if len(stack.versions) > 1:
            yield Flaw("versions", stack.key, f"it has {len(stack.versions)} versions")
        if stack.marker is not None and not (name and self._may_have_expired(stack, name)):
            yield Flaw("deleted", stack.key, f"it was deleted: the marker {stack.marker} hides it")

    def _may_have_expired(self, stack: Stack, name: Name) -> bool:
        _, kind, *_ = stack.key.split("/")
        is_of_stream = name.group.startswith(STREAM)
        head = self._heads.get(name)
        # A stream's erasures are kept as the other records are, not as its manifests are.
        own = stack.key.startswith("manifests/") or not is_of_stream
        kept = [
            self._editions.links_s(name.group if own else kind, stack.written),
            head.kept_s if head and own else None,
        ]
        known = [kept_s for kept_s in kept if kept_s is not None]
        return bool(known) and self.now >= stack.written + min(known) - DAY_S

    def _object(self, manifest: dict[str, Any], policy: str, written: float) -> Flaw | None:
        """Hold the object of events against what its manifest says."""
        described = manifest["object"]
        found = self.place.head(self.place.events_bucket, described["key"])
        if found is None:
            days = self._editions.events_days(policy, written)
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


def _sha256(manifest: dict[str, Any]) -> str:
    """Of the policy that a manifest names."""
    policy = manifest.get("policy")
    named = policy.get("sha256") if isinstance(policy, dict) else None
    return named if isinstance(named, str) and re.fullmatch(r"[0-9a-f]{64}", named) else "unnamed"


def _policies_in(name: Name, record: dict[str, Any]) -> set[str]:
    """The policies that a record names; in a forged one, anything may stand there."""
    listed = record.get("policies")
    named = [record.get("policy"), *(listed if isinstance(listed, list) else [])]
    found = [one.get("name") for one in named if isinstance(one, dict)]
    found += [name.group.removeprefix(STREAM)] if name.group.startswith(STREAM) else []
    return {one for one in found if isinstance(one, str) and re.fullmatch(NAME.pattern, one)}


def _widened(window: Window) -> Window:
    """With a day on each side: a stream may deliver a change up to a day late, between two of another day."""
    since, until = window.since, window.until
    if since != Window().since:
        since = (date.fromisoformat(since) - timedelta(days=1)).isoformat()
    if until != Window().until:
        until = (date.fromisoformat(until) + timedelta(days=1)).isoformat()
    return Window(since, until)
