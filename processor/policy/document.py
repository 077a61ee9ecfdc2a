"""The subset of YAML that Terraform and Python read alike: everything else is refused, with its place.

Terraform reads `retention_days` and `routes` from the same file. Two readers of YAML disagree silently on
`0123` (123 or 83), `1:30` (a text or 90), `1e3` (a number or a text), `y`, dates and much else, keep the last
of two equal keys, and Terraform brings texts into Unicode's form C. What they read differently, nobody may
write. Not part of the Lambda package: this is the one module that needs PyYAML.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

from processor.errors import Finding, PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from processor.policy.kinds import Place, Problem

BYTES_MAX: Final = 256 * 1024
DEPTH_MAX: Final = 16  # levels; a policy has five
SHOWN_MAX: Final = 60  # characters of the policy in a message

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_FRACTION = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,17}")
# Plain texts: names, paths, versions. What is not listed here is a text in quotes only.
_TEXT = re.compile(r"""[^\W\d][\w .*~\[\]"'()/@+-]*""")
_NULLS: Final = {"", "~", "null"}
# The plain scalars on which readers differ, and how: https://yaml.org/type/ against YAML 1.2's core schema.
_AMBIGUOUS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), words)
    for pattern, words in (
        (r"y|n|yes|no|on|off|true|false", "true or false, or a text"),
        (r"null", "nothing, or a text"),
        (r"[-+]?0[0-9_]+", "a number in base 8 or in base 10"),
        (r"[-+]?0[box][0-9a-f_]+", "a number or a text"),
        (r"[-+]?[0-9][0-9_]*(:[0-9]{1,2})+(\.[0-9_]*)?", "a number in base 60 or a text"),
        (r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*", "a date or a text"),
        (r"[-+.]?[0-9][0-9_.]*(e[-+]?[0-9]+)?", "a number or a text, exact or rounded"),
        (r"[-+]?\.?(inf|infinity|nan)", "a number or a text"),
        (r"<<", "an order to merge another map, or a key"),
    )
)

NOWHERE: Final = -1  # the place of what has none: keys themselves, and values of keys that were refused

Mark = tuple[int, int]
"""Line and column, from 1."""


@dataclass(frozen=True, slots=True)
class Document:
    """A policy file as plain data, and where in the file everything stands."""

    data: Any
    values: dict[Place, Mark]
    keys: dict[Place, Mark]

    def locate(self, at: Place, *, on_key: bool) -> Mark:
        """Where a place is written; for one that is not, the nearest that it is in."""
        while at:
            for marks in (self.keys, self.values) if on_key else (self.values, self.keys):
                if at in marks:
                    return marks[at]
            at = at[:-1]
        return (1, 1)

    def findings(self, problems: Iterable[Problem], file: str) -> list[Finding]:
        """Problems with their places, in the order of the file."""
        found = [
            Finding(file, *self.locate(problem.at, on_key=problem.on_key), problem.message, problem.hint)
            for problem in problems
        ]
        return sorted(found, key=lambda finding: (finding.line, finding.column))


