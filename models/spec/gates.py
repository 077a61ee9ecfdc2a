"""The spec's gates: what a candidate must be before it is released."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from models.spec.keys import are_texts, within
from processor.errors import ModelError
from processor.scoring.calibration import threshold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from models.spec.keys import Keys

RANKED: Final = ("average_precision", "auc")
NO_WORSE: Final = "no_worse"
FLAG_AT: Final = "p99.5"
ALERT_RATE: Final = 0.02
REFUSE, PASS = "refuse", "pass"
_RATES: Final = (
    "alert_rate",
    "true_positive_rate",
    "false_positive_rate",
    "demographic_parity",
    "equalized_odds",
)
BOUNDS: Final = (
    *(f"{rate}_ratio_at_least" for rate in _RATES),
    *(f"{rate}_difference_at_most" for rate in _RATES),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """What is asked of a candidate, beside that it loses against the model in use by nothing but luck."""

    at_least: Mapping[str, float] = field(default_factory=dict)
    """Of AUC and average precision, where one is asked for."""
    flag_at: str | float = FLAG_AT
    alert_rate_at_most: float = ALERT_RATE
    alert_rate_at_least: float = 0.0
    groups: tuple[str, ...] = ()
    """Of the spec, between which it has to be fair."""
    bounds: Mapping[str, float] = field(default_factory=dict)
    """Of disparities, by name as in `BOUNDS`. It is refused where the whole interval is beyond one."""
    unknown: str = REFUSE
    """What becomes of it where a disparity cannot be told: `refuse`, or `pass`."""


def read_gates(keys: Keys) -> Gates:
    """The gates; those that are not there have their defaults.

    Raises:
        ModelError: one cannot be read. It names the file, the key and what that should be.
    """
    keys.only((*RANKED, "alert_rate", "disparity"))
    rate, fair = keys.part("alert_rate", optional=True), keys.part("disparity", optional=True)
    rate.only(("flag_at", "at_most", "at_least"))
    fair.only(("groups", "unknown", *BOUNDS))
    share, words = within(0, 1), "a share from 0 to 1"
    at_most = float(rate.get("at_most", share, words, ALERT_RATE))
    at_least = float(rate.get("at_least", share, words, 0.0))
    if at_least > at_most:
        raise rate.error("at_least", f"is {at_least:g}, more than at_most, {at_most:g}")
    groups = tuple(fair.get("groups", are_texts, "a list of the spec's groups", []))
    bounds = {name: float(fair.get(name, share, words)) for name in BOUNDS if name in fair.content}
    unknown = fair.one_of("unknown", (REFUSE, PASS)) if "unknown" in fair.content else REFUSE
    if bool(groups) != bool(bounds):
        raise keys.error("disparity", f"should have groups and one of {', '.join(BOUNDS)} or more")
    return Gates(
        at_least={name: value for name in RANKED if (value := _at_least(keys, name)) is not None},
        flag_at=rate.get("flag_at", _is_threshold, "a percentile such as p99.5, or a share", FLAG_AT),
        alert_rate_at_most=at_most,
        alert_rate_at_least=at_least,
        groups=groups,
        bounds=bounds,
        unknown=unknown,
    )


def _at_least(keys: Keys, name: str) -> float | None:
    if keys.content.get(name, NO_WORSE) == NO_WORSE:
        return None
    if not isinstance(keys.content[name], dict):
        raise keys.error(name, f"should be {NO_WORSE} (than the model in use), or {{at_least: 0.6}} as well")
    part = keys.part(name)
    part.only(("at_least",))
    return float(part.get("at_least", within(0, 1), "a number from 0 to 1"))


def _is_threshold(value: Any) -> bool:
    try:
        threshold(value)
    except (ModelError, TypeError, ValueError):
        return False
    return True
