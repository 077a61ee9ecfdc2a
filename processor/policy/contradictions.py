"""What contradicts what between the sections of a policy: where, in words, and how to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from processor.policy import paths
from processor.policy.actions import ACTIONS
from processor.policy.actions.keyed import Keyed
from processor.policy.detection import ENTITIES, REGIONS
from processor.policy.kinds import unknown_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.kinds import Fault
    from processor.policy.plan import Plan, Rule

WITHOUT_MEANING: Final = frozenset({"drop", "redact", "scrub", "encrypt"})
"""Actions whose output is nothing that a subscriber could filter on."""


def contradictions(plan: Plan) -> Iterator[Fault]:
    """All of them, in the order in which the policy is written."""
    try:
        plan.tree()
    except paths.Overlap as overlap:
        first, second = (plan.rules[index] for index in (overlap.first, overlap.second))
        both = second.path if first is second else f"{second.path} and {first.path}"
        yield second.at[:2], f"{both}: {overlap}"
    yield from _entities(plan)
    yield from _people(plan)
    yield from _domains(plan)
    yield from _previous(plan)
    yield from _purposes(plan)
    yield from _routes(plan)


def _entities(plan: Plan) -> Iterator[Fault]:
    """Names of entities that nothing has, and that two have."""
    own = [one.name for one in plan.recognizers]
    for name in own:
        if name in ENTITIES or name in REGIONS:
            yield ("recognizers", name), f"{name} comes with the gate", "Give yours another name."
    known = (*ENTITIES, *REGIONS, *own)
    for rule in plan.rules:
        for option, names in rule.options.entity_names.items():
            for index, name in enumerate(names):
                if name not in known:
                    problem = unknown_name(name, (*rule.at, option, index), known)
                    yield problem.at, problem.message, problem.hint


def _people(plan: Plan) -> Iterator[Fault]:
    """What goes by the person where nobody says who that is."""
    if plan.subject is not None and plan.subject not in {rule.path for rule in plan.rules}:
        yield ("subject",), f"no rule names the subject {plan.subject}"
    for rule in plan.rules:
        if rule.options.by_subject and plan.subject is None:
            hint = "Say `subject:` with the field that names the person."
            yield rule.at, f"{rule.action} goes by the person, and the policy names no subject", hint
    if plan.on_remove == "erase" and not plan.by_subject:
        hint = "Give the fields that have to die with the person `scope: subject`."
        yield ("on_remove",), "no rule goes by the person: there is nothing that an erasure would reach", hint


def _domains(plan: Plan) -> Iterator[Fault]:
    """Tokens of one domain that would not join: the class of a field is part of what a token is bound to."""
    first: dict[str, Rule] = {}
    for rule in plan.rules:
        if rule.action != "tokenize" or not isinstance(rule.options, Keyed) or not rule.options.domain:
            continue
        before = first.setdefault(rule.options.domain, rule)
        if before.options.data_class != rule.options.data_class:
            words = f"{rule.path} and {before.path} share the domain {rule.options.domain} and not the class"
            yield rule.at, f"{words}: their tokens would not join", "Give both one class, or one a domain."


def _previous(plan: Plan) -> Iterator[Fault]:
    """Companions that have no place beside the value."""
    for rule in plan.rules:
        last = paths.parse(rule.path)[-1]
        if isinstance(rule.options, Keyed) and rule.options.previous and not isinstance(last, str):
            yield (*rule.at, "previous"), f"{rule.path} has no name of its own for a value to stand beside it"


def _purposes(plan: Plan) -> Iterator[Fault]:
    """Fields that a purpose may open and nothing can."""
    rules: dict[str, list[Rule]] = {}
    for rule in plan.rules:
        rules.setdefault(rule.path, []).append(rule)
    openable = [path for path, cases in rules.items() if any(ACTIONS[case.action].opens for case in cases)]
    for purpose in plan.purposes:
        for index, path in enumerate(purpose.fields):
            place = ("purposes", purpose.name, "fields", index)
            if path not in rules:
                problem = unknown_name(path, place, openable, what="field")
                yield place, problem.message, problem.hint
            elif path not in openable:
                said = " or ".join(sorted({rule.action for rule in rules[path]}))
                yield (
                    place,
                    f"{path} cannot be opened: {said} is one-way",
                    "tokenize, encrypt and fpe are not.",
                )
            elif sum(rule.action == "fpe" for rule in rules[path]) > 1:
                yield place, f"{path} cannot be opened: nothing tells which case of fpe made a value"


def _routes(plan: Plan) -> Iterator[Fault]:
    if plan.score is None and plan.routes.sns.events == "flagged":
        yield ("routes", "sns", "events"), "nothing is ever flagged without a score section"
    for index, path in enumerate(plan.routes.sns.attributes):
        place = ("routes", "sns", "attributes", index)
        actions = {rule.action for rule in plan.rules if rule.path == path}
        if not actions:
            yield place, f"no rule names {path}"
        for action in sorted(actions & WITHOUT_MEANING):
            yield place, f"{path} cannot be an attribute: it is {action}: that says nothing to filter on"
