"""A backfill on this machine: an export's files through the stages, into files as the gate writes them.

A file of events appears whole or not at all, and is never written over, so a run that was interrupted can be
run again. What cannot pass is written nowhere: raw data must not lie about on disks.
"""

from __future__ import annotations

import gzip
import hmac
import json
import multiprocessing
import zlib
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, TYPE_CHECKING, Any, Final, cast

from processor.crypto import KeyRing
from processor.entities import short_names
from processor.errors import Poison, TidegateError
from processor.event import envelope_for
from processor.exports import Unreadable, chunks
from processor.judge import Judge
from processor.policy import Sanitiser, load_plan
from processor.scoring import granted_scorer
from processor.sinks import GZIP_LEVEL, GZIP_WBITS
from processor.stream import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from processor.cli.backfill.found import Found
    from processor.event import Event
    from processor.exports import Chunk, Source
    from processor.policy import Plan
    from processor.stream import Change

GZIP: Final = b"\x1f\x8b"
MADE_BY: Final = "_made_by.json"
NAMED_MAX: Final = 20  # lines that failed, named of each file; all are counted
POLL_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Means:
    """What a process needs to do its part."""

    plan: bytes
    """Compiled, as in a package."""
    root: bytes = field(repr=False)
    """What keys are derived from."""
    model: Path | None
    """The folder of the policy's model; None if it has none."""
    out: Path


@dataclass(slots=True)
class Done:
    """What came of some files, in counts of their items."""

    items: int = 0
    events: int = 0
    duplicates: int = 0
    """In files that an earlier run has written."""
    held: int = 0
    """Could not pass, and are nowhere."""
    flagged: int = 0
    leaks: int = 0
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Why some could not pass: (reason, path)."""
    failed: list[str] = field(default_factory=list)
    """Which, as file:line: why; the first of each file."""
    flaws: list[str] = field(default_factory=list)
    """Files that ended before their end, and why."""

    def add(self, other: Done) -> None:
        """Count what came of other files."""
        for name in ("items", "events", "duplicates", "held", "flagged", "leaks"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.reasons += other.reasons
        self.failed += other.failed
        self.flaws += other.flaws

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        reasons = [
            {"reason": reason, "path": path, "count": count}
            for (reason, path), count in sorted(self.reasons.items())
        ]
        return {**asdict(self), "reasons": reasons}


class Worker:
    """The stages, ready: decode, score, sanitise, leak guard, envelope."""

    def __init__(self, means: Means) -> None:
        self.plan = load_plan(means.plan)
        keys = KeyRing({1: means.root})
        self._sanitiser = Sanitiser(self.plan, keys)
        self._envelope = envelope_for(self.plan, 1)
        self._judge = _judge(self.plan, means.model, keys)
        self._out = means.out

    def bring(self, found: Found, told: Callable[[int], object] = lambda _items: None) -> Done:
        """Bring a data file through, and say what came of it.

        Raises:
            TidegateError: it cannot be read, or nothing can be written.
        """
        done = Done()
        try:
            found.check()
            with found.path.open("rb") as packed:
                is_gzip = packed.peek(2)[:2] == GZIP
                unpacked = cast("IO[bytes]", gzip.GzipFile(fileobj=packed)) if is_gzip else packed
                for chunk in chunks(unpacked):
                    self._settle(found, chunk, done)
                    told(len(chunk.lines))
        except Unreadable as flaw:
            done.flaws.append(str(flaw) if str(found.path) in str(flaw) else f"{found.path}: {flaw}")
        except OSError as error:
            raise TidegateError(f"{error.filename or found.path}: {error.strerror}") from None
        if not done.flaws and found.items not in {None, done.items}:
            done.flaws.append(
                f"{found.path}: has {done.items:,} items, and its manifest says {found.items:,}"
            )
        return done

    def events(self, source: Source, chunk: Chunk) -> tuple[list[Event], list[tuple[int, Poison]]]:
        """The events of a chunk, and the lines that cannot pass with why not."""
        changes: list[Change] = []
        poisoned: list[tuple[int, Poison]] = []
        for number, line in enumerate(chunk.lines, chunk.number):
            try:
                changes.append(decode(source.record(number, line), self._sanitiser.names))
            except Poison as poison:
                poisoned.append((number, poison))
        verdicts = self._judge.judge(changes, {}).verdicts if self._judge else [None] * len(changes)
        events: list[Event] = []
        for change, fraud in zip(changes, verdicts, strict=True):
            try:
                events.append(self._envelope(change, self._sanitiser.sanitise(change), fraud))
            except Poison as poison:
                poisoned.append((source.number(change.sequence), poison))
        return events, sorted(poisoned, key=lambda one: one[0])

    def _settle(self, found: Found, chunk: Chunk, done: Done) -> None:
        path = (
            folder_of(self._out, self.plan.name, found.source)
            / f"{found.source.name}-{chunk.number}.jsonl.gz"
        )
        done.items += len(chunk.lines)
        if path.exists():
            there = zlib.decompress(path.read_bytes(), GZIP_WBITS).count(b"\n")
            done.duplicates += there
            done.held += len(chunk.lines) - there
            return
        events, poisoned = self.events(found.source, chunk)
        _create(path, "".join([event.line + "\n" for event in events]).encode("ascii"))
        done.events += len(events)
        done.held += len(poisoned)
        done.flagged += sum(event.flagged for event in events)
        done.leaks += sum(event.notes.leaks for event in events)
        done.reasons.update((one.reason, one.path) for _, one in poisoned)
        room = NAMED_MAX - len(done.failed)
        done.failed += [f"{found.path.name}:{number}: {one}" for number, one in poisoned[:room]]


def folder_of(out: Path, policy: str, source: Source) -> Path:
    """Where an export's events go, as in the bucket: by the hour that the export shows."""
    when = datetime.fromtimestamp(source.exported_at, UTC)
    return out / "events" / policy / f"dt={when:%Y-%m-%d}" / f"hour={when:%H}" / f"backfill={source.export}"


