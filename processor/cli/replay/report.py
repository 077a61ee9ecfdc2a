"""What came of a replay, in counts and places: no value of a record has a way in here."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

UNREADABLE: Final = "unreadable"
TOO_OLD: Final = "too_old"
TOO_YOUNG: Final = "too_young"
GONE: Final = "gone"
NOT_DONE: Final = "not_done"
WORDS: Final = {
    UNREADABLE: "could not be read",
    TOO_OLD: "too old for the ledger to know whether they were let out: not sent",
    TOO_YOUNG: "so young that the stream still delivers them itself: not sent",
    GONE: "gone from the stream: only an export of the table has them still",
    NOT_DONE: "not done: another run goes on with them",
}
"""What can be wrong with a source, or come of it, besides being let out or held."""

NAMED_MAX: Final = 1_000  # of each kind: all are counted
SHOWN: Final = 20  # of each kind, for people


@dataclass(slots=True)
class Report:
    """Counts of records, unless it says otherwise."""

    source: str
    """Which kind of source it was."""
    stream: str
    policy: str
    dry_run: bool
    found: int = 0
    skipped: int = 0
    """Replayed before, and marked so."""
    passed: int = 0
    """Whose event is in an object now."""
    written: int = 0
    """Of which the function said that it wrote it now."""
    held: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Those that are in quarantine still, by (reason, path)."""
    would: Counter[tuple[str, str]] = field(default_factory=Counter)
    """In a dry run: what would be sent, by (reason, path)."""
    calls: int = 0
    """Of the function."""
    first: float | None = None
    last: float | None = None
    """The range of times of the sources, epoch seconds."""
    stopped: str = ""
    """Why the run ended before its end; empty if it did not."""
    caveats: tuple[str, ...] = ()
    counts: Counter[str] = field(default_factory=Counter)
    """Of what went wrong, by kind."""
    named: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """By kind: (where, why)."""

    def wrong(self, kind: str, where: str, why: str = "", count: int = 1) -> None:
        """Count what went wrong, and name where."""
        self.counts[kind] += count
        named = self.named.setdefault(kind, [])
        if len(named) < NAMED_MAX:
            named.append((where, why))

    def at(self, when: float) -> None:
        """Widen the range of times."""
        self.first = when if self.first is None else min(self.first, when)
        self.last = when if self.last is None else max(self.last, when)

    @property
    def let_out(self) -> int:
        """Records whose event this run wrote."""
        return min(self.written, self.passed)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is left to see to."""
        return not (self.stopped or self.counts or self.held)

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "source": self.source,
            "stream": self.stream,
            "policy": self.policy,
            "dry_run": self.dry_run,
            "found": self.found,
            "skipped_as_replayed": self.skipped,
            "let_out": self.let_out,
            "was_there_already": self.passed - self.let_out,
            "held_again": _reasons(self.held),
            "would_send": _reasons(self.would),
            **{
                kind: {
                    "count": self.counts[kind],
                    "where": [{"place": where, "why": why} for where, why in self.named.get(kind, ())],
                }
                for kind in WORDS
            },
            "from": iso(self.first),
            "to": iso(self.last),
            "calls": self.calls,
            "stopped": self.stopped or None,
            "caveats": list(self.caveats),
        }

    def lines(self) -> Iterator[str]:
        """For people."""
        times = "" if self.first is None else f", from {iso(self.first)} to {iso(self.last)}"
        yield f"{self.source}: {self.found:,} records found{times}"
        if self.skipped:
            yield f"  {self.skipped:,} skipped: replayed before (--again sends them once more)"
        if self.dry_run:
            yield f"  {self.would.total():,} would be sent to {self.stream}; nothing was"
            yield from _lines(self.would)
        else:
            yield f"  {self.let_out:,} let out"
            yield f"  {self.passed - self.let_out:,} were there already"
            yield f"  {self.held.total():,} held again"
            yield from _lines(self.held)
        for kind, words in WORDS.items():
            if not self.counts[kind]:
                continue
            yield f"  {self.counts[kind]:,} {words}"
            named = self.named[kind]
            yield from (f"    {where}" + (f": {why}" if why else "") for where, why in named[:SHOWN])
            if len(named) > SHOWN:
                yield "    … more with --json"
        if self.stopped:
            yield f"stopped: {self.stopped}. Run it again to go on: what was done is known."


def iso_day(seconds: float) -> str:
    """The day of a time, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def iso(seconds: float | None) -> str | None:
    """A time as events write it."""
    return (
        None if seconds is None else datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    )


def _reasons(counted: Counter[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"reason": reason, "path": path, "count": n} for (reason, path), n in _ordered(counted)]


def _lines(counted: Counter[tuple[str, str]]) -> Iterator[str]:
    for (reason, path), n in _ordered(counted):
        yield f"    {n:,} {path + ': ' if path else ''}{reason}"


def _ordered(counted: Counter[tuple[str, str]]) -> Iterable[tuple[tuple[str, str], int]]:
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))
