"""A small policy around the fields that a test is about."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from processor.crypto import KeyRing
from processor.policy import Plan, Sanitised, Sanitiser
from processor.policy.plan import read_plan
from processor.stream import Change

if TYPE_CHECKING:
    from collections.abc import Callable


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the tests that share the stage, which takes minutes to set up: one process has to run them all."""
    if "stage" in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.stage)
    if item.path.name in LONG:
        item.add_marker(pytest.mark.long)


LONG = {
    "test_daily_path.py",
    "test_rolling_out.py",
    "test_with_existing_data.py",
    "test_with_faults.py",
}
# Each run draws anew. HYPOTHESIS_PROFILE=default takes Hypothesis's hundred.
settings.register_profile("short", max_examples=50)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))
KEYS = KeyRing({1: b"a root of at least thirty-two bytes"})
DAYS = {"events": 400, "audit": 2557, "quarantine": 14, "logs": 90, "ledger": 21}
NOON = 1_793_016_000  # 2026-10-26T12:00:00Z


@pytest.fixture(scope="session")
def policies() -> Path:
    """The released policies."""
    return Path(__file__).parents[1] / "policies"


@pytest.fixture(scope="session")
def plan_of() -> Callable[..., Plan]:
    """From the fields of a policy, and what else it says, to its plan."""

    def plan_of(fields: dict[str, Any], **more: Any) -> Plan:
        document = {"policy": "small", "version": 1, "fields": fields, "retention_days": DAYS, **more}
        plan, problems = read_plan({"routes": {"sns": {"events": "none"}}, **document}, "0" * 64)
        assert plan is not None, problems
        return plan

    return plan_of


@pytest.fixture(scope="session")
def sanitise(plan_of: Callable[..., Plan]) -> Callable[..., Sanitised]:
    """From fields and a new image to what may leave of it."""

    def sanitise(
        fields: dict[str, Any], new: Any, *, old: Any = None, keys: Any = None, **more: Any
    ) -> Sanitised:
        kind = "REMOVE" if new is None else "MODIFY" if old else "INSERT"
        change = Change("e1", kind, NOON, "small", "1", keys or {}, new, old, expired=False)
        return Sanitiser(plan_of(fields, **more), KEYS).sanitise(change)

    return sanitise
