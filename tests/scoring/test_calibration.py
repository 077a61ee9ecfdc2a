"""Percentiles: a threshold on them is an alert rate, also far out in the tail."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from processor.errors import ModelError
from processor.scoring.calibration import Calibration, threshold

scores = arrays(np.float64, st.integers(1, 400), elements=st.floats(0, 1))


@given(scores, scores)
@example(np.array([2.2e-311, 0.0]), np.array([2.2e-313]))  # the slope between them overflows
def test_percentiles_are_shares_and_never_fall(training, raw) -> None:
    curve = Calibration.learn(training)
    assert curve.flaw() == ""
    found = curve.percentile(np.sort(raw))
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.diff(found) >= 0).all()


@given(scores)
def test_the_ends_of_the_scale(training) -> None:
    curve = Calibration.learn(training)
    assert curve.percentile(np.array([training.min() - 1, training.max() + 1])).tolist() == [0.0, 1.0]


@given(scores)
def test_points_of_the_curve_are_the_share_that_is_less_suspicious(training) -> None:
    curve = Calibration.learn(training)
    for raw, share in zip(curve.raw, curve.share, strict=True):
        assert share == (training < raw).mean()


@given(scores, st.sampled_from([0.5, 0.9, 0.99, 0.995, 0.999]))
def test_ties_never_raise_more_alerts_than_the_threshold_says(training, at: float) -> None:
    """A threshold between two points of the curve may be one record off."""
    flagged = (Calibration.learn(np.round(training, 1)).percentile(np.round(training, 1)) >= at).sum()
    assert flagged <= (1 - at) * len(training) + 1


@pytest.mark.parametrize("at", [0.5, 0.9, 0.99, 0.995, 0.999, 0.9995])
def test_the_alert_rate_is_the_threshold_on_the_training_data_and_on_more_like_it(at: float) -> None:
    training, alike = np.random.default_rng(1).lognormal(size=(2, 200_000))
    curve = Calibration.learn(training)
    assert (curve.percentile(training) >= at).mean() == pytest.approx(1 - at, rel=0.01)
    chance = 4 * np.sqrt(2 * (1 - at) / len(alike))  # four standard deviations between two samples
    assert (curve.percentile(alike) >= at).mean() == pytest.approx(1 - at, abs=chance)


@pytest.mark.parametrize(
    ("flag_at", "expected"),
    [("p99.5", 0.995), ("p99", 0.99), ("p0", 0.0), ("p100", 1.0), (0.97, 0.97), (1, 1.0)],
)
def test_thresholds(flag_at: str | float, expected: float) -> None:
    assert threshold(flag_at) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("flag_at", ["99.5", "p101", "p", "P99", "p99,5", 99.5, -0.1, float("nan"), True, ""])
def test_what_is_no_threshold_is_refused_with_the_right_form(flag_at: str | float) -> None:
    with pytest.raises(ModelError, match=r"write a percentile such as p99\.5"):
        threshold(flag_at)


@pytest.mark.parametrize(
    ("raw", "share"),
    [([], []), ([1.0], []), ([1.0, 1.0], [0.1, 0.2]), ([1.0, 2.0], [0.2, 0.1]), ([1.0, np.nan], [0.1, 0.2])],
)
def test_points_that_are_no_curve_are_a_flaw(raw: list[float], share: list[float]) -> None:
    assert "calibration" in Calibration(np.array(raw), np.array(share)).flaw()
