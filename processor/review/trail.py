"""The audit trail, walked: what is broken, missing or altered in its chains, and in which of their links.

Nothing here reads from AWS. Who does adds each link as it was read, and gives the heads as they were *before*
the first link was read: all that a head knows of was then there, whatever was written meanwhile.

Of a link only hashes and its key are kept: some 400 bytes, so that a million fit a laptop.
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b, sha256
from typing import TYPE_CHECKING, Any, Final

from processor.audit import DAY_S, HEAD_OUTLIVES_DAYS, manifest_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

WRITER_LIVES_DAYS: Final = 2  # Lambda replaces an execution environment within hours
YOUNG_S: Final = 900  # the longest that a function runs: what names a new thing may be on its way
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_CHAIN: Final = re.compile(r"(detokenize|erase|stream/[a-z0-9_-]{1,63}) [0-9A-Za-z]{1,64}")
_OBJECT_KEY: Final = re.compile(r"events(/[^/]+){3}(/backfill=[^/]+)?/[^/]+")
_CLOUDTRAIL: Final = "CloudTrail's data events of the bucket say who"

REMEDIES: Final = {
    "broken": f"One of the two was replaced: {_CLOUDTRAIL} wrote to them; compare both with a backup.",
    "altered": f"{_CLOUDTRAIL} wrote it; what it says now proves nothing.",
    "missing": f"{_CLOUDTRAIL} deleted under this prefix, and older versions may still be there.",
    "gone": f"{_CLOUDTRAIL} deleted under this prefix, and older versions may still be there.",
    "headless": "Somebody deleted its head from the ledger table, or wrote links that no gate did.",
    "behind": "Somebody turned back its head in the ledger table, or wrote links that no gate did.",
    "unwitnessed": f"A gate that ends before the head of its first link leaves that: {_CLOUDTRAIL} wrote it.",
    "twice": f"Only one of them is the gate's: {_CLOUDTRAIL} wrote the other.",
    "unreadable": f"No gate wrote it: {_CLOUDTRAIL} did.",
    "misplaced": f"It was copied or moved: {_CLOUDTRAIL} did.",
    "versions": f"The first was walked, the gate never writes a second: {_CLOUDTRAIL} did.",
    "deleted": f"What the marker hides was walked: delete the marker to restore it. {_CLOUDTRAIL} set it.",
    "object missing": f"Its retention has not passed. {_CLOUDTRAIL} deleted it; look for older versions.",
    "object altered": f"Do not use it: {_CLOUDTRAIL} wrote it. The gate's is the version in the manifest.",
    "unlisted": "No manifest vouches for it. The gate writes one when the stream delivers the batch again.",
    "policy": "Lineage cannot be shown. Compile that version of the policy again, from its commit.",
}
"""What to do about each kind of flaw."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is not as the gate left it."""

    kind: str
    """Of `REMEDIES`."""
    place: str
    """The key of an object, or a chain as `chain <group>/<id>`."""
    words: str

    def __str__(self) -> str:
        return f"{self.place}: {self.words}. {REMEDIES[self.kind]}"


@dataclass(frozen=True, slots=True)
class Name:
    """Of a chain."""

    group: str
    id: str

    def __str__(self) -> str:
        return f"chain {self.group}/{self.id}"


@dataclass(frozen=True, slots=True)
class Seen:
    """A link as it was read."""

    key: str
    number: int
    sha256: bytes
    """Of the bytes that were read."""
    previous: bytes | None
    written: float
    """Epoch seconds."""

    @property
    def day(self) -> str:
        """As its key says, YYYY-MM-DD."""
        return day_of(self.key)


@dataclass(frozen=True, slots=True)
class Head:
    """What the ledger knows of a chain."""

    links: int
    sha256: bytes
    written: float
    expires: float

    @property
    def kept_s(self) -> float:
        """How long the bucket keeps a link."""
        return self.expires - self.written - HEAD_OUTLIVES_DAYS * DAY_S


@dataclass(frozen=True, slots=True)
class Window:
    """Days of keys, both included, YYYY-MM-DD."""

    since: str = "0000"
    until: str = "9999"

    def __contains__(self, day: str) -> bool:
        return self.since <= day <= self.until


@dataclass(slots=True)
class Walked:
    """How much was walked, in counts."""

    chains: int = 0
    links: int = 0
    unwitnessed: dict[str, float] = field(default_factory=dict)
    """Links that neither a successor nor a head names, with when they were written."""
    newer: int = 0
    """Links written since the walk began: left for the next one."""
    reaching_out: int = 0
    """Chains with links outside of the window or beyond the retention, where not all was checked."""


class NotOfTheTrailError(ValueError):
    """Bytes that no gate wrote. Its text quotes nothing of them."""


def day_of(key: str) -> str:
    """The day that a key names, YYYY-MM-DD; empty if it names none."""
    found = re.search(r"/dt=(\d{4}-\d{2}-\d{2})/", key)
    return found[1] if found else ""


