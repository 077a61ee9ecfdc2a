"""The spec's groups: by what people are told apart where it is measured whether a model treats them alike."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from models.spec.keys import is_name, is_text
from processor.policy.actions.generalize import REVEALED

if TYPE_CHECKING:
    from collections.abc import Collection

    from models.spec.keys import Keys

OLDEST: Final = 120  # years: ages beyond are mistakes
PARTS: Final = tuple(sorted(REVEALED.keys() - {"age", "grid", "hour", "day"}))
"""Of `generalize`; an age goes by `bands`; a cell, a day or an hour is no group of people."""
_WORDS: Final = "a field, or {of: field} with bands (of age) or to (a part that the policy keeps)"


@dataclass(frozen=True, slots=True)
class Group:
    """What a group's values are taken from: as it is, as a band of age, or as the policy generalises it."""

    of: str
    """The field; `a.b` is b within a."""
    bands: tuple[int, ...] = ()
    """Where bands of age begin, rising, if the field is a birth date or a year of birth."""
    to: str | None = None
    """The part that the policy's `generalize` keeps, to be taken where the data is raw."""

    @property
    def said(self) -> str:
        """For the card."""
        if self.bands:
            return f"age by `{self.of}` (a year), in bands"
        return f"{self.to} of `{self.of}`" if self.to else f"`{self.of}`"


def read_groups(keys: Keys, taken: Collection[str]) -> dict[str, Group]:
    """The groups by name; none if there is no such key.

    Args:
        keys: of the whole spec.
        taken: names of fields that the model reads, which no group may have.

    Raises:
        ModelError: one cannot be read. It names the file, the key and what that should be.
    """
    part = keys.part("groups", optional=True)
    found = {}
    for name in part.content:
        if not is_name(name):
            raise part.error(name, "should be a name of letters, digits and underscores")
        if name in taken:
            raise part.error(name, "is the name of a field that the model reads; give the group another")
        found[name] = _group(part, name)
    return found


def _group(groups: Keys, name: str) -> Group:
    content = groups.content[name]
    if isinstance(content, str):
        content = {"of": content}
    if not isinstance(content, dict):
        raise groups.error(name, f"should be {_WORDS}")
    keys = type(groups)(groups.path, f"{groups.name}.{name}", content)
    keys.only(("of", "bands", "to"))
    of = keys.get("of", _is_path, "a field, such as address.country; of a list there is none")
    if "bands" in content and "to" in content:
        raise groups.error(name, f"should be {_WORDS}, not both")
    bands = keys.get("bands", _are_bands, f"rising whole numbers from 1 to {OLDEST}, as [25, 35, 50]", [])
    return Group(of, tuple(bands), keys.one_of("to", PARTS) if "to" in content else None)


def _is_path(value: Any) -> bool:
    return is_text(value) and not set(value) & set("[]* ") and all(value.split("."))


def _are_bands(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) > 0
        and all(type(one) is int and 1 <= one <= OLDEST for one in value)
        and all(low < high for low, high in pairwise(value))
    )
