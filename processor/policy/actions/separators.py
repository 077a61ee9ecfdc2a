"""Texts with separators that stay where they are: only what is between them is acted on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def between(separators: str, act: Callable[[str], str]) -> Callable[[str], str]:
    """What acts on a text without its separators and puts them back; `act` has to keep the length."""
    if not separators:
        return act
    kept = frozenset(separators)

    def acted(text: str) -> str:
        signs = iter(act("".join(sign for sign in text if sign not in kept)))
        return "".join(sign if sign in kept else next(signs) for sign in text)

    return acted
