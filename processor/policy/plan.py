# ruff: noqa: D102  what the two methods of a kind do is said once, on Kind
"""The compiled policy: what a person wrote in YAML, checked, with every default written out.

The runtime reads it from JSON with the very code that checked the YAML, so that it needs neither a YAML
parser nor a schema library, and refuses what it would not have compiled.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from processor.crypto.keyring import DOMAIN
from processor.errors import Finding, PolicyError
from processor.policy import paths
from processor.policy.actions import ACTIONS, Keyed, Options
from processor.policy.conditions import LIKE, Condition, parse_condition
from processor.policy.contradictions import contradictions
from processor.policy.kinds import (
    UNREADABLE,
    Choice,
    Named,
    Problem,
    Section,
    Whole,
    key,
    plain,
    shown,
    unknown_name,
)
from processor.policy.processing import Processing
from processor.policy.sections import (
    ENTITY,
    NAME,
    PURPOSE,
    Limits,
    LiteralPath,
    Purpose,
    RecognizerRule,
    RetentionDays,
    Routes,
    ScoreRule,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from processor.policy.kinds import Fault, Place

FORMAT = "tidegate.plan/1"
RULES_MAX = 500
CASES_MAX = 20
CASES_SAID = "cases of {path} each have a `when`, but the last, which acts when none holds"
CASES_HINT = "Write them as a list: - {when: 'country == \"DE\"', action: tokenize} and, last, - redact."


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of `fields`, or one of the cases of a line that has several."""

    path: str
    action: str
    options: Options
    when: Condition | None = None
    """Under which it acts; the last case of a path has none."""
    at: Place = field(default=(), compare=False)
    """Where it is written."""

    @property
    def exposure(self) -> int:
        """How much its output reveals, from 0 (nothing) to 100 (all): an order, not a measure."""
        return ACTIONS[self.action].exposure_of(self.options)


@dataclass(frozen=True, slots=True)
class Fields:
    """The rules: a map from path to an action's name, to a map with the action and its options, or to cases.

    Cases are a list of such maps, each but the last with a `when`: the first that holds acts.
    """

    def read(self, value: Any, at: Place, problems: list[Problem]) -> Any:
        if not isinstance(value, dict) or not 1 <= len(value) <= RULES_MAX:
            wanted = f"a map of 1 to {RULES_MAX} rules"
            problems.append(Problem(at, f"fields must be {wanted}, not {shown(value) if value else 'empty'}"))
            return UNREADABLE
        before = len(problems)
        rules = []
        for path, body in value.items():
            rules += self._rules(path, body, (*at, path), problems)
        return tuple(rules) if len(problems) == before else UNREADABLE

    def schema(self) -> dict[str, Any]:
        short = [name for name, action in ACTIONS.items() if not Section(action.options).schema()["required"]]
        forms: list[dict[str, Any]] = [{"enum": short, "description": "an action with its defaults"}]
        when = {"type": "string", "description": f"In a list of cases, under which this one acts: {LIKE}."}
        for name, action in ACTIONS.items():
            form = Section(action.options).schema()
            form["properties"] = {"action": {"const": name}, "when": when, **form["properties"]}
            form["required"] = ["action", *form["required"]]
            forms.append({**form, "description": action.options.__doc__})
        rule = {"$ref": "#/properties/fields/$defs/rule"}
        said = "cases: the first whose `when` holds acts; the last has none"
        cases = {"type": "array", "minItems": 2, "maxItems": CASES_MAX, "items": rule, "description": said}
        return {
            "type": "object",
            "minProperties": 1,
            "maxProperties": RULES_MAX,
            "additionalProperties": {"anyOf": [rule, cases]},
            "$defs": {"rule": {"oneOf": forms}},
        }

    def _rules(self, written: str, body: Any, at: Place, problems: list[Problem]) -> list[Rule]:
        try:
            path = paths.parse(written)
        except ValueError as mistake:
            problems.append(Problem(at, f"{written!r} is not a path: {mistake}", on_key=True))
            return []
        if not isinstance(body, list):
            if isinstance(body, dict) and "when" in body:
                problems.append(Problem((*at, "when"), CASES_SAID.format(path=written), CASES_HINT))
                return []
            rule = self._rule(path, body, at, problems)
            return [rule] if rule else []
        if not 2 <= len(body) <= CASES_MAX:  # noqa: PLR2004  one case is no choice
            problems.append(
                Problem(at, f"{written} must have 2 to {CASES_MAX} cases, not {len(body)}", CASES_HINT)
            )
            return []
        cases = []
        for index, one in enumerate(body):
            last, here = index == len(body) - 1, (*at, index)
            if last is (isinstance(one, dict) and "when" in one):
                problems.append(Problem(here, CASES_SAID.format(path=written), CASES_HINT))
            elif rule := self._rule(path, one, here, problems):
                cases.append(rule)
        return cases

    def _rule(self, path: paths.Path, body: Any, at: Place, problems: list[Problem]) -> Rule | None:
        written = paths.render(path)
        if not isinstance(body, str | dict):
            problems.append(
                Problem(at, f"{written} must have an action, not {shown(body)}", _hint_of_actions())
            )
            return None
        name = body if isinstance(body, str) else body.get("action", UNREADABLE)
        if name is UNREADABLE:
            problems.append(Problem(at, f"{written} lacks the key 'action'", _hint_of_actions()))
            return None
        if not isinstance(name, str) or name not in ACTIONS:
            place = at if isinstance(body, str) else (*at, "action")
            problems.append(unknown_name(name, place, ACTIONS, what="action"))
            return None
        given = dict(body) if isinstance(body, dict) else {}
        given.pop("action", None)
        when = _condition(given.pop("when"), (*at, "when"), problems) if "when" in given else None
        options = Section(ACTIONS[name].options, of=f"option of {name}").read(given, at, problems)
        if options is UNREADABLE or when is UNREADABLE:
            return None
        return Rule(written, name, _in_domain(options, path, at, problems), when, at)


