"""What contradicts what between the sections of a policy, and between policies: where, and how to mend it."""

from __future__ import annotations

from itertools import combinations, permutations
from typing import TYPE_CHECKING, Final, NamedTuple

from processor.policy import paths
from processor.policy.actions import ACTIONS
from processor.policy.actions.fpe import Fpe
from processor.policy.actions.keyed import Keyed
from processor.policy.actions.tokenize import Tokenize
from processor.policy.detection import ENTITIES, REGIONS
from processor.policy.kinds import unknown_name
from processor.policy.people import spelling

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from processor.policy.kinds import Fault
    from processor.policy.plan import Plan, Rule
    from processor.policy.sections import Purpose

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


def disagreements(plans: Sequence[Plan]) -> Iterator[str]:
    """What contradicts what between policies that one detokenize and one erase function serve, in words."""
    for one, other in permutations(plans, 2):
        yield from _opened_elsewhere(one, other)
    for one, other in combinations([plan for plan in plans if plan.by_subject], 2):
        (domain, normal), (domain_too, normal_too) = spelling(one), spelling(other)
        if domain == domain_too and normal != normal_too:
            yield (
                f"{one.name} and {other.name} share the people of the domain {domain}, and spell them unlike "
                f"each other (normalize: {normal}, and {normal_too}): who is erased for one may not be "
                "for the other. Give both subjects one `normalize`, or each a domain."
            )


def _opened_elsewhere(one: Plan, other: Plan) -> Iterator[str]:
    """Fields of another policy that a purpose of this one opens, and none of that name there."""
    there = {purpose.name: purpose.fields for purpose in other.purposes}
    for purpose in one.purposes:
        listed = {lock: path for lock, path in _locks(one) if path in purpose.fields}
        for lock, path in dict.fromkeys(_locks(other)):
            if lock in listed and path not in there.get(purpose.name, ()):
                yield (
                    f"{one.name}: the purpose {purpose.name} opens {listed[lock]}, and with it {path} of "
                    f"{other.name}, which has its domain ({lock.domain}) and is in no purpose {purpose.name} "
                    f"there. List it in one, or give one of them another `domain`."
                )


class _Lock(NamedTuple):
    """What the output of a rule opens by. Rules that share it open each other's."""

    domain: str | None
    action: str
    form: str | bool | None
    """What else the cipher is bound to."""
    people: tuple[str, str] | None
    """Whose secret is needed besides, if anybody's."""


def _locks(plan: Plan) -> Iterator[tuple[_Lock, str]]:
    """The locks of a policy's rules and the rules' paths. None for `encrypt`, which is bound to its field."""
    for rule in plan.rules:
        options = rule.options
        people = spelling(plan) if options.by_subject else None
        if isinstance(options, Tokenize):
            yield _Lock(options.domain, rule.action, options.data_class, people), rule.path
        elif isinstance(options, Fpe):
            yield _Lock(options.domain, rule.action, options.is_pan, people), rule.path


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
            else:
                yield from _opened_besides(plan, purpose, index)


def _opened_besides(plan: Plan, purpose: Purpose, index: int) -> Iterator[Fault]:
    """Fields that a purpose does not list, and opens: a token does not say in which of them it stood."""
    path = purpose.fields[index]
    own = {lock for lock, listed in _locks(plan) if listed == path}
    for lock, other in dict.fromkeys(_locks(plan)):
        if lock in own and other not in purpose.fields:
            yield (
                ("purposes", purpose.name, "fields", index),
                f"{path} has the domain of {other} ({lock.domain}): whoever opens one opens the other",
                f"List {other}, too, or give one of them another `domain`.",
            )


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
