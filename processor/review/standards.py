"""What standards demand of a policy, held against its plan: `policies/standards/*.yaml`.

A standard is data. Each of its clauses speaks of some classes of field and makes one demand of a policy, for
the most part of its rules. A list of what is allowed is closed: an action that is added later is refused
until somebody has thought about it.

Passing means that the policy asks for nothing that a clause forbids. It does not mean compliance, which is
mostly about people, and it is as true as the classes that the rules give their fields.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from processor.errors import PolicyError
from processor.policy import paths
from processor.policy.actions import CLASSES
from processor.policy.document import file_bytes, read_document
from processor.policy.kinds import Choice, Flag, Many, Problem, Section, Text, Whole, key, keys_of
from processor.policy.plan import Plan
from processor.policy.schema import DIALECT
from processor.policy.sections import NAME, RETENTION_DAYS_MAX
from processor.review.forms import Form, FormKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from processor.policy.kinds import Fault, Place
    from processor.policy.plan import Rule

SUFFIX: Final = ".yaml"
FOLDERS: Final = (Path("policies/standards"), Path(__file__).parents[2] / "policies/standards")
"""Where standards are: the team's own come before those that the gate has."""

SENTENCE: Final = Text(r"\S.{0,299}", "a sentence of up to 300 characters")

Objection = tuple["Place", str]
"""The place in the policy, and what is there."""

_DAYS: Final = Whole(1, RETENTION_DAYS_MAX)
_FORMS: Final = Many(FormKind())


@dataclass(frozen=True, slots=True, kw_only=True)
class LongestDays:
    """How long things may be kept at most."""

    events: int | None = field(default=None, metadata=key(_DAYS, "Sanitised events."))
    audit: int | None = field(default=None, metadata=key(_DAYS, "Audit manifests."))
    quarantine: int | None = field(default=None, metadata=key(_DAYS, "Raw records in quarantine."))
    logs: int | None = field(default=None, metadata=key(_DAYS, "Logs."))
    ledger: int | None = field(default=None, metadata=key(_DAYS, "Entries of the ledger."))

    def faults(self) -> Iterator[Fault]:
        """A demand of nothing."""
        if not any(getattr(self, name) for name in keys_of(LongestDays)):
            yield (), "no period is named", "Write it as {quarantine: 30}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One demand. Several may have the same number."""

    number: str = field(
        metadata=key(
            Text(r"\S.{0,59}", "a number of up to 60 characters"), "The standard's own.", name="clause"
        )
    )
    title: str = field(metadata=key(SENTENCE, "What it demands, in our own words."))
    fix: str = field(metadata=key(SENTENCE, "How a policy is mended that does not."))
    classes: tuple[str, ...] = field(
        default=(), metadata=key(Many(Choice(CLASSES)), "Of which fields. Of every field if left out.")
    )
    # Each has one of the following, its demand.
    allow: tuple[Form, ...] = field(
        default=(), metadata=key(_FORMS, "The only forms that rules on such fields have.")
    )
    forbid: tuple[Form, ...] = field(
        default=(), metadata=key(_FORMS, "Forms that no rule on such a field has.")
    )
    apart: tuple[tuple[Form, ...], ...] = field(
        default=(),
        metadata=key(Many(_FORMS, least=2), "Lists of forms; rules of two lists do not stand in one policy."),
    )
    needs_subject: tuple[Form, ...] = field(
        default=(), metadata=key(_FORMS, "Forms of rules that need a policy with a subject.")
    )
    unread: bool = field(default=False, metadata=key(Flag(), "Whether the model must not read such fields."))
    unclassified: tuple[Form, ...] = field(
        default=(),
        metadata=key(_FORMS, "The only forms of rules without a class; what the model reads has one."),
    )
    unknown: tuple[str, ...] = field(
        default=(),
        metadata=key(
            Many(keys_of(Plan)["unknown"].metadata["kind"]), "What may become of fields that no rule names."
        ),
    )
    retention_days: LongestDays | None = field(
        default=None, metadata=key(Section(LongestDays), "How long things are kept at most.")
    )

    @property
    def demands(self) -> list[str]:
        """The names of its demands, of which there is one."""
        return [name for name in DEMANDS if getattr(self, name)]

    def faults(self) -> Iterator[Fault]:
        """What it has too much or too little of."""
        if len(self.demands) != 1:
            said = f"a clause has one of {', '.join(DEMANDS)}, not {' and '.join(self.demands) or 'none'}"
            yield (), said, "Split it: several clauses may have one number."
        elif bool(self.classes) is (self.demands[0] in ABOUT_POLICY) and self.demands[0] != "forbid":
            yield (), f"{self.demands[0]} goes {'without' if self.classes else 'with'} classes"

    def concerns(self, rule: Rule) -> bool:
        """Whether it speaks of the field of a rule."""
        return not self.classes or rule.options.data_class in self.classes


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """A standard, as far as a policy can show that it is kept."""

    name: str = field(metadata=key(NAME, "That of its file.", name="standard"))
    title: str = field(metadata=key(Text(r"\S.{0,39}", "a title of up to 40 characters"), "For citing."))
    source: str = field(metadata=key(SENTENCE, "Who publishes it, which version, where to find it."))
    silent: tuple[str, ...] = field(
        default=(), metadata=key(Many(Choice(CLASSES)), "The classes of field that no clause speaks of.")
    )
    clauses: tuple[Clause, ...] = field(metadata=key(Many(Section(Clause)), "What it demands."))

    def faults(self) -> Iterator[Fault]:
        """Classes that nobody has thought about: a new class is a question to every standard."""
        spoken = {name for clause in self.clauses for name in clause.classes}
        for name in CLASSES:
            if (name in spoken) is (name in self.silent):
                said = (
                    "both silent and in a clause" if name in spoken else "in no clause, and not silent either"
                )
                yield ("silent",), f"the class {name} is {said}", "Name it in one of the two."


