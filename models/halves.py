"""A replay in two processes side by side, each of which knows half of all entities.

Both are told the same history. What one profile sums up of another (how odd a payment was for its customer,
at its terminal) they tell one another after every batch; at the end the other half's features come over. So
nothing is measured by other code, and nothing comes out otherwise, than in one process.
"""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from processor.errors import ModelError
from processor.scoring.features.feature_set import ELSEWHERE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection

    from processor.scoring.features import Step
    from processor.scoring.features.values import FloatColumn, Matrix

LEAST: Final = 100_000
"""Records from which on a second process is worth its start."""
GONE: Final = (
    "the second process of the replay has died, most likely for want of memory; there should be 4 GB for a "
    "million records"
)


class Half:
    """A half of the entities, and the way to the other.

    Args:
        number: 0 or 1.
        link: to the process of the other half.
    """

    def __init__(self, number: int, link: Connection) -> None:
        self._number, self._link = number, link

    def places(self, field: str, steps: Sequence[Step]) -> list[int]:
        """Which of the steps say now, or no longer, that they are of an own entity by this field."""
        mine = self._has
        return [
            at
            for at, (before, after, _) in enumerate(steps)
            if (after is not None and mine(after.get(field)))
            or (before is not None and mine(before.get(field)))
        ]

    def own(self, entities: list[Any]) -> list[Any]:
        """The entities, ELSEWHERE in place of the other half's."""
        return [one if one is None or self._has(one) else ELSEWHERE for one in entities]

    def joined(self, values: list[float]) -> list[float]:
        """What either has found, NaN where neither has."""
        mine = np.array(values, dtype=np.float64)
        found: list[float] = np.where(np.isnan(mine), self._swapped(mine), mine).tolist()
        return found

    def send(self, matrix: Matrix) -> None:
        """Let the other half have all features that were measured here."""
        self._link.send_bytes(matrix.tobytes())

    def complete(self, matrix: Matrix) -> Matrix:
        """The features of both, the other's matrix having been sent.

        Raises:
            ModelError: the other process is gone.
        """
        theirs = np.frombuffer(self._received(), dtype=matrix.dtype).reshape(matrix.shape)
        np.copyto(matrix, theirs, where=np.isnan(matrix))
        return matrix

    def _has(self, entity: Any) -> bool:
        try:
            return hash(entity) % 2 == self._number
        except TypeError:  # what has no hash is no entity
            return False

    def _swapped(self, mine: FloatColumn) -> FloatColumn:
        # One sends first and the other receives first: two full pipes would wait for one another.
        if self._number:
            theirs = self._received()
            self._link.send_bytes(mine.tobytes())
        else:
            with suppress(BrokenPipeError):  # reading will tell
                self._link.send_bytes(mine.tobytes())
            theirs = self._received()
        return np.frombuffer(theirs, dtype=np.float64)

    def _received(self) -> bytes:
        try:
            return self._link.recv_bytes()
        except (EOFError, OSError) as gone:
            raise ModelError(GONE) from gone


def two(records: int) -> bool:
    """Whether so many records are worth two processes, and this machine can have them."""
    # Elsewhere a process cannot be forked safely, and one that begins anew would read all data again.
    return sys.platform == "linux" and records >= LEAST and len(os.sched_getaffinity(0)) > 1


@contextmanager
def other_half(work: Callable[[Half], None]) -> Iterator[Half]:
    """Let a second process do its half of the work; it knows all that this one knows now.

    Args:
        work: is called there, with the other half.
    """
    context = get_context("fork")
    here, there = context.Pipe()
    process = context.Process(target=_quietly, args=(work, there, here), daemon=True)
    with warnings.catch_warnings():
        # Python 3.12 warns of threads: those of BLAS look after themselves, a progress bar is not used there.
        warnings.simplefilter("ignore", DeprecationWarning)
        process.start()
    there.close()
    try:
        yield Half(0, here)
    finally:
        here.close()
        process.join()


def _quietly(work: Callable[[Half], None], link: Connection, others: Connection) -> None:
    others.close()  # so that this process learns of the end of that one
    # What goes wrong with the data goes wrong there as well, and is told there, without a traceback.
    with suppress(ModelError, OSError, KeyboardInterrupt):
        work(Half(1, link))
