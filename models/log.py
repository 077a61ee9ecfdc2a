"""What the function has told of drift in its log: lines of JSON, as CloudWatch gives them back.

`aws logs tail --format short` and exports put a time or a stream before each line: what is before the first
brace is passed over, and so is every line that is none of the gate's.
"""

from __future__ import annotations

import gzip
import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from models.drift import counts
from processor.errors import ModelError
from processor.scoring.drift import MOST_BINS, SCORE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from models.drift import Baseline

STDIN: Final = "-"
LONGEST_LINE: Final = 1_048_576  # what CloudWatch takes of an event: 1 MB


class Logged(NamedTuple):
    """What was found in logs."""

    counted: NDArray[np.int64]
    """As `models.drift.counts` has it."""
    batches: int
    """Lines that told it."""
    of_others: int
    """Lines that told it of another model, or of the same one before it was trained again."""


def read_logs(names: Sequence[str], model: str, baseline: Baseline) -> Logged:
    """What the function has told of a model.

    Args:
        names: of files, packed by gzip if they end in .gz; `-` is stdin.
        model: as it calls itself in the line, with its checksum.
        baseline: of the model.

    Raises:
        ModelError: a file cannot be read, or a line of this model has other bins. Nothing is quoted.
    """
    nothing = np.empty((0, len(baseline.features)))
    found = Logged(counts(baseline, nothing, np.empty(0)), 0, 0)
    for name in names:
        try:
            with _opened(name) as lines:
                found = _added(found, name, lines, model, baseline)
        except (OSError, EOFError) as error:
            raise ModelError(f"{name}: cannot be read ({error.__class__.__name__})") from None
    return found


def _added(found: Logged, name: str, lines: Iterable[bytes], model: str, baseline: Baseline) -> Logged:
    counted, batches, of_others = found
    for number, line in enumerate(lines, start=1):
        told = _told(line)
        if told is None:
            continue
        if told.get("Model") != model:
            of_others += 1
            continue
        rows = _rows(told["drift"], baseline)
        if rows is None:
            raise ModelError(f"{name}:{number}: tells of drift in bins that are not those of {model}")
        counted, batches = counted + rows, batches + 1
    return Logged(counted, batches, of_others)


def _told(line: bytes) -> dict[str, Any] | None:
    """A line of the gate that tells of drift."""
    start = line.find(b"{")
    if start < 0 or b'"drift"' not in line or len(line) > LONGEST_LINE:
        return None
    try:
        told = json.loads(line[start:])
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) and "_aws" in told and "drift" in told else None


def _rows(drift: Any, baseline: Baseline) -> NDArray[np.int64] | None:
    """The counts, if they are of these bins."""
    try:
        features, score = drift["features"], drift[SCORE]
        told = [*(features[name] for name in baseline.features), score]
    except (KeyError, TypeError):
        return None
    spreads = [*baseline.features.values(), baseline.score]
    rows = np.zeros((len(spreads), MOST_BINS + 1), dtype=np.int64)
    for row, counted, spread in zip(rows, told, spreads, strict=True):
        if not isinstance(counted, list) or len(counted) != len(spread.shares):
            return None
        if not all(type(count) is int and 0 <= count < 2**31 for count in counted):
            return None
        row[: len(counted) - 1], row[-1] = counted[:-1], counted[-1]
    return rows if len(features) == len(baseline.features) else None


@contextmanager
def _opened(name: str) -> Iterator[Iterable[bytes]]:
    if name == STDIN:
        yield sys.stdin.buffer
        return
    with Path(name).open("rb") as file:
        yield gzip.GzipFile(fileobj=file) if name.endswith(".gz") else file
