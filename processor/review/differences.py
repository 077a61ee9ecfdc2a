"""Differences between two policies, and the few ways in which two values are compared.

Every difference is wider, narrower or neutral, and comparing the other way round turns each about. What
cannot be told is both: it may be wider for one record and narrower for another.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTHING: Final = "—"  # stands where a policy says nothing


class Verdict(Enum):
    """What a difference does to how much is seen, or to what guards it."""

    WIDER = "+"
    NARROWER = "-"
    NEUTRAL = "~"

    @property
    def word(self) -> str:
        """As people say it."""
        return self.name.lower()

    @property
    def opposite(self) -> Verdict:
        """The verdict on the way back."""
        return {Verdict.WIDER: Verdict.NARROWER, Verdict.NARROWER: Verdict.WIDER}.get(self, self)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the new policy says otherwise."""

    subject: str
    """A path of `fields`, or a key of the policy, as in `routes.sns.events`."""
    aspect: str
    """What of it, as in `exposure`."""
    verdict: Verdict
    before: str
    after: str
    said: str = ""
    """What it means, in words."""
    exposure: tuple[float, float] | None = None
    """Of fields, how much is seen before and after, from 0 to 100."""

    @property
    def widening(self) -> float:
        """By how much more is seen."""
        return self.exposure[1] - self.exposure[0] if self.exposure else 0.0


Pair = tuple[Any, Any]
"""What the old policy says, and the new one."""

Rank = Callable[[Any], float | None]
"""How much a value lets out, for an order; None where that cannot be said."""


def verdict(before: float, after: float) -> Verdict:
    """On two numbers of which the greater lets out more."""
    if before == after:
        return Verdict.NEUTRAL
    return Verdict.WIDER if after > before else Verdict.NARROWER


def ranked(subject: str, aspect: str, pair: Pair, rank: Rank, said: str = "") -> Iterator[Difference]:
    """The difference between two values by how much each lets out: both ways where that cannot be said."""
    if pair[0] == pair[1]:
        return
    before, after = rank(pair[0]), rank(pair[1])
    if before is None or after is None:
        verdicts = [Verdict.WIDER, Verdict.NARROWER]
        said = f"{said}: may be either, look yourself"
    else:
        verdicts = [verdict(before, after)]
    for one in verdicts:
        yield Difference(subject, aspect, one, word(pair[0]), word(pair[1]), said)


def members(
    subject: str, aspect: str, pair: tuple[Collection[str], Collection[str]], added: Verdict, said: str = ""
) -> Iterator[Difference]:
    """What came to a set and what went: `added` is the verdict on the one, its opposite that on the other."""
    more, fewer = sorted(set(pair[1]) - set(pair[0])), sorted(set(pair[0]) - set(pair[1]))
    if more:
        yield Difference(subject, aspect, added, NOTHING, ", ".join(more), said)
    if fewer:
        yield Difference(subject, aspect, added.opposite, ", ".join(fewer), NOTHING, said)


def neutral(subject: str, aspect: str, pair: Pair, said: str = "") -> Iterator[Difference]:
    """A difference that shows nobody more."""
    if pair[0] != pair[1]:
        yield Difference(subject, aspect, Verdict.NEUTRAL, word(pair[0]), word(pair[1]), said)


def word(value: Any) -> str:
    """A value of a policy."""
    if value is None or value in ((), ""):
        return NOTHING
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def more(value: Any) -> float:
    """The rank of numbers of which more let out more."""
    return float(value)


def fewer(value: Any) -> float:
    """The rank of numbers of which fewer let out more."""
    return -float(value)


def in_order(*names: str) -> Rank:
    """The rank of names, given from the most careful to the most generous; of others nothing can be said."""
    return lambda name: float(names.index(name)) if name in names else None


def untold(_value: Any) -> None:
    """The rank of what only a person can compare."""
