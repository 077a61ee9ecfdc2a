"""For how long things were to be kept, by the versions of the policies that lie beside the manifests.

A bucket's lifecycle is that of the version in force, and goes for what was written under earlier ones, too.
So whether something may be gone is a question for all versions that were in force since it was written: those
that were put or that a manifest names since, and the last that was put before.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from processor.audit import DAY_S, policy_key
from processor.errors import Transient
from processor.review.trail import Flaw

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from processor.cli.audit.place import Place, Stack

STREAM: Final = "stream/"


@dataclass(frozen=True, slots=True)
class Edition:
    """What one version of a policy says."""

    put: float
    """When the first gate with it wrote its first manifest, epoch seconds."""
    events_days: int
    audit_days: int


class Editions:
    """All versions of all policies, as far as they are there.

    Args:
        place: where they lie.
        policies: their names.

    Raises:
        Transient: AWS refused or did not answer.
    """

    def __init__(self, place: Place, policies: Iterable[str]) -> None:
        self._place = place
        self._found: dict[str, dict[str, Edition | Flaw]] = {policy: {} for policy in policies}
        self._named: dict[tuple[str, str], float] = {}
        self.stacks: dict[str, list[Stack]] = {}
        """What stands at their keys, by policy."""
        for policy, found in self._found.items():
            self.stacks[policy] = list(place.stacks(place.audit_bucket, f"policies/{policy}/"))
            for stack in self.stacks[policy]:
                sha256 = stack.key.rpartition("/")[2].removesuffix(".json")
                found[sha256] = self._read(policy, sha256, stack.written, stack.versions[-1])

    def name(self, policy: str, sha256: str, at: float) -> None:
        """Take in that a manifest of this moment names this version."""
        found = self._found.setdefault(policy, {})
        if sha256 not in found:  # put since, or never
            found[sha256] = self._read(policy, sha256, at)
        self._named[policy, sha256] = max(at, self._named.get((policy, sha256), at))

    def flaws(self, policy: str | None) -> Iterator[Flaw]:
        """Those versions that cannot be read: of one policy, or of all."""
        for name, found in sorted(self._found.items()):
            if policy in {None, name}:
                yield from (one for one in found.values() if isinstance(one, Flaw))

    def events_days(self, policy: str, since: float) -> int | None:
        """How long objects of events that were written then are kept at least; None if nobody says."""
        return min((one.events_days for one in self._in_force(policy, since)), default=None)

    def links_s(self, group: str, since: float) -> float | None:
        """How long the links of a group of chains that were written then are kept at least, in seconds."""
        if group.startswith(STREAM):
            days = self._audit_days(group.removeprefix(STREAM), since)
        else:
            # Records are kept for as long as the longest of the policies asks.
            each = (self._audit_days(policy, since) for policy in list(self._found))
            days = max((one for one in each if one is not None), default=None)
        return None if days is None else days * DAY_S

    def _audit_days(self, policy: str, since: float) -> int | None:
        return min((one.audit_days for one in self._in_force(policy, since)), default=None)

    def _in_force(self, policy: str, since: float) -> list[Edition]:
        known = [
            (sha256, one)
            for sha256, one in list(self._found.get(policy, {}).items())
            if isinstance(one, Edition)
        ]
        before = max((one.put for _, one in known if one.put <= since), default=since)
        return [
            one
            for sha256, one in known
            if one.put >= before or self._named.get((policy, sha256), -math.inf) >= since
        ]

    def _read(self, policy: str, sha256: str, put: float, version: str | None = None) -> Edition | Flaw:
        key = policy_key(policy, sha256)
        try:
            compiled = json.loads(self._place.read(self._place.audit_bucket, key, version))
            if compiled["sha256"] == sha256:
                days = compiled["policy"]["retention_days"]
                return Edition(put, int(days["events"]), int(days["audit"]))
        except Transient as failure:
            if failure.code != "NoSuchKey":
                raise
            return Flaw("policy", key, "the policy that manifests name is not there")
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            pass
        return Flaw("policy", key, "it is not the policy that its key names")
