"""What the gate did to one change, counted: names of rules and entities, never a value or key of a record."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

REDACTED = "[redacted]"
"""What stands where a value was. It says that there was one, and nothing else."""


class Mismatch(Exception):  # noqa: N818  an outcome with a name, not an error
    """An action met a type or a form that it does not handle: the value is redacted and counted."""


class Erased(Mismatch):
    """An action needs the secret of a person who was erased: the value is redacted and counted."""


@dataclass(slots=True)
class Notes:
    """Counts over the keys and both images of one change: a field that is in both images counts twice."""

    labels: tuple[tuple[str, str], ...]
    """For each rule its path and action, both as the policy writes them."""
    counts: list[int]
    """For each rule how many values it acted on. A list, because a Counter costs four times as much per
    value."""
    dropped: int = 0
    """Fields that did not leave: by `drop`, or because no rule names them."""
    unknown: int = 0
    """Fields that no rule names, whatever became of them."""
    mismatched: int = 0
    """Values redacted because their action does not handle their type or form."""
    oversized: int = 0
    """Values redacted because they hold more than the policy's limits allow."""
    erased: int = 0
    """Values redacted because they are of a person who was erased."""
    leaks: int = 0
    """Values redacted because the leak guard recognised personal data in what was about to leave."""
    scrubbed: dict[str, int] = field(default_factory=dict)
    """Entities replaced in free text, by name."""

    @property
    def actions(self) -> Counter[tuple[str, str]]:
        """How many values each rule acted on, by (path, action); rules that did nothing are not in it."""
        pairs = zip(self.labels, self.counts, strict=True)
        return Counter({label: count for label, count in pairs if count})

    def as_event(self) -> dict[str, Any]:
        """The form in which an event carries them."""
        return {
            "dropped": self.dropped,
            "scrubbed": dict(sorted(self.scrubbed.items())),
            "leaks": self.leaks,
            "mismatched": self.mismatched,
            "oversized": self.oversized,
            "erased": self.erased,
            "unknown": self.unknown,
        }


@dataclass(slots=True)
class Record:
    """What an action may know besides the value: when the change was, whose, and where to count."""

    time: int
    """Of the change, epoch seconds UTC: the only clock there is."""
    notes: Notes
    event_id: str = ""
    complete: bool = True
    """Whether fields that the policy requires must be there: not so in the keys."""
    secret: bytes | None = field(default=None, repr=False)
    """That of the person whose data it is; None where nobody says who that is, and where the person was
    erased."""
    erased: bool = False
    """Whether the person was."""
    whole: dict[str, Any] = field(default_factory=dict, repr=False)
    """The image at hand, for conditions on its attributes."""
    within: dict[str, Any] = field(default_factory=dict, repr=False)
    """The map that holds the value, for conditions on what is beside it."""

    def person(self) -> bytes:
        """The secret of the person whose data it is.

        Raises:
            Erased: there is none any more.
            Mismatch: the record does not say whose data it is.
        """
        if self.secret is None:
            raise Erased if self.erased else Mismatch
        return self.secret
