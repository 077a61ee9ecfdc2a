"""A small world whose gate writes an audit trail: events, manifests, records; with crashes, if wanted."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from processor.audit import Audit, Chain, record_key
from processor.cli.audit.place import Place
from processor.cli.audit.verification import Verification
from processor.errors import Transient
from processor.review.trail import Flaw, Window
from processor.sinks import Feed
from tests.builders import event
from tests.fakes import NOW, FakeDynamoDB, FakeS3, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

AUDIT, EVENTS, TABLE = "tidegate-test-audit-1", "tidegate-test-events-1", "tidegate-test-ledger"
DAY_S = 86_400
SHA256 = "ab" * 32
RETENTION = {"events": 400, "audit": 2557, "quarantine": 14, "logs": 90, "ledger": 21}
POLICY = json.dumps(
    {
        "format": "tidegate.plan/1",
        "sha256": SHA256,
        "policy": {"policy": "payments", "retention_days": RETENTION},
    }
).encode()
SUMMARY = {
    "records": 1,
    "policy": {"name": "payments", "version": 7, "sha256": SHA256},
    "actions": [{"field": "email", "action": "tokenize", "count": 1}],
}
MOMENTS = ("before PutObject manifests", "after PutObject manifests", "before PutItem", "after PutItem")


class Crash(BaseException):
    """The function was killed here."""


@dataclass
class World:
    """S3 and DynamoDB, and the runs of a gate that write to them."""

    s3: Any = field(default_factory=FakeS3)
    dynamodb: Any = field(default_factory=FakeDynamoDB)
    policy: bytes = POLICY
    summary: dict[str, Any] = field(default_factory=lambda: SUMMARY)
    now: float = NOW
    audit: str = AUDIT
    events: str = EVENTS
    line: Callable[[int], str] = lambda at: json.dumps({"event_id": f"{at:032x}"})

    def chain(self, group: str) -> Chain:
        return Chain(
            s3=self.s3,
            bucket=self.audit,
            dynamodb=self.dynamodb,
            ledger_table=TABLE,
            group=group,
            clock=lambda: self.now,
            retention_days=RETENTION["audit"],
        )

    def gate(self) -> Audit:
        """A fresh execution environment."""
        return Audit(
            self.s3,
            self.audit,
            chain=self.chain("stream/payments"),
            policy=self.policy,
            policy_name="payments",
            policy_sha256=self.summary["policy"]["sha256"],
            key_versions=(1,),
        )

    def deliver(self, gate: Audit, at: int, day: str = "2026-11-23") -> None:
        """One batch of one event: its object, then its manifest."""
        stored = Feed(self.s3, self.events).create(object_key(at, day), [event(at, line=self.line(at))])
        assert stored
        gate.describe(stored, self.summary, str(at), str(at))

    def fails(self, gate: Audit, at: int, moment: str, error: BaseException | None = None) -> None:
        """The same, but for a crash or an error of AWS at this moment."""

        def hook(now: str) -> None:
            if now == moment:
                raise error or refusal("RequestTimeout", "AnyOperation")

        self.s3.hook = self.dynamodb.hook = hook
        with suppress(Crash, Transient):
            self.deliver(gate, at)
        self.s3.hook = self.dynamodb.hook = lambda _moment: None

    def fence(self, at: int) -> None:
        Feed(self.s3, self.events).fence(object_key(at))

    def record(self, chain: Chain, **record: Any) -> None:
        """One record of the detokenize or the erase function."""
        kind = chain.group
        chain.append(record_key(kind, self.now, chain), {"kind": kind, **record})

    def place(self) -> Place:
        return Place(self.s3, self.dynamodb, self.audit, self.events, TABLE)

    def verification(self, window: Window | None = None, policy: str | None = None) -> Verification:
        return Verification(self.place(), policy, window or Window(), self.now + 3600)

    def flaws(self, window: Window | None = None, policy: str | None = None) -> list[Flaw]:
        verification = self.verification(window, policy)
        return list(verification.flaws(lambda _what, _done: None, lambda _total: None))


def object_key(at: int, day: str = "2026-11-23") -> str:
    return f"events/payments/dt={day}/hour=21/0a1b2c3d-{at}-{at}-{at:016x}.jsonl.gz"