def read_link(key: str, body: bytes, written: float) -> tuple[Name, Seen, dict[str, Any]]:
    """A link's chain, the link, and the record that it carries.

    Raises:
        NotOfTheTrailError: what it lacks.
    """
    try:
        record = json.loads(body)
    except (ValueError, RecursionError):
        raise NotOfTheTrailError("it is not JSON") from None
    place = record.get("chain") if isinstance(record, dict) else None
    if not isinstance(place, dict):
        raise NotOfTheTrailError("it is a link of no chain")
    group, name, number, previous = (place.get(part) for part in ("group", "id", "link", "previous"))
    if not (isinstance(group, str) and isinstance(name, str) and _CHAIN.fullmatch(f"{group} {name}")):
        raise NotOfTheTrailError("it does not say of which chain it is")
    if not (type(number) is int and number > 0):
        raise NotOfTheTrailError("it does not say which link of its chain it is")
    if previous is not None and not (isinstance(previous, str) and _HASH.fullmatch(previous)):
        raise NotOfTheTrailError("its `previous` is no SHA-256")
    hashed = None if previous is None else bytes.fromhex(previous)
    return Name(group, name), Seen(key, number, sha256(body).digest(), hashed, written), record


def misplaced(name: Name, seen: Seen, record: Mapping[str, Any]) -> Flaw | None:
    """The flaw of a link that says of itself that it belongs elsewhere than where it was read."""
    folder, owner, *_ = seen.key.split("/")
    if folder == "manifests":
        described = record.get("object")
        key = described.get("key") if isinstance(described, dict) else None
        fits = isinstance(key, str) and bool(_OBJECT_KEY.fullmatch(key)) and manifest_key(key) == seen.key
        fits = fits and name.group == f"stream/{owner}"
    elif owner == "erase" and name.group.startswith("stream/"):
        fits = record.get("kind") == owner and _is_of_removals(seen.key, name.group, record.get("events"))
    else:
        fits = record.get("kind") == owner == name.group
        fits = fits and seen.key.endswith(f"-{name.id}-{seen.number}.json")
    if fits:
        return None
    return Flaw("misplaced", seen.key, f"it is link {seen.number} of {name}, which has no place here")


def _is_of_removals(key: str, group: str, events: Any) -> bool:
    """Whether a key is that of the record of these removals; see `processor.removals`."""
    if not (isinstance(events, list) and all(isinstance(event, str) for event in events)):
        return False
    digest = blake2b("/".join(sorted(events)).encode(), digest_size=8).hexdigest()
    owner = re.escape(group.removeprefix("stream/"))
    return re.fullmatch(rf"\d{{6}}-{owner}-{digest}\.json", key.rpartition("/")[2]) is not None


@dataclass(slots=True)
class Trail:
    """All links that were read, by chain."""

    window: Window = field(default_factory=Window)
    chains: dict[Name, dict[int, Seen]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, name: Name, seen: Seen) -> Flaw | None:
        """Take a link in; the flaw if there is such a link already."""
        other = self.chains[name].setdefault(seen.number, seen)
        if other is seen:
            return None
        return Flaw(
            "twice", seen.key, f"it says that it is link {seen.number} of {name}, and so does {other.key}"
        )

    def walk(
        self,
        heads: Mapping[Name, Head],
        again: Callable[[Name], Head | None],
        kept: Callable[[str, float], float | None],
        now: float,
        walked: Walked,
    ) -> Iterator[Flaw]:
        """What is wrong, chain by chain.

        Args:
            heads: as they were before the first link was read.
            again: reads a head anew.
            kept: for how many seconds at least the bucket keeps the links of a group that were written since
                a moment, by all that was said of it since; None if that cannot be told.
            now: epoch seconds, not after the heads were read.
            walked: counts are added to it.
        """
        for name in sorted(self.chains.keys() | heads.keys(), key=str):
            links = self.chains.get(name, {})
            if links and not any(link.day in self.window for link in links.values()):
                continue
            head = heads.get(name)
            times = [link.written for link in links.values()] + ([head.written] if head else [])
            said = kept(name.group, min(times) - WRITER_LIVES_DAYS * DAY_S)
            kept_s = min(math.inf if said is None else said, head.kept_s if head else math.inf)
            yield from _Walk(name, links, head, kept_s, self.window, now, walked).flaws(again)


