"""The journey of a batch, from top to bottom."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from processor.errors import Poison, Transient
from processor.judge import Judgement
from processor.ledger import Holding, Window, lane_of, record_id
from processor.quarantine import Poisoned
from processor.sources import decode, event_id_of, sequence_of
from processor.telemetry import place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from processor.audit import Audit
    from processor.event import Alert, Event
    from processor.judge import Judge
    from processor.ledger import Ledger, Settled
    from processor.policy import Plan, Sanitised, Sanitiser
    from processor.quarantine import Quarantine
    from processor.removals import Removals
    from processor.scoring import Fraud
    from processor.sinks import Alerts, Feed, Stored
    from processor.stream import Change
    from processor.subjects import Person, Subjects
    from processor.telemetry import Tally


HELD: Final = "another run holds it: under another policy it could not pass"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One policy, with everything at hand that it needs."""

    plan: Plan
    judge: Judge | None
    """None where the policy has nothing scored."""
    sanitiser: Sanitiser
    subjects: Subjects
    envelope: Callable[[Change, Sanitised, Fraud | None], Event]
    quarantine: Quarantine
    ledger: Ledger
    feed: Feed
    audit: Audit
    alert: Callable[[str], Alert | None]
    alerts: Alerts
    removals: Removals


def pass_through(
    gate: Gate,
    records: Sequence[Any],
    tally: Tally,
    is_late: Callable[[], bool] = lambda: False,
    *,
    is_replay: bool = False,
) -> None:
    """Bring a batch through the gate: each record ends in one object of events, or in quarantine.

    Args:
        gate: of the stream's policy.
        records: as Lambda delivers them.
        tally: where to count what becomes of them.
        is_late: whether the function's time is running out. Then no more is begun, and what is is finished.
        is_replay: whether somebody has asked that what was held back before goes out if it can pass now.

    Raises:
        Transient: AWS is in trouble, or time ran out. What was done is done; from its `sequence` on, deliver
            again.
    """
    tally.begin(records, gate.plan)
    tally.enters("decode")
    changes, poisoned = _decode(gate, records, tally)
    tally.oldest = min((change.time for _, change in changes), default=None)
    tally.enters("people")
    secrets = gate.subjects.secrets(_people(gate, changes))
    tally.enters("score")
    judgement = _judge(gate, changes, secrets, tally)
    tally.enters("sanitise")
    events, late = _sanitise(gate, changes, secrets, judgement.verdicts, poisoned, is_late=is_late)
    changes = changes[: len(changes) - len(late)]

    tally.enters("settle")
    settled = _settle(gate, changes, events, poisoned, tally, is_replay=is_replay)
    found = _found(settled, events, poisoned)
    tally.duplicates += sum(len(names) for names in found.values())
    tally.enters("profiles")
    if gate.judge is not None:
        tally.missed, tally.is_shadow_behind = gate.judge.remember(judgement, _written(settled), is_late)
    tally.enters("audit")
    for one in settled:
        tally.add(one)
        gate.audit.describe(one.stored, one.intent.summary, one.intent.first, one.intent.last)
    tally.enters("people")
    tally.forgotten = gate.removals.forget(_removed(gate, changes))
    tally.enters("alerts")
    alerts = _alerts(gate, settled, events, found)
    gate.alerts.publish(alerts)
    tally.alerts = len(alerts)
    if late:
        first = min((change.sequence for change in late), key=int)
        raise Transient(f"time ran out: {len(late):,} records are left", sequence=first)


def _decode(
    gate: Gate, records: Sequence[Any], tally: Tally
) -> tuple[list[tuple[Any, Change]], list[Poisoned]]:
    """The changes, each with its raw record, and the records that are none."""
    changes, poisoned = [], []
    known: dict[str, tuple[Any, Change]] = {}
    for record in records:
        try:
            change = decode(record, gate.sanitiser.names)
        except Poison as poison:
            poisoned.append(_poisoned(record, poison))
            continue
        before = known.setdefault(change.event_id, (record, change))
        if before[0] == record:
            changes.append((record, change))
        elif _is_twin(change, before[1]):
            tally.duplicates += 1
        else:
            poisoned.append(
                _poisoned(record, Poison("another record of the batch has its event id", "eventID"))
            )
    return changes, poisoned


def _is_twin(change: Change, before: Change) -> bool:
    """Whether Kinesis got a change a second time: then both say the same, but for where they stand."""
    came = replace(change, sequence=before.sequence, arrived=before.arrived)
    return change.arrived is not None and came == before


def _people(gate: Gate, changes: Sequence[tuple[Any, Change]]) -> set[Person]:
    """Everybody whose secret the batch needs; nobody where the policy has no rule that goes by the person."""
    return set().union(*(gate.sanitiser.people(change) for _, change in changes))


def _removed(gate: Gate, changes: Sequence[tuple[Any, Change]]) -> list[tuple[Person, Change]]:
    """Whom to forget, because the policy says so of a removal."""
    removed = ((gate.sanitiser.removed(change), change) for _, change in changes)
    return [(person, change) for person, change in removed if person is not None]


def _judge(
    gate: Gate, changes: Sequence[tuple[Any, Change]], secrets: Mapping[str, bytes | None], tally: Tally
) -> Judgement:
    """The model's verdict on each change; the tally gets how the verdicts are spread."""
    plain = [change for _, change in changes]
    if gate.judge is None:
        return Judgement(plain, [None] * len(plain))
    judgement = gate.judge.judge(plain, secrets)
    if judgement.spread is not None:
        tally.deciles, tally.spread = judgement.spread
    tally.agreement = judgement.agreement
    return judgement


