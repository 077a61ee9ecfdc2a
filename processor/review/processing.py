"""The records of processing of one policy, and its data map: what the policy, Terraform and its people say.

Art. 30(1) of Regulation (EU) 2016/679 (GDPR) lists, from a to g, what the records of a controller hold. What
nobody has said is kept as not stated, so that it shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from processor.policy.actions import ACTIONS, CLASSES
from processor.policy.processing import Party, Processing
from processor.review.holdings import NOT_KNOWN, Holding, Outputs, holdings, openers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from processor.policy import Plan
    from processor.policy.plan import Rule

FORMAT: Final = "tidegate.processing/1"
MADE: Final = {
    "drop": "nothing, not even the name",
    "redact": "the mark [redacted]",
    "encrypt": "encrypted under a data key",
    "pseudonymize": "a pseudonym that nobody can open",
    "hash": "a hash",
    "tokenize": "a token that can be opened",
    "fpe": "a token of the same form that can be opened",
    "bucket": "a range, or rounded",
    "generalize": "coarser",
    "mask": "in part",
    "truncate": "cut",
    "shift_dates": "moved by a number of days of the person's own",
    "scrub": "the text, without what is recognised in it",
    "keep": "as it is",
}
"""What leaves of a value, by action."""
UNKNOWN: Final = {
    "drop": "they do not leave",
    "redact": "their names leave, their values do not",
    "quarantine": "a record that has one is held back",
}
MEASURES: Final = (
    "Records are sanitised field by field, by the reviewed policy, before they are stored.",
    "Fields that no rule names: {unknown}.",
    "A guard searches what is about to leave for personal data once more, and redacts it.",
    "Encrypted at rest under customer-managed keys of KMS, and in transit by TLS; buckets refuse all else.",
    "Each function has a role of its own with exact powers, within a permissions boundary.",
    "Token keys never leave KMS. Who opens a token, why and for which ticket is in a locked trail first.",
    "What cannot be sanitised is sealed in quarantine, which expires after {quarantine} days.",
    "Logs, metrics and errors hold no value of a record.",
)
BY_PERSON: Final = (
    "What leaves of {fields} dies with the person's secret; each erasure is signed and on record."
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One letter of Art. 30(1)."""

    letter: str
    title: str
    says: tuple[str, ...]
    lacks: tuple[str, ...] = ()
    """What nobody has said, each with how to say it."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """One rule of the policy as a line of the data map."""

    path: str
    action: str
    when: str
    data_class: str
    exposure: int
    leaves: str
    """What of a value leaves."""
    read_by: tuple[str, ...]
    """Who sees the raw value inside the gate: the model."""
    opened_for: tuple[str, ...]
    """Purposes for which the value can be had again."""
    dies_with_person: bool


@dataclass(frozen=True, slots=True)
class Records:
    """All of it."""

    policy: str
    version: int
    sha256: str
    statements: tuple[Statement, ...]
    fields: tuple[Mapped, ...]
    unknown: str
    """What becomes of fields that no rule names."""
    holdings: tuple[Holding, ...]
    openers: str
    """Who opens tokens and encrypted values."""

    @property
    def lacks(self) -> list[str]:
        """What nobody has said."""
        return [f"{one.letter}) {lack}" for one in self.statements for lack in one.lacks]


def records_of(plan: Plan, outputs: Outputs | None, file: str) -> Records:
    """The records of a policy.

    Args:
        plan: the policy.
        outputs: of Terraform, None if there are none.
        file: of the policy, to say where what lacks is to be written.
    """
    said = plan.processing or Processing()

    def lacks(key: str, what: str) -> str:
        return f"{what}: add processing.{key} to {file}"

    places = tuple(holdings(plan, outputs))
    parties, no_controller = _parties(said, lacks("controller", "who is the controller"))
    transfers, no_transfers = _transfers(said, outputs, lacks("transfers", "which there are, or [] for none"))
    people = [f"Data of: {who}" for who in said.people]
    readers = [
        f"{one.name.capitalize()}: {one.readers}" for one in places if one.readers not in {"", NOT_KNOWN}
    ]
    rows: tuple[tuple[str, str, Iterable[str], tuple[str, ...]], ...] = (
        ("a", "Controller and contact", parties, no_controller),
        ("b", "Purposes", [*said.purposes, *_uses(plan)], _unless(said.purposes, lacks("purposes", "why"))),
        (
            "c",
            "Data subjects and categories of personal data",
            [*people, *_categories(plan)],
            _unless(people, lacks("people", "whose data it is")),
        ),
        (
            "d",
            "Recipients",
            [*said.recipients, *readers],
            _unless(said.recipients, lacks("recipients", "who is shown events and alerts")),
        ),
        ("e", "Transfers to third countries", transfers, no_transfers),
        ("f", "Time limits for erasure", [f"{one.name.capitalize()}: {one.kept}" for one in places], ()),
        ("g", "Security measures", [*_measures(plan), *said.measures], ()),
    )
    statements = tuple(Statement(letter, title, tuple(says), lack) for letter, title, says, lack in rows)
    return Records(
        policy=plan.name,
        version=plan.version,
        sha256=plan.sha256,
        statements=statements,
        fields=tuple(_mapped(plan)),
        unknown=UNKNOWN[plan.unknown],
        holdings=places,
        openers=openers(plan, outputs),
    )


def as_json(records: Records) -> dict[str, Any]:
    """The records as plain data."""
    return {
        "format": FORMAT,
        "policy": {"name": records.policy, "version": records.version, "sha256": records.sha256},
        "records": {
            one.letter: {"title": one.title, "says": list(one.says), "lacks": list(one.lacks)}
            for one in records.statements
        },
        "fields": [
            {
                "field": one.path, "action": one.action, "when": one.when or None, "class": one.data_class,
                "exposure": one.exposure, "leaves": one.leaves, "read_by": list(one.read_by),
                "opened_for": list(one.opened_for), "dies_with_person": one.dies_with_person,
            }
            for one in records.fields
        ],
        "unknown_fields": records.unknown,
        "places": [
            {
                "name": one.name, "where": one.where, "holds": one.holds, "kept": one.kept,
                "readers": one.readers, "hold": one.hold,
            }
            for one in records.holdings
        ],
        "openers": records.openers,
        "lacks": records.lacks,
    }  # fmt: skip


def _unless(said: object, lack: str) -> tuple[str, ...]:
    return () if said else (lack,)


def _parties(said: Processing, lack: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    parties: dict[str, Party | None] = {
        "Controller": said.controller,
        "Representative in the Union": said.representative,
        "Data protection officer": said.protection_officer,
    }
    named = [f"{role}: {one.name}, {one.contact}" for role, one in parties.items() if one]
    return (*named, *(f"Joint controller: {one}" for one in said.joint_controllers)), _unless(
        said.controller, lack
    )


def _uses(plan: Plan) -> Iterator[str]:
    if plan.score:
        yield (
            f"Events are scored by the model {plan.score.model}, which reads {', '.join(plan.score.reads)} "
            "inside the gate; a score, a flag and reasons leave."
        )
    for one in plan.purposes:
        yield (
            f"{', '.join(one.fields)} may be opened for {one.name}, at most "
            f"{one.values_per_hour:,} values an hour for each caller."
        )


def _categories(plan: Plan) -> Iterator[str]:
    by_class: dict[str, list[str]] = {}
    for rule in plan.rules:
        by_class.setdefault(rule.options.data_class or "", []).append(rule.path)
    for name, paths in by_class.items():
        if name != "public":
            meant = f" ({CLASSES[name]})" if name in CLASSES else ""
            yield f"{', '.join(dict.fromkeys(paths))}: {name.replace('_', ' ') or 'of no class'}{meant}"


def _transfers(
    said: Processing, outputs: Outputs | None, lack: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    where: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ("where the data lies: give --outputs",)
    if outputs is not None:
        where, unsaid = (f"The data lies in {', '.join(outputs.regions)}; buckets refuse replication.",), ()
    if said.transfers is None:
        return where, (*unsaid, lack)
    return (*where, *(said.transfers or ("None.",))), unsaid


def _measures(plan: Plan) -> Iterator[str]:
    for measure in MEASURES:
        yield measure.format(unknown=UNKNOWN[plan.unknown], quarantine=plan.retention_days.quarantine)
    if plan.subject_fields:
        yield BY_PERSON.format(fields=", ".join(plan.subject_fields))


def _mapped(plan: Plan) -> Iterator[Mapped]:
    reads = plan.score.reads if plan.score else ()
    for rule in plan.rules:
        yield Mapped(
            path=rule.path,
            action=rule.action,
            when=rule.when.text if rule.when else "",
            data_class=rule.options.data_class or "",
            exposure=rule.exposure,
            leaves=MADE[rule.action],
            read_by=(plan.score.model,) if plan.score and rule.path in reads else (),
            opened_for=tuple(_opened_for(plan, rule)),
            dies_with_person=rule.options.by_subject,
        )


def _opened_for(plan: Plan, rule: Rule) -> Iterator[str]:
    if ACTIONS[rule.action].opens is not None:
        yield from (one.name for one in plan.purposes if rule.path in one.fields)