def file_bytes(path: Path) -> bytes:
    """What is in a file that may be anything; of one that is too large, enough to see that.

    Raises:
        PolicyError: it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return stream.read(BYTES_MAX + 1)
    except OSError as error:
        raise PolicyError([Finding(str(path), 1, 1, f"cannot be read: {error.strerror}")]) from None


def read_document(data: bytes, file: str) -> Document:
    """The one document of a file; `file` names it in findings.

    Raises:
        PolicyError: all that the two readers could read differently, and what YAML itself cannot read.
    """
    reader = _Reader(file)
    try:
        document = reader.document(yaml.parse(reader.text(data), Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = ", ".join(part for part in (error.context, error.problem) if part)
        reader.note((mark.line + 1, mark.column + 1) if mark else (1, 1), f"not YAML: {words}")
    except _Unreadable:
        pass
    if reader.findings:
        raise PolicyError(sorted(reader.findings, key=lambda finding: (finding.line, finding.column)))
    return document


class _Unreadable(Exception):  # noqa: N818  noted, and nothing after it can be read
    pass


class _Broken:
    """Stands for a value that was refused: a finding says so already."""


class _Reader:
    """Reads YAML's events, not its nodes: only they still know what was written how."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []
        self.values: dict[Place, Mark] = {}
        self.keys: dict[Place, Mark] = {}
        self.events: Iterator[Any] = iter(())

    def note(self, mark: Mark, message: str, hint: str = "") -> None:
        self.findings.append(Finding(self.file, *mark, message, hint))

    def stop(self, mark: Mark, message: str, hint: str = "") -> _Unreadable:
        self.note(mark, message, hint)
        return _Unreadable()

    def text(self, data: bytes) -> str:
        """The file's text, when a person sees all of it."""
        if len(data) > BYTES_MAX:
            raise self.stop((1, 1), f"the file has {len(data):,} bytes; {BYTES_MAX:,} are read at most")
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            before = data[: error.start].decode("utf-8")
            mark = (before.count("\n") + 1, len(before) - before.rfind("\n"))
            raise self.stop(mark, "not UTF-8", "Save the file as UTF-8.") from None
        for number, line in enumerate(text.split("\n"), 1):
            if not line.removesuffix("\r").isprintable():
                column = next(index for index, sign in enumerate(line) if not sign.isprintable())
                name = f"U+{ord(line[column]):04X}"
                hint = (
                    "Remove it; a tab becomes spaces. Invisible characters hide from reviewers what is read."
                )
                self.note((number, column + 1), f"an invisible character, {name}", hint)
        if self.findings:
            raise _Unreadable
        return text

    def document(self, events: Iterator[Any]) -> Document:
        """The only document."""
        self.events = events
        next(events)  # the start of the stream
        start = next(events)
        if isinstance(start, yaml.StreamEndEvent):
            raise self.stop((1, 1), "the file is empty", "A policy begins with `policy: <its name>`.")
        if start.version or start.tags:
            self.note(_mark(start), "a YAML directive", "Remove the lines that begin with %.")
        data = self.node(next(events), (), 1)
        next(events)  # the end of the document
        after = next(events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise self.stop(_mark(after), "a second document", "One file is one policy.")
        return Document(data, self.values, self.keys)

    def node(self, event: Any, place: Place, depth: int) -> Any:
        """What begins with an event, with all that is in it."""
        mark = _mark(event)
        self.values[place] = mark
        if isinstance(event, yaml.AliasEvent):
            self.note(
                mark, f"an alias, *{event.anchor}", "Write the value out; a text in quotes may begin with *."
            )
            return _Broken
        if event.anchor is not None:
            self.note(mark, f"an anchor, &{event.anchor}", "Remove it and write values out.")
        if event.tag is not None:
            self.note(mark, f"a tag, {event.tag}", "Remove it: the policy knows what type each value has.")
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event)
        if depth > DEPTH_MAX:
            raise self.stop(mark, f"nested deeper than {DEPTH_MAX} levels")
        if isinstance(event, yaml.SequenceStartEvent):
            return self.items(place, depth)
        return self.map(place, depth)

    def items(self, place: Place, depth: int) -> list[Any]:
        read: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            read.append(self.node(event, (*place, len(read)), depth + 1))
        return read

    def map(self, place: Place, depth: int) -> dict[str, Any]:
        read: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key, mark = self.node(event, (*place, NOWHERE), depth + 1), _mark(event)
            if isinstance(key, str) and key not in read:
                self.keys[*place, key] = mark
                read[key] = self.node(next(self.events), (*place, key), depth + 1)
                continue
            if isinstance(key, str):
                first = self.keys[*place, key][0]
                hint = f"Remove one: readers keep the last without a word. The first is in line {first}."
                self.note(mark, f"{key!r} is twice in this map", hint)
            elif key is not _Broken:
                written = getattr(event, "value", "")
                hint = f"Quote it: {_quoted(written)}." if written else "Write it as name: value."
                self.note(mark, "a key must be a text", hint)
            self.node(next(self.events), (*place, NOWHERE), depth + 1)
        return read

    def scalar(self, event: Any) -> Any:
        """The value of a scalar that has one reading only."""
        mark, value = _mark(event), event.value
        if event.style in {"|", ">"} or event.start_mark.line != event.end_mark.line:
            self.note(mark, "a text over several lines", "Write it on one line, in quotes.")
        elif not value.isprintable() or not unicodedata.is_normalized("NFC", value):
            words = "an invisible character" if not value.isprintable() else "a character in two parts"
            self.note(mark, f"a text with {words}", "Write it as Unicode's form C has it, without escapes.")
        elif event.style:
            return value
        else:
            return self.plain(value, mark)
        return _Broken

    def plain(self, value: str, mark: Mark) -> Any:
        if value in {"true", "false"}:
            return value == "true"
        if value in _NULLS:
            return None
        if _INTEGER.fullmatch(value):
            return int(value)
        if _FRACTION.fullmatch(value):
            return float(value)
        words = next((words for pattern, words in _AMBIGUOUS if pattern.fullmatch(value)), None)
        if words is None and _TEXT.fullmatch(value):
            return value
        shown = value if len(value) <= SHOWN_MAX else value[:SHOWN_MAX] + "…"
        hint = f"If it is a text, quote it: {_quoted(shown)}."
        self.note(mark, f"{shown} could be read as {words or 'more than a text'}", hint)
        return _Broken


def _mark(event: Any) -> Mark:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
