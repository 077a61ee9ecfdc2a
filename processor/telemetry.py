"""What the gate says about its work: one line of JSON per batch, which is log and metrics at once.

CloudWatch reads the metrics out of the line (embedded metric format), so they cost no request:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
Counts, names of rules and types are all that is ever said; no value of a record.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from processor.ledger import Settled

NAMESPACE: Final = "Tidegate"
REASONS_MAX: Final = 20  # told per batch; the quarantine has them all
ROOT: Final = Path(__file__).parents[1]


@dataclass(slots=True)
class Tally:
    """What became of one delivery of a batch. What an earlier delivery did is not counted again."""

    records: int = 0
    quarantined: int = 0
    written: int = 0
    flagged: int = 0
    alerts: int = 0
    leaks: int = 0
    mismatched: int = 0
    erased: int = 0
    """Values redacted because they are of a person who was erased."""
    forgotten: int = 0
    """People erased because of removals, those of earlier deliveries of the batch included."""
    imputed: int = 0
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Why records are in quarantine: (reason, path)."""
    stopped: str = ""
    """Why the batch has to come again; empty if it need not."""

    def add(self, settled: Settled) -> None:
        """Count an object of events, if this delivery created it."""
        if settled.stored.created:
            summary = settled.intent.summary
            self.written += summary["records"]
            self.flagged += summary["flagged"]
            self.imputed += summary["imputed"]
            self.leaks += summary["notes"]["leaks"]
            self.mismatched += summary["notes"]["mismatched"]
            self.erased += summary["notes"]["erased"]


METRICS: Final = {
    "Records": "records",  # delivered, redeliveries included
    "EventsWritten": "written",
    "EventsFlagged": "flagged",
    "AlertsPublished": "alerts",  # at least once, so redeliveries included
    "RecordsQuarantined": "quarantined",
    "LeaksStopped": "leaks",
    "ValuesMismatched": "mismatched",
    "ValuesErased": "erased",
    "PeopleForgotten": "forgotten",
    "FeaturesImputed": "imputed",
}
"""Each metric with the tally it tells. All are counts."""


class Telemetry:
    """The gate's voice. `write` takes one line of text; in Lambda it is `print`."""

    def __init__(
        self, policy: str, model: str | None, clock: Callable[[], float], write: Callable[[str], Any]
    ) -> None:
        self._about = {"Policy": policy, "Model": model}
        self._clock, self._write = clock, write

    def batch(self, tally: Tally) -> None:
        """Say what became of a batch."""
        counts = {name: getattr(tally, attribute) for name, attribute in METRICS.items()}
        counts["BatchesStopped"] = int(bool(tally.stopped))
        metrics = [{"Name": name, "Unit": "Count"} for name in counts]
        directive = {"Namespace": NAMESPACE, "Dimensions": [["Policy"]], "Metrics": metrics}
        line = {
            "_aws": {"Timestamp": int(self._clock() * 1000), "CloudWatchMetrics": [directive]},
            "level": "ERROR" if tally.stopped else "WARN" if tally.reasons else "INFO",
            "message": f"stopped: {tally.stopped}" if tally.stopped else "passed",
            **self._about,
            **counts,
            "quarantined": [
                {"reason": reason, "path": path, "count": count}
                for (reason, path), count in tally.reasons.most_common(REASONS_MAX)
            ],
        }
        self._write(json.dumps(line, separators=(",", ":")))


def place_of(error: BaseException) -> str:
    """Where an unexpected error arose and of which type: its text is left out, it may quote a value."""
    frames = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    own = [(Path(name), line) for name, line in frames if Path(name).is_relative_to(ROOT)]
    path, line = own[-1] if own else (Path("unknown"), 0)
    where = path.relative_to(ROOT) if path.is_absolute() else path
    return f"{type(error).__name__} at {where.as_posix()}:{line}"
