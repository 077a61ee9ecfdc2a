"""Examples of a policy: a raw record in, the expected event out, run through the sanitiser that ships.

They stand beside the policy, as `payments.examples.yaml` beside `payments.yaml`, in the same strict YAML.
What a key makes is named by its form, as in `<token ann>`, because nobody knows the key: equal names are
equal values in the whole file, and different names different ones. They run under a key that is public, and
so good for nothing else.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from processor.crypto import KeyRing
from processor.errors import Finding, Poison, PolicyError
from processor.policy import Sanitiser
from processor.policy.document import file_bytes, read_document
from processor.policy.kinds import UNREADABLE, Many, Problem, Section, Text, key, shown
from processor.review import shape
from processor.review.profile import is_name
from processor.stream import Change

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from processor.policy.kinds import Fault, Place
    from processor.policy.notes import Notes
    from processor.policy.plan import Plan, Rule

SUFFIX: Final = ".examples.yaml"
EXAMPLES_MAX: Final = 1_000
KEYS: Final = KeyRing({1: b"the key of the examples: public, so good for nothing else"})
SHARED_MAX: Final = 4  # characters in a row that a value may have in common with a raw one and still be shown
NOTES: Final = "(notes)"
"""Stands for a path where it is the notes that differ: they hold counts, no values."""
ABSENT: Final = object()
"""Stands where there is no such field."""

_MARKER: Final = re.compile(r"<(?P<form>[a-z]+)(?: (?P<name>[\w.-]{1,40}))?>")
FORMS: Final = {
    "token": re.compile(r"tok\.[\w-]+\.\d+\.[\w-]+"),
    "pseudonym": re.compile(r"psn\.[\w-]+\.\d+\.[\w-]+"),
    "encrypted": re.compile(r"enc\.[\w-]+\.[\w-]+"),
    "hash": re.compile(r"[0-9a-f]{64}"),
    "other": None,
}
"""What a marker stands for; `other` for anything but what the record has there, as a shifted date or a number
of the same form."""


@dataclass(frozen=True, slots=True)
class Image:
    """A raw record: a map. `{"<set>": [a, b]}` is a set, `{"<binary>": "base64"}` bytes."""

    def read(self, value: Any, at: Place, problems: list[Problem]) -> Any:
        """The record in the types that the stream decodes to, or `UNREADABLE`."""
        if not isinstance(value, dict):
            problems.append(Problem(at, f"a record must be a map of attributes, not {shown(value)}"))
            return UNREADABLE
        try:
            return {name: _raw(item) for name, item in value.items()}
        except ValueError as mistake:
            problems.append(Problem(at, str(mistake)))
            return UNREADABLE

    def schema(self) -> dict[str, Any]:
        """Any map."""
        return {"type": "object"}


@dataclass(frozen=True, slots=True)
class Expected:
    """A map of what is expected, with markers in it."""

    def read(self, value: Any, at: Place, problems: list[Problem]) -> Any:
        """The map with exact numbers, or `UNREADABLE`."""
        if not isinstance(value, dict):
            problems.append(Problem(at, f"{at[-1]} must be a map of fields, not {shown(value)}"))
            return UNREADABLE
        for text in _texts(value):
            marker = _MARKER.fullmatch(text)
            if marker and marker["form"] not in FORMS:
                known = ", ".join(f"<{form}>" for form in FORMS)
                problems.append(Problem(at, f"unknown marker {text}", f"Known: {known}."))
                return UNREADABLE
        return _exact(value)

    def schema(self) -> dict[str, Any]:
        """Any map."""
        return {"type": "object"}


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment in UTC: read as epoch seconds."""

    def read(self, value: Any, at: Place, problems: list[Problem]) -> Any:
        """Epoch seconds, or `UNREADABLE`."""
        try:
            moment = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            moment = None
        if moment is None or moment.tzinfo is None:
            hint = 'Write it as "2026-11-23T12:00:00Z", in quotes.'
            problems.append(Problem(at, "time must be a moment with an offset", hint))
            return UNREADABLE
        return int(moment.timestamp())

    def schema(self) -> dict[str, Any]:
        """A text."""
        return {"type": "string", "format": "date-time"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One change, and what has to come of it."""

    name: str = field(metadata=key(Text(r"\S.{0,199}", "1 to 200 characters"), "What it shows."))
    time: int = field(
        default=int(datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()),
        metadata=key(Moment(), "When the change was. 2026-11-23T12:00:00Z if left out."),
    )
    record: dict[str, Any] | None = field(
        default=None, metadata=key(Image(), "The raw record; short for `new` and an event of it alone.")
    )
    new: dict[str, Any] | None = field(
        default=None, metadata=key(Image(), "The image after the change; none where the item is removed.")
    )
    old: dict[str, Any] | None = field(default=None, metadata=key(Image(), "The image before the change."))
    event: dict[str, Any] | None = field(
        default=None,
        metadata=key(Expected(), "The whole sanitised record; with `new` or `old`, a map of those images."),
    )
    notes: dict[str, Any] | None = field(
        default=None, metadata=key(Expected(), "Counts of what was done, as the event has them; some or all.")
    )
    error: str | None = field(
        default=None,
        metadata=key(Text(r"\S.{0,199}", "1 to 200 characters"), "Part of why it goes to quarantine."),
    )

    def faults(self) -> Iterator[Fault]:
        """What contradicts what."""
        if self.record is None and self.new is None and self.old is None:
            yield ("name",), "an example needs a `record`, or a `new` or `old` image"
        if self.record is not None and (self.new is not None or self.old is not None):
            yield ("record",), "`record` is short for `new`: say one of them"
        if (self.event is None) is (self.error is None):
            yield ("name",), "an example says either the `event` or the `error` that it expects"
        if self.error is not None and self.notes is not None:
            yield ("notes",), "a record that goes to quarantine has no notes"
        if self.record is None and self.event is not None and self.event.keys() != self.images.keys():
            given = " and ".join(self.images)
            yield ("event",), f"beside {given}, the event must say what becomes of {given}"

    @property
    def images(self) -> dict[str, dict[str, Any]]:
        """The raw images, as they are named."""
        named = {"new": self.new if self.record is None else self.record, "old": self.old}
        return {name: image for name, image in named.items() if image is not None}

    @property
    def change(self) -> Change:
        """What the stream would deliver."""
        new, old = self.images.get("new"), self.images.get("old")
        kind = "REMOVE" if new is None else "MODIFY" if old is not None else "INSERT"
        return Change("example", kind, self.time, "examples", "0", {}, new, old, expired=False)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One field that is not as expected; `raw` is everything in the record, for who shows the two."""

    path: str
    expected: Any
    got: Any
    raw: frozenset[str]

    def words(self, *, show: bool) -> tuple[str, str]:
        """What was expected and what came; without `show`, nothing that the raw record could hold."""
        expected, got = (_told(value, None if show else self.raw) for value in (self.expected, self.got))
        return expected, got if expected != got else f"{got}, but another (--show-values shows both)"


@dataclass(frozen=True, slots=True)
class Result:
    """How one example went."""

    example: Example
    mismatches: tuple[Mismatch, ...]

    @property
    def passed(self) -> bool:
        """Whether all came as expected."""
        return not self.mismatches


@dataclass(frozen=True, slots=True)
class Report:
    """How all examples of a policy went."""

    plan: Plan
    results: tuple[Result, ...]
    untouched: tuple[Rule, ...]
    """Rules, or cases of them, that acted on no value of any example."""


def read_examples(path: Path) -> list[Example]:
    """The examples of a file.

    Raises:
        PolicyError: everything that is wrong with the file, each with line and column.
    """
    file = str(path)
    data = file_bytes(path)
    document, problems = read_document(data, file), list[Problem]()
    examples = Many(Section(Example), most=EXAMPLES_MAX).read(document.data, ("examples",), problems)
    if examples is not UNREADABLE:
        times = Counter(example.name for example in examples)
        problems = [
            Problem(("examples", index, "name"), "two examples have this name", "Give each its own.")
            for index, example in enumerate(examples)
            if times[example.name] > 1
        ]
    if problems:
        places = [(problem, document.locate(problem.at[1:], on_key=problem.on_key)) for problem in problems]
        raise PolicyError([Finding(file, *place, problem.message, problem.hint) for problem, place in places])
    return list(examples)


def run(plan: Plan, examples: Iterable[Example]) -> Report:
    """Sanitise each example's record and compare."""
    sanitiser, named = Sanitiser(plan, KEYS), dict[tuple[str, str], str]()
    acted, results = [0] * len(plan.rules), []
    for example in examples:
        raw = frozenset(_scalars(list(example.images.values())))
        try:
            sanitised = sanitiser.sanitise(example.change)
        except Poison as poison:
            said = str(poison)
            found = [] if example.error and example.error in said else [("", example.error, said)]
            # Its words hold no value of the record.
            raw = frozenset()
        else:
            acted = [a + b for a, b in zip(acted, sanitised.notes.counts, strict=True)]
            images = {"new": sanitised.new, "old": sanitised.old}
            found = list(_compared(example, images, sanitised.notes, named))
        mismatches = tuple(Mismatch(*one, frozenset() if one[0] == NOTES else raw) for one in found)
        results.append(Result(example, mismatches))
    untouched = tuple(rule for rule, count in zip(plan.rules, acted, strict=True) if not count)
    return Report(plan, tuple(results), untouched)


Found = tuple[str, Any, Any]
"""Path, expected, got."""


def _compared(
    example: Example, images: dict[str, Any], notes: Notes, named: dict[tuple[str, str], str]
) -> Iterator[Found]:
    if example.event is None:
        yield "", f"quarantine: {example.error}", "a record that leaves"
        return
    if example.record is not None:
        yield from _differing(example.event, images["new"], example.record, "", named)
    else:
        for name, expected in example.event.items():
            yield from _differing(expected, images[name], example.images[name], name, named)
    wanted, counted = example.notes or {}, notes.as_event()
    counts = {name: counted[name] for name in wanted if name in counted}
    if counts != wanted:
        yield NOTES, wanted, counts


def _differing(
    expected: Any, got: Any, raw: Any, path: str, named: dict[tuple[str, str], str]
) -> Iterator[Found]:
    """Field by field, exactly: what is more than expected differs as well as what is less."""
    if isinstance(expected, dict) and isinstance(got, dict):
        for name in dict.fromkeys((*expected, *got)):
            shown_name = name if is_name(name) else f'["{shape.shape(name)}"]'
            place = f"{path}.{shown_name}" if path else shown_name
            inside = raw.get(name, ABSENT) if isinstance(raw, dict) else ABSENT
            yield from _differing(expected.get(name, ABSENT), got.get(name, ABSENT), inside, place, named)
    elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        items = raw if isinstance(raw, list) and len(raw) == len(got) else [ABSENT] * len(got)
        for index, (one, other, inside) in enumerate(zip(expected, got, items, strict=True)):
            yield from _differing(one, other, inside, f"{path}[{index}]", named)
    elif isinstance(expected, str) and (marker := _MARKER.fullmatch(expected)):
        if not _fits(marker, got, raw, named):
            yield path, expected, got
    elif isinstance(expected, bool) is not isinstance(got, bool) or expected != got:
        yield path, expected, got


def _fits(marker: re.Match[str], got: Any, raw: Any, named: dict[tuple[str, str], str]) -> bool:
    """Whether a value has the marker's form, and is that of its name."""
    form = FORMS[marker["form"]]
    if form is None:
        if got is ABSENT or got == raw:
            return False
    elif not isinstance(got, str) or not form.fullmatch(got):
        return False
    if marker["name"] is None:
        return True
    name, value = (marker["form"], marker["name"]), str(got)
    others = {other for one, other in named.items() if one[0] == name[0] and one != name}
    return named.setdefault(name, value) == value and value not in others


def _told(value: Any, raw: frozenset[str] | None) -> str:
    """A value in a line; by its form where it could tell something of the raw ones, which `raw` has."""
    if value is ABSENT:
        return "nothing"
    if raw is None or not any(_tells(text, raw) for text in _scalars(value)):
        return shape.in_line(value) or '""'
    return shape.shape(value)


def _tells(text: str, raw: frozenset[str]) -> bool:
    """Whether a text is one of the raw ones, or has more of one than a year or the end of a card number."""
    if text in raw:
        return True
    pieces = (text[start : start + SHARED_MAX + 1] for start in range(len(text) - SHARED_MAX))
    return any(piece in one for piece in pieces for one in raw)


def _scalars(value: Any) -> Iterator[str]:
    """All texts and numbers in a value, keys included, as texts."""
    if isinstance(value, dict):
        for name, item in value.items():
            # A field's own name is in the policy; a name that is data is no better than a value.
            yield from () if is_name(name) else (name,)
            yield from _scalars(item)
    elif isinstance(value, list | frozenset):
        for item in value:
            yield from _scalars(item)
    elif isinstance(value, bytes):
        yield b64encode(value).decode()  # as it would leave
    elif value is not None and value is not ABSENT and value != "":
        yield str(value)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value


def _raw(value: Any) -> Any:
    """A value of the file in the types that the stream decodes to."""
    if isinstance(value, dict) and value.keys() == {"<set>"}:
        members = value["<set>"]
        if not isinstance(members, list) or any(isinstance(item, dict | list) for item in members):
            raise ValueError("a set is a list of texts or numbers: {'<set>': [a, b]}")
        return frozenset(map(_raw, members))
    if isinstance(value, dict) and value.keys() == {"<binary>"}:
        try:
            return b64decode(value["<binary>"], validate=True)
        except (NotBase64, TypeError, ValueError):
            raise ValueError("binary is base64 in quotes: {'<binary>': 'AAEC'}") from None
    if isinstance(value, dict):
        return {name: _raw(item) for name, item in value.items()}
    return [_raw(item) for item in value] if isinstance(value, list) else _exact(value)


def _exact(value: Any) -> Any:
    """Numbers as the stream has them: no floats."""
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, dict):
        return {name: _exact(item) for name, item in value.items()}
    return [_exact(item) for item in value] if isinstance(value, list) else value
