"""What a policy makes of a sample of records, and who could still be told apart in the result.

One pass over the records, whatever their number: what is remembered are counts, a few records to show, and
the equivalence classes. Raw values stay in the few records; a count of different values keeps hashes only.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from processor.errors import Poison
from processor.event import dumps
from processor.policy import Sanitiser, paths
from processor.policy.actions import ACTIONS
from processor.policy.actions.drop import Drop
from processor.policy.detection import ENTITIES, TEXT_CHARACTERS_MAX, expanded, finder
from processor.policy.notes import REDACTED
from processor.policy.plan import Rule
from processor.review import shape
from processor.review.anonymity import Classes
from processor.review.coverage import coverage
from processor.review.distinct import Distinct, hash_of
from processor.stream import Change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from processor.crypto import KeyRing
    from processor.policy.paths import Node
    from processor.policy.plan import Plan
    from processor.review.anonymity import Anonymity

UNTELLING: Final = {"date"}  # every record has one; of a person's, the class of the field says whose it is
QUASI: Final = frozenset({"quasi", "birth_date", "date", "age", "postcode", "place", "network"})
"""Classes of fields that narrow down who it was once they are combined."""
NUMBER_DIGITS_MIN: Final = 9  # of a number that could be somebody's: a social security number
EXAMPLES: Final = 3  # records shown
CELL_CHARACTERS_MAX: Final = 200  # of what a quasi-identifier says; the hash of a longer text tells it apart

Values = dict[int, list[Any]]
"""What a record has at each line of `fields`, by the index of the line's first rule."""


