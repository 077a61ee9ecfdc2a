"""Two versions of a policy: what a reader of the feed gets to see more of, and less of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from processor.policy import paths
from processor.policy.actions import ACTIONS
from processor.policy.detection import SCORES, expanded
from processor.policy.kinds import keys_of
from processor.review.differences import (
    NOTHING,
    Difference,
    Rank,
    Verdict,
    fewer,
    in_order,
    members,
    more,
    neutral,
    ranked,
    untold,
    verdict,
)
from processor.review.outcomes import REDACTED, Resolver, feasible, probes, reaches, said_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.policy.paths import Path
    from processor.policy.plan import Plan, Rule
    from processor.policy.sections import RecognizerRule
    from processor.review.outcomes import Outcome

TOP_MAX: Final = 121.0  # stands for no group of the oldest: above all ages that `top` can name

RANKED: Final[dict[str, tuple[Rank, str]]] = {
    "keep_first": (more, "characters shown at the start"),
    "keep_last": (more, "characters shown at the end"),
    "keep": (len, "separators shown"),
    "v4": (more, "bits shown of an IPv4 address"),
    "v6": (more, "bits shown of an IPv6 address"),
    "top": (lambda top: TOP_MAX if top is None else float(top), "up to which age people are told apart"),
    "least": (SCORES.__getitem__, "how sure a finding has to be to be replaced"),
    "scope": (in_order("subject", "domain"), "whose key it is: a person's dies with the person's data"),
}
"""Options of which it is known which way they go; all others, the exposure tells."""
SETS: Final = {
    "entities": (Verdict.NARROWER, "replaced in the text"),
    "allow": (Verdict.WIDER, "let pass by the leak guard"),
}
NOT_JOINING: Final = frozenset({"allow", "previous"})
"""Options of actions whose output joins that do not change what it joins with."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that differs: the widest first, then what is narrower, then the rest."""

    old: Plan
    new: Plan
    differences: tuple[Difference, ...]

    def of(self, verdict: Verdict) -> list[Difference]:
        """Those of one verdict."""
        return [one for one in self.differences if one.verdict is verdict]


def compare(old: Plan, new: Plan) -> Comparison:
    """What the new plan says otherwise than the old one."""
    found = [
        *_fields(Resolver(old), Resolver(new)),
        *_unknown(old, new),
        *_whose(old, new),
        *_recognizers(old, new),
        *_limits(old, new),
        *_purposes(old, new),
        *_score(old, new),
        *_routes(old, new),
        *_retention(old, new),
    ]
    order = list(Verdict)
    found.sort(key=lambda one: (order.index(one.verdict), -one.widening))
    return Comparison(old, new, tuple(found))


def _fields(old: Resolver, new: Resolver) -> Iterator[Difference]:
    said: dict[tuple[Outcome, Outcome], list[Path]] = {}
    for path, is_own in probes(old, new):
        found: list[Difference] = []
        for pair in feasible(old.outcomes(path), new.outcomes(path)):
            # At a path that no rule has as its own, only what is not said already of one that reaches as far.
            if is_own or not any(reaches(other, path) for other in said.get(pair, ())):
                said.setdefault(pair, []).append(path)
                found += _facets(paths.render(path), *pair)
        yield from _strongest(found)
        if is_own:
            text = paths.render(path)
            yield from _line(text, old.line(path), new.line(path))


def _strongest(found: list[Difference]) -> Iterator[Difference]:
    """Of several that differ by the case only, the one that says most."""
    by_kind: dict[tuple[str, Verdict, str], Difference] = {}
    for one in found:
        # Differences of exposure are told by the widest; others each for itself.
        kind = (one.aspect, one.verdict, "" if one.exposure else f"{one.before} {one.after}")
        if kind not in by_kind or abs(one.widening) > abs(by_kind[kind].widening):
            by_kind[kind] = one
    yield from by_kind.values()


