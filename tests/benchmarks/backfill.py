"""What a backfill costs per item on one core, beside its stages alone, measured in the same run.

python -m tests.benchmarks.backfill [--json]

The sample policy and, as texts are another matter, the same without its rules that scrub. The stages are
decode, score, sanitise, envelope and gzip of the same items in the same chunks; what a backfill adds is
unpacking, reading JSON, ids and files. It is the processor's time of the best chunk: what is above it is the
machine's noise.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import zlib
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from models.simulator import payments
from processor.cli.backfill.found import Bare, find
from processor.cli.backfill.locally import Means, Worker, claim
from processor.crypto import KeyRing
from processor.event import envelope_for
from processor.exports import CHUNK_ITEMS
from processor.policy import Sanitiser
from processor.policy.source import compile_policy
from processor.scoring import Step, load_scorer
from processor.sinks import GZIP_LEVEL, GZIP_WBITS
from processor.stream import decode
from tests.exporting import written

ROOT: Final = Path(__file__).parents[2]
MODEL: Final = ROOT / "models" / "payments_fraud"
ITEMS: Final = 12_000
ROUNDS: Final = 3
ROOT_KEY: Final = b"benchmark" * 8


def without_scrub(folder: Path) -> Path:
    """The sample policy without its rules that scrub: a field that no rule names is dropped."""
    lines = (ROOT / "policies" / "payments.yaml").read_text(encoding="utf-8").splitlines()
    path = folder / "payments.yaml"
    path.write_text("\n".join(line for line in lines if "action: scrub" not in line) + "\n", encoding="utf-8")
    return path


def backfill_us(policy: Path, export: Path, folder: Path) -> float:
    """µs of the processor per item of a whole backfill: the best chunk's, plus what a file takes besides."""
    plan, compiled = compile_policy(policy)
    best = float("inf")
    for at in range(ROUNDS):
        means = Means(compiled, ROOT_KEY, MODEL, folder / f"{policy.parent.name}-{at}")
        (found,) = find([export], ("payment_id",), Bare("payments", None))
        claim(means, plan, "bench", [found.source])
        worker, marks = Worker(means), [time.process_time()]
        worker.bring(found, lambda _items, marks=marks: marks.append(time.process_time()))  # type: ignore[misc]
        best = min(best, *(after - before for before, after in pairwise(marks)))
    return best / CHUNK_ITEMS * 1e6


def stages_us(policy: Path, export: Path) -> float:
    """µs of the processor per item of the stages alone, on records that are read already."""
    plan, _ = compile_policy(policy)
    assert plan.score
    scorer = load_scorer(MODEL)
    threshold = scorer.threshold(plan.score.flag_at)
    sanitiser, envelope = Sanitiser(plan, KeyRing({1: ROOT_KEY})), envelope_for(plan, 1)
    (found,) = find([export], ("payment_id",), Bare("payments", None))
    lines = zlib.decompress(found.path.read_bytes(), 31).splitlines()
    best = float("inf")
    for start in range(0, ITEMS, CHUNK_ITEMS):
        records = [
            found.source.record(at, line) for at, line in enumerate(lines[start : start + CHUNK_ITEMS], 1)
        ]
        began = time.process_time()
        changes = [decode(record) for record in records]
        verdicts = scorer.score([Step(None, change.new) for change in changes], threshold).verdicts
        trios = [
            (change, sanitiser.sanitise(change), fraud)
            for change, fraud in zip(changes, verdicts, strict=True)
        ]
        text = "".join(envelope(*trio).line + "\n" for trio in trios).encode()
        zlib.compress(text, GZIP_LEVEL, GZIP_WBITS)
        best = min(best, time.process_time() - began)
    return best / CHUNK_ITEMS * 1e6


def measure() -> dict[str, dict[str, float]]:
    """By policy: µs per item, of the stages alone, and items per second and core."""
    results: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        items: list[dict[str, Any]] = list(payments(ITEMS, seed=1, start=datetime(2026, 11, 1, tzinfo=UTC)))
        export = written(folder / "export", items, parts=1)
        plain = folder / "plain"
        plain.mkdir()
        policies = {"without scrub": without_scrub(plain), "as it is": ROOT / "policies" / "payments.yaml"}
        for title, policy in policies.items():
            ours, stages = backfill_us(policy, export, folder), stages_us(policy, export)
            results[title] = {"us": ours, "stages_us": stages, "items_per_s": 1e6 / ours}
    return results


def main() -> None:
    """Measure and print."""
    results = measure()
    if "--json" in sys.argv[1:]:
        sys.stdout.write(json.dumps(results) + "\n")
        return
    table = Table(title="A backfill, µs of one core per item")
    for column in ("policies/payments.yaml", "backfill", "its stages alone", "times", "items/s and core"):
        table.add_column(column, justify="left" if column.startswith("p") else "right")
    for title, row in results.items():
        cells = f"{row['us']:.0f}", f"{row['stages_us']:.0f}", f"{row['us'] / row['stages_us']:.2f}"
        table.add_row(title, *cells, f"{row['items_per_s']:,.0f}")
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
