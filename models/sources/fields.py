"""Which columns of a file are which fields of the table, and what their values are there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from processor.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from models.spec.groups import Group

SCENARIO: Final = "scenario"  # the kind of fraud, where it is known; only for telling figures apart
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_UNMAPPED: Final = object()


class Layout(NamedTuple):
    """How a file names the fields that are wanted of it."""

    columns: dict[str, str]
    """The column of each field."""
    values: dict[str, Mapping[str, Any]]
    """Of some fields: what the texts of their column stand for."""


@dataclass(frozen=True, slots=True)
class Fields:
    """What is wanted of each record, in the table's own names."""

    time: str
    id: str | None
    wanted: frozenset[str]
    optional: frozenset[str]
    numbers: frozenset[str] | None
    aliases: Mapping[str, Mapping[str, Any]]
    groups: Mapping[str, Group] = field(default_factory=dict)
    """Those of the wanted that no file has: they are made of other fields, which are not kept."""
    id_columns: list[str] = field(default_factory=list, compare=False)
    """What the files that were read call the id, the first of them first."""

    @property
    def kept(self) -> frozenset[str]:
        """All that is read of a record."""
        beside = {self.time, SCENARIO, *([self.id] if self.id else [])}
        return self.own | beside | {group.of for group in self.groups.values()}

    @property
    def own(self) -> frozenset[str]:
        """The wanted fields that records have themselves."""
        return self.wanted - self.groups.keys()

    def layout(self, file: str, columns: Collection[str]) -> Layout:
        """How a file with these columns is read.

        Raises:
            ModelError: nothing in it says when its records are from, or one of the aliases is no alias.
        """
        if self.time in columns:
            return self._chosen({name: name for name in columns}, {}, columns)
        fitting = [alias for alias in self.aliases.values() if alias and set(alias) <= set(columns)]
        for alias in sorted(fitting, key=len, reverse=True):
            names = {name: name for name in columns if name not in alias}
            values: dict[str, Mapping[str, Any]] = {}
            for column, meaning in alias.items():
                _read_alias(column, meaning, names, values)
            if self.time in names:
                return self._chosen(names, values, columns)
        among = f"; {', '.join(self.aliases)} of its aliases fits neither" if self.aliases else ""
        raise ModelError(
            f"{file}: has no {self.time}, which says when a record is from{among}"
            f"{nearest(self.time, columns)}. Name its columns as the table does, or add an alias"
        )

    def missing(self, found: Collection[str]) -> list[str]:
        """The fields that have to be in a file, and are not."""
        return sorted(self.own - self.optional - set(found))

    def require(self, file: str, layout: Layout, columns: Collection[str]) -> None:
        """Nothing.

        Raises:
            ModelError: a field that has to be there is not. It names the nearest column.
        """
        if missing := self.missing(layout.columns):
            raise ModelError(
                f"{file}: has no column {', '.join(missing)}{nearest(missing[0], columns)}. "
                "The model reads it: name it as the table does, or add an alias to model.yaml"
            )

    def _chosen(
        self, names: dict[str, str], values: dict[str, Mapping[str, Any]], columns: Collection[str]
    ) -> Layout:
        chosen = self.kept
        kept = {name: column for name, column in names.items() if name in chosen and column in columns}
        if self.id in kept:
            self.id_columns.append(kept[self.id])
        return Layout(kept, {name: known for name, known in values.items() if name in kept})


def nearest(name: str, columns: Iterable[str]) -> str:
    """A hint at the column that may be meant. A first line without names may hold values: none is shown."""
    shown = [column for column in columns if NAME.fullmatch(column)]
    found = get_close_matches(name, shown, n=1)
    return f" (the nearest is {found[0]})" if found else ""


def text_of(value: Any) -> str:
    """A value as an alias names it: true, 1, approved."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def translated(
    values: Iterable[Any], known: Mapping[str, Any], file: str, column: str, first: int
) -> list[Any]:
    """What the values stand for.

    Args:
        values: of a column, None where there is none.
        known: by the text of each value.
        file: and
        column: for the error.
        first: the number of the first of these records in the file.

    Raises:
        ModelError: one stands for nothing.
    """
    found = [None if value is None else known.get(text_of(value), _UNMAPPED) for value in values]
    if _UNMAPPED in found:
        raise ModelError(
            f"{file}: record {first + found.index(_UNMAPPED)}: {column} has a value that the aliases of "
            f"model.yaml say nothing of; they know {', '.join(sorted(known))}"
        )
    return found


def _read_alias(
    column: str, meaning: Any, names: dict[str, str], values: dict[str, Mapping[str, Any]]
) -> None:
    if isinstance(meaning, str):
        names[meaning] = column
    elif (
        isinstance(meaning, dict)
        and meaning
        and all(isinstance(known, dict) and known for known in meaning.values())
    ):
        for name, known in meaning.items():
            names[name] = column
            values[name] = {text_of(text): value for text, value in known.items()}
    else:
        raise ModelError(f"model.yaml: aliases: {column} should be a field, or {{field: {{text: value, …}}}}")
