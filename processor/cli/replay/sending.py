"""Records sent to the function once more, in batches, until it is known of each what came of it.

The function says how many of a batch it held, not which. So a batch of which some were held is sent again in
halves, down to those that are all held or none: at most twice as many calls as there are records, and each
record that was let out is found in the ledger the next time.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from processor.errors import TidegateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from processor.cli.replay.report import Report

PAYLOAD_BYTES_MAX: Final = 6_000_000  # Lambda takes 6,291,556 bytes of an event
BATCH_SIZE: Final = 100
BATCH_SIZE_MAX: Final = 1_000
ATTEMPTS: Final = 4  # of a batch that stops at the same record
PAUSE_S: Final = 1.0  # after the first, doubled each time
TROUBLES_MAX: Final = 5  # batches in a row of which nothing was done: then the next would fare no better
BEFORE, AFTER = '{"Records": [', '], "replay": true}'


class Outcome(Enum):
    """What came of a record."""

    PASSED = "passed"
    """Its event is in an object: now, or since an earlier run."""
    HELD = "held"
    UNDONE = "undone"
    """Nobody knows, or nothing was done: another run may find out."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A raw record on its way."""

    text: str = field(repr=False)
    """The record as JSON."""
    stream: str
    """The ARN of the stream that it says it is from: what is in one batch has one."""
    sequence: int
    """-1 if it has none."""
    place: str
    """Where it comes from, for people: no value of it."""
    tag: Any = None
    """What the source knows it by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the function answered and logged."""

    written: int = 0
    """How many events it wrote that were not there."""
    held: Counter[tuple[str, str]] | None = None
    """How many records it held, by (reason, path); None if it did not say."""
    resume: str | None = None
    """The sequence number from which on nothing was done; None if all was, empty if nothing."""
    trouble: str = ""
    """Why not."""
    failed: bool = False
    """Whether it ended by an error, rather than with an answer."""
    version: str = ""
    """The function's version, which has the policy in it."""


@dataclass(frozen=True, slots=True)
class Told:
    """Of some records, what came of them."""

    parcels: tuple[Parcel, ...]
    outcome: Outcome
    said: Said
    why: str = ""


class Stopped(TidegateError):  # noqa: N818  an outcome with a name
    """The function is in such trouble that sending more would be in vain."""


class Sender:
    """Sends batches by `call`, and counts in the report what comes of them."""

    def __init__(
        self,
        call: Callable[[bytes], Said],
        report: Report,
        *,
        batch_size: int = BATCH_SIZE,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._call, self._report, self._batch_size, self._sleep = call, report, batch_size, sleep
        self._troubles = 0

    def send(self, parcels: Iterable[Parcel]) -> Iterator[Told]:
        """Send them, those of one stream in the order given, and tell of each what came of it.

        Raises:
            Stopped: nothing was done of several batches in a row. Of what was not told, nothing is known.
        """
        for batch in batches(parcels, self._batch_size):
            if _size(batch) > PAYLOAD_BYTES_MAX:
                yield Told(batch, Outcome.UNDONE, Said(), "larger than Lambda takes an event")
                continue
            for told in self._settle(batch):
                self._count(told)
                yield told
                if self._troubles >= TROUBLES_MAX:
                    raise Stopped(told.why)

    def _settle(self, batch: tuple[Parcel, ...]) -> Iterator[Told]:
        """Send a batch until all is known, in parts if need be; the first records first."""
        waiting = [(batch, 0)]
        while waiting:
            part, attempts = waiting.pop()
            if attempts:
                self._sleep(PAUSE_S * 2 ** (attempts - 1))
            said = self._call(_payload(part))
            self._report.calls += 1
            self._report.written += said.written
            if said.failed and len(part) > 1:
                waiting += _halves(part)
            elif said.failed:
                yield self._undone(part, said, said.trouble)
            elif said.resume is not None:
                at = _position(part, said.resume)
                if at:  # what is before is done, but not told: it is found in the ledger when it comes again
                    waiting += [(part[at:], 1), (part[:at], 0)]
                elif attempts + 1 < ATTEMPTS:
                    waiting.append((part, attempts + 1))
                else:
                    yield self._undone(part, said, said.trouble)
            elif said.held is not None and (not said.held or said.held.total() >= len(part)):
                self._troubles = 0
                outcome = Outcome.HELD if said.held else Outcome.PASSED
                yield Told(part, outcome, said)
            elif len(part) > 1:
                waiting += _halves(part)
            else:
                yield self._undone(part, said, "the function's log did not say what came of it")

    def _undone(self, part: tuple[Parcel, ...], said: Said, why: str) -> Told:
        self._troubles += 1
        return Told(part, Outcome.UNDONE, said, why)

    def _count(self, told: Told) -> None:
        if told.outcome is Outcome.PASSED:
            self._report.passed += len(told.parcels)
        elif told.outcome is Outcome.HELD:
            self._report.held += told.said.held or Counter()


def batches(parcels: Iterable[Parcel], size: int) -> Iterator[tuple[Parcel, ...]]:
    """Cut parcels into batches of one stream each, as large as Lambda takes them.

    A parcel that is larger than that is a batch of its own.
    """
    batch: list[Parcel] = []
    length = len(BEFORE + AFTER)
    for parcel in parcels:
        added = len(parcel.text) + 1
        full = len(batch) == size or length + added > PAYLOAD_BYTES_MAX
        if batch and (full or parcel.stream != batch[0].stream):
            yield tuple(batch)
            batch, length = [], len(BEFORE + AFTER)
        batch.append(parcel)
        length += added
    if batch:
        yield tuple(batch)


def _payload(part: Sequence[Parcel]) -> bytes:
    return (BEFORE + ",".join(parcel.text for parcel in part) + AFTER).encode("ascii")


def _size(part: Sequence[Parcel]) -> int:
    return len(BEFORE + AFTER) + sum(len(parcel.text) + 1 for parcel in part)


def _halves(part: tuple[Parcel, ...]) -> list[tuple[tuple[Parcel, ...], int]]:
    """The second half first: the last of a list of what waits comes next."""
    middle = len(part) // 2
    return [(part[middle:], 0), (part[:middle], 0)]


def _position(part: Sequence[Parcel], sequence: str) -> int:
    """How many parcels at the start are done, if nothing is from this sequence number on."""
    if not sequence.isdecimal():
        return 0
    return next((at for at, parcel in enumerate(part) if parcel.sequence >= int(sequence)), 0)