def _condition(written: Any, at: Place, problems: list[Problem]) -> Any:
    try:
        return parse_condition(written if isinstance(written, str) else "")
    except ValueError as mistake:
        problems.append(Problem(at, f"{shown(written)} is not a condition: {mistake}"))
        return UNREADABLE


def _in_domain(options: Options, path: paths.Path, at: Place, problems: list[Problem]) -> Options:
    """The options with the domain written out: the path's last name if the rule names none."""
    if not isinstance(options, Keyed) or options.domain is not None:
        return options
    names = [segment for segment in path if isinstance(segment, str)]
    if names and DOMAIN.fullmatch(names[-1]):
        return replace(options, domain=names[-1])
    problems.append(
        Problem(
            at,
            f"{paths.render(path)} has no name that can be a domain",
            "Say `domain:` with the name of what the values are.",
        )
    )
    return options


def _hint_of_actions() -> str:
    return f"Write one of {', '.join(ACTIONS)}, alone or as {{action: …}} with its options."


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A policy, ready to run. `sha256` is that of the YAML file's bytes: every event carries it."""

    name: str = field(
        metadata=key(
            NAME, "The policy's name: that of its file, and of its folder in each bucket.", name="policy"
        )
    )
    version: int = field(
        metadata=key(Whole(1, 1_000_000_000), "Raised with every change; each event carries it.")
    )
    subject: str | None = field(
        default=None,
        metadata=key(LiteralPath(), "The field that says whose data a record is. A rule names it."),
    )
    on_remove: str = field(
        default="pass",
        metadata=key(
            Choice(
                {
                    "pass": "a removal is an event like any other",
                    "erase": "and the person whose record it was is erased for good, whether somebody "
                    "removed it or it expired: for a table of people, whose key the subject is part of",
                }
            ),
            "What a removal of a record means for the person.",
        ),
    )
    unknown: str = field(
        default="drop",
        metadata=key(
            Choice(
                {
                    "drop": "they do not leave",
                    "redact": "their names leave, their values do not",
                    "quarantine": "a record that has one goes to quarantine",
                }
            ),
            "What becomes of fields that no rule names.",
        ),
    )
    rules: tuple[Rule, ...] = field(
        metadata=key(Fields(), "What becomes of each field: a path and an action.", name="fields")
    )
    recognizers: tuple[RecognizerRule, ...] = field(
        default=(),
        metadata=key(Named(RecognizerRule, ENTITY), "Entities of this policy's own, by name."),
    )
    limits: Limits = field(
        default=Limits(),
        metadata=key(Section(Limits), "What a value may hold; one that holds more is redacted and counted."),
    )
    purposes: tuple[Purpose, ...] = field(
        default=(),
        metadata=key(
            Named(Purpose, PURPOSE),
            "What tokens may be opened for, by name: without any, none is ever opened.",
        ),
    )
    score: ScoreRule | None = field(
        default=None, metadata=key(Section(ScoreRule), "How records are scored; without it they are not.")
    )
    routes: Routes = field(metadata=key(Section(Routes), "Where events go."))
    retention_days: RetentionDays = field(
        metadata=key(Section(RetentionDays), "How long each thing is kept.")
    )
    processing: Processing | None = field(
        default=None,
        metadata=key(Section(Processing), "For the records of processing (GDPR 30): tidegate report."),
    )
    sha256: str = ""

    @property
    def model(self) -> str | None:
        """The name of the model that scores, None if none does."""
        return self.score.model if self.score else None

    def cases(self) -> dict[int, list[int]]:
        """The rules' indices by line of `fields`, each line by the index of its first."""
        lines: dict[Place, list[int]] = {}
        for index, rule in enumerate(self.rules):
            lines.setdefault(rule.at[:2], []).append(index)
        return {indices[0]: indices for indices in lines.values()}

    def tree(self) -> paths.Node:
        """The rules' paths unfolded, for walking records; a leaf names the first rule of its line.

        Raises:
            Overlap: see there.
        """
        lines = self.cases()
        required = {
            first
            for first, indices in lines.items()
            if any(self.rules[index].options.required for index in indices)
        }
        return paths.unfold({first: paths.parse(self.rules[first].path) for first in lines}, required)

    @property
    def by_subject(self) -> bool:
        """Whether what leaves depends on the person, so that each needs a secret."""
        return any(rule.options.by_subject for rule in self.rules)

    @property
    def subject_fields(self) -> tuple[str, ...]:
        """The paths of the rules whose output dies with the person's secret."""
        return tuple(dict.fromkeys(rule.path for rule in self.rules if rule.options.by_subject))

    def faults(self) -> Iterator[Fault]:
        """What contradicts what between sections."""
        return contradictions(self)


