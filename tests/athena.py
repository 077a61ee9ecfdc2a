"""Athena on a laptop: reads objects by a Glue table's types, strictly, and runs its SQL in DuckDB.

Where Athena would make null of a value that its type does not fit, this fails. sqlglot translates its SQL;
what that leaves to do is done here.
"""

from __future__ import annotations

import gzip
import json
import re
from typing import TYPE_CHECKING, Any

import duckdb
import sqlglot
from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

PLAIN = {"string": "VARCHAR", "bigint": "BIGINT", "int": "INTEGER", "double": "DOUBLE", "boolean": "BOOLEAN"}
JSON: dict[str, type] = {"string": object, "boolean": bool, "array": list, "map": dict, "struct": dict}
"""What a type takes of JSON; the others take numbers."""


class Number(str):
    """A number of JSON, as it is written."""

    __slots__ = ()


class Table:
    """A table of Glue over objects of S3.

    Args:
        types: of each column, as Glue has them.
        template: the `storage.location.template`, whose variables are the partitions.
        mapping: names in events by column.
    """

    def __init__(
        self, name: str, types: Mapping[str, str], template: str, mapping: Mapping[str, str]
    ) -> None:
        self.name = name
        self.types = types
        self.mapping = mapping
        pattern = re.sub(r"\\\$\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template.split("/", 3)[3]))
        self._place = re.compile(pattern + r".+")  # Athena looks into folders of a partition, too

    def rows(self, objects: Mapping[str, bytes]) -> Iterator[dict[str, Any]]:
        """What Athena reads of objects, by their keys."""
        for key, body in objects.items():
            place = self._place.fullmatch(key)
            if place is None:
                continue  # of no partition
            for line in gzip.decompress(body).splitlines():
                event = json.loads(line, parse_float=Number, parse_int=Number)
                yield self.row(event) | self._partition(place) | {"$path": key}

    def _partition(self, place: re.Match[str]) -> dict[str, Any]:
        """The partition's columns: an hour of 00 is 0, because projected integers are numbers."""
        return {name: int(text) if name == "hour" else text for name, text in place.groupdict().items()}

    def row(self, event: dict[str, Any]) -> dict[str, Any]:
        """An event read by the types of the columns; a number is a `Number`."""
        return self._members(self.types, event, "event")

    def _read(self, kind: str, value: Any, at: str) -> Any:
        outer, inner = _split(kind)
        assert value is None or isinstance(value, JSON.get(outer, Number)), f"{at} is no {kind}"
        outer = "" if value is None else outer
        match outer:
            case "string" if not isinstance(value, str):
                return json.dumps(value)
            case "bigint" | "int" | "double":
                return float(value) if outer == "double" else int(value)
            case "array":
                return [self._read(inner[0], item, f"{at}[]") for item in value]
            case "map":
                return {name: self._read(inner[1], item, f"{at}.*") for name, item in value.items()}
            case "struct":
                return self._members(dict(one.split(":", 1) for one in inner), value, at)
        return value

    def _members(self, types: dict[str, str], value: dict[str, Any], at: str) -> dict[str, Any]:
        given = {name.lower(): item for name, item in value.items()}
        assert len(given) == len(value), f"{at} has names that differ in case alone"
        return {
            name: self._read(kind, given.get(self.mapping.get(name, name)), f"{at}.{name}")
            for name, kind in types.items()
        }


def ask(
    table: Table, rows: Sequence[dict[str, Any]], sql: str, folder: Path, *given: str
) -> list[dict[str, Any]]:
    """What a query answers, given its parameters; it names the table as `"database"."name"`."""
    file = folder / f"{table.name}.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    types = {**table.types, "dt": "string", "hour": "int", "$path": "string"}
    columns = ", ".join(f"'{name}': '{duck_type(kind)}'" for name, kind in types.items())
    (database, name) = re.findall(r'FROM "(\w+)"\."(\w+)"', sql)[0]
    with duckdb.connect() as base:
        base.execute(f'CREATE SCHEMA "{database}"')
        base.execute(
            f'CREATE TABLE "{database}"."{name}" AS SELECT * FROM '  # noqa: S608  of our own tests
            f"read_json('{file}', format = 'newline_delimited', columns = {{{columns}}})"
        )
        answer = base.execute(translated(sql), given)
        names = [column[0] for column in answer.description]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def translated(sql: str) -> str:
    """Athena's SQL as DuckDB's, which takes several lists apart side by side in a SELECT alone."""
    tree = sqlglot.parse_one(sql, read="athena")
    for unnest in tree.find_all(exp.Unnest):
        names = [column.name for column in unnest.args["alias"].columns]
        parts = [
            exp.alias_(exp.Explode(this=part), name)
            for part, name in zip(unnest.expressions, names, strict=True)
        ]
        unnest.replace(
            exp.Lateral(this=exp.Subquery(this=exp.select(*parts)), alias=exp.TableAlias(this="fields"))
        )
    return tree.sql("duckdb")


def duck_type(kind: str) -> str:
    """DuckDB's name of a type of Glue."""
    outer, inner = _split(kind)
    match outer:
        case "array":
            return f"{duck_type(inner[0])}[]"
        case "map":
            return f"MAP({duck_type(inner[0])}, {duck_type(inner[1])})"
        case "struct":
            members = (one.split(":", 1) for one in inner)
            return "STRUCT(" + ", ".join(f'"{name}" {duck_type(of)}' for name, of in members) + ")"
    return PLAIN[outer]


def _split(kind: str) -> tuple[str, list[str]]:
    """`map<string,array<int>>` is `map` of `string` and `array<int>`."""
    outer, _, rest = kind.partition("<")
    parts, depth = [""], 0
    for sign in rest[:-1]:
        depth += (sign == "<") - (sign == ">")
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return outer, parts
