"""The gates of a release: is a candidate good enough to take the place of the model in use?

Pure: from figures of later records (`models.evaluation`) to verdicts. What cannot be told is no pass: who
knows better releases by `--force` with a reason, which the manifest keeps, or says in the spec that a
disparity may be unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from models.spec.gates import PASS, RANKED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from models.spec.gates import Gates

WORDS: Final = {"average_precision": "average precision", "auc": "AUC"}


class Verdict(NamedTuple):
    """What a gate says of a candidate."""

    gate: str
    passed: bool
    said: str


def judged(
    gates: Gates,
    found: Mapping[str, Any],
    against: Mapping[str, Any] | None,
    flaws: Sequence[str],
) -> list[Verdict]:
    """What each gate says.

    Args:
        gates: of the spec.
        found: what `measured` says of the candidate on records that it was not trained on.
        against: what `compared` says of it and the model in use on the same records; None if there is none.
        flaws: what is wrong with its files, such as arrays whose scores are not scikit-learn's.
    """
    return [
        Verdict(
            "arrays", not flaws, "; ".join(flaws) or "files, golden scores and arrays are as in training"
        ),
        *(_ranked(name, gates, found, against) for name in RANKED),
        _alert_rate(gates, found),
        *(
            _disparity(group, bound, limit, found, passes=gates.unknown == PASS)
            for group in gates.groups
            for bound, limit in gates.bounds.items()
        ),
    ]


def refused(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Those that stop a release."""
    return [one for one in verdicts if not one.passed]


def _ranked(name: str, gates: Gates, found: Mapping[str, Any], against: Mapping[str, Any] | None) -> Verdict:
    """It loses where the whole interval of the difference is below 0: then it is not luck."""
    words = WORDS[name]
    if not found["labelled"]:
        return Verdict(name, passed=False, said=f"{words} cannot be told: no labels of both kinds")
    value, least = found["ranking"][name]["value"], gates.at_least.get(name)
    if least is not None and value < least:
        return Verdict(name, passed=False, said=f"{words} {value:.3f} is below {least:g}")
    if against is None:
        return Verdict(
            name, passed=True, said=f"{words} {value:.3f}; there is no model in use to compare with"
        )
    both = against["figures"][name]
    difference = both["difference"]
    said = f"{words} {both['candidate']:.3f}, of the model in use {both['reference']:.3f}"
    if difference["high"] is None:
        lost = difference["value"] is None or difference["value"] < 0
        return Verdict(name, not lost, f"{said}; too few records to tell chance apart")
    said += f" (difference {difference['low']:+.3f} to {difference['high']:+.3f})"
    return Verdict(name, difference["high"] >= 0, said)


def _alert_rate(gates: Gates, found: Mapping[str, Any]) -> Verdict:
    rate = found["flag"]["alert_rate"]["value"]
    low, high = gates.alert_rate_at_least, gates.alert_rate_at_most
    said = f"flags {rate:.2%} of the records; {low:.2%} to {high:.2%} are allowed"
    return Verdict("alert_rate", low <= rate <= high, said)


def _disparity(group: str, bound: str, limit: float, found: Mapping[str, Any], *, passes: bool) -> Verdict:
    """It is unfair where the whole interval is beyond the bound: the rates of equals differ by chance, too.

    `passes` is whether it does so where that cannot be told.
    """
    gate = f"{bound} of {group}"
    figure, is_ratio = bound.removesuffix("_at_least").removesuffix("_at_most"), bound.endswith("_at_least")
    told = found.get("groups", {}).get(group, {}).get("disparity", {}).get(figure)
    if told is None or told["value"] is None:
        return Verdict(gate, passes, "cannot be told: fewer than two groups have records enough")
    value, end = told["value"], told["high" if is_ratio else "low"]
    end = value if end is None else end
    said = f"{figure.replace('_', ' ')} {value:.3f}; {'at least' if is_ratio else 'at most'} {limit:g}"
    if told["low"] is not None:
        said += f" (interval {told['low']:.3f} to {told['high']:.3f})"
    beyond, surely = (value < limit, end < limit) if is_ratio else (value > limit, end > limit)
    return Verdict(gate, not surely, said + ("; beyond it, perhaps by chance" if beyond > surely else ""))
