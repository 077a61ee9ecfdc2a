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
from processor.policy.actions import ACTIONS, LATER, Keyed, Options
from processor.policy.kinds import (
    UNREADABLE,
    Choice,
    Problem,
    Section,
    Whole,
    key,
    plain,
    shown,
    unknown_name,
)
from processor.policy.sections import NAME, LiteralPath, RetentionDays, Routes, ScoreRule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.kinds import Place

FORMAT = "tidegate.plan/1"
RULES_MAX = 500


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of `fields`."""

    path: str
    action: str
    options: Options


@dataclass(frozen=True, slots=True)
class Fields:
    """The rules: a map from path to an action's name, or to a map with the action and its options."""

    def read(self, value: Any, at: Place, problems: list[Problem]) -> Any:
        if not isinstance(value, dict) or not 1 <= len(value) <= RULES_MAX:
            wanted = f"a map of 1 to {RULES_MAX} rules"
            problems.append(Problem(at, f"fields must be {wanted}, not {shown(value) if value else 'empty'}"))
            return UNREADABLE
        before = len(problems)
        rules = [self._rule(path, body, (*at, path), problems) for path, body in value.items()]
        return tuple(rules) if len(problems) == before else UNREADABLE

    def schema(self) -> dict[str, Any]:
        short = [name for name, action in ACTIONS.items() if not Section(action.options).schema()["required"]]
        forms: list[dict[str, Any]] = [{"enum": short, "description": "an action with its defaults"}]
        for name, action in ACTIONS.items():
            form = Section(action.options).schema()
            form["properties"] = {"action": {"const": name}, **form["properties"]}
            form["required"] = ["action", *form["required"]]
            forms.append({**form, "description": action.options.__doc__})
        return {
            "type": "object",
            "minProperties": 1,
            "maxProperties": RULES_MAX,
            "additionalProperties": {"oneOf": forms},
        }

    def _rule(self, written: str, body: Any, at: Place, problems: list[Problem]) -> Rule | None:
        try:
            path = paths.parse(written)
        except ValueError as mistake:
            problems.append(Problem(at, f"{written!r} is not a path: {mistake}", on_key=True))
            return None
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
            problems.append(unknown_name(name, place, ACTIONS, what="action", later=LATER))
            return None
        given = (
            {}
            if isinstance(body, str)
            else {option: value for option, value in body.items() if option != "action"}
        )
        options = Section(ACTIONS[name].options, of=f"option of {name}").read(given, at, problems)
        return (
            None
            if options is UNREADABLE
            else Rule(paths.render(path), name, _in_domain(options, path, at, problems))
        )


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
    score: ScoreRule | None = field(
        default=None, metadata=key(Section(ScoreRule), "How records are scored; without it they are not.")
    )
    routes: Routes = field(metadata=key(Section(Routes), "Where events go."))
    retention_days: RetentionDays = field(
        metadata=key(Section(RetentionDays), "How long each thing is kept.")
    )
    sha256: str = ""

    @property
    def model(self) -> str | None:
        """The name of the model that scores, None if none does."""
        return self.score.model if self.score else None

    def tree(self) -> paths.Node:
        """The rules' paths unfolded, for walking records."""
        required = [index for index, rule in enumerate(self.rules) if rule.options.required]
        return paths.unfold([paths.parse(rule.path) for rule in self.rules], required)

    def faults(self) -> Iterator[tuple[Place, str]]:
        """What contradicts what between sections."""
        by_path = {rule.path: rule for rule in self.rules}
        try:
            self.tree()
        except paths.Overlap as overlap:
            first, second = (self.rules[index].path for index in (overlap.first, overlap.second))
            yield ("fields", second), f"{second} and {first}: {overlap}"
        if self.subject is not None and self.subject not in by_path:
            yield ("subject",), f"no rule names the subject {self.subject}"
        if self.score is None and self.routes.sns.events == "flagged":
            yield ("routes", "sns", "events"), "nothing is ever flagged without a score section"
        for index, path in enumerate(self.routes.sns.attributes):
            rule = by_path.get(path)
            if rule is None or rule.action in {"drop", "redact", "scrub"}:
                why = (
                    "no rule names"
                    if rule is None
                    else f"it is {rule.action}: that says nothing to filter on"
                )
                words = f"{why} {path}" if rule is None else f"{path} cannot be an attribute: {why}"
                yield ("routes", "sns", "attributes", index), words


def read_plan(document: Any, sha256: str) -> tuple[Plan | None, list[Problem]]:
    """The plan that plain data (of YAML or of compiled JSON) describes, or all that is wrong with it."""
    problems: list[Problem] = []
    plan = Section(Plan).read(document, (), problems)
    return (None, problems) if problems else (replace(plan, sha256=sha256), [])


def dump_plan(plan: Plan) -> bytes:
    """The plan as JSON, keys in the order of their declaration, rules in that of the file."""
    document = plain(replace(plan, rules=()))
    document["fields"] = {rule.path: {"action": rule.action, **plain(rule.options)} for rule in plan.rules}
    compiled = {"format": FORMAT, "sha256": plan.sha256, "policy": document}
    return json.dumps(compiled, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


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
