"""What each stage costs, in µs per record, beside what one would otherwise use, measured in the same run.

python -m tests.benchmarks.stages [--json]

To score is to measure the features, to walk the trees and to say where the score stands among others; of
scikit-learn it is its `predict_proba` of features that are there already. Absolute times are this machine's
and drift; compare columns, and the ratios at the right.
"""

from __future__ import annotations

import json
import sys
import time
import zlib
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer
from rich.console import Console
from rich.table import Table

from models.export import expected_scores
from models.release import load_estimator
from models.simulator import payments
from processor.crypto import KeyRing
from processor.event import envelope_for
from processor.policy import Sanitiser
from processor.policy.source import compile_policy
from processor.scoring import Memory, Step, load_scorer
from processor.scoring.artefact import read_manifest
from processor.sinks import GZIP_LEVEL, GZIP_WBITS
from processor.stream import decode
from tests.builders import stream_record

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "models" / "payments_fraud"
OF_WHICH = "of which trees"
BATCHES = (1, 10, 100, 1000)
SECONDS = 0.25  # of measuring, per stage and batch
ROUNDS_MIN = 5


def us_per_record(work: Callable[[], Any], records: int) -> float:
    """The best of many calls, per record: what is above it is the machine's noise (as `timeit` reasons)."""
    best, rounds, end = float("inf"), 0, time.perf_counter() + SECONDS
    while rounds < ROUNDS_MIN or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        best, rounds = min(best, time.perf_counter() - start), rounds + 1
    return best / records * 1e6


def boto3_decode(record: Any, deserialize: Callable[[Any], Any]) -> Any:
    """An image decoded by Boto3, binary from base64 first, as one has to in a Lambda."""
    image = record["dynamodb"]["NewImage"]
    typed = (({"B": b64decode(value["B"])} if "B" in value else value) for value in image.values())
    return dict(zip(image, map(deserialize, typed), strict=True))


def stages(batch: int) -> dict[str, tuple[Callable[[], Any], Callable[[], Any] | None]]:
    """For each stage the work on a batch, and the same by the usual means where there is one."""
    plan, _ = compile_policy(ROOT / "policies" / "payments.yaml")
    scorer = load_scorer(MODEL)
    estimator = load_estimator(read_manifest(MODEL))
    assert plan.score
    threshold = scorer.threshold(plan.score.flag_at)
    sanitiser, envelope = Sanitiser(plan, KeyRing({1: b"benchmark" * 8})), envelope_for(plan, 1)
    deserialize = TypeDeserializer().deserialize

    simulated = payments(batch, seed=1, start=datetime(2026, 11, 1, tzinfo=UTC))
    records = [stream_record(payment, at=at) for at, payment in enumerate(simulated)]
    changes = [decode(record) for record in records]
    steps = [Step(change.old, change.new) for change in changes]
    matrix = scorer.features.measure(steps, Memory())
    scorer.features.impute(matrix)
    verdicts = scorer.score(steps, threshold).verdicts
    cleaned = [sanitiser.sanitise(change) for change in changes]
    trios = list(zip(changes, cleaned, verdicts, strict=True))
    lines = "".join(envelope(*trio).line + "\n" for trio in trios).encode()

    return {
        "decode": (
            lambda: [decode(record) for record in records],
            lambda: [boto3_decode(record, deserialize) for record in records],
        ),
        "score": (lambda: scorer.score(steps, threshold), lambda: expected_scores(estimator, matrix)),
        OF_WHICH: (lambda: scorer.forest.scores(matrix), lambda: expected_scores(estimator, matrix)),
        "sanitise": (lambda: [sanitiser.sanitise(change) for change in changes], None),
        "envelope": (lambda: [envelope(*trio) for trio in trios], None),
        "gzip": (
            lambda: zlib.compress(lines, GZIP_LEVEL, GZIP_WBITS),
            lambda: zlib.compress(lines, 6, GZIP_WBITS),
        ),
    }


USUAL = {
    "decode": "boto3 TypeDeserializer",
    "score": "scikit-learn, without features",
    OF_WHICH: "scikit-learn",
    "gzip": "level 6",
}


def measure() -> dict[str, dict[int, dict[str, float]]]:
    """µs per record: by stage, by batch, ours and the usual."""
    results: dict[str, dict[int, dict[str, float]]] = {}
    for batch in BATCHES:
        for stage, (ours, usual) in stages(batch).items():
            row = {"us": us_per_record(ours, batch)}
            if usual is not None:
                row["usual_us"] = us_per_record(usual, batch)
            results.setdefault(stage, {})[batch] = row
    return results


def main() -> None:
    """Measure and print."""
    results = measure()
    if "--json" in sys.argv[1:]:
        sys.stdout.write(json.dumps(results) + "\n")
        return
    table = Table(title="µs per record, by size of batch (ours, and times faster than the usual)")
    table.add_column("stage")
    for batch in BATCHES:
        table.add_column(f"{batch:,}", justify="right")
    table.add_column("the usual")
    for stage, by_batch in results.items():
        cells = [
            f"{row['us']:.1f}" + (f"  {row['usual_us'] / row['us']:.1f}x" if "usual_us" in row else "")
            for row in by_batch.values()
        ]
        table.add_row(stage, *cells, USUAL.get(stage, ""))
    total = [
        sum(rows[batch]["us"] for stage, rows in results.items() if stage != OF_WHICH) for batch in BATCHES
    ]
    table.add_section()
    table.add_row("all", *(f"{us:.1f}" for us in total), "")
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
