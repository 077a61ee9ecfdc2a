"""What an auditor asks of the trail: where an event is from, what was done to a person or a field."""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from processor.audit import manifest_key, policy_key
from processor.cli.ahead import each
from processor.cli.audit.place import EVENTS_BYTES_MAX
from processor.errors import PolicyError, Transient
from processor.identities import NAME
from processor.policy import load_plan
from processor.review.lineage import lineage
from processor.review.trail import NotOfTheTrailError, Window, read_link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from processor.cli.audit.place import Place, Stack
    from processor.review.lineage import Traced

EVERY: Final = Window()
GZIP_WBITS: Final = 31


@dataclass(slots=True)
class Found:
    """An event, and what the trail says of it."""

    event: dict[str, Any]
    key: str
    """Of its object."""
    manifest: dict[str, Any] | None = None
    traced: list[Traced] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    """Why what is shown proves nothing."""


def find_event(
    place: Place, event_id: str, policy: str | None, day: str | None, reading: Callable[[str, int], None]
) -> Found | None:
    """Look for an event, newest day first, and hold it against its manifest and its policy.

    Raises:
        Transient: AWS refused or did not answer.
    """
    window = Window(day, day) if day else EVERY
    policies = [policy] if policy else place.policies()
    days = {
        (day, name) for name in policies for day in place.days(place.events_bucket, f"events/{name}/", window)
    }
    needle = f'"event_id":{json.dumps(event_id)}'.encode()

    def look(stack: Stack) -> tuple[str, bytes, dict[str, Any]] | None:
        body = place.read(place.events_bucket, stack.key, most=EVENTS_BYTES_MAX)
        event = _event_in(body, needle, event_id)
        return (stack.key, body, event) if event else None

    for day_at, name in sorted(days, reverse=True):
        reading(f"{name} {day_at}", 0)
        stacks = place.stacks(place.events_bucket, f"events/{name}/dt={day_at}/")
        for seen in each(look, (stack for stack in stacks if stack.marker is None)):
            if seen is not None:
                return _held_against_trail(place, *seen)
        reading(f"{name} {day_at}", 1)
    return None


def _event_in(body: bytes, needle: bytes, event_id: str) -> dict[str, Any] | None:
    try:
        lines = zlib.decompressobj(GZIP_WBITS).decompress(body, EVENTS_BYTES_MAX)
    except zlib.error:
        return None  # `audit verify` names it
    if needle not in lines:
        return None
    for line in lines.splitlines():
        if needle in line:
            event = json.loads(line)
            if isinstance(event, dict) and event.get("event_id") == event_id:
                return event
    return None


def _held_against_trail(place: Place, key: str, body: bytes, event: dict[str, Any]) -> Found:
    found = Found(event, key)
    where = manifest_key(key)
    try:
        _, _, found.manifest = read_link(where, place.read(place.audit_bucket, where), 0.0)
    except NotOfTheTrailError as error:
        found.findings.append(f"{where} is no manifest: {error}")
    except Transient as failure:
        if failure.code != "NoSuchKey":
            raise
        found.findings.append(f"{where} is not there: no manifest vouches for this event")
    else:
        described = found.manifest.get("object")
        checksum = b64encode(sha256(body).digest()).decode()
        if not isinstance(described, dict) or described.get("sha256") != checksum:
            found.findings.append(f"{key} is not what {where} vouches for: its checksum differs")
        if _part(found.manifest, "policy").get("sha256") != _part(event, "policy").get("sha256"):
            found.findings.append(f"{where} names another policy than the event")
    _trace(place, found)
    return found


def _trace(place: Place, found: Found) -> None:
    named = _part(found.event, "policy")
    key = policy_key(str(named.get("name")), str(named.get("sha256")))
    try:
        plan = load_plan(place.read(place.audit_bucket, key))
    except Transient as failure:
        if failure.code != "NoSuchKey":
            raise
        found.findings.append(f"{key} is not there: compile that version of the policy again")
    except PolicyError:
        found.findings.append(f"{key} is no policy that this version can read")
    else:
        if plan.sha256 != named.get("sha256"):
            found.findings.append(f"{key} is not the policy that its key names")
        found.traced = lineage(plan, found.event)


