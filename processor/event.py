"""Envelope: what leaves the gate, as one line of JSON, with where it came from and what was done to it."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from json import JSONEncoder
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

from processor.policy import paths

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from processor.policy import Notes, Plan, Sanitised
    from processor.scoring import Fraud
    from processor.stream import Change

SCHEMA: Final = "tidegate.event/1"


@dataclass(frozen=True, slots=True)
class Event:
    """A sanitised change, ready to be written."""

    event_id: str
    sequence: str
    time: int
    """Of the change, epoch seconds UTC."""
    line: str
    """The event as JSON, without the newline; ASCII only."""
    fraud: Fraud | None
    notes: Notes

    @property
    def flagged(self) -> bool:
        """Whether the model found it suspicious enough to alert somebody."""
        return self.fraud is not None and self.fraud.flagged


@dataclass(frozen=True, slots=True)
class Alert:
    """What is published of an event that is stored."""

    event_id: str
    sequence: str
    line: str
    """The event as it is stored, without the newline."""
    attributes: dict[str, Any]
    """What subscribers may filter on, by name: str, int, Decimal or bool, as sanitised."""


def envelope_for(plan: Plan, key_version: int) -> Callable[[Change, Sanitised, Fraud | None], Event]:
    """The function that wraps sanitised changes of one policy, under one version of the token keys."""
    policy = {"name": plan.name, "version": plan.version, "sha256": plan.sha256, "key_version": key_version}

    def envelope(change: Change, sanitised: Sanitised, fraud: Fraud | None) -> Event:
        body = {
            "schema": SCHEMA,
            "event_id": change.event_id,
            "type": change.kind,
            "time": datetime.fromtimestamp(change.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            **({} if change.time_us is None else {"time_us": change.time_us}),
            "table": change.table,
            "sequence": change.sequence,
            "expired": change.expired,
            "keys": sanitised.keys,
            "new": sanitised.new,
            "old": sanitised.old,
            "fraud": fraud and _verdict(fraud),
            "policy": policy,
            "notes": sanitised.notes.as_event(),
        }
        return Event(
            event_id=change.event_id,
            sequence=change.sequence,
            time=change.time,
            line=dumps(body),
            fraud=fraud,
            notes=sanitised.notes,
        )

    return envelope


def alert_for(plan: Plan) -> Callable[[str], Alert | None]:
    """The function that makes an alert of an event's line, None where the policy routes it to nobody.

    It goes by the line, not by the event that this run has made, because that may have been stored by another
    run, under another policy or model: subscribers must not hear of a score that is nowhere to be found.
    """
    route = plan.routes.sns
    exposed = [(_attribute_name(path), paths.parse(path)) for path in route.attributes]

    def alert(line: str) -> Alert | None:
        body = json.loads(line, parse_float=Decimal)
        fraud = body["fraud"]
        if route.events == "none" or (route.events == "flagged" and not (fraud and fraud["flagged"])):
            return None
        attributes: dict[str, Any] = {"type": body["type"], "policy": plan.name}
        if fraud is not None:
            attributes |= {"flagged": fraud["flagged"], "score": fraud["score"]}
        image = body["new"] or body["old"]
        for name, path in exposed:
            if (value := _at(image, path)) is not None:
                attributes[name] = value
        return Alert(body["event_id"], body["sequence"], line, attributes)

    return alert


def summary(
    events: Collection[Event], plan: Plan, model: str | None, versions: Sequence[int]
) -> dict[str, Any]:
    """What was done to these events, in counts: JSON-ready, and the same in any order.

    Args:
        events: of one object.
        plan: the policy, and
        model: the model by which they were made.
        versions: of the token keys on the ring then, newest first.
    """
    actions: Counter[tuple[str, str]] = Counter()
    scrubbed: Counter[str] = Counter()
    counts = dict.fromkeys(("dropped", "unknown", "mismatched", "oversized", "erased", "leaks"), 0)
    for event in events:
        actions.update(event.notes.actions)
        scrubbed.update(event.notes.scrubbed)
        for name in counts:
            counts[name] += getattr(event.notes, name)
    return {
        "records": len(events),
        "flagged": sum(event.flagged for event in events),
        "imputed": sum(event.fraud.imputed for event in events if event.fraud),
        "policy": {"name": plan.name, "version": plan.version, "sha256": plan.sha256},
        "model": model,
        "key_versions": {"tokens": versions[0], "ring": list(versions)},
        "actions": [
            {"field": field, "action": action, "count": count}
            for (field, action), count in sorted(actions.items())
        ],
        "notes": {**counts, "scrubbed": dict(sorted(scrubbed.items()))},
    }


def _verdict(fraud: Fraud) -> dict[str, Any]:
    return {
        "score": fraud.score,
        "flagged": fraud.flagged,
        "reasons": [{"feature": reason.feature, "weight": reason.weight} for reason in fraud.reasons],
        "model": fraud.model,
    } | ({} if fraud.features is None else {"features": fraud.features})


def _at(tree: Any, path: paths.Path) -> Any:
    """The scalar at a literal path, None where there is none."""
    for name in path:
        if type(tree) is not dict:
            return None
        tree = tree.get(name)
    return tree if isinstance(tree, str | int | Decimal) else None


def _attribute_name(path: str) -> str:
    """A path in the characters that SNS allows in the name of an attribute."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", path).strip("._")


# The standard encoder knows no Decimal, and a float would round it. So a Decimal is written as a string
# between two marks that nobody outside this process can know, and the marks go with their quotes afterwards:
# two passes at the speed of C, and none where no Decimal is.
_MARK: Final = token_hex(16)


def _marked(value: Any) -> str:
    if type(value) is Decimal and value.is_finite():
        return f"{_MARK}{value}{_MARK}"
    raise TypeError(f"a {type(value).__name__} has no place in JSON")


_encode = JSONEncoder(separators=(",", ":"), allow_nan=False, default=_marked).encode


def dumps(tree: Any) -> str:
    """Compact JSON in ASCII, with every int and Decimal to the last digit (RFC 8259 has no limit).

    Raises:
        TypeError: not str, int, float, bool, None, Decimal, list or dict; names its type.
    """
    text = _encode(tree)
    return text.replace(f'"{_MARK}', "").replace(f'{_MARK}"', "") if _MARK in text else text
