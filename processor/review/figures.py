"""Two models side by side: their figures and training, and what the gates said of the newer one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from processor.review.shape import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

Model = dict[str, Any]
"""As a release has it: see `processor.review.release.model_of`."""
ABSENT: Final = "-"
FINGERPRINT: Final = 12  # characters of it that are shown, as of a model's id
RANKED: Final = frozenset({"average_precision", "auc"})
"""The gates that compare a candidate with the model in use."""


def rows(model: Model) -> dict[str, str]:
    """What is told of a model, by name."""
    figures, training = model["figures"], model["training"]
    return {
        "average precision": _number(figures.get("average_precision")),
        "AUC": _number(figures.get("auc")),
        "alert rate": _alerts(figures),
        "measured on": _records(figures.get("records")),
        "trained on": _records(training.get("records"), training.get("frauds")),
        "from, to": _period(training),
        "estimator": model.get("estimator") or ABSENT,
        "data": (training.get("fingerprint") or ABSENT)[:FINGERPRINT],
        "gates": _gates(model),
    }


def in_short(model: Model) -> str:
    """A model in a line."""
    told = rows(model)
    names = ("average precision", "AUC", "alert rate")
    return f"{model['id']}: {', '.join(f'{name} {told[name]}' for name in names)}"


def remarks(old: Model | None, new: Model) -> Iterator[str]:
    """What has to be known to compare their figures, the reason of a forced release first."""
    if forced := new.get("forced"):
        yield f"Forced past {', '.join(forced['gates'])}: {forced['reason']}"
    release = new.get("release")
    if release is None:
        yield "It went through no gates: tidegate model release takes a candidate through them."
    elif release.get("against") and release["against"] == (old and old["id"]):
        yield f"Both on the same later {_records(release.get('records'))}, {_period(release)}:"
        yield from (f"  {gate['said']}" for gate in release["gates"] if gate["gate"] in RANKED)
        return
    elif old is not None:
        yield f"Its gates compared it with {release.get('against') or 'no other'}, not with the one in force."
    if old is not None:
        yield "Each was measured on records later than its own training: not the same ones."


def _number(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.4f}"


def _alerts(figures: dict[str, Any]) -> str:
    if (rate := figures.get("alert_rate")) is None:
        return ABSENT
    return f"{rate:.2%}" + (f" at {at}" if (at := figures.get("flag_at")) is not None else "")


def _records(count: int | None, frauds: int | None = None) -> str:
    if count is None:
        return ABSENT
    return counted(count, "record") + (f", {counted(frauds, 'fraud')}" if frauds is not None else "")


def _period(told: dict[str, Any]) -> str:
    """Its first and last day."""
    return " to ".join(str(told.get(end) or ABSENT)[:10] for end in ("from", "to"))


def _gates(model: Model) -> str:
    if forced := model.get("forced"):
        return f"forced past {', '.join(forced['gates'])}"
    if (release := model.get("release")) is None:
        return "none"
    return f"{sum(gate['passed'] for gate in release['gates'])} of {len(release['gates'])} passed"
