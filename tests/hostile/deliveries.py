"""Batches through the real handler, and where each of their records went."""

from __future__ import annotations

import importlib
import json
import sys
import zlib
from collections import Counter
from dataclasses import dataclass, field, replace
from traceback import format_exception
from typing import TYPE_CHECKING, Any
from unittest import mock

from processor.crypto import KeyRing
from processor.event import envelope_for
from processor.policy import Sanitiser
from processor.policy.plan import read_plan
from processor.telemetry import Telemetry
from tests.sealed import opened
from tests.worlds import FakeKMS, World

if TYPE_CHECKING:
    from processor.pipeline import Gate
    from processor.policy import Plan

HIDING: dict[str, Any] = {
    "payment_id": {"action": "pseudonymize", "required": True},
    "customer_id": {"action": "pseudonymize", "domain": "customer"},
    "email": {"action": "tokenize", "scope": "subject", "normalize": "email"},
    "name": "redact",
    "note": "hash",
    "amount": {"action": "bucket", "width": 10},
    "created_at": {"action": "generalize", "to": "year"},
    "tags[*]": {"action": "pseudonymize"},
    "card.number": {"action": "mask", "keep_last": 4},
    "items[*].sku": "drop",
    "by_mail.*~": {"action": "pseudonymize"},
    "by_mail.*": "redact",
}
"""Nothing that these rules reach shows as it is. What they let through says at most four signs of it."""


def hiding_plan(unknown: str = "drop") -> Plan:
    """The plan of a policy that keeps nothing as it is."""
    document = {
        "policy": "payments",
        "version": 1,
        "subject": "customer_id",
        "unknown": unknown,
        "fields": HIDING,
        "routes": {"sns": {"events": "all"}},
        "retention_days": {"events": 1, "audit": 1, "quarantine": 1, "logs": 1, "ledger": 2},
    }
    plan, problems = read_plan(document, "0" * 64)
    assert plan is not None, problems
    return plan


def gate_of(world: World, plan: Plan) -> Gate:
    """A gate of another policy. The model still reads its fields of the raw payment."""
    gate = world.gate()
    sanitiser = Sanitiser(plan, KeyRing({1: b"r" * 64}))
    return replace(gate, plan=plan, sanitiser=sanitiser, envelope=envelope_for(plan, 1))


class Context:
    """What Lambda tells a function about its call."""

    def get_remaining_time_in_millis(self) -> int:
        return 600_000


class DataKey:
    """Who may open what the gate sealed."""

    def decrypt(self, **_call: Any) -> dict[str, bytes]:
        return FakeKMS().generate_data_key()


@dataclass
class Outcome:
    """What became of a delivery: the answer or the error, and all that left."""

    world: World
    answer: Any = None
    error: str = ""
    """As Lambda would print it; empty where there is none."""
    told: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether the stream goes on behind the batch."""
        return not self.error and self.answer == {"batchItemFailures": []}

    @property
    def line(self) -> dict[str, Any]:
        """The last line of the log."""
        line: dict[str, Any] = json.loads(self.told[-1])
        return line

    def events(self) -> Counter[str]:
        """How many events there are by each id."""
        return Counter(event["event_id"] for event in self.world.events())

    def quarantined(self) -> Counter[str]:
        """How often each record is in quarantine, whole and as it was."""
        return Counter(
            canonical(opened(body, DataKey())[1]) for body in self.world.s3.under("quarantine/").values()
        )

    def reasons(self) -> list[tuple[str, str]]:
        """Why each record is in quarantine, and the path to it."""
        bodies = map(json.loads, self.world.s3.under("quarantine/").values())
        return sorted((body["reason"], body["path"]) for body in bodies)

    def everything(self) -> str:
        """All that can be read outside: objects, their keys and metadata, messages, tables, log, errors."""
        objects = self.world.s3.objects
        bodies = [
            zlib.decompress(call["Body"], 31) if key.startswith("events/") else call["Body"]
            for (_, key), call in objects.items()
        ]
        around = [{name: call[name] for name in call if name != "Body"} for call in objects.values()]
        tables = [self.world.dynamodb.items, self.world.people.items]
        return (
            b"".join(bodies).decode() + repr([around, self.world.published, tables, self.told]) + self.error
        )


def canonical(record: Any) -> str:
    """A record as one text, also where it holds NaN, which equals nothing."""
    return json.dumps(record, sort_keys=True)


def forget(world: World) -> None:
    """Take away all that was written, for another delivery through the same gate."""
    for kept in (world.s3.objects, world.dynamodb.items, world.people.items, world.published):
        kept.clear()


def _handler() -> Any:
    """The function's own module, without a start."""
    loaded = sys.modules.pop("processor.handler", None)
    with mock.patch("processor.start.start", return_value=(None, None)):
        module = importlib.import_module("processor.handler")
    del sys.modules["processor.handler"]
    if loaded is not None:
        sys.modules["processor.handler"] = loaded
    return module


HANDLER = _handler()


def deliver(records: list[Any], gate: Gate | None = None, world: World | None = None) -> Outcome:
    """Hand a batch to the handler, as the JSON that Lambda would have read."""
    world = world or World()
    outcome = Outcome(world)
    telemetry = Telemetry("payments", None, lambda: 0.0, outcome.told.append)
    event = json.loads(json.dumps({"Records": records}))
    with (
        mock.patch.object(HANDLER, "GATE", gate or world.gate()),
        mock.patch.object(HANDLER, "TELEMETRY", telemetry),
    ):
        try:
            outcome.answer = HANDLER.handler(event, Context())
        except Exception as error:  # noqa: BLE001  whatever it is, it is what Lambda would print
            outcome.error = "".join(format_exception(error))
    return outcome


def astray(outcome: Outcome, records: list[Any]) -> list[int]:
    """Which records of a batch ended nowhere, or more than once. No two of them are the same."""
    events, quarantined = outcome.events(), outcome.quarantined()
    ends = [
        (events[record["eventID"]] if _has_id(record) else 0) + quarantined[canonical(record)]
        for record in records
    ]
    return [at for at, count in enumerate(ends) if count != 1]


def _has_id(record: Any) -> bool:
    return isinstance(record, dict) and isinstance(record.get("eventID"), str)
