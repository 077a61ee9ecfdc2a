"""Which versions of the token keys can retire, and from when: from what was seen of an environment.

A version must stay for as long as anything stands somewhere that only it opens: until the last event that was
made under it is gone from the feed. And people who are known under its name alone would come back as
strangers; who was erased, as somebody who was not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

DAY_S: Final = 86_400
ENABLED: Final = "Enabled"


@dataclass(frozen=True, slots=True)
class Function:
    """A function with token keys."""

    name: str
    policy: str | None
    """That of the stream that it is on; None for one that makes no tokens."""
    arns: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Use:
    """That a chain of manifests was last written with tokens of this version."""

    policy: str
    version: int
    at: int
    """Epoch seconds."""


@dataclass(slots=True)
class People:
    """Who is known by a name of one version."""

    live: int = 0
    erased: int = 0
    live_elsewhere: int = 0
    """Of the live, those known by a newer name too."""
    erased_elsewhere: int = 0
    """Of the erased, those with a tombstone under a newer name too."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of an environment."""

    functions: tuple[Function, ...]
    states: Mapping[str, str]
    """Of each key, by ARN, as KMS names it."""
    uses: tuple[Use, ...]
    kept_days: Mapping[str, int]
    """For how long events of each policy are kept: the longest that any of its versions has said."""
    people: Mapping[int, People] | None = field(default=None)
    """By version; None if nobody counted."""


def status(seen: Seen, now: float) -> dict[str, Any]:
    """What `tidegate keys status` says: of each version, newest first, and what is wrong."""
    versions = sorted({version for one in seen.functions for version in one.arns}, reverse=True)
    newest = max(versions, default=0)
    said = [_version(seen, version, newest, now) for version in versions]
    return {"versions": said, "findings": list(_findings(seen, versions))}


def _version(seen: Seen, version: int, newest: int, now: float) -> dict[str, Any]:
    having = [one for one in seen.functions if version in one.arns]
    arns = sorted({one.arns[version] for one in having})
    makers = sorted(one.name for one in having if one.policy and max(one.arns) == version)
    about: dict[str, Any] = {
        "version": version,
        "keys": [{"arn": arn, "state": seen.states.get(arn, "unknown")} for arn in arns],
        "makes_tokens_in": makers,
        "on_the_ring_of": sorted(one.name for one in having),
        "policies": _uses(seen, version),
    }
    if seen.people is not None:
        people = seen.people.get(version, People())
        about["people"] = {
            "live": people.live,
            "erased": people.erased,
            "live_known_under_a_newer_name": people.live_elsewhere,
            "erased_known_under_a_newer_name": people.erased_elsewhere,
        }
    about["retirement"] = None if version == newest else _retirement(seen, version, makers, now)
    return about


def _uses(seen: Seen, version: int) -> dict[str, dict[str, Any]]:
    uses: dict[str, list[int]] = {}
    for use in seen.uses:
        if use.version == version:
            uses.setdefault(use.policy, []).append(use.at)
    return {
        policy: {
            "first_seen": _iso(min(times)),
            "last_used": _iso(max(times)),
            "events_kept_days": seen.kept_days.get(policy),
        }
        for policy, times in sorted(uses.items())
    }


def _retirement(seen: Seen, version: int, makers: list[str], now: float) -> dict[str, Any]:
    """Whether and from when an older version can go, and what to mind."""
    people = None if seen.people is None else seen.people.get(version, People())
    ends = [
        use.at + seen.kept_days[use.policy] * DAY_S
        for use in seen.uses
        if use.version == version and use.policy in seen.kept_days
    ]
    unknown = {use.policy for use in seen.uses if use.version == version} - seen.kept_days.keys()
    over: float | None = max(ends, default=now)
    if makers:
        over, why = None, f"it makes tokens in {', '.join(makers)}"
    elif unknown:
        over, why = None, f"nothing says for how long events of {', '.join(sorted(unknown))} are kept"
    elif not ends:
        why = "nothing was made under it as far as the ledger knows"
    else:
        why = "the last events with its tokens are gone by then"
    free = people is not None and people.erased == people.erased_elsewhere
    return {
        "from": None if over is None else _iso(over),
        "now": over is not None and over <= now and free,
        "why": why,
        "warnings": list(_warnings(people)),
    }


def _warnings(people: People | None) -> Iterator[str]:
    if people is None:
        yield "people were not counted: leave out --no-people before retiring it"
        return
    if alone := people.erased - people.erased_elsewhere:
        yield (
            f"erased people known under it alone: {alone:,}. Without it they would come back as new ones: "
            "keep it while records of them may come, or erase them again by the ids of your case files"
        )
    if alone := people.live - people.live_elsewhere:
        yield (
            f"people known under it alone: {alone:,}. Without it they become strangers; their next record "
            "carries them over"
        )


def _findings(seen: Seen, versions: Iterable[int]) -> Iterator[str]:
    for version in versions:
        arns = {one.arns[version] for one in seen.functions if version in one.arns}
        if len(arns) > 1:
            yield f"version {version} is another key in some functions: their tokens do not join"
        if missing := sorted(one.name for one in seen.functions if version not in one.arns):
            yield f"version {version} is not on the ring of {', '.join(missing)}: apply again"
        for arn in sorted(arns):
            if (state := seen.states.get(arn, "unknown")) != ENABLED:
                yield f"the key of version {version}, {arn}, is {state}: no function can start with it"


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
