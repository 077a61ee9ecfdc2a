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
from processor.policy.plan import dump_plan, read_plan
from processor.removals import Removals
from processor.review.trail import Flaw, Window
from processor.sinks import Feed
from processor.stream import Change
from processor.subjects import Subjects
from tests.builders import event
from tests.fake_subjects import FakeSubjects
from tests.fakes import NOW, FakeDynamoDB, FakeS3, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from processor.policy import Plan

AUDIT, EVENTS, TABLE = "tidegate-test-audit-1", "tidegate-test-events-1", "tidegate-test-ledger"
DAY_S = 86_400
SHA256 = "ab" * 32
RETENTION = {"events": 400, "audit": 2557, "quarantine": 14, "logs": 90, "ledger": 21}
SUMMARY = {
    "records": 1,
    "policy": {"name": "payments", "version": 7, "sha256": SHA256},
    "key_versions": {"tokens": 1, "ring": [1]},
    "actions": [{"field": "email", "action": "tokenize", "count": 1}],
}
MOMENTS = ("before PutObject manifests", "after PutObject manifests", "before PutItem", "after PutItem")


def plan_of(sha256: str = SHA256, **retention: int) -> Plan:
    """A version of the policy `payments`, keeping things for as long as is said."""
    document = {
        "policy": "payments",
        "version": 7,
        "fields": {"customer_id": "pseudonymize", "email": {"action": "tokenize", "scope": "subject"}},
        "subject": "customer_id",
        "on_remove": "erase",
        "routes": {"sns": {"events": "none"}},
        "retention_days": RETENTION | retention,
    }
    plan, problems = read_plan(document, sha256)
    assert plan is not None, problems
    return plan


PLAN = plan_of()


class Crash(BaseException):
    """The function was killed here."""


@dataclass
class World:
    """S3 and DynamoDB, and the runs of a gate that write to them."""

    s3: Any = field(default_factory=FakeS3)
    dynamodb: Any = field(default_factory=FakeDynamoDB)
    policy: bytes = field(default_factory=lambda: dump_plan(PLAN))
    summary: dict[str, Any] = field(default_factory=lambda: SUMMARY)
    now: float = NOW
    audit: str = AUDIT
    events: str = EVENTS
    line: Callable[[int], str] = lambda at: json.dumps({"event_id": f"{at:032x}"})

    def chain(self, group: str, retention_days: int = RETENTION["audit"]) -> Chain:
        return Chain(
            s3=self.s3,
            bucket=self.audit,
            dynamodb=self.dynamodb,
            ledger_table=TABLE,
            group=group,
            clock=lambda: self.now,
            retention_days=retention_days,
        )

    def gate(self, retention_days: int = RETENTION["audit"]) -> Audit:
        """A fresh execution environment."""
        return Audit(
            self.s3,
            self.audit,
            chain=self.chain("stream/payments", retention_days),
            policy=self.policy,
            policy_name="payments",
            policy_sha256=self.summary["policy"]["sha256"],
        )

    def passes(self, days: float) -> None:
        """Time, for all clocks."""
        self.now += days * DAY_S
        self.s3.now = self.now

    def keeps(self, sha256: str, **retention: int) -> None:
        """From the next gate on, another version of the policy is in force."""
        self.policy = dump_plan(plan_of(sha256, **retention))
        self.summary = self.summary | {"policy": self.summary["policy"] | {"sha256": sha256}}

    def remove(self, gate: Audit, at: int, *more: int) -> None:
        """A batch of removals, which the policy takes for erasures."""
        subjects = Subjects(dynamodb=FakeSubjects(), table="subjects", clock=lambda: self.now)
        removals = Removals(
            plan=PLAN,
            subjects=subjects,
            chain=gate._chain,
            function="tidegate-test-payments",
            clock=lambda: self.now,
        )
        removals.forget([(names(one), _removal(one, int(self.now))) for one in (at, *more)])

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

    def forge(self, key: str, record: dict[str, Any], **chain: Any) -> None:
        """A first link of its own chain, by somebody who can write to the bucket and not to the ledger."""
        place = {"group": "erase", "id": "f" * 16, "link": 1, "previous": None, **chain}
        body = json.dumps(record | {"chain": place}).encode()
        self.s3.put_object(Bucket=self.audit, Key=key, Body=body, IfNoneMatch="*")

    def place(self) -> Place:
        return Place(self.s3, self.dynamodb, self.audit, self.events, TABLE)

    def verification(self, window: Window | None = None, policy: str | None = None) -> Verification:
        return Verification(self.place(), policy, window or Window(), self.now + 3600)

    def flaws(self, window: Window | None = None, policy: str | None = None) -> list[Flaw]:
        verification = self.verification(window, policy)
        return list(verification.flaws(lambda _what, _done: None, lambda _total: None))


def names(at: int) -> tuple[str, ...]:
    """Of a person, newest key first."""
    return tuple(f"psn.customer_id.{version}.{at:022}" for version in (2, 1))


def _removal(at: int, when: int) -> Change:
    return Change(f"{at:032x}", "REMOVE", when, "payments", str(at), {}, None, {}, expired=False)


def object_key(at: int, day: str = "2026-11-23") -> str:
    return f"events/payments/dt={day}/hour=21/0a1b2c3d-{at}-{at}-{at:016x}.jsonl.gz"
