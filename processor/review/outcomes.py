"""What becomes of a value at a path under a policy: the cases that may act on it, as the sanitiser has it.

The most specific rule has a value; a rule on a map has what is inside, too; what none names is `unknown`. A
path may hold wildcards, and stands for whatever they reach that no rule names more closely.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from processor.policy import paths
from processor.policy.actions import ACTIONS
from processor.policy.kinds import keys_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from processor.policy.paths import Node, Path, Segment
    from processor.policy.plan import Plan, Rule

REDACTED: Final = float(ACTIONS["redact"].exposure[0])
ALL: Final = float(ACTIONS["keep"].exposure[1])
UNKNOWN: Final = {"drop": 0.0, "redact": REDACTED, "quarantine": 0.0}
"""How much is seen of a field that no rule names, by what the policy says of those."""
A_SET: Final = "the value is a set"
"""Stands among conditions: a rule on a set acts on its members, one on a list on nothing."""
UNSAID: Final = frozenset({"class", "required"})
"""Options that change nothing in what leaves."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One thing that can become of a value: what a rule does, or what comes about without one."""

    label: str
    """In words, as in `mask keep_last=4`."""
    exposure: float
    """How much of the value is seen, from 0 to 100, finer than `Rule.exposure` rounds it."""
    rule: Rule | None = None
    """None where no rule acts: no rule names the value, or it is of a type that its rule does not take."""
    holds: frozenset[Any] = frozenset()
    """The conditions under which it comes about, and those that must not hold."""
    fails: frozenset[Any] = frozenset()
    when: str = ""
    """The condition of its case, as the policy writes it."""
    is_unknown: bool = False
    """Whether no rule names the value."""

    @property
    def action(self) -> str:
        """That of its rule, or what stands for one."""
        return self.rule.action if self.rule else self.label

    @property
    def told(self) -> str:
        """The label, with the case that it is."""
        return f"{self.label} {self.when}" if self.when else self.label


class Resolver:
    """A plan with its paths unfolded, for asking about one path after another."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.tree, self.lines = plan, plan.tree(), plan.cases()

    @property
    def paths(self) -> list[Path]:
        """Those of the rules, and for each wildcard over names that of the names themselves."""
        written = dict.fromkeys(paths.parse(self.plan.rules[first].path) for first in self.lines)
        names = (
            (*path[:depth], paths.Wild.KEY)
            for path in written
            for depth, segment in enumerate(path)
            if segment is paths.Wild.NAME
        )
        return list(dict.fromkeys((*written, *names)))

    def line(self, path: Path) -> list[Rule]:
        """The cases of the rule that names this very path; none if none does."""
        text = paths.render(path)
        return [rule for rule in self.plan.rules if rule.path == text]

    def outcomes(self, path: Path) -> tuple[Outcome, ...]:
        """All that can become of what a path reaches."""
        node = self.tree
        for depth, segment in enumerate(path):
            if node.rule is not None:
                return self._inside(node.rule, path[depth:])
            if segment is paths.Wild.KEY:
                return self._names(node)
            child = child_of(node, segment)
            if child is None:
                return (self._nowhere(node, segment),)
            node = child
        if node.rule is not None:
            return self._cases(node.rule)
        return (Outcome("only what is inside by its own rules", REDACTED),)

    def _cases(self, first: int) -> tuple[Outcome, ...]:
        cases, failed = [], frozenset[Any]()
        for index in self.lines[first]:
            rule = self.plan.rules[index]
            tests = frozenset({(_level(rule), rule.when.tests)} if rule.when else ())
            when = f"when {rule.when.text}" if rule.when else "otherwise" if failed else ""
            cases.append(Outcome(label(rule), _exposure(rule), rule, tests, failed, when))
            failed |= tests
        return tuple(cases)

    def _inside(self, first: int, rest: Path) -> tuple[Outcome, ...]:
        """For what is inside a value that a rule names as a whole."""
        found: list[Outcome] = []
        for case in self._cases(first):
            assert case.rule is not None, "cases have rules"  # noqa: S101
            refused = Outcome(
                f"redacted: {case.rule.action} takes no maps and lists",
                REDACTED,
                holds=case.holds,
                fails=case.fails,
                when=case.when,
            )
            if ACTIONS[case.rule.action].whole:
                found.append(case)
            elif rest == (paths.Wild.ITEM,):
                found.append(replace(case, holds=case.holds | {A_SET}))
                found.append(replace(refused, fails=case.fails | {A_SET}))
            else:
                found.append(refused)
        return tuple(found)

    def _names(self, node: Node) -> tuple[Outcome, ...]:
        """For the names in a map that no rule names one by one."""
        anything = node.any_name
        if anything is not None and anything.rule is not None:
            values = self._cases(anything.rule)
            if all(case.rule and case.rule.action == "drop" for case in values):
                return values
        if node.key is not None:
            return self._cases(node.key)
        if anything is not None:
            return (Outcome("names leave as they are", ALL),)
        if node.names and self.plan.unknown == "redact":
            return (Outcome("no rule: names leave as they are", ALL, is_unknown=True),)
        return (self._nowhere(node, paths.Wild.NAME),)

    def _nowhere(self, node: Node, segment: Segment) -> Outcome:
        """For a step that no rule's path takes."""
        if segment is not paths.Wild.ITEM and (node.names or node.any_name):
            unknown = self.plan.unknown
            return Outcome(f"no rule: {unknown}", UNKNOWN[unknown], is_unknown=True)
        return Outcome("redacted: no rule takes this type", REDACTED)


