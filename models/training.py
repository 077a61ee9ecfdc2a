"""Trains a model: history replayed as the function would have seen it, fitted, measured on what came later.

Time is cut like this, and nothing is known before it would have been:

    … warms the profiles │ period trained on │ labels come in │ held out: measured on …
                       start                end    end + label.after_days
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from math import inf, isfinite
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from models.choosing import comparison, searched
from models.drift import Baseline
from models.estimators import FEWEST_FRAUDS, fit, settings
from models.evaluation import figures, unknown_cards
from models.rows import gather, learn_shares, times
from models.spec import ISOLATION_FOREST, EstimatorSpec
from models.spec.features import without_labels
from processor.errors import ModelError
from processor.scoring import Scorer
from processor.scoring.calibration import Calibration
from processor.scoring.features import FeatureSet
from processor.scoring.profiles import DAY_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.rows import Progress, Rows
    from models.sources import History
    from models.spec import Spec
    from processor.scoring.features.values import Matrix

FEWEST_RECORDS: Final = 1_000
MOST_MISSING: Final = 0.5
GOLDEN_ROWS: Final = 32


class Period(NamedTuple):
    """Of time, in epoch seconds, its end not included."""

    start: float = -inf
    end: float = inf


@dataclass(frozen=True, slots=True)
class Trained:
    """A model that was trained and measured, not yet written."""

    spec: Spec
    estimator: Any
    scorer: Scorer
    figures: dict[str, Any]
    """On the held-out records."""
    training: dict[str, Any]
    """What it was trained on, and how."""
    comparison: list[dict[str, Any]] = field(default_factory=list)
    """What other estimators find on the same records."""
    baseline: dict[str, Any] = field(default_factory=dict)
    """How features and scores were spread (`models.drift`)."""
    golden: dict[str, Any] = field(default_factory=dict)
    """Made-up rows and their scores, for whoever loads it to compare."""
    held_out: Rows | None = None
    """Those that it was measured on."""


def train(spec: Spec, history: History, period: Period | None, progress: Progress) -> Trained:
    """A model of the spec.

    Args:
        spec: what is trained.
        history: the data.
        period: that it is trained on. None: all but the warm-up and the last part (`holdout`).
        progress: is told of what is done.

    Raises:
        ModelError: the records cannot be used; the message says why.
    """
    period = period or default_period(spec, history, progress)
    shares = learn_shares(spec.features.features, history, progress, start=period.start, end=period.end)
    features = FeatureSet(shares, spec.features.profiles, spec.time, spec.label)
    rows = gather(features, spec, history, progress, start=period.start)
    known_at = period.end + spec.label.after_days * DAY_S
    earlier, between = rows.between(-inf, period.end), rows.between(period.end, known_at)
    later = held_out(spec, rows, period)
    fraud = _known(earlier, known_at)
    features, columns, estimator, notes = _learnable(spec, features, fraud)
    _require_usable(spec, features, earlier.matrix[:, columns])
    features, matrix = _imputed(features, earlier.matrix[:, columns])

    progress("choosing parameters", len(matrix))
    chosen, tried = searched(estimator, replace_matrix(earlier, matrix), fraud, spec)
    progress(f"growing {chosen.kind.replace('_', ' ')}", len(matrix))
    fitted = fit(chosen, matrix, fraud if chosen.supervised else None, spec.seed)
    progress("calibrating", len(between))
    unseen = between.matrix[:, columns] if len(between) >= FEWEST_RECORDS else earlier.matrix[:, columns]
    calibration = Calibration.learn(fitted.forest.scores(_filled(features, unseen)))
    scorer = Scorer(model=spec.model, features=features, forest=fitted.forest, calibration=calibration)
    later = replace_matrix(later, later.matrix[:, columns])
    progress("comparing estimators", len(later))
    table = comparison(chosen, scorer, (matrix, fraud), later, spec.seed)
    scores = calibration.percentile(fitted.forest.scores(_filled(features, unseen)))
    description = history.description() | {
        "records": len(earlier),
        "frauds": None if fraud is None else int(fraud.sum()),
        "from": _said(period.start if isfinite(period.start) else earlier.time[0]),
        "to": _said(period.end),
        "label_delay_days": spec.label.after_days,
        "held_out": len(later),
        "estimator": settings(chosen),
        "searched": tried,
        "calibrated_on": {
            "records": len(unseen),
            "which": "those after the period, which it was not trained on"
            if len(between) >= FEWEST_RECORDS
            else "those it was trained on: there are too few after them",
        },
        "notes": notes,
        "fingerprint": hashlib.sha256(matrix.tobytes()).hexdigest(),
    }
    return Trained(
        spec=spec,
        estimator=fitted.estimator,
        scorer=scorer,
        figures=figures(scorer, later, spec) if len(later) else {"records": 0},
        training=description,
        comparison=table,
        baseline=Baseline.learn(features.names, unseen, scores).content(),
        golden=golden(scorer, earlier.matrix[:, columns], spec.seed),
        held_out=later,
    )


def default_period(spec: Spec, history: History, progress: Progress) -> Period:
    """All but the warm-up, and but the last part."""
    when = times(history, progress)
    if not len(when):
        return Period()
    start = when[0] + spec.warm_up_days * DAY_S if spec.warm_up_days else -inf
    when = when[when >= start]
    split = len(when) - round(len(when) * spec.holdout)
    return Period(start, float(when[split]) if split < len(when) else inf)


def held_out(spec: Spec, rows: Rows, period: Period) -> Rows:
    """Those of the rows that the model of this period is measured on.

    They begin when its labels are known. Where the spec names a card, records of cards that are known to be
    compromised by then are left out: nobody needs a model to find them.
    """
    test = (period.end + spec.label.after_days * DAY_S, inf)
    if spec.card is None or rows.fraud is None or spec.card not in rows.columns or not isfinite(test[0]):
        return rows.between(*test)
    cards, delay = rows.columns[spec.card], spec.label.after_days
    return rows[unknown_cards(rows.time, cards, rows.fraud, train=period, test=test, delay_days=delay)]


def replace_matrix(rows: Rows, matrix: Matrix) -> Rows:
    """The rows with other features."""
    return replace(rows, matrix=matrix)


def golden(scorer: Scorer, matrix: Matrix, seed: int) -> dict[str, Any]:
    """Rows and their scores. Each value is drawn from its column on its own: no row is of anybody."""
    random = np.random.default_rng(seed)
    drawn = np.stack([random.choice(column, GOLDEN_ROWS) for column in matrix.T], axis=1)
    rows = [[float(f"{value:.9g}") for value in row] for row in _filled(scorer.features, drawn).tolist()]
    raw = scorer.forest.scores(np.array(rows, dtype=np.float32))
    return {
        "rows": rows,
        "raw": [score.hex() for score in raw.tolist()],
        "scores": [score.hex() for score in scorer.calibration.percentile(raw).tolist()],
    }


def _known(rows: Rows, known_at: float) -> NDArray[np.bool_] | None:
    """What is known to be fraud at a time."""
    if rows.fraud is None or rows.labelled_at is None:
        return rows.fraud
    return rows.fraud & (rows.labelled_at <= known_at)


def _learnable(
    spec: Spec, features: FeatureSet, fraud: NDArray[np.bool_] | None
) -> tuple[FeatureSet, list[int], EstimatorSpec, list[str]]:
    """The features that can be had, where they are, the estimator, and what has to be said about it."""
    everything = list(range(len(features.names)))
    frauds = 0 if fraud is None else int(fraud.sum())
    if frauds >= FEWEST_FRAUDS or (not spec.estimator.supervised and fraud is not None):
        return features, everything, spec.estimator, []
    said = "no record has a label" if fraud is None else f"only {frauds} records are known to be fraud"
    kept = without_labels(features)
    if not kept.names:
        raise ModelError(
            f"{said}, and every feature needs labels: {FEWEST_FRAUDS} are needed to learn from them"
        )
    estimator = spec.estimator if not spec.estimator.supervised else EstimatorSpec(ISOLATION_FOREST)
    note = (
        f"{said}; {FEWEST_FRAUDS} or more are needed to learn from. So this is an isolation forest over the "
        f"{len(kept.names)} features that need no labels: it finds what is unusual"
    )
    return kept, [features.names.index(name) for name in kept.names], estimator, [note]


def _imputed(features: FeatureSet, matrix: Matrix) -> tuple[FeatureSet, Matrix]:
    """The features with their medians, and the matrix filled with those."""
    medians = np.nanmedian(matrix, axis=0).tolist()
    known = [replace(one, median=median) for one, median in zip(features.features, medians, strict=True)]
    features = FeatureSet(known, features.profiles, features.time, features.label)
    return features, _filled(features, matrix)


def _filled(features: FeatureSet, matrix: Matrix) -> Matrix:
    matrix = matrix.copy()
    features.impute(matrix)
    return matrix


def _said(time: float) -> str | None:
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M:%SZ}" if isfinite(time) else None


def _require_usable(spec: Spec, features: FeatureSet, matrix: Matrix) -> None:
    if len(matrix) < FEWEST_RECORDS:
        raise ModelError(
            f"{len(matrix):,} records to train on have a usable {spec.time} in the period; training needs "
            f"{FEWEST_RECORDS:,} or more. Without --from and --to, the last {spec.holdout:.0%} are held out"
        )
    entity = {profile.name: profile.entity for profile in features.profiles}
    missing = np.isnan(matrix).mean(axis=0)
    for one, share in zip(features.features, missing.tolist(), strict=True):
        if share > MOST_MISSING:
            raise ModelError(
                f"{one.of or entity[one.profile]} is missing or of the wrong type in {share:.0%} of the "
                f"records, so that {one.name} cannot be learnt; correct the data, or leave it out"
            )
