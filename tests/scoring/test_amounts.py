"""Kinds over values stand what people pay back, nothing at all, and the largest numbers there are."""

import math
from typing import Any

import numpy as np
import pytest

from processor.scoring.features import PROFILE_KINDS, Feature, FeatureSet, Label, Memory, Step
from processor.scoring.profiles import Profile

PROFILE = Profile(
    "customer", "customer_id", (7, 30), "amount", counterpart="terminal_id", labels=True, label_days=7
)
DAYS = {0: (), 1: (7,), 2: (7, 30)}


def made(kind: str, **options: float) -> FeatureSet:
    declared = PROFILE_KINDS[kind]
    given = {**(declared.options or {}), **options}
    feature = Feature(kind, kind, profile="customer", days=DAYS[declared.windows], options=given)
    return FeatureSet([feature], [PROFILE], "created_at", Label("status", "chargeback", 7))


def step(at: int, amount: Any) -> Step:
    return Step(
        None, {"created_at": 1_790_000_000 + at, "customer_id": "C", "terminal_id": at, "amount": amount}
    )


@pytest.mark.parametrize("typical", [None, 0.0])
@pytest.mark.parametrize("kind", sorted(PROFILE_KINDS))
def test_every_kind_is_a_number_whatever_the_amounts(kind: str, typical: float | None) -> None:
    options = (
        {"typical": typical}
        if typical is not None and "typical" in (PROFILE_KINDS[kind].options or {})
        else {}
    )
    amounts = [0, -1, -20, 5, -1e126, 1e126, 0, -math.inf]
    with np.errstate(over="raise"):
        found = made(kind, **options).measure([step(*one) for one in enumerate(amounts)], Memory())
    assert np.isfinite(found).all()


def test_a_missing_amount_stays_missing() -> None:
    assert np.isnan(made("log_ratio").measure([step(0, None)], Memory())).all()
