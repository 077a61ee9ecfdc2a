"""Counts the requests of a gate on fakes: what one batch asks of AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections import Counter


class Counting:
    """A client that counts what is asked of another, by operation, under a name."""

    def __init__(self, inner: Any, name: str, counts: Counter[str]) -> None:
        self._inner, self._name, self._counts = inner, name, counts

    def __getattr__(self, operation: str) -> Any:
        asked = getattr(self._inner, operation)
        if not callable(asked):
            return asked

        def count(*given: Any, **call: Any) -> Any:
            self._counts[f"{self._name}.{operation}"] += 1
            return asked(*given, **call)

        return count
