"""A verdict for each image: a percentile, a flag, reasons for what is flagged."""

from decimal import Decimal
from pathlib import Path
from timeit import repeat
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.scoring import Memory, Scorer, Step, load_scorer

RELEASED = Path(__file__).parents[2] / "models" / "payments_fraud"
WHO = {"customer_id": "c-1", "terminal_id": "t-1", "status": "approved"}
USUAL = {"amount": Decimal("44.50"), "created_at": "2026-11-23T12:00:00Z", **WHO}
HUGE = {"amount": Decimal("2500.00"), "created_at": "2026-11-23T03:00:00Z", **WHO}


def steps(*images: Any) -> list[Step]:
    return [Step(None, image) for image in images]


def past():
    """A month of the customer, at the terminal."""
    memory = Memory()
    days = [
        {**USUAL, "amount": Decimal(30 + day % 25), "created_at": 1_792_000_000 + day * 86_400}
        for day in range(40)
    ]
    return memory, steps(*days)


images = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "amount": st.decimals(0, 10_000, places=2),
            "created_at": st.integers(1_700_000_000, 1_900_000_000),
        },
    ),
    min_size=1,
    max_size=30,
)


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return load_scorer(RELEASED)


def test_the_unusual_is_flagged_and_the_usual_is_not(scorer: Scorer) -> None:
    memory, month = past()
    usual, huge = scorer.score([*month, *steps(USUAL, HUGE)], scorer.threshold("p99.5"), memory).verdicts[-2:]
    assert (usual.flagged, usual.reasons) == (False, ())
    assert usual.score < 0.9
    assert huge.flagged
    assert huge.score >= 0.995
    assert {reason.feature for reason in huge.reasons} & {"amount", "customer_log_ratio_90d"}


def test_the_change_that_confirms_a_fraud_is_scored_and_not_flagged(scorer: Scorer) -> None:
    confirmed, corrected = {**HUGE, "status": "chargeback"}, {**HUGE, "status": "refunded"}
    verdicts = scorer.score(
        [Step(HUGE, confirmed), Step(HUGE, corrected), Step(None, confirmed)], 0.5
    ).verdicts
    assert [verdict.flagged for verdict in verdicts] == [False, True, True], (
        "a label of the first may come late"
    )
    assert verdicts[0].reasons == ()
    assert all(verdict.score >= 0.5 for verdict in verdicts)


def test_reasons_are_the_strongest_first_and_never_more_than_three(scorer: Scorer) -> None:
    for verdict in scorer.score(steps(HUGE, USUAL, {}), 0.0).verdicts:
        weights = [reason.weight for reason in verdict.reasons]
        assert len(weights) <= 3
        assert weights == sorted(weights, reverse=True)
        assert all(weight > 0 for weight in weights)


def test_what_is_missing_is_counted(scorer: Scorer) -> None:
    verdicts = scorer.score(steps(USUAL, {"amount": "44.50"}, {**USUAL, "created_at": None}), 0.9).verdicts
    features = len(scorer.features.names)
    assert [verdict.imputed for verdict in verdicts] == [0, features, features - 1]


def test_no_images_no_verdicts(scorer: Scorer) -> None:
    assert scorer.score(steps(), 0.995) == ([], [], None)


@given(images=images, at=st.floats(0, 1))
def test_a_verdict_does_not_depend_on_its_neighbours(scorer: Scorer, images, at: float) -> None:
    together = scorer.score(steps(*images), at).verdicts
    assert together == [scorer.score(steps(image), at).verdicts[0] for image in images]
    assert all(verdict.flagged == (verdict.score >= at) for verdict in together)
    assert all(0 <= verdict.score <= 1 for verdict in together)


def test_verdicts_are_plain_python_ready_for_json(scorer: Scorer) -> None:
    verdict = scorer.score(steps(HUGE), 0.5).verdicts[0]
    assert [type(value) for value in verdict[:2]] == [float, bool]
    assert type(verdict.imputed) is int
    assert type(verdict.reasons[0].weight) is float
    assert verdict.model == scorer.model


def test_a_record_costs_less_in_a_batch_than_alone(scorer: Scorer) -> None:
    """The bench measures; this only notices when the vectors are gone (a tenth of it with them)."""
    batch = steps(USUAL) * 500  # none of which is flagged: reasons have their own price
    alone = min(repeat(lambda: scorer.score(steps(USUAL), 0.995), number=5, repeat=10)) / 5
    together = min(repeat(lambda: scorer.score(batch, 0.995), number=1, repeat=10)) / len(batch)
    assert together < alone / 2


def test_the_table_of_percentiles_is_fine_in_the_tail(scorer: Scorer) -> None:
    share = scorer.calibration.share
    assert np.diff(share[share > 0.99]).max() < 0.0002
    assert share[-1] > 0.9998