def claim(means: Means, plan: Plan, model: str | None, sources: Sequence[Source]) -> None:
    """Make the folders, and see that nothing in them was made by other means: it would not join.

    Raises:
        TidegateError: it was; says what to do.
    """
    check = hmac.digest(means.root, b"tidegate backfill", sha256)[:8].hex()
    said = {"policy": plan.sha256, "model": model, "key": check}
    for folder in sorted({folder_of(means.out, plan.name, source) for source in sources}):
        mark = folder / MADE_BY
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not mark.exists():
                mark.write_text(json.dumps(said) + "\n", encoding="utf-8")
            there = json.loads(mark.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise TidegateError(f"{mark}: cannot be written or read: give another --out") from None
        if there != said:
            other = ", ".join(name for name in said if there.get(name) != said[name])
            raise TidegateError(
                f"{folder}: was begun under another {other}: tokens or rules would differ within it. Give "
                "another --out, or delete it; with the same --key-file a run goes on where one ended"
            )


def run(means: Means, files: Sequence[Found], jobs: int, tell: Callable[[int], object]) -> Iterator[Done]:
    """Bring the files through by so many processes; what came of each, as they are done.

    Raises:
        TidegateError: a file cannot be read, or nothing can be written.
    """
    if jobs == 1 or len(files) == 1:
        worker = Worker(means)
        for found in files:
            yield worker.bring(found, tell)
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy what other threads hold
    counter = context.Value("Q", 0)
    with ProcessPoolExecutor(min(jobs, len(files)), context, _begin, (means, counter)) as pool:
        # The largest first, so that none is left alone at the end.
        waiting = {
            pool.submit(_bring, one) for one in sorted(files, key=lambda one: -one.path.stat().st_size)
        }
        try:
            seen = 0
            while waiting:
                ended, waiting = wait(waiting, POLL_S, "FIRST_COMPLETED")
                tell(counter.value - seen)
                seen = counter.value
                for one in ended:
                    yield one.result()
        finally:
            pool.shutdown(cancel_futures=True)


_worker: Worker
_counter: Any


def _begin(means: Means, counter: Any) -> None:
    """Make a process ready."""
    global _worker, _counter  # a process has one
    _worker, _counter = Worker(means), counter


def _bring(found: Found) -> Done:
    def told(items: int) -> None:
        with _counter.get_lock():
            _counter.value += items

    return _worker.bring(found, told)


def _judge(plan: Plan, model: Path | None, keys: KeyRing) -> Judge | None:
    if plan.score is None or model is None:
        return None
    scorer = granted_scorer(model, plan.score)
    return Judge(
        scorer=scorer,
        threshold=scorer.threshold(plan.score.flag_at),
        keeps_features=plan.score.keep_features,
        short=short_names(keys, plan.score.model),
    )


def _create(path: Path, content: bytes) -> None:
    """Write a file whole, or not at all."""
    with NamedTemporaryFile(dir=path.parent, prefix="_unfinished-", delete=False) as unfinished:
        try:
            unfinished.write(zlib.compress(content, GZIP_LEVEL, GZIP_WBITS))
            unfinished.close()
            Path(unfinished.name).replace(path)
        except BaseException:
            Path(unfinished.name).unlink(missing_ok=True)
            raise