@dataclass(frozen=True, slots=True)
class Violation:
    """What a clause finds in a policy."""

    standard: str
    clause: str
    at: Place
    message: str
    fix: str


def violations(plan: Plan, standard: Standard) -> Iterator[Violation]:
    """Everything in a policy that a standard forbids, clause by clause."""
    for clause in standard.clauses:
        for at, words in DEMANDS[clause.demands[0]](plan, clause):
            message = f"{words}: {clause.title} ({standard.title}, {clause.number})"
            yield Violation(standard.name, clause.number, at, message, clause.fix)


def available() -> dict[str, Path]:
    """The standards there are, by name."""
    found = (path for folder in reversed(FOLDERS) for path in sorted(folder.glob(f"*{SUFFIX}")))
    return {path.stem: path for path in found}


def read_standard(path: Path) -> Standard:
    """The standard of a file.

    Raises:
        PolicyError: everything that is wrong with the file, each with line and column.
    """
    file = str(path)
    document = read_document(file_bytes(path), file)
    problems: list[Problem] = []
    standard = Section(Standard).read(document.data, (), problems)
    if not problems and standard.name != path.stem:
        problems.append(Problem(("standard",), f"the standard {standard.name!r} is in {path.name}"))
    if problems:
        raise PolicyError(document.findings(problems, file))
    made: Standard = standard
    return made


