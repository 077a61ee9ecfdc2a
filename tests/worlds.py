"""A gate and everything around it, on fakes."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.simulator import payments
from processor.audit import Audit, Chain
from processor.crypto import KeyRing
from processor.event import alert_for, envelope_for, summary
from processor.judge import Judge
from processor.ledger import Ledger
from processor.pipeline import Gate
from processor.policy import Sanitiser
from processor.policy.source import compile_policy
from processor.quarantine import Quarantine
from processor.removals import Removals
from processor.scoring import load_scorer
from processor.sinks import Alerts, Feed
from processor.subjects import Subjects
from tests.builders import stream_record
from tests.fake_subjects import FakeSubjects
from tests.fakes import FakeDynamoDB, FakeS3

if TYPE_CHECKING:
    from collections.abc import Callable


ROOT = Path(__file__).parents[1]
NOW = 1_793_016_000.0
START = datetime(2026, 11, 1, tzinfo=UTC)
PAYMENTS = list(payments(400, seed=7, start=START))

ENCRYPTING: dict[str, Any] = {
    "policy": "payments",
    "version": 1,
    "routes": {"sns": {"events": "none"}},
    "retention_days": {"events": 1, "audit": 1, "quarantine": 1, "logs": 1, "ledger": 2},
}


class FakeKMS:
    """Gives the same data key to everybody."""

    def generate_data_key(self, **_call: Any) -> dict[str, bytes]:
        return {"Plaintext": b"k" * 32, "CiphertextBlob": b"sealed"}


@dataclass
class World:
    """Everything around a gate, and the gate."""

    s3: FakeS3 = field(default_factory=FakeS3)
    dynamodb: FakeDynamoDB = field(default_factory=FakeDynamoDB)
    people: FakeSubjects = field(default_factory=FakeSubjects)
    published: list[dict[str, Any]] = field(default_factory=list)
    refuse_alerts: Callable[[str], bool] = lambda _message: False

    def publish_batch(self, **call: Any) -> dict[str, Any]:
        entries = call["PublishBatchRequestEntries"]
        failed = [entry for entry in entries if self.refuse_alerts(entry["Message"])]
        self.published += [entry for entry in entries if entry not in failed]
        return {"Failed": [{"Id": entry["Id"], "Code": "Throttled"} for entry in failed]}

    def events(self) -> list[dict[str, Any]]:
        bodies = self.s3.under("events/").values()
        return [json.loads(line) for body in bodies for line in zlib.decompress(body, 31).splitlines()]

    def gate(self, *, threshold: float | None = None, **changes: Any) -> Gate:
        plan, _ = compile_policy(ROOT / "policies" / "payments.yaml")
        plan = replace(plan, **changes)
        assert plan.score
        scorer = load_scorer(ROOT / "models" / "payments_fraud")
        ledger = Ledger(
            dynamodb=self.dynamodb,
            table="ledger",
            feed=Feed(self.s3, "events"),
            policy=plan.name,
            edition=plan.sha256,
            retention_days=21,
            summarise=partial(summary, plan=plan, model=scorer.model, versions=(1,)),
            clock=lambda: 0.0,
        )
        # Each gate is an environment of its own that starts cold.
        subjects = Subjects(dynamodb=self.people, table="subjects", clock=lambda: NOW)
        chain = Chain(
            s3=self.s3,
            bucket="audit",
            dynamodb=self.dynamodb,
            ledger_table="ledger",
            group=f"stream/{plan.name}",
            clock=lambda: NOW,
            retention_days=2557,
        )
        return Gate(
            plan=plan,
            judge=Judge(
                scorer=scorer,
                threshold=scorer.threshold(plan.score.flag_at) if threshold is None else threshold,
                short=hash,
            ),
            sanitiser=Sanitiser(plan, KeyRing({1: b"r" * 64})),
            subjects=subjects,
            envelope=envelope_for(plan, 1),
            quarantine=Quarantine(
                s3=self.s3, kms=FakeKMS(), bucket="quarantine", data_key_arn="arn", policy=plan.name
            ),
            ledger=ledger,
            feed=Feed(self.s3, "events"),
            audit=Audit(self.s3, "audit", chain=chain, policy_name=plan.name, policy_sha256=plan.sha256),
            removals=Removals(
                plan=plan, subjects=subjects, chain=chain, function="tidegate-dev-payments", clock=lambda: NOW
            ),
            alert=alert_for(plan),
            alerts=Alerts(self, "arn:aws:sns:eu-west-1:123456789012:alerts", plan.name),
        )


def records(n: int = len(PAYMENTS)) -> list[dict[str, Any]]:
    return [stream_record(payment, at=at) for at, payment in enumerate(PAYMENTS[:n])]
