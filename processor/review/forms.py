# ruff: noqa: D102  what the two methods of a kind do is said once, on Kind
"""Sorts of rules, in the words in which a policy writes rules: an action, and what its options may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from processor.policy.actions import ACTIONS
from processor.policy.detection import expanded
from processor.policy.kinds import UNREADABLE, Many, Problem, keys_of, shown, unknown_name

if TYPE_CHECKING:
    from dataclasses import Field

    from processor.policy.kinds import Kind, Place
    from processor.policy.plan import Rule

BOUNDS: Final = ("least", "most")


@dataclass(frozen=True, slots=True)
class Limit:
    """What an option may be: one of some values, or within bounds. Bounds hold for each item of a list."""

    option: str
    """As a policy writes it."""
    attribute: str
    among: tuple[Any, ...] = ()
    least: float | None = None
    most: float | None = None

    def holds(self, rule: Rule) -> bool:
        """Whether the rule's option is so; one that is left out is within no bounds."""
        value = getattr(rule.options, self.attribute)
        if self.option in rule.options.entity_names:
            return not set(expanded(value)).isdisjoint(expanded(self.among))
        if self.among:
            return value in self.among
        values = value if isinstance(value, tuple) else (value,)
        return bool(values) and all(
            one is not None
            and (self.least is None or one >= self.least)
            and (self.most is None or one <= self.most)
            for one in values
        )

    def missed(self, rule: Rule) -> str:
        """The words for a rule whose option is not so."""
        value = getattr(rule.options, self.attribute)
        wanted = [f"at {name} {bound}" for name in BOUNDS if (bound := getattr(self, name)) is not None]
        wanted = wanted or [" or ".join("left out" if one is None else str(one) for one in self.among)]
        said = (
            "left out" if value in (None, ()) else shown(list(value) if isinstance(value, tuple) else value)
        )
        return f"{self.option} {said} instead of {' and '.join(wanted)}"


@dataclass(frozen=True, slots=True)
class Form:
    """A sort of rule: an action, with what its options may be."""

    action: str
    limits: tuple[Limit, ...] = ()

    def fits(self, rule: Rule) -> bool:
        """Whether a rule is of this form."""
        return rule.action == self.action and all(limit.holds(rule) for limit in self.limits)

    def missed(self, rule: Rule) -> list[str]:
        """What keeps a rule of this action from being of this form."""
        return [limit.missed(rule) for limit in self.limits if not limit.holds(rule)]


@dataclass(frozen=True, slots=True)
class FormKind:
    """A form, written as policies write rules: `drop`, or `{action: mask, keep_last: {most: 4}}`.

    An option is one value, a list of values it may have (of entities: one has to be among the rule's), or a
    map of bounds. `null` among the values is the option left out, where that means something.
    """

    def read(self, value: Any, at: Place, problems: list[Problem]) -> Any:
        name = value.get("action") if isinstance(value, dict) else value
        if not isinstance(name, str) or name not in ACTIONS:
            place = (*at, "action") if isinstance(value, dict) else at
            problems.append(unknown_name(name, place, ACTIONS, what="action"))
            return UNREADABLE
        before, limits = len(problems), []
        known = keys_of(ACTIONS[name].options)
        for option, wanted in value.items() if isinstance(value, dict) else ():
            place = (*at, option)
            if option == "action":
                continue
            if option not in known:
                problems.append(unknown_name(option, place, known, what=f"option of {name}", on_key=True))
                continue
            limits.append(Limit(option, known[option].name, **_said(wanted, known[option], place, problems)))
        return Form(name, tuple(limits)) if len(problems) == before else UNREADABLE

    def schema(self) -> dict[str, Any]:
        form = {"type": "object", "required": ["action"], "properties": {"action": {"enum": list(ACTIONS)}}}
        return {"oneOf": [{"enum": list(ACTIONS)}, form]}


def _said(wanted: Any, option: Field[Any], at: Place, problems: list[Problem]) -> dict[str, Any]:
    """What a limit says of an option, each value read as a policy's would be."""
    kind = option.metadata["kind"]
    one: Kind = kind.kind if isinstance(kind, Many) else kind

    def read(value: Any, place: Place) -> Any:
        return None if value is None and option.default is None else one.read(value, place, problems)

    if not isinstance(wanted, dict):
        listed = isinstance(wanted, list) and bool(wanted)
        values = enumerate(wanted) if listed else [(None, wanted)]
        return {"among": tuple(read(value, at if index is None else (*at, index)) for index, value in values)}
    problems.extend(
        unknown_name(name, (*at, name), BOUNDS, what="bound", on_key=True)
        for name in wanted
        if name not in BOUNDS
    )
    if not wanted:
        problems.append(Problem(at, "the bounds are empty", "Write {most: 4}, {least: 1} or both."))
    return {name: one.read(wanted[name], (*at, name), problems) for name in BOUNDS if name in wanted}
