"""A new version of a function beside the one in force: what each holds, and whether the new one goes on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

RINGS: Final = "ALARM"
UNJUDGED: Final = "INSUFFICIENT_DATA"
DESCRIBED: Final = re.compile(
    r"(?P<release>.+), reaches (?P<reach>nothing more|[a-z ]+) \(policy (?P<policy>[^)]+)\)"
)
"""How terraform/modules/stream/function.tf describes each version."""


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A published version of a function on a stream."""

    number: int
    description: str = ""
    token_keys: frozenset[str] = frozenset()
    """The versions of token keys that it derives from."""

    @property
    def reach(self) -> frozenset[str]:
        """What its role has to let it reach besides, of alerts, erase, profiles and subjects."""
        found = DESCRIBED.fullmatch(self.description)
        return frozenset(found["reach"].split()) - {"nothing", "more"} if found else frozenset()

    def __str__(self) -> str:
        """By number, and by what it holds."""
        found = DESCRIBED.fullmatch(self.description)
        held = f"policy {found['policy']}: {found['release']}" if found else "made by an older Tidegate"
        return f"version {self.number} ({held})"


@dataclass(frozen=True, slots=True)
class Pointing:
    """Where the alias sends the batches."""

    version: int
    canary: int | None = None
    """The version that is tried beside it."""
    percent: int = 0
    """Of 100 batches, how many go there."""
    said: str = ""
    """The alias's description."""

    def __str__(self) -> str:
        if self.canary is None:
            return f"version {self.version}"
        return f"version {self.version}, {self.percent} % to version {self.canary}"


class Course(Enum):
    """What becomes of a canary."""

    WAIT = "wait"
    GO_ON = "went on"
    GO_BACK = "went back"
    UNPROVEN = "went back unproven"
    """No alarm rang, and no record came either."""
    STOLEN = "left alone"
    """Somebody else has moved the alias meanwhile."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is seen of a canary at one moment."""

    states: Mapping[str, str]
    """Of its alarms, by name."""
    records: int
    """That the new version has taken so far, redelivered ones included."""
    seconds: float
    """Since it began."""
    is_ours: bool = True
    """Whether the alias is still as this canary has set it."""

    @property
    def ringing(self) -> list[str]:
        """The alarms that ring, by name."""
        return sorted(name for name, state in self.states.items() if state == RINGS)

    @property
    def unjudged(self) -> list[str]:
        """The alarms that have had too little data to say anything."""
        return sorted(name for name, state in self.states.items() if state == UNJUDGED)


def decide(look: Look, for_s: float) -> Course:
    """What to do, of a canary that is watched for so many seconds."""
    if not look.is_ours:
        return Course.STOLEN
    if look.ringing:
        return Course.GO_BACK
    if look.seconds < for_s:
        return Course.WAIT
    return Course.GO_ON if look.records else Course.UNPROVEN


def before(versions: Iterable[Version], in_force: int, withdrawn: Iterable[int]) -> Version | None:
    """The version to roll back to: the newest before the one in force that was never withdrawn."""
    passed_over = set(withdrawn)
    return max(
        (one for one in versions if one.number < in_force and one.number not in passed_over), default=None
    )