@dataclass(slots=True)
class FieldSeen:
    """What became of one field: one line of `fields`, with all its cases."""

    path: str
    action: str
    """Of several cases all of them, in their order."""
    data_class: str
    exposure: int
    """Of the case that exposes most."""
    readable: bool
    """Whether what leaves can be read, in whole or in part: it is no constant, and not made by a key."""
    quasi: bool
    """Whether it is readable and narrows down who it was. Free text is not: nobody knows beforehand what
    somebody wrote, and with it everybody would be alone."""
    records: int = 0
    """In which the rule acted on something."""
    before: Distinct = field(default_factory=Distinct)
    after: Distinct = field(default_factory=Distinct)
    found: Counter[str] = field(default_factory=Counter)
    """In a field that the policy keeps: what was recognised in its raw values and is not allowed there."""
    mismatched: int = 0
    oversized: int = 0
    leaks: int = 0

    @property
    def remarks(self) -> list[str]:
        """What a reviewer looks twice at, in words."""
        said = [
            f"{entity} recognised {shape.counted(count, 'time')}"
            for entity, count in self.found.most_common()
        ]
        held = {
            "of a type or form that the action does not take": self.mismatched,
            "beyond the limits": self.oversized,
            "stopped by the leak guard": self.leaks,
        }
        return said + [f"{count:,} {words}, redacted" for words, count in held.items() if count]


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of one record that is shown; `path` may be one that no rule names."""

    path: str
    action: str
    before: tuple[Any, ...]
    """Raw values: personal data. What shows them decides by `--show-values`."""
    after: tuple[Any, ...]
    """As sanitised; nothing where the field does not leave."""


@dataclass(slots=True)
class Preview:
    """All that there is to say."""

    plan: Plan
    records: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    """Records that would go to quarantine, by the reason, which holds no value."""
    fields: list[FieldSeen] = field(default_factory=list)
    unnamed: Counter[str] = field(default_factory=Counter)
    """Fields that no rule names, and how often they are there."""
    examples: list[list[Cell]] = field(default_factory=list)
    anonymity: Anonymity | None = None

    def findings(self, min_k: int = 0) -> list[str]:
        """What a reviewer has to mend or answer for; none of it holds a value."""
        found = [
            f"{shape.counted(count, 'record')} would go to quarantine: {reason}"
            for reason, count in self.failed.items()
        ]
        for one in self.fields:
            if one.found:
                what = ", ".join(
                    f"{entity} {shape.counted(count, 'time')}" for entity, count in one.found.most_common()
                )
                found.append(f"{one.path} is kept, and in it was recognised: {what}")
        if self.anonymity and self.anonymity.measure.k < min_k:
            found.append(f"k is {self.anonymity.measure.k}, and {min_k} was asked for")
        return found


def preview(
    plan: Plan,
    records: Iterable[Mapping[str, Any]],
    *,
    keys: KeyRing,
    now: int,
    examples: int = EXAMPLES,
) -> Preview:
    """Sanitise the records and look at what comes out.

    Args:
        plan: the policy.
        records: raw, as JSON has them.
        keys: any; nothing is kept that was made with them, apart from the examples.
        now: the time of every change, epoch seconds UTC.
        examples: how many records to keep for showing.
    """
    looking = _Looking(plan, keys, now, examples)
    looking.seen.unnamed = coverage(plan, looking.passing(records)).unnamed
    looking.seen.anonymity = looking.classes.anonymity()
    return looking.seen


class _Looking:
    def __init__(self, plan: Plan, keys: KeyRing, now: int, examples: int) -> None:
        self.plan, self.keys, self.now, self.examples = plan, keys, now, examples
        self.tree, self.lines = plan.tree(), plan.cases()
        self.sanitiser = Sanitiser(plan, keys)
        self.subject = paths.parse(plan.subject) if plan.subject else ()
        self.by_line = {
            first: _field_of([plan.rules[index] for index in indices])
            for first, indices in self.lines.items()
        }
        self.seen = Preview(plan, fields=list(self.by_line.values()))
        self.quasi = [first for first, one in self.by_line.items() if one.quasi]
        self.classes = Classes(
            [self.by_line[first].path for first in self.quasi], by_person=bool(self.subject)
        )
        self.finders = {first: find for first in self.lines if (find := self._finder(first))}
        self.alone: dict[int, Sanitiser] = {}

    def passing(self, records: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """Look at each record on its way to who reads on: one pass serves both."""
        for record in records:
            self.look(dict(record))
            yield record

    def look(self, record: dict[str, Any]) -> None:
        """Take one record in."""
        self.seen.records += 1
        change = Change("", "INSERT", self.now, self.plan.name, "", {}, record, None, expired=False)
        try:
            sanitised = self.sanitiser.sanitise(change)
        except Poison as poison:
            self.seen.failed[str(poison)] += 1
            return
        before: Values = {}
        after: Values = {}
        _values(record, self.tree, before)
        _values(sanitised.new, self.tree, after)
        for first, values in before.items():
            self.look_at_field(first, values, after.get(first, []))
        counts, notes = sanitised.notes.counts, sanitised.notes
        for first, indices in self.lines.items():
            self.by_line[first].records += any(counts[index] for index in indices)
        if notes.mismatched or notes.oversized or notes.leaks:
            self.attribute(change, [first for first, values in after.items() if REDACTED in values])
        cells = [_cell(after.get(first, ())) for first in self.quasi]
        self.classes.add(cells, self.person(record))
        if len(self.seen.examples) < self.examples:
            self.seen.examples.append(self.example(record, before, after))

    def look_at_field(self, first: int, before: list[Any], after: list[Any]) -> None:
        """Count different values, and what is recognised in a field that is kept."""
        one, find = self.by_line[first], self.finders.get(first)
        for value in before:
            if value is None:
                continue
            one.before.add(value)
            if find is not None and (text := _searched(value)):
                one.found.update(span.entity for span in find(text))
        for value in after:
            if value is not None:
                one.after.add(value)

    def attribute(self, change: Change, suspects: list[int]) -> None:
        """Find the fields whose values were held back, and why: each field sanitised alone.

        The notes of a change hold sums over its fields, because the hot path counts no more than it must.
        """
        for first in suspects:
            if first not in self.alone:
                self.alone[first] = Sanitiser(_only(self.plan, self.lines[first]), self.keys)
            notes = self.alone[first].sanitise(change).notes
            one = self.by_line[first]
            one.mismatched += notes.mismatched
            one.oversized += notes.oversized
            one.leaks += notes.leaks

    def person(self, record: dict[str, Any]) -> int | None:
        """A number for the person that a record is about."""
        value: Any = record
        for name in self.subject:
            value = value.get(name) if isinstance(value, dict) else None
        return None if value is None else hash_of(value)

    def example(self, record: dict[str, Any], before: Values, after: Values) -> list[Cell]:
        """A record to show: a cell for each field that it has, and for each that no rule names."""
        cells = [
            Cell(
                self.by_line[first].path,
                self.by_line[first].action,
                tuple(before[first]),
                tuple(after.get(first, ())),
            )
            for first in self.lines
            if first in before
        ]
        unnamed = coverage(self.plan, [record]).unnamed
        left = (REDACTED,) if self.plan.unknown == "redact" else ()
        return cells + [Cell(path, f"unknown: {self.plan.unknown}", (), left) for path in unnamed]

    def _finder(self, first: int) -> Callable[[str], list[Any]] | None:
        """What looks into a field that is kept; what all its cases allow is none of its business."""
        keeps = [
            set(expanded(self.plan.rules[index].options.cleared))
            for index in self.lines[first]
            if self.plan.rules[index].action == "keep"
        ]
        if not keeps:
            return None
        own = [one.name for one in self.plan.recognizers]
        allowed = set.intersection(*keeps) | UNTELLING
        wanted = tuple(name for name in (*ENTITIES, *own) if name not in allowed)
        return finder(wanted, custom=tuple(one.recognizer() for one in self.plan.recognizers))


def _field_of(cases: list[Rule]) -> FieldSeen:
    # The leak guard looks at what can be read; an action that drops, redacts or uses a key it leaves alone.
    readable = [rule for rule in cases if ACTIONS[rule.action].guarded]
    classes = dict.fromkeys(rule.options.data_class for rule in cases if rule.options.data_class)
    return FieldSeen(
        path=cases[0].path,
        action=", ".join(dict.fromkeys(rule.action for rule in cases)),
        data_class=", ".join(classes),
        exposure=max(rule.exposure for rule in cases),
        readable=bool(readable),
        quasi=any(rule.options.data_class in QUASI and rule.action != "scrub" for rule in readable),
    )


def _only(plan: Plan, line: list[int]) -> Plan:
    """The plan with one line of `fields` at work: the others drop, so that the tree stays as it is."""
    rules = []
    for first, indices in plan.cases().items():
        if first == line[0]:
            rules += [plan.rules[index] for index in indices]
        else:
            rules.append(Rule(plan.rules[first].path, "drop", Drop(), at=plan.rules[first].at))
    return replace(plan, rules=tuple(rules), unknown="drop")


def _values(value: Any, node: Node, found: Values) -> None:
    """What a record, raw or sanitised, has at each line of `fields`."""
    if node.rule is not None:
        found.setdefault(node.rule, []).append(value)
    elif isinstance(value, dict):
        for name, item in value.items():
            child = node.names.get(name, node.any_name)
            if node.key is not None and name not in node.names:
                found.setdefault(node.key, []).append(name)
            if child is not None:
                _values(item, child, found)
    elif isinstance(value, list) and node.item:
        for item in value:
            _values(item, node.item, found)


def _searched(value: Any) -> str:
    """The text that detection looks into: a number, too, may be a card's."""
    if type(value) is str:
        return value if len(value) <= TEXT_CHARACTERS_MAX else ""
    if type(value) is int:
        text = str(value)
        return text if len(text) >= NUMBER_DIGITS_MIN else ""
    return ""


def _cell(values: Iterable[Any]) -> str:
    """What a quasi-identifier says, as text: items of a list in no order."""
    text = ", ".join(sorted(value if type(value) is str else dumps(value) for value in values))
    if len(text) <= CELL_CHARACTERS_MAX:
        return text
    return f"{text[:CELL_CHARACTERS_MAX]}… ({hash_of(text):016x})"