@dataclass(slots=True)
class _Walk:
    """Of one chain."""

    name: Name
    links: dict[int, Seen]
    head: Head | None
    kept_s: float
    """For how long at least the bucket keeps a link."""
    window: Window
    now: float
    walked: Walked
    head_expired: bool = False
    doubted: bool = False
    """Whether the head was read again, so that what it says is said."""

    def flaws(self, again: Callable[[Name], Head | None]) -> Iterator[Flaw]:
        if not self.links:
            yield from self._gone()
            return
        self.walked.chains += 1
        yield from self._head(again)
        self.walked.links += len(self.links)
        yield from self._missing()
        yield from self._altered()

    @property
    def known(self) -> int:
        """Links that were there for certain when the walk began."""
        return self.head.links if self.head else 0

    def _gone(self) -> Iterator[Flaw]:
        head = self.head
        assert head is not None, "a chain has links or a head"  # noqa: S101
        if not self._may_have_expired(head.written) and _day(head.written) in self.window:
            self.walked.chains += 1
            words = f"its head knows {_links(1, head.links)}, and no object of it is there"
            yield Flaw("gone", str(self.name), words)

    def _head(self, again: Callable[[Name], Head | None]) -> Iterator[Flaw]:
        """Leave out what is newer than the walk; a head that does not know it now was tampered with."""
        top = max(self.links)
        head_gone_s = self.kept_s + (HEAD_OUTLIVES_DAYS - 1) * DAY_S
        if self.head is None and self.now >= self.links[top].written + head_gone_s:
            self.head_expired = True
            return
        if top <= self.known + 1:
            return
        later = again(self.name)
        self.doubted = True
        if later is None:
            yield Flaw("headless", str(self.name), f"it has links up to {top} and no head")
        elif later.links < top - 1:
            words = f"it has links up to {top}, and its head knows {later.links}"
            yield Flaw("behind", str(self.name), words)
        else:
            kept = {number: link for number, link in self.links.items() if number <= self.known + 1}
            self.walked.newer += len(self.links) - len(kept)
            self.links = kept

    def _missing(self) -> Iterator[Flaw]:
        numbers = sorted(self.links)
        if not numbers:
            return
        low, high = 1, max(self.known, numbers[-1])
        first, last = self.links[numbers[0]], self.links[numbers[-1]]
        if first.day <= self.window.since:
            low = first.number
        if last.number < high and last.day >= self.window.until:
            high = last.number
        reaching_out = low > 1 or high < self.known or self.head_expired
        for before, after in zip([low - 1, *numbers], [*numbers, high + 1], strict=True):
            if after - before == 1:
                continue
            around = [self.links[number] for number in (before, after) if number in self.links]
            # What expires goes in no order, and an erasure is kept for longer than the manifests around it.
            follows = self.links.get(after) or self.head
            if follows is not None and self._may_have_expired(follows.written):
                reaching_out = True
            # A change may come up to a day late, so what is missing beside a link of a day that is read for
            # its neighbours only may be of a day that is not read.
            elif all(link.day in self.window for link in around):
                missing = _links(before + 1, after - 1)
                verb = "are" if after - before > 2 else "is"  # noqa: PLR2004  the one between two
                yield Flaw(
                    "missing", str(self.name), f"{missing} {verb} missing{self._between(before, after)}"
                )
        self.walked.reaching_out += reaching_out

    def _between(self, before: int, after: int) -> str:
        around = [self.links[number].key for number in (before, after) if number in self.links]
        return f" ({'between' if len(around) > 1 else 'beside'} {' and '.join(around)})"

    def _may_have_expired(self, followed: float) -> bool:
        """Whether the bucket may have let go of a link that was followed by something of that moment."""
        return self.now >= followed - WRITER_LIVES_DAYS * DAY_S + self.kept_s

    def _altered(self) -> Iterator[Flaw]:
        """From the last link to the first: a link that is vouched for vouches for the one before it."""
        sound: set[int] = set()
        altered: set[int] = set()
        breaks: list[tuple[int, Flaw]] = []
        for number in sorted(self.links, reverse=True):
            link, successor = self.links[number], self.links.get(number + 1)
            if broken := self._broken(link):
                breaks.append((number, broken))
            if self.head is not None and number == self.head.links:
                said, by = self.head.sha256, "the head of its chain"
            elif successor is not None and number + 1 in sound:
                said, by = successor.previous or b"", f"link {number + 1} ({successor.key})"
            else:
                if number > self.known and (flaw := self._unwitnessed(link)):
                    yield flaw
                continue
            if link.sha256 == said:
                sound.add(number)
            else:
                altered.add(number)
                words = f"it is link {number} of {self.name}, and its bytes are not those that {by} names"
                yield Flaw("altered", link.key, words)
        # The first break is named in any case, others where no altered link explains them.
        for number, flaw in reversed(breaks):
            if number == breaks[-1][0] or not {number, number - 1} & altered:
                yield flaw

    def _unwitnessed(self, link: Seen) -> Flaw | None:
        """Whether that is more than a head that did not come, or did not come yet."""
        if self.head_expired:
            return None
        self.walked.unwitnessed[link.key] = link.written
        if self.doubted or self.head is not None or self.now - link.written < YOUNG_S:
            return None
        words = f"it is link {link.number} of {self.name}, and neither a later link nor a head names it"
        return Flaw("unwitnessed", link.key, words)

    def _broken(self, link: Seen) -> Flaw | None:
        before = self.links.get(link.number - 1)
        wanted = before.sha256 if before else link.previous
        if link.previous == wanted and (link.previous is None) == (link.number == 1):
            return None
        what = f"the hash of link {link.number - 1}" + (f" ({before.key})" if before else "")
        if link.number == 1:
            what = "null, as a first link's is"
        words = f"{self.name} breaks at this link, {link.number}: its `previous` is not {what}"
        return Flaw("broken", link.key, words)


def _links(first: int, last: int) -> str:
    return f"link {first:,}" if first == last else f"links {first:,} to {last:,}"


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