def _written(settled: Sequence[Settled]) -> frozenset[bytes]:
    """The ids of the records that this run has written, and no other."""
    return frozenset[bytes]().union(*(one.intent.records for one in settled if one.stored.created))


def _sanitise(
    gate: Gate,
    changes: Sequence[tuple[Any, Change]],
    secrets: Mapping[str, bytes | None],
    verdicts: Sequence[Fraud | None],
    poisoned: list[Poisoned],
    *,
    is_late: Callable[[], bool],
) -> tuple[list[Event], list[Change]]:
    """The events, and the changes that there is no time for; what cannot be sanitised joins the poisoned."""
    events: list[Event] = []
    for at, ((record, change), fraud) in enumerate(zip(changes, verdicts, strict=True)):
        if is_late():
            return events, [change for _, change in changes[at:]]
        try:
            events.append(gate.envelope(change, gate.sanitiser.sanitise(change, secrets), fraud))
        except Poison as poison:
            poisoned.append(_poisoned(record, poison))
        except Transient:
            raise
        except Exception as bug:  # noqa: BLE001  fails closed: nothing of it leaves, nothing of it is lost
            poisoned.append(_poisoned(record, Poison(f"cannot be sanitised: {place_of(bug)}")))
    return events, []


def _settle(
    gate: Gate,
    changes: Sequence[tuple[Any, Change]],
    events: Sequence[Event],
    poisoned: Sequence[Poisoned],
    tally: Tally,
    *,
    is_replay: bool,
) -> list[Settled]:
    """Every event in one object, every other record in quarantine: by lane, of which a batch has one."""
    raw = {change.event_id: record for record, change in changes}
    told: set[int] = set()

    def keep(held: Collection[Poisoned]) -> None:
        tally.quarantined += gate.quarantine.keep(held)
        fresh = [one for one in held if id(one.record) not in told]  # it may be called more than once
        told.update(id(one.record) for one in fresh)
        tally.reasons.update((one.reason, one.path) for one in fresh)

    # Without a sequence number no run can make an event of it, so none has to be told.
    keep([one for one in poisoned if not one.sequence])
    lanes: dict[str, tuple[list[Event], dict[bytes, Poisoned]]] = {}
    for event in events:
        lanes.setdefault(lane_of(raw[event.event_id]), ([], {}))[0].append(event)
    taken = {record_id(event.event_id, event.sequence) for event in events}
    for one in poisoned:
        if one.sequence:
            lanes.setdefault(one.lane, ([], {}))[1][_name(one, taken)] = one
    settled: list[Settled] = []
    windows = _windows(changes)
    for lane, (written, held) in sorted(lanes.items()):
        holding = Holding(
            records=held,
            keep=keep,
            of=lambda event: _poisoned(raw[event.event_id], Poison(HELD)),
            is_pardon=is_replay,
        )
        settled += gate.ledger.settle(lane, written, holding, windows.get(lane))
    return settled


def _windows(changes: Sequence[tuple[Any, Change]]) -> dict[str, Window]:
    """By lane, how far back changes may have come before: of Kinesis's, because no other comes twice."""
    times: dict[str, list[tuple[int, int]]] = {}
    for record, change in changes:
        if change.arrived is not None:
            times.setdefault(lane_of(record), []).append((change.time, change.arrived))
    return {lane: Window.of(of_lane) for lane, of_lane in times.items()}


def _name(one: Poisoned, taken: Collection[bytes]) -> bytes:
    """By which the ledger knows a record that is held: not by a name under which another passes."""
    name = record_id(one.event_id, one.sequence)
    return name if name not in taken else record_id(f"{one.event_id}/{one.sequence}", one.sequence)


def _poisoned(record: Any, poison: Poison) -> Poisoned:
    try:
        sequence = sequence_of(record)
    except Poison:
        sequence = ""
    return Poisoned(record, lane_of(record), sequence, event_id_of(record), poison.reason, poison.path)


def _found(
    settled: Sequence[Settled], events: Sequence[Event], poisoned: Sequence[Poisoned]
) -> dict[str, frozenset[bytes]]:
    """Which records of the batch were written before, by the keys of the objects in which they are."""
    there = [one for one in settled if not one.stored.created]
    if not there:
        return {}
    named = [(one.event_id, one.sequence) for one in events] + [
        (one.event_id, one.sequence) for one in poisoned
    ]
    batch = frozenset(record_id(*name) for name in named)
    return {one.stored.key: batch & one.intent.records for one in there}


def _alerts(
    gate: Gate, settled: Sequence[Settled], events: Sequence[Event], found: Mapping[str, frozenset[bytes]]
) -> list[tuple[Alert, Stored]]:
    """What the policy routes to the topic of what is *stored* of the batch, in the stream's order.

    Who wrote an object before may have died before it told anybody, and may have flagged other events than
    this run would: so what was found is read back.
    """
    route = gate.plan.routes.sns.events
    alerts: list[tuple[Alert, Stored]] = []
    for one in settled:
        names = found.get(one.stored.key, one.intent.records)
        lines: Iterable[str] = ()
        if one.stored.created:
            lines = (
                event.line for event in events if route == "all" or (route == "flagged" and event.flagged)
            )
        elif route == "all" or (route == "flagged" and one.intent.summary["flagged"]):
            lines = gate.feed.lines(one.stored)
        made = [alert for line in lines if (alert := gate.alert(line)) is not None]
        alerts += [
            (alert, one.stored) for alert in made if record_id(alert.event_id, alert.sequence) in names
        ]
    return sorted(alerts, key=lambda pair: int(pair[0].sequence))
