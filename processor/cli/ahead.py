"""Many things at once, in their order."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_Item = TypeVar("_Item")
_Read = TypeVar("_Read")
THREADS: Final = 16
AHEAD: Final = 512  # read and not yet looked at: bounds the memory


def each(
    work: Callable[[_Item], _Read], items: Iterable[_Item], *, threads: int = THREADS, ahead: int = AHEAD
) -> Iterator[_Read]:
    """What `work` makes of each item, in order, many at once, never far ahead of who takes it."""
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Any] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) == ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)
