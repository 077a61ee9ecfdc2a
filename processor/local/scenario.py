"""The gate's whole job once, on simulated payments, and what came of it."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from processor.errors import TidegateError
from processor.local import cold
from processor.local.checks import Comparison, Leak, compare, leaks, summed_actions
from processor.local.evidence import collect, events_in
from processor.local.rights import exercise, most_telling
from processor.local.seeding import sow

if TYPE_CHECKING:
    from processor.local.evidence import Evidence
    from processor.local.mapping import EventSource, Tally
    from processor.local.rights import Rights
    from processor.local.seeding import Seed
    from processor.local.stage import Progress, Stage

REFUSED: Final = 403


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of a run."""

    payments: int
    changed: int
    removed: int
    expired: int
    tally: Tally
    comparison: Comparison
    leaks: list[Leak]
    searched_values: int
    searched_bytes: int
    records: int
    events: int
    objects: list[tuple[str, int]]
    manifests: int
    quarantined: int
    flagged: int
    alerts: int
    """Distinct events that subscribers received."""
    unalerted: tuple[str, ...]
    """Flagged events that subscribers did not receive."""
    failures: int
    actions: dict[str, dict[str, int]]
    rights: Rights
    guarded: bool
    """Whether AWS refused the function's role what its policy does not allow."""
    seconds: float
    """From the first delivery to the drained stream."""
    cold_start_ms: float | None
    baseline_ms: float | None
    before: dict[str, Any]
    """One raw payment: simulated, and shown by the demo only."""
    after: dict[str, Any]
    """Its event."""

    def problems(self) -> list[str]:
        """Why the run has failed; nothing if it has not."""
        wrong = {
            f"{len(self.comparison.missing)} records are missing": self.comparison.missing,
            f"{len(self.comparison.twice)} records are there twice": self.comparison.twice,
            f"{len(self.comparison.unknown)} events come from no record": self.comparison.unknown,
            f"raw values were found in {_places(self.leaks)}": self.leaks,
            f"{len(self.unalerted)} flagged events were not published": self.unalerted,
            f"{self.failures} batches were given up": self.failures,
            f"{len(self.objects)} objects have {self.manifests} manifests": (
                self.manifests != len(self.objects)
            ),
            "the function's role may do what its policy does not allow": not self.guarded,
        }
        return [*(text for text, found in wrong.items() if found), *self.rights.problems()]

    def as_json(self) -> dict[str, Any]:
        """The report without the raw payment."""
        return {**asdict(self), "before": None, "problems": self.problems()}


def play(
    stage: Stage, progress: Progress, *, payments: int, seed: int, measure_cold_starts: bool = True
) -> Report:
    """Send payments through the gate and look at what came out.

    Raises:
        TidegateError: the function does not start.
    """
    progress.step("Writing payments to the table")
    table = stage.stream["source_table"]
    sown = sow(stage.aws, table, count=payments, seed=seed, on_progress=progress.detail)
    progress.step("Delivering the stream to the function")
    with stage.function() as function:
        source = stage.event_source(function)
        begun = time.monotonic()
        _drain(source, progress)
        seconds = time.monotonic() - begun
        if not source.tally.done:
            last = function.log.decode(errors="replace").strip().splitlines()[-15:]
            raise TidegateError("\n".join(["The function took no record. The end of its log:", *last]))
        tally = replace(source.tally)
        progress.step("Exercising one person's rights: open a token, forget the person, try again")
        event = most_telling(events_in(stage))
        rights, log = exercise(stage, source, sown.payments[event["new"]["payment_id"]], event)
        log += function.log
    progress.step("Looking for what is missing, there twice, or raw")
    evidence = collect(stage, log)
    found = leaks(sown.identifying(), evidence.searched)
    cold_start = baseline = None
    if measure_cold_starts:
        progress.step("Measuring cold starts, and those of the usual way")
        cold_start = cold.gate_ms(stage.launch())
        progress.detail(f"{cold_start:,.0f} ms")
        baseline = cold.baseline_ms(stage.aws.environ(stage.role))
    return _report(
        sown,
        evidence,
        tally=tally,
        rights=rights,
        leaks=found,
        guarded=_is_guarded(stage),
        seconds=seconds,
        cold_start_ms=cold_start,
        baseline_ms=baseline,
    )


def _drain(source: EventSource, progress: Progress) -> None:
    def told(tally: Tally) -> None:
        again = f", {tally.failures:,} to be repeated" if tally.failures else ""
        progress.detail(f"{tally.done:,} of {tally.read:,} records in {tally.invocations:,} calls{again}")

    source.drain(told)


def _report(sown: Seed, evidence: Evidence, **measured: Any) -> Report:
    flagged = [event["event_id"] for event in evidence.events if _is_flagged(event)]
    alerted = {alert["event_id"] for alert in evidence.alerts}
    after = _telling(evidence.events)
    return Report(
        payments=len(sown.payments),
        changed=sown.changed,
        removed=sown.removed,
        expired=sown.expired,
        comparison=compare(evidence.went_in, (event["event_id"] for event in evidence.events)),
        searched_values=len(sown.identifying()),
        searched_bytes=sum(len(one.content) for one in evidence.searched),
        records=len(evidence.went_in),
        events=len(evidence.events),
        objects=sorted(evidence.objects),
        manifests=len(evidence.manifests),
        quarantined=evidence.quarantined,
        flagged=len(flagged),
        alerts=len(alerted),
        unalerted=tuple(sorted(set(flagged) - alerted)),
        failures=evidence.failures,
        actions=summed_actions(evidence.manifests),
        before=sown.payments[after["new"]["payment_id"]] if after else {},
        after=after,
        **measured,
    )


def _is_flagged(event: dict[str, Any]) -> bool:
    return bool(event["fraud"] and event["fraud"]["flagged"])


def _telling(events: list[dict[str, Any]]) -> dict[str, Any]:
    """The event that shows most: of an insertion, with something scrubbed from its text, and flagged."""
    inserted = [event for event in events if event["type"] == "INSERT"]
    return max(inserted, key=lambda event: (bool(event["notes"]["scrubbed"]), _is_flagged(event)), default={})


def _is_guarded(stage: Stage) -> bool:
    """Whether IAM stops the function's role from reading the table that it only ever sees the stream of."""
    try:
        stage.aws.client("dynamodb", stage.role).scan(TableName=stage.stream["source_table"], Limit=1)
    except ClientError as error:
        return bool(error.response["ResponseMetadata"]["HTTPStatusCode"] == REFUSED)
    return False


def _places(found: list[Leak]) -> str:
    return ", ".join(sorted({leak.place for leak in found}))