def _facets(path: str, old: Outcome, new: Outcome) -> Iterator[Difference]:
    """What differs for a record that met the one outcome and now meets the other."""
    if old.rule is new.rule is None and max(old.exposure, new.exposure) <= REDACTED:
        return  # what the policies say of unknown fields is compared once, not here
    exposure, widening = (old.exposure, new.exposure), verdict(old.exposure, new.exposure)
    before, after = old.told, new.told
    arrival = "added" if old.is_unknown else "removed" if new.is_unknown else ""
    options = list(_options(path, old.rule, new.rule)) if old.rule and new.rule else []
    why = [one for one in options if one.verdict is widening is not Verdict.NEUTRAL]
    links = list(_links(path, old, new))
    if why:
        # The options that differ say why more or less is seen: shorter than both rules in full.
        options = [replace(one, exposure=exposure) if one in why else one for one in options]
    elif widening is not Verdict.NEUTRAL:
        yield Difference(path, "exposure", widening, before, after, arrival, exposure)
    elif old.action != new.action:
        yield Difference(path, "action", Verdict.NEUTRAL, before, after, arrival, exposure)
    elif old.label != new.label and not options and not links:
        yield Difference(path, "options", Verdict.NEUTRAL, before, after, "", exposure)
    yield from options
    yield from links


def _links(path: str, old: Outcome, new: Outcome) -> Iterator[Difference]:
    """What differs in what leaves equal for equal values, and in who can open it."""
    joins = _joins(old), _joins(new)
    # That what is kept joins, and what does not leave does not, goes without saying.
    if joins[0] != joins[1] and (
        all(joins) or (old.rule and new.rule and "keep" not in {old.action, new.action})
    ):
        said = "joins across the change break" if all(joins) else "joins now" if joins[1] else "joins no more"
        yield Difference(path, "joins", Verdict.NEUTRAL, old.told, new.told, said)
    if _opens(old) != _opens(new):
        said = "nobody can open it any more" if _opens(old) else "whoever has the keys can open it"
        yield Difference(path, "opens", Verdict.NEUTRAL, old.told, new.told, said)


def _options(path: str, old: Rule, new: Rule) -> Iterator[Difference]:
    """What two rules of one action say otherwise, where it is known what that means."""
    if old.action != new.action:
        return
    for name, option in keys_of(type(old.options)).items():
        pair = getattr(old.options, option.name), getattr(new.options, option.name)
        if name in SETS:
            yield from members(path, name, (expanded(pair[0]), expanded(pair[1])), *SETS[name])
        elif name in RANKED:
            yield from ranked(path, name, pair, *RANKED[name])


def _line(path: str, old: list[Rule], new: list[Rule]) -> Iterator[Difference]:
    """What the lines for one path say otherwise as a whole, all their cases together."""
    if not old or not new:
        return
    lines = old, new
    required, other = (any(rule.options.required for rule in line) for line in lines)
    said = "whether a record without it is held back"
    yield from ranked(path, "required", (required, other), fewer, said)
    one, two = (tuple(dict.fromkeys(rule.options.data_class or NOTHING for rule in line)) for line in lines)
    yield from neutral(path, "class", (one, two), "what the standards take it for")
    one, two = (tuple(rule.when.text if rule.when else "otherwise" for rule in line) for line in lines)
    yield from neutral(path, "cases", (one, two), "which records meet which case")


def _joins(outcome: Outcome) -> tuple[Any, ...] | None:
    """What values have in common that join; None if they do not."""
    rule = outcome.rule
    if rule is None or not ACTIONS[rule.action].joinable:
        return None
    said = {name: value for name, value in said_options(rule).items() if name not in NOT_JOINING}
    if rule.action == "tokenize":
        said["class"] = rule.options.data_class  # a token is bound to it
    return rule.action, *said.items()


def _opens(outcome: Outcome) -> bool:
    """Whether somebody could open what leaves; what is kept needs no opening."""
    return outcome.rule is not None and outcome.action != "keep" and ACTIONS[outcome.action].reversible


def _unknown(old: Plan, new: Plan) -> Iterator[Difference]:
    said = "fields that no rule names"
    if "quarantine" in {old.unknown, new.unknown}:
        said = "whether a record with fields that no rule names is held back"
    order = in_order("quarantine", "drop", "redact")
    yield from ranked("unknown", "exposure", (old.unknown, new.unknown), order, said)


def _whose(old: Plan, new: Plan) -> Iterator[Difference]:
    yield from neutral("policy", "name", (old.name, new.name), "these are two policies")
    pair, said = (old.subject, new.subject), "whose data a record is, to be shown or forgotten"
    if None in pair:
        yield from ranked("subject", "name", pair, lambda name: float(name is None), said)
    else:
        yield from neutral("subject", "name", pair, said)

    order, said = in_order("erase", "pass"), "what a removal means for the person"
    yield from ranked("on_remove", "erasure", (old.on_remove, new.on_remove), order, said)