def probes(old: Resolver, new: Resolver) -> Iterator[tuple[Path, bool]]:
    """The paths at which two policies have to be compared to miss nothing, and whether a rule has that path.

    Besides the rules' own paths these are those that lead to them, because a value that a rule reaches into
    is not another's any more; and where two of all these cross: `a.*.c` and `a.b.*` both reach `a.b.c`, which
    no rule of either policy has as its own.
    """
    own = dict.fromkeys((*old.paths, *new.paths))
    yield from ((path, True) for path in own)
    olds, news = _leading(old.paths), _leading(new.paths)
    wild = [path for path in news if not paths.is_literal(path)]
    crossing = (
        met
        for path in olds
        for other in (wild if paths.is_literal(path) else news)
        if (met := meet(path, other)) is not None
    )
    yield from ((path, False) for path in dict.fromkeys((*olds, *news, *crossing)) if path not in own)


def _leading(ends: Iterable[Path]) -> list[Path]:
    return list(dict.fromkeys(path[:depth] for path in ends for depth in range(len(path), 0, -1)))


def meet(one: Path, other: Path) -> Path | None:
    """The path to all that both reach, where the longer one goes on inside what the shorter reaches."""
    common: list[Segment] = []
    for a, b in zip(one, other, strict=False):
        if a is paths.Wild.NAME and isinstance(b, str):
            common.append(b)
        elif a == b or (b is paths.Wild.NAME and isinstance(a, str)):
            common.append(a)
        else:
            return None
    longer = max(one, other, key=len)
    return (*common, *longer[len(common) :])


def reaches(general: Path, special: Path) -> bool:
    """Whether `general` names all that `special` does, or something that all of it is in."""
    return len(general) <= len(special) and paths.covers(general, special[: len(general)])


def child_of(node: Node, segment: Segment) -> Node | None:
    """The node that a step leads to; None if no rule's path takes it."""
    if segment is paths.Wild.ITEM:
        return node.item
    return node.names.get(segment, node.any_name) if isinstance(segment, str) else node.any_name


def feasible(olds: Iterable[Outcome], news: Iterable[Outcome]) -> Iterator[tuple[Outcome, Outcome]]:
    """The pairs that one record can meet, each condition taken to hold or fail whatever the others do."""
    news = tuple(news)
    for old in olds:
        for new in news:
            if not (old.holds | new.holds) & (old.fails | new.fails):
                yield old, new


def label(rule: Rule) -> str:
    """A rule in words: its action and the options that differ from what they are if left out."""
    return " ".join((rule.action, *(f"{name}={_said(value)}" for name, value in said_options(rule).items())))


def said_options(rule: Rule) -> dict[str, Any]:
    """What a rule says that changes what leaves, beyond its action's defaults."""
    names = [segment for segment in paths.parse(rule.path) if isinstance(segment, str)]
    return {
        name: value
        for name, option in keys_of(type(rule.options)).items()
        if name not in UNSAID
        and (value := getattr(rule.options, option.name)) != option.default
        # The domain that is the field's own name is written out by the plan, not by people.
        and not (name == "domain" and option.default is None and value in names[-1:])
    }


def _said(value: Any) -> str:
    text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return repr(text) if " " in text or not text else text


def _exposure(rule: Rule) -> float:
    least, most = ACTIONS[rule.action].exposure
    return least + (most - least) * rule.options.revealed


def _level(rule: Rule) -> int:
    """How deep the map is that the rule's conditions look at."""
    path = paths.parse(rule.path)
    return max(depth for depth, segment in enumerate(path) if segment is not paths.Wild.ITEM)
