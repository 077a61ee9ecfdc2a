"""The erase function at work in moto, for tests."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from processor.erasure import Office, erase
from processor.policy.people import People
from processor.receipts import Signer
from tests.callers import callers, with_proof
from tests.desks import AUDIT, KEYS, World, plan_of

if TYPE_CHECKING:
    from processor.crypto import KeyRing
    from processor.policy import Plan

NAME = "tidegate-dev-erase"
ANN = {"customer_id": "C-1001", "email": "ann@example.com", "iban": "DE02120300000000202051"}
REASON = "GDPR Art. 17, case DSR-2026-117"
COVERED = {"name": "payments", "version": 7, "sha256": "0" * 64, "fields": ["email", "card.number"]}


def office_of(world: World, *plans: Plan, keys: KeyRing = KEYS) -> Office:
    key = world.kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    return Office(
        policies={plan.name: (plan, People(plan, keys)) for plan in plans or [plan_of()]},
        callers=callers(NAME, time.time),
        subjects=world.subjects(),
        record=world.record("erase"),
        audit_bucket=AUDIT,
        signer=Signer(world.kms, key),
        in_force_s=60,
        recovery_days=7,
        clock=world.clock,
    )


def ask(office: Office, subject: Any = "C-1001", **changes: Any) -> dict[str, Any]:
    request = {"subject": subject, "reason": REASON, **changes}
    answer, _call = erase(office, with_proof(request, NAME), "r-1")
    return answer


def names_of(value: Any, keys: KeyRing = KEYS, **changes: Any) -> tuple[str, ...]:
    names = People(plan_of(**changes), keys).names(value)
    assert names is not None
    return names