def _purposes(old: Plan, new: Plan) -> Iterator[Difference]:
    before, after = ({one.name: one for one in plan.purposes} for plan in (old, new))
    yield from members("purposes", "purposes", (before, after), Verdict.WIDER, "tokens may be opened for it")
    for name in sorted(before.keys() & after.keys()):
        one, two = before[name], after[name]
        subject, said = f"purposes.{name}", "tokens of it may be opened"
        yield from members(subject, "fields", (one.fields, two.fields), Verdict.WIDER, said)
        pair, said = (one.values_per_hour, two.values_per_hour), "how many values one caller may have opened"
        yield from ranked(subject, "values_per_hour", pair, more, said)


def _recognizers(old: Plan, new: Plan) -> Iterator[Difference]:
    before, after = ({one.name: one for one in plan.recognizers} for plan in (old, new))
    yield from members("recognizers", "entities", (before, after), Verdict.NARROWER, "recognised in texts")
    for name in sorted(before.keys() & after.keys()):
        yield from _recognizer(f"recognizers.{name}", before[name], after[name])


def _recognizer(subject: str, old: RecognizerRule, new: RecognizerRule) -> Iterator[Difference]:
    said = "what is recognised"
    yield from ranked(subject, "pattern", (old.pattern, new.pattern), untold, said)
    # Without check digits it finds all that it finds with any; with two kinds of them, who knows.
    checks = old.checksum, new.checksum
    rank: Rank = (lambda name: float(name != "none")) if "none" in checks else untold
    yield from ranked(subject, "checksum", checks, rank, said)
    for name in ("bare", "near"):
        pair = getattr(old, name), getattr(new, name)
        # Where it is not found at all, least is replaced.
        sure: Rank = lambda level: -SCORES[level] if level else 0.0  # noqa: E731  one line, used below
        yield from ranked(subject, name, pair, sure, "how sure it is of what it finds")
    words = "words that make it surer"
    yield from members(subject, "context", (old.context, new.context), Verdict.NARROWER, words)


def _limits(old: Plan, new: Plan) -> Iterator[Difference]:
    said = "a value that holds more is redacted"
    for name, option in keys_of(type(old.limits)).items():
        pair = getattr(old.limits, option.name), getattr(new.limits, option.name)
        yield from ranked(f"limits.{name}", "size", pair, more, said)


def _score(old: Plan, new: Plan) -> Iterator[Difference]:
    before, after = (plan.score.reads if plan.score else () for plan in (old, new))
    said = "raw fields granted to the model"
    yield from members("score.reads", "grant", (before, after), Verdict.WIDER, said)
    kept, keeps = (plan.score is not None and plan.score.keep_features for plan in (old, new))
    yield from ranked(
        "score.keep_features", "features", (kept, keeps), float, "what the model looked at, in events"
    )
    yield from neutral("score.model", "name", (old.model, new.model), "other scores, other flags")
    if old.score is None or new.score is None:
        return
    yield from neutral("score.label", "label", (old.score.label, new.score.label), "how the truth comes back")
    pair, said = (old.score.flag_at, new.score.flag_at), "from where on an event is flagged"
    if "flagged" not in {old.routes.sns.events, new.routes.sns.events}:
        yield from neutral("score.flag_at", "threshold", pair, said)
    elif type(pair[0]) is type(pair[1]):
        yield from ranked("score.flag_at", "threshold", pair, _threshold, said)
    else:
        yield from ranked("score.flag_at", "threshold", pair, untold, said)


def _threshold(flag_at: str | float) -> float:
    """The lower, the more alerts."""
    return -float(flag_at.removeprefix("p") if isinstance(flag_at, str) else flag_at)


def _routes(old: Plan, new: Plan) -> Iterator[Difference]:
    order, said = in_order("none", "flagged", "all"), "which events go there"
    s3, sns = (old.routes.s3.events, new.routes.s3.events), (old.routes.sns.events, new.routes.sns.events)
    yield from ranked("routes.s3.events", "events", s3, order, said)
    yield from ranked("routes.sns.events", "events", sns, order, said)
    attributes = old.routes.sns.attributes, new.routes.sns.attributes
    said = "beside each alert, for subscribers to filter on"
    yield from members("routes.sns.attributes", "attributes", attributes, Verdict.WIDER, said)


def _retention(old: Plan, new: Plan) -> Iterator[Difference]:
    for name, option in keys_of(type(old.retention_days)).items():
        pair = getattr(old.retention_days, option.name), getattr(new.retention_days, option.name)
        yield from ranked(f"retention_days.{name}", "days", pair, more, "how long it is kept")