def schema_text() -> str:
    """The JSON schema of standards, for editors: the text of `policies/standards/schema.json`."""
    schema = {
        "$schema": DIALECT,
        "title": "Tidegate standard",
        "description": "What a standard demands of a masking policy, clause by clause.",
        **Section(Standard).schema(),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _allow(plan: Plan, clause: Clause) -> Iterator[Objection]:
    for rule in filter(clause.concerns, plan.rules):
        if not _is_one_of(clause.allow, rule):
            near = [form for form in clause.allow if form.action == rule.action]
            missed = " or ".join(", ".join(form.missed(rule)) for form in near)
            yield rule.at, f"{_is(rule)}{f' with {missed}' if missed else ''}"


def _forbid(plan: Plan, clause: Clause) -> Iterator[Objection]:
    for rule in filter(clause.concerns, plan.rules):
        if _is_one_of(clause.forbid, rule):
            forms = (form for form in clause.forbid if form.fits(rule))
            said = ", ".join(limit.option for form in forms for limit in form.limits)
            yield rule.at, f"{_is(rule)}{f' by its {said}' if said else ''}"


def _apart(plan: Plan, clause: Clause) -> Iterator[Objection]:
    # Fields of one class count as the same data, and so do the cases of one field: what leaves hashed in one
    # event leaves otherwise in the next.
    first: tuple[tuple[Form, ...], Rule] | None = None
    for rule in filter(clause.concerns, plan.rules):
        forms = next((forms for forms in clause.apart if _is_one_of(forms, rule)), None)
        if forms is None:
            continue
        if first is None:
            first = forms, rule
        elif forms is not first[0]:
            yield rule.at, f"{_is(rule)}, and {first[1].path} is {first[1].action}"


def _needs_subject(plan: Plan, clause: Clause) -> Iterator[Objection]:
    linkable = [
        rule for rule in filter(clause.concerns, plan.rules) if _is_one_of(clause.needs_subject, rule)
    ]
    if plan.subject is None and linkable:
        more = f" (and {len(linkable) - 1} more)" if linkable[1:] else ""
        yield linkable[0].at, f"{_is(linkable[0])}{more}, and the policy names no subject"


def _unread(plan: Plan, clause: Clause) -> Iterator[Objection]:
    for place, path, rules in _granted(plan):
        for name in sorted({str(rule.options.data_class) for rule in rules if clause.concerns(rule)}):
            yield place, f"the model reads {path} of class {name}"


def _unclassified(plan: Plan, clause: Clause) -> Iterator[Objection]:
    for rule in plan.rules:
        if rule.options.data_class is None and not _is_one_of(clause.unclassified, rule):
            yield rule.at, f"{rule.path} has no class, so no clause can judge it"
    for place, path, rules in _granted(plan):
        if not any(rule.options.data_class for rule in rules):
            yield place, f"the model reads {path}, to which no rule gives a class"


def _unknown(plan: Plan, clause: Clause) -> Iterator[Objection]:
    if plan.unknown not in clause.unknown:
        yield ("unknown",), f"fields that no rule names are {plan.unknown}"


def _retention_days(plan: Plan, clause: Clause) -> Iterator[Objection]:
    for name in keys_of(LongestDays):
        days, most = getattr(plan.retention_days, name), getattr(clause.retention_days, name)
        if most is not None and days > most:
            yield ("retention_days", name), f"{name} are kept for {days} days instead of at most {most}"


DEMANDS: Final[dict[str, Callable[[Plan, Clause], Iterator[Objection]]]] = {
    "allow": _allow,
    "forbid": _forbid,
    "apart": _apart,
    "needs_subject": _needs_subject,
    "unread": _unread,
    "unclassified": _unclassified,
    "unknown": _unknown,
    "retention_days": _retention_days,
}
ABOUT_POLICY: Final = frozenset({"unclassified", "unknown", "retention_days"})
"""Demands that are not about some classes of field."""


def _is_one_of(forms: tuple[Form, ...], rule: Rule) -> bool:
    return any(form.fits(rule) for form in forms)


def _is(rule: Rule) -> str:
    of = f" of class {rule.options.data_class}" if rule.options.data_class else ""
    return f"{rule.path}{of} is {rule.action}"


def _granted(plan: Plan) -> Iterator[tuple[Place, str, list[Rule]]]:
    """The raw fields that the model reads, each with its place and the rules that act on it."""
    for index, path in enumerate(plan.score.reads if plan.score else ()):
        yield ("score", "reads", index), path, _rules_on(plan, path)


def _rules_on(plan: Plan, path: str) -> list[Rule]:
    node = plan.tree()
    for name in paths.parse(path):
        if node.rule is not None:  # a rule has the whole of what the field is in
            break
        child = node.names.get(str(name), node.any_name)
        if child is None:
            return []
        node = child
    return [] if node.rule is None else [plan.rules[index] for index in plan.cases()[node.rule]]
