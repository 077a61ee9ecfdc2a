# ruff: noqa: D102  what the two methods of a kind do is said once, on Kind
"""What a key of a policy may hold, said once: reading, error texts and the JSON schema derive from here.

A section of the policy is a frozen dataclass whose fields have `key(...)` as metadata. Reading never stops at
the first problem: it collects all of them with their place in the document, so that a person mends a file in
one go.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

Place = tuple[str | int, ...]
"""Where in the document: keys and list indices from the top."""

Fault = tuple[Place, str] | tuple[Place, str, str]
"""What a section finds in itself: the place from where it stands, the words, a hint."""

UNREADABLE: Any = object()
"""What reading gives where a problem was noted instead."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: `at` names the value (or, with `on_key`, the key) it is about."""

    at: Place
    message: str
    hint: str = ""
    on_key: bool = False


class Kind(Protocol):
    """One sort of value: reads it from plain data, or notes what is wrong; and says so in JSON schema."""

    def read(self, value: Any, at: Place, problems: list[Problem]) -> Any:
        """The value as the plan holds it, or `UNREADABLE` after noting why."""

    def schema(self) -> dict[str, Any]:
        """The same limits for an editor."""


def key(kind: Kind, doc: str, *, name: str | None = None) -> dict[str, Any]:
    """The metadata of a section's field: its kind, its meaning, its name in the policy if another."""
    return {"kind": kind, "doc": doc, "name": name}


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `least` to `most`, or one of `only`."""

    least: int
    most: int
    only: tuple[int, ...] = ()

    def read(self, value: Any, at: Place, problems: list[Problem]) -> Any:
        if type(value) is int and self.least <= value <= self.most and (not self.only or value in self.only):
            return value
        wanted = f"a whole number from {self.least} to {self.most}"
        if self.only:
            wanted = "one of " + ", ".join(map(str, self.only))
        problems.append(Problem(at, f"{name_of(at)} must be {wanted}, not {shown(value)}"))
        return UNREADABLE

    def schema(self) -> dict[str, Any]:
        if self.only:
            return {"type": "integer", "enum": list(self.only)}
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, slots=True)
class Text:
    """A text that fits `pattern` as a whole; `says` describes the pattern to people."""

    pattern: str
    says: str

    def read(self, value: Any, at: Place, problems: list[Problem]) -> Any:
        if isinstance(value, str) and re.fullmatch(self.pattern, value):
            return value
        problems.append(Problem(at, f"{name_of(at)} must be {self.says}, not {shown(value)}"))
        return UNREADABLE

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^(?:{self.pattern})$"}


@dataclass(frozen=True, slots=True)
class Flag:
    """`true` or `false`."""

    def read(self, value: Any, at: Place, problems: list[Problem]) -> Any:
        if isinstance(value, bool):
            return value
        problems.append(Problem(at, f"{name_of(at)} must be true or false, not {shown(value)}"))
        return UNREADABLE

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some names, each with what it means; `later` names those that this version does not have yet."""

    names: Mapping[str, str]
    later: Collection[str] = ()

    def read(self, value: Any, at: Place, problems: list[Problem]) -> Any:
        if isinstance(value, str) and value in self.names:
            return value
        problems.append(unknown_name(value, at, self.names, later=self.later))
        return UNREADABLE

    def schema(self) -> dict[str, Any]:
        return {"oneOf": [{"const": name, "description": doc} for name, doc in self.names.items()]}


@dataclass(frozen=True, slots=True)
class Many:
    """A list of one kind, each item once; read as a tuple."""

    kind: Kind
    least: int = 1
    most: int = 100

    def read(self, value: Any, at: Place, problems: list[Problem]) -> Any:
        if not isinstance(value, list):
            problems.append(
                Problem(at, f"{name_of(at)} must be a list, not {shown(value)}", "Write it as [one, two].")
            )
            return UNREADABLE
        if not self.least <= len(value) <= self.most:
            problems.append(
                Problem(at, f"{name_of(at)} must have {self.least} to {self.most} items, not {len(value)}")
            )
            return UNREADABLE
        before = len(problems)
        items = []
        for index, item in enumerate(value):
            if item in value[:index]:
                problems.append(
                    Problem((*at, index), f"{shown(item)} is twice in {name_of(at)}", "Remove one.")
                )
            items.append(self.kind.read(item, (*at, index), problems))
        return tuple(items) if len(problems) == before else UNREADABLE

    def schema(self) -> dict[str, Any]:
        size = {"minItems": self.least, "maxItems": self.most, "uniqueItems": True}
        return {"type": "array", "items": self.kind.schema(), **size}


