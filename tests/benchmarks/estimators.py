"""What each kind of forest costs to score, to explain and to load, beside scikit-learn, and beside shap.

python -m tests.benchmarks.estimators [--json] [--shap PYTHON]

The first is the model that is released, on payments of the simulator. The others are trained here on made-up
payments, with features that nearly say the same: what is the reason is often a close call. shap runs on its
own in `.build/bench` (or with the interpreter given), started from here (`estimators_shap.py`). Absolute
times are this machine's and drift; compare columns.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import warnings
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    VotingClassifier,
)

from models.export import expected_scores, exported
from models.release import load_estimator
from models.replay import Replay
from models.simulator import payments as simulated
from models.sources.changes import Changed
from processor.scoring import load_scorer
from processor.scoring.artefact import described, pack, read_manifest, unpack
from processor.scoring.calibration import Calibration
from processor.scoring.features import instant
from processor.scoring.shapley import explain
from tests.benchmarks.stages import MODEL, us_per_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from models.sources.changes import Progress

ROOT = Path(__file__).parents[2]
SHAP = ROOT / ".build" / "bench" / "bin" / "python"
BATCHES = (1, 10, 100, 1000)
FEATURES = 15
ROWS = 60_000
RELEASED_ROWS = 20_000
FLAGGED = 0.005
EXPLAINED = (1, 20)  # flagged records at once
DEPTH = 10


def payments(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features of payments, and which are bad: some by their amount, most by where and how soon."""
    random = np.random.default_rng(seed)
    amount = random.lognormal(3, 1, ROWS)
    risk = random.beta(0.3, 30, ROWS)
    counts = random.poisson(random.gamma(2, 1, ROWS)[:, None] * [1, 5, 20])
    matrix = random.normal(size=(ROWS, FEATURES))
    matrix[:, 0], matrix[:, 1], matrix[:, 2:5] = amount, random.uniform(0, 24, ROWS), counts
    matrix[:, 5:8] = amount[:, None] / random.lognormal(3, 0.4, (ROWS, 3))
    # One risk as three windows see it: which of them is the reason is a close call.
    matrix[:, 8:11] = risk[:, None] * random.lognormal(0, [0.8, 0.4, 0.2], (ROWS, 3))
    logit = 30 * risk + 2.5 * (matrix[:, 5] > 8) + 0.6 * (counts[:, 0] > 6) + 0.02 * matrix[:, 1] - 7.5
    return matrix.astype(np.float32), random.random(ROWS) < 1 / (1 + np.exp(-logit))


class _Payments:
    """Payments of the simulator, as they are replayed."""

    expected = 0

    def changes(self, _progress: Progress) -> Iterator[Changed]:
        for payment in simulated(RELEASED_ROWS, seed=1, start=datetime(2026, 11, 1, tzinfo=UTC)):
            yield Changed(instant(payment["created_at"]), None, payment, payment["payment_id"], None, -1)

    def description(self) -> dict[str, Any]:
        return {}


def released(python: Path) -> dict[str, Any]:
    """The figures of the released model; to load it is to read and check its files, too."""
    scorer = load_scorer(MODEL)
    features = scorer.features
    assert features.label is not None
    rows = Replay(features, features.label).run(_Payments(), lambda _what, _done: None).matrix
    features.impute(rows)
    figures = measured(load_estimator(read_manifest(MODEL)), rows, python)
    return figures | {"load_ms": us_per_record(lambda: load_scorer(MODEL), 1_000)}


def estimators() -> dict[str, Any]:
    """One of each kind, of the size that a release has."""
    options: dict[str, Any] = {"max_depth": DEPTH, "min_samples_leaf": 3, "random_state": 0}
    boosted = HistGradientBoostingClassifier(max_iter=50, max_depth=6, learning_rate=0.1, random_state=0)
    return {
        "isolation forest, 100": IsolationForest(n_estimators=100, random_state=0),
        "random forest, 100": RandomForestClassifier(100, **options),
        "extra trees, 100": ExtraTreesClassifier(100, **options),
        "boosting, 50": boosted,
        "blend, 50 + 50 + 50": VotingClassifier(
            [
                ("random", RandomForestClassifier(50, **options)),
                ("extra", ExtraTreesClassifier(50, **options)),
                ("boosted", boosted),
            ],
            voting="soft",
        ),
    }


