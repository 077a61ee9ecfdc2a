"""A part of `model.yaml`, and errors that name the file, the key and what is meant."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from processor.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

REQUIRED: Final = object()


@dataclass(frozen=True, slots=True)
class Keys:
    """A map in the file.

    Args:
        path: of the file.
        name: of the map, as `estimator.search`; empty for the whole file.
        content: of the map.
    """

    path: Path
    name: str
    content: Mapping[str, Any]

    def only(self, allowed: Collection[str]) -> None:
        """Nothing.

        Raises:
            ModelError: there is another key. It names the nearest.
        """
        for key in self.content:
            if key not in allowed:
                raise self.error(f"{key}", f"is no key here{near(key, allowed)}; there are {_list(allowed)}")

    def get(self, key: str, fits: Callable[[Any], bool], wanted: str, default: Any = REQUIRED) -> Any:
        """The value of a key.

        Raises:
            ModelError: it is missing and has no default, or does not fit.
        """
        value = self.content.get(key, default)
        if value is REQUIRED or (value is not default and not fits(value)):
            raise self.error(key, f"should be {wanted}")
        return value

    def one_of(self, key: str, allowed: Collection[str], what: str = "") -> str:
        """The value of a key that is one of a few texts.

        Raises:
            ModelError: it is none of them. It names the nearest.
        """
        value = self.content.get(key)
        if not isinstance(value, str) or value not in allowed:
            raise self.error(key, f"should be {what or 'one of '}{_list(allowed)}{near(value, allowed)}")
        return value

    def part(self, key: str, *, optional: bool = False) -> Keys:
        """The map at a key; an empty one if it is optional and not there.

        Raises:
            ModelError: it is no map, or one without keys.
        """
        content = self.content.get(key, {} if optional else None)
        if not isinstance(content, dict) or not (content or optional):
            raise self.error(key, "should be a map")
        if strange := [one for one in content if not isinstance(one, str)]:
            raise self.error(key, f"has the key {strange[0]!r}, which is no text; put it into quotes")
        return Keys(self.path, self._named(key), content)

    def parts(self) -> Iterator[tuple[str, Keys]]:
        """All maps in this one.

        Raises:
            ModelError: one is none.
        """
        return ((key, self.part(key)) for key in self.content)

    def error(self, key: str, words: str) -> ModelError:
        """What is wrong with a key."""
        return ModelError(f"{self.path}: {self._named(key)} {words}")

    def _named(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key


def near(value: Any, allowed: Collection[str]) -> str:
    """A hint at what may be meant."""
    found = get_close_matches(value, allowed, n=1) if isinstance(value, str) else []
    return f" (the nearest is {found[0]})" if found else ""


def within(low: float, high: float) -> Callable[[Any], bool]:
    """Whether something is a number from low to high."""
    return lambda value: is_number(value) and low <= value <= high


def whole(low: int, high: int) -> Callable[[Any], bool]:
    """Whether something is a whole number from low to high."""
    return lambda value: type(value) is int and low <= value <= high


def is_number(value: Any) -> bool:
    """Whether something is a finite number."""
    return type(value) in (int, float) and isfinite(value)


def is_text(value: Any) -> bool:
    """Whether something is a text that says anything."""
    return isinstance(value, str) and bool(value.strip())


def is_name(value: Any) -> bool:
    """Whether something is a name of letters, digits and underscores."""
    return isinstance(value, str) and value.isidentifier() and value.isascii()


def are_texts(value: Any) -> bool:
    """Whether something is a list of different texts."""
    return isinstance(value, list) and all(map(is_text, value)) and len(set(value)) == len(value)


def _list(names: Collection[str]) -> str:
    return ", ".join(sorted(names))