def read_plan(document: Any, sha256: str) -> tuple[Plan | None, list[Problem]]:
    """The plan that plain data (of YAML or of compiled JSON) describes, or all that is wrong with it."""
    problems: list[Problem] = []
    plan = Section(Plan).read(document, (), problems)
    return (None, problems) if problems else (replace(plan, sha256=sha256), [])


def dump_plan(plan: Plan, allowed_wider: Mapping[str, Any] | None = None) -> bytes:
    """The plan as JSON, keys in the order of their declaration, rules in that of the file.

    Args:
        plan: the policy.
        allowed_wider: why it may let out more than the one before, for who reads the package; the function
            does not.
    """
    document = plain(replace(plan, rules=()))
    document["fields"] = {
        plan.rules[first].path: _body([plan.rules[index] for index in indices])
        for first, indices in plan.cases().items()
    }
    compiled = {"format": FORMAT, "sha256": plan.sha256, "policy": document}
    if allowed_wider is not None:
        compiled["allowed_wider"] = allowed_wider
    return json.dumps(compiled, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _body(cases: list[Rule]) -> Any:
    bodies = [
        {
            "action": rule.action,
            **({"when": rule.when.text} if rule.when else {}),
            **plain(rule.options),
        }
        for rule in cases
    ]
    return bodies if len(bodies) > 1 else bodies[0]


def load_plan(data: bytes) -> Plan:
    """The plan of its compiled JSON.

    Raises:
        PolicyError: not one that this version can read. Compile the policy again with the version that is to
        run it.
    """
    try:
        compiled = json.loads(data)
    except (ValueError, RecursionError):
        raise _unreadable(["not JSON"]) from None
    if not isinstance(compiled, dict) or compiled.get("format") != FORMAT:
        raise _unreadable([f"not a plan of the format {FORMAT}"])
    if not re.fullmatch(r"[0-9a-f]{64}", str(compiled.get("sha256"))):
        raise _unreadable(["lacks the SHA-256 of its policy"])
    plan, problems = read_plan(compiled.get("policy"), compiled["sha256"])
    if plan is None:
        raise _unreadable([problem.message for problem in problems])
    return plan


def _unreadable(messages: list[str]) -> PolicyError:
    hint = "Build the package again with the version of Tidegate that is to run it."
    return PolicyError([Finding("policy.json", 1, 1, message, hint) for message in messages])