def measured(estimator: Any, rows: np.ndarray, python: Path) -> dict[str, Any]:
    """The figures of a fitted estimator."""
    forest = exported(estimator)
    scores = forest.scores(rows)
    flagged = rows[np.argsort(-scores)[: round(len(rows) * FLAGGED)]]
    packed = pack(forest, Calibration.learn(scores))
    shape = described(forest)
    explain(forest)
    totals = forest.totals(flagged)  # known from scoring by then, as in the function
    given = forest.contributions(flagged)
    figures = {
        "nodes": len(forest.left),
        "bytes": len(packed),
        "load_ms": us_per_record(lambda: unpack(packed, shape, rows.shape[1]), 1_000),
        "largest_difference": float(np.abs(scores - expected_scores(estimator, rows)).max()),
        "us": {
            batch: us_per_record(lambda batch=batch: forest.scores(rows[:batch]), batch) for batch in BATCHES
        },
        "scikit_learn_us": {
            batch: us_per_record(lambda batch=batch: expected_scores(estimator, rows[:batch]), batch)
            for batch in BATCHES
        },
        "reasons_us": {
            batch: us_per_record(
                lambda batch=batch: forest.contributions(flagged[:batch], totals[:, :batch]), batch
            )
            for batch in EXPLAINED
        },
    }
    if (values := by_shap(estimator, flagged, python)) is not None:
        figures["agreement"] = float((given.argmax(axis=1) == values.argmax(axis=1)).mean())
    return figures


def by_shap(estimator: Any, rows: np.ndarray, python: Path) -> np.ndarray | None:
    """What shap says of each row, on the scale of the score; None where shap is not installed.

    A blend is explained by its members: shap knows no vote. What moved a member's total is brought to the
    scale of its score as ours is.
    """
    if isinstance(estimator, VotingClassifier):
        parts = [by_shap(one, rows, python) for one in estimator.estimators_]
        return None if any(part is None for part in parts) else np.mean(parts, axis=0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        joblib.dump(estimator, path / "estimator.joblib")
        np.save(path / "rows.npy", rows)
        script = Path(__file__).with_name("estimators_shap.py")
        try:
            subprocess.run([python, script, folder], check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        moved = np.load(path / "values.npy")
    forest = exported(estimator)
    distance = forest.scores(rows) - forest.baseline
    return moved * (distance / moved.sum(axis=1))[:, None]


def measure(python: Path) -> dict[str, dict[str, Any]]:
    """The figures of each, by its name."""
    results = {"payments_fraud": released(python)}
    matrix, bad = payments(1)
    later, _ = payments(2)
    for name, estimator in estimators().items():
        estimator.fit(matrix) if isinstance(estimator, IsolationForest) else estimator.fit(matrix, bad)
        results[name] = measured(estimator, later, python)
    return results


def main() -> None:
    """Measure and print."""
    parser = ArgumentParser(description="What each kind of forest costs, beside scikit-learn and shap.")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--shap", type=Path, default=SHAP, metavar="PYTHON", help="an interpreter with shap")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # scikit-learn's thread counts
    results = measure(options.shap)
    if options.json:
        sys.stdout.write(json.dumps(results) + "\n")
        return
    table = Table(title="µs per record, by size of batch (and times faster than scikit-learn)")
    table.add_column("estimator, trees", no_wrap=True)
    for heading in (*(f"{batch:,}" for batch in BATCHES), "reasons", "load ms", "KB", "as shap"):
        table.add_column(heading, justify="right")
    for name, row in results.items():
        table.add_row(
            name,
            *(f"{us:.1f}  {row['scikit_learn_us'][batch] / us:.0f}x" for batch, us in row["us"].items()),
            " / ".join(f"{us:.0f}" for us in row["reasons_us"].values()),
            f"{row['load_ms']:.1f}",
            f"{row['bytes'] / 1e3:,.0f}",
            f"{row['agreement']:.2f}" if "agreement" in row else "?",
        )
    console = Console(width=124)
    console.print(table)
    console.print(
        f"reasons: µs per flagged record, alone / {EXPLAINED[1]} at once. "
        "as shap: the share of flagged records whose first reason is shap's."
    )
    if not all("agreement" in row for row in results.values()):
        console.print(f"{options.shap} has no shap, or another scikit-learn: there is nothing to agree with.")


if __name__ == "__main__":
    main()