def records(
    place: Place, kind: str, reading: Callable[[str, int], None]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The keys and records of a kind, oldest first; what is no record is left to `audit verify` to name."""

    def read(stack: Stack) -> tuple[str, dict[str, Any]] | None:
        try:
            body = place.read(place.audit_bucket, stack.key, stack.versions[-1])
            return stack.key, read_link(stack.key, body, stack.written)[2]
        except NotOfTheTrailError:
            return None

    for day in reversed(place.days(place.audit_bucket, f"records/{kind}/", EVERY)):
        reading(f"{kind} {day}", 0)
        stacks = place.stacks(place.audit_bucket, f"records/{kind}/dt={day}/")
        yield from filter(None, each(read, stacks))
        reading(f"{kind} {day}", 1)


def of_person(
    place: Place, name: str, reading: Callable[[str, int], None]
) -> tuple[set[str], list[tuple[str, dict[str, Any]]]]:
    """The names that records give to one person, and all records that name the person, oldest first."""
    told = [one for kind in ("erase", "detokenize") for one in records(place, kind, reading)]
    people = [names for _, record in told for names in _people(record) if len(names) > 1]
    # Each tells the names under the key versions of its time: one name leads to the others.
    names, before = {name}, 0
    while len(names) > before:
        before = len(names)
        names.update(*(one for one in people if one & names))
    found = [(key, record) for key, record in told if _subjects(record) & names]
    return names, sorted(found, key=lambda one: (str(one[1].get("time")), one[0]))


def _people(record: dict[str, Any]) -> list[set[str]]:
    """The names in a record, those together of which it is certain that they are one person's."""
    if record.get("refused"):
        return []  # it may have been refused for naming two
    if record.get("kind") == "detokenize":
        # Several tokens may be of several people, and their names stand there as one heap.
        counts = _part(record, "fields").values()
        return [_subjects(record)] if sum(count for count in counts if type(count) is int) == 1 else []
    if "events" not in record:
        return [_subjects(record)]  # an erasure is of one person
    # Removals are of many, one after the other, the names of each from the newest key version to the oldest.
    people: list[set[str]] = []
    last: tuple[str, int] | None = None
    for name in record["subjects"] if isinstance(record.get("subjects"), list) else ():
        parts = NAME.fullmatch(name) if isinstance(name, str) else None
        if parts is None:
            return []
        domain, version = parts["domain"], int(parts["version"])
        if last is None or last[0] != domain or last[1] <= version:
            people.append(set())
        people[-1].add(name)
        last = domain, version
    return people


def _subjects(record: dict[str, Any]) -> set[str]:
    said = record.get("subjects")
    return {name for name in said if isinstance(name, str)} if isinstance(said, list) else set()


@dataclass(slots=True)
class Version:
    """What one version of a policy did to a field."""

    policy: str
    version: Any
    sha256: str
    rule: list[dict[str, Any]] = field(default_factory=list)
    """The field's rule, or its cases, as compiled; none where no rule names the field."""
    values: Counter[str] = field(default_factory=Counter)
    """How many, by action."""
    manifests: int = 0
    since: str = ""
    until: str = ""
    """Days of the first and the last manifest."""


def of_field(
    place: Place, path: str, policy: str | None, reading: Callable[[str, int], None]
) -> tuple[list[Version], list[tuple[str, dict[str, Any]]]]:
    """What each version of the policies did to a field, and the detokenizations of it, oldest first."""
    versions: dict[tuple[str, str], Version] = {}
    for name in [policy] if policy else place.policies():
        for stack in place.stacks(place.audit_bucket, f"policies/{name}/"):
            version = _compiled(place, stack, name, path)
            versions[name, version.sha256] = version
        for day in reversed(place.days(place.audit_bucket, f"manifests/{name}/", EVERY)):
            reading(f"{name} {day}", 0)
            stacks = place.stacks(place.audit_bucket, f"manifests/{name}/dt={day}/")
            for manifest in filter(None, each(lambda stack: _manifest(place, stack), stacks)):
                _count(versions, name, day, manifest, path)
            reading(f"{name} {day}", 1)
    opened = [
        (key, record)
        for key, record in records(place, "detokenize", reading)
        if path in (_part(record, "fields")) and policy in {None, _part(record, "policy").get("name")}
    ]
    ordered = sorted(versions.values(), key=lambda one: (one.policy, str(one.since or "~"), str(one.version)))
    return ordered, sorted(opened, key=lambda one: (str(one[1].get("time")), one[0]))


def _compiled(place: Place, stack: Stack, name: str, path: str) -> Version:
    sha = stack.key.rpartition("/")[2].removesuffix(".json")
    try:
        document = json.loads(place.read(place.audit_bucket, stack.key, stack.versions[-1]))
    except ValueError:
        document = {}
    compiled = _part(document, "policy")
    rule = _part(compiled, "fields").get(path)
    cases = rule if isinstance(rule, list) else [rule]
    return Version(name, compiled.get("version"), sha, [case for case in cases if isinstance(case, dict)])


def _manifest(place: Place, stack: Stack) -> dict[str, Any] | None:
    try:
        body = place.read(place.audit_bucket, stack.key, stack.versions[-1])
        return read_link(stack.key, body, stack.written)[2]
    except NotOfTheTrailError:
        return None


def _count(
    versions: dict[tuple[str, str], Version], name: str, day: str, manifest: dict[str, Any], path: str
) -> None:
    policy = _part(manifest, "policy")
    sha = str(policy.get("sha256"))
    version = versions.setdefault((name, sha), Version(name, policy.get("version"), sha))
    version.manifests += 1
    version.since, version.until = min(version.since or day, day), max(version.until, day)
    for done in manifest.get("actions", []):
        if done["field"] == path:
            version.values[done["action"]] += done["count"]


def _part(document: Any, name: str) -> dict[str, Any]:
    part = document.get(name) if isinstance(document, dict) else None
    return part if isinstance(part, dict) else {}