@dataclass(frozen=True, slots=True)
class Section:
    """A map with known keys, read as `type`: a dataclass whose fields have `key(...)` as metadata.

    Where the keys depend on each other, the class has `faults()`: the place (from here) to point at, the
    words, and a hint if there is one.
    """

    type: type[Any]
    of: str = "key"
    """What its keys are called in messages."""

    def read(self, value: Any, at: Place, problems: list[Problem]) -> Any:
        if not isinstance(value, dict):
            problems.append(
                Problem(
                    at,
                    f"{name_of(at)} must be a map of keys, not {shown(value)}",
                    f"Its keys: {self._listed()}.",
                )
            )
            return UNREADABLE
        before = len(problems)
        keys = keys_of(self.type)
        problems.extend(
            unknown_name(name, (*at, name), keys, what=self.of, on_key=True)
            for name in value
            if name not in keys
        )
        arguments = {}
        for name, field in keys.items():
            if name in value:
                arguments[field.name] = field.metadata["kind"].read(value[name], (*at, name), problems)
            elif field.default is dataclasses.MISSING:
                problems.append(
                    Problem(at, f"{name_of(at)} lacks the key {name!r}", field.metadata["doc"], on_key=True)
                )
        if len(problems) > before:
            return UNREADABLE
        made = self.type(**arguments)
        faults: Iterable[Fault] = made.faults() if hasattr(made, "faults") else ()
        problems.extend(Problem((*at, *fault[0]), fault[1], *fault[2:]) for fault in faults)
        return made if len(problems) == before else UNREADABLE

    def schema(self) -> dict[str, Any]:
        properties, required = {}, []
        for name, field in keys_of(self.type).items():
            properties[name] = {**field.metadata["kind"].schema(), "description": field.metadata["doc"]}
            if field.default is dataclasses.MISSING:
                required.append(name)
            elif field.default not in (None, ()):
                properties[name]["default"] = plain(field.default)
        return {
            "type": "object",
            "additionalProperties": False,
            "required": required,
            "properties": properties,
        }

    def _listed(self) -> str:
        return ", ".join(keys_of(self.type))


@dataclass(frozen=True, slots=True)
class Named:
    """A map from names of the author's choice to sections of one type: a tuple, each with its `name`."""

    type: type[Any]
    names: Text
    most: int = 100

    def read(self, value: Any, at: Place, problems: list[Problem]) -> Any:
        if not isinstance(value, dict) or len(value) > self.most:
            found = str(len(value)) if isinstance(value, dict) else shown(value)
            problems.append(
                Problem(at, f"{name_of(at)} must be a map of up to {self.most} names, not {found}")
            )
            return UNREADABLE
        before = len(problems)
        made = []
        for name, body in value.items():
            self.names.read(name, (*at, name), problems)
            section = Section(self.type).read(body, (*at, name), problems)
            if section is not UNREADABLE:
                made.append(dataclasses.replace(section, name=name))
        return tuple(made) if len(problems) == before else UNREADABLE

    def schema(self) -> dict[str, Any]:
        names = self.names.schema()
        return {
            "type": "object",
            "maxProperties": self.most,
            "propertyNames": names,
            "additionalProperties": Section(self.type).schema(),
        }


def keys_of(section: type[Any]) -> dict[str, dataclasses.Field[Any]]:
    """The keys of a section as written in the policy, in order."""
    return {
        field.metadata["name"] or field.name: field
        for field in dataclasses.fields(section)
        if "kind" in field.metadata
    }


def plain(value: Any) -> Any:
    """A section as JSON-ready data that reading gives back equal; keys that are None stay out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = ((name, field, getattr(value, field.name)) for name, field in keys_of(type(value)).items())
        return {
            name: {one.name: plain(one) for one in item}
            if isinstance(field.metadata["kind"], Named)
            else plain(item)
            for name, field, item in pairs
            if item is not None
        }
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def unknown_name(
    value: Any,
    at: Place,
    names: Iterable[str],
    *,
    what: str = "",
    later: Collection[str] = (),
    on_key: bool = False,
) -> Problem:
    """The problem of a name that is none of `names`: with the nearest, or the news that it comes later."""
    # Here because only a mistake needs it, and it is 4 ms of a cold start.
    from difflib import get_close_matches  # noqa: PLC0415

    known = list(names)
    if isinstance(value, str) and value in later:
        words = f"{what or name_of(at)} {value!r} is not available in this version"
        return Problem(at, words, f"Use one of: {', '.join(known)}.")
    near = get_close_matches(value.lower(), known, n=1, cutoff=0.6) if isinstance(value, str) else []
    hint = f"Did you mean {near[0]!r}? " if near else ""
    words = f"unknown {what} {shown(value)}" if what else f"{name_of(at)} cannot be {shown(value)}"
    return Problem(at, words, f"{hint}Known: {', '.join(known)}.", on_key)


def name_of(at: Place) -> str:
    """The words for a place in a message: its nearest key, and the item's number where it is in a list."""
    if not at:
        return "the policy"
    if isinstance(at[-1], int):
        return f"item {at[-1] + 1} of {name_of(at[:-1])}"
    return at[-1]


def shown(value: Any) -> str:
    """A value of the policy (never of a record) for a message."""
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, str) else str(value)
