"""The shortest bad day found that ends as a long one did."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Final

from tests.simulation.run import run
from tests.simulation.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulation.run import Outcome

RUNS_MAX: Final = 400
TRACE_MAX: Final = 120  # lines of the end
LISTS: Final = ("runs", "erasures", "deployments", "leaps", "faults", "records")
PLAIN: Final = {
    field.name: field.default for field in fields(Schedule) if field.name not in {*LISTS, "seed", "table"}
}


def shrunk(schedule: Schedule) -> tuple[Schedule, Outcome]:
    """The schedule without whatever may be left out while it still fails in the same way."""
    best, outcome = schedule, run(schedule)
    assert outcome.violation is not None
    name, left, progress = outcome.violation.name, RUNS_MAX, True
    while progress and left > 0:
        progress = False
        for smaller in _smaller(best):
            left -= 1
            found = run(smaller)
            if found.violation is not None and found.violation.name == name:
                best, outcome, progress = smaller, found, True
                break
            if left <= 0:
                break
    return best, outcome


def _smaller(schedule: Schedule) -> Iterator[Schedule]:
    """What to try next, the boldest first."""
    for name, plain in PLAIN.items():
        if getattr(schedule, name) != plain:
            yield replace(schedule, **{name: plain})
    for name in LISTS:
        parts = getattr(schedule, name)
        size = len(parts)
        while size:
            for at in range(0, len(parts), size):
                rest = (*parts[:at], *parts[at + size :])
                if rest or name != "records":
                    yield replace(schedule, **{name: rest})
            size //= 2


def told(schedule: Schedule, outcome: Outcome) -> str:
    """A failure in words: what was violated, under which schedule, and what happened."""
    plain: dict[str, Any] = {
        name: getattr(schedule, name) for name, default in PLAIN.items() if getattr(schedule, name) != default
    }
    records = [
        f"{one.index}: {'?' if one.poison == 'kind' else one.raw['eventName']} of item {one.item} in shard "
        f"{one.shard}, …{one.sequence % 1_000_000}"
        f"{one.poison and f', poison: {one.poison}'}{', a twin' * one.is_twin}"
        for one in schedule.records
    ]
    lines = [
        f"seed {schedule.seed} ({schedule.table}): {outcome.violation}",
        f"  records     {'; '.join(records)}",
        f"  faults      {'; '.join(f'{one.step} {one.kind} {one.number}' for one in schedule.faults)}",
        f"  deployments {schedule.deployments}",
        f"  runs        {schedule.runs}",
        f"  erasures    {schedule.erasures}",
        f"  leaps       {schedule.leaps}",
        f"  otherwise   {plain}",
        *outcome.trace[-TRACE_MAX:],
    ]
    return "\n".join(lines)
