"""What is deployed: policies, models and key rings, each as a package with its environment."""

from __future__ import annotations

import atexit
import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from processor.policy import Plan, load_plan
from processor.policy.plan import dump_plan, read_plan
from processor.scoring import Fraud, Scored, Scorer, Step, load_scorer

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
REGION = "arn:aws:{}:eu-west-1:123456789012:{}"
DAYS = {"events": 400, "audit": 2557, "quarantine": 14, "logs": 90}
ALERTS = {False: "alerts", True: "alerts.fifo"}

FIELDS: dict[str, Any] = {
    "email": {"action": "tokenize", "scope": "subject", "normalize": "email"},
    "phone": {"action": "pseudonymize", "normalize": "digits"},
    "name": "redact",
    "account": {"action": "encrypt", "scope": "subject"},
    "card.number": {"action": "mask", "keep_last": 4},
    "card.holder": "redact",
    "note": {"action": "scrub", "entities": ["email", "card"]},
    "visits[*].place": {"action": "hash"},
    "amount": "keep",
    "created_at": "keep",
    "status": "keep",
    "terminal_id": "keep",
    "terms.*": "keep",
}
SUBJECTS = {
    "payments": {
        "payment_id": {"action": "keep", "required": True},
        "customer_id": {"action": "pseudonymize", "domain": "customer", "required": True},
    },
    "members": {"member_id": {"action": "pseudonymize", "domain": "customer", "required": True}},
}
SUBJECT = {"payments": "customer_id", "members": "member_id"}

READS = ["amount", "created_at", "customer_id", "terminal_id", "status"]

POLICIES: dict[str, dict[str, Any]] = {
    "first": {"ledger": 3},
    "second": {"note": "redact", "status": "drop", "terms.*": "drop", "flag_at": 0.99, "ledger": 2},
    "strict": {"branch": {"action": "redact"}, "unknown": "quarantine", "ledger": 5},
}
"""Each by what it says differently. `strict` quarantines what the others let pass: every record. The days of
the ledger are as few as they may be, for a stream that keeps its records for one."""


@dataclass(frozen=True, slots=True)
class Variant:
    """What one may deploy: see POLICIES; a model; the versions of the token keys."""

    policy: str = "first"
    model: str = "first"
    keys: tuple[int, ...] = (1,)


@dataclass(frozen=True, slots=True)
class Edition:
    """A variant, packaged."""

    variant: Variant
    package: Path
    environ: dict[str, str]
    plan: Plan


class Contrary(Scorer):
    """Another model: what the first finds usual, it finds suspicious."""

    def score(self, steps: Sequence[Step], threshold: float, *_: Any, **__: Any) -> Scored:
        scored = super().score(steps, 2.0)
        turned = [round(1 - verdict.score, 6) for verdict in scored.verdicts]
        return scored._replace(
            verdicts=[
                Fraud(score, score >= min(threshold, 0.05), (), self.model, verdict.imputed)
                for score, verdict in zip(turned, scored.verdicts, strict=True)
            ]
        )


@cache
def folder() -> Path:
    """Where packages of this process are."""
    path = Path(tempfile.mkdtemp(prefix="tidegate-simulation-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


@cache
def edition(table: str, variant: Variant, *, fifo: bool = False) -> Edition:
    """The package of a variant for a table, with its environment."""
    package, plan = _package(table, variant)
    keys = {str(version): REGION.format("kms", f"key/token{version}") for version in variant.keys}
    environ = {
        "EVENTS_BUCKET": "events",
        "AUDIT_BUCKET": "audit",
        "QUARANTINE_BUCKET": "quarantine",
        "ALERTS_TOPIC_ARN": REGION.format("sns", ALERTS[fifo]),
        "LEDGER_TABLE": "ledger",
        "SUBJECTS_TABLE": "subjects",
        "PROFILES_TABLE": "profiles",
        "DATA_KEY_ARN": REGION.format("kms", "key/data"),
        "TOKEN_KEY_ARNS": json.dumps(keys),
        "AWS_LAMBDA_FUNCTION_NAME": f"tidegate-dev-{table}",
    }
    return Edition(variant, package, environ, plan)


@cache
def _package(table: str, variant: Variant) -> tuple[Path, Plan]:
    said = dict(POLICIES[variant.policy])
    flag_at, unknown, days = said.pop("flag_at", 0.9), said.pop("unknown", "drop"), said.pop("ledger")
    document = {
        "policy": table,
        "version": 1 + list(POLICIES).index(variant.policy),
        "subject": SUBJECT[table],
        "on_remove": "erase" if table == "members" else "pass",
        "unknown": unknown,
        "fields": SUBJECTS[table] | FIELDS | said,
        "score": {"model": "payments_fraud", "reads": READS, "flag_at": flag_at},
        "routes": {"sns": {"events": "flagged", "attributes": ["amount", "created_at"]}},
        "retention_days": {**DAYS, "ledger": days},
    }
    plan, problems = read_plan(document, hashlib.sha256(json.dumps(document).encode()).hexdigest())
    assert plan is not None, problems
    package = folder() / f"{table}-{variant.policy}-{variant.model}-{len(variant.keys)}"
    package.mkdir()
    (package / "policy.json").write_bytes(dump_plan(plan))
    return package, plan


@cache
def model(name: str) -> Scorer:
    """The released model, or one that says the contrary."""
    first = load_scorer(ROOT / "models" / "payments_fraud")
    if name == "first":
        return first
    contrary = Contrary(
        model="payments_fraud@contrary",
        features=first.features,
        forest=first.forest,
        calibration=first.calibration,
    )
    assert contrary.reads == first.reads
    return contrary


def packaged_model(path: Path, _rule: Any) -> Scorer:
    """The model of a package's folder, which the folder's name tells: loading it takes as long as a batch."""
    return model(path.parent.name.split("-")[2])


compiled_plan = lru_cache(64)(load_plan)
