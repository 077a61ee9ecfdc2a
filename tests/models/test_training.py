"""Training: repeatable, refusing what it cannot learn from, measured on later records."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import release
from models.drift import Baseline
from models.evaluation import figures
from models.rows import Rows, gather, opened, scored
from models.sources import Data, Simulated
from models.spec import ISOLATION_FOREST, EstimatorSpec, Spec
from models.training import FEWEST_RECORDS, Period, Trained, default_period, train
from processor.errors import ModelError
from processor.scoring.profiles import DAY_S


def quiet(_step: str, _done: int) -> None:
    pass


@pytest.fixture(scope="module")
def records(spec: Spec) -> list[dict[str, Any]]:
    """The simulated payments as a table's export would have them."""
    found = [changed.after for changed in Simulated(spec).changes(quiet)]
    return [image | {"payment_id": str(at)} for at, image in enumerate(found) if image is not None]


def recorded(folder: Path, spec: Spec, records: list[dict[str, Any]]) -> Data:
    path = folder / "records.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return opened(spec, [path])


def test_training_again_gives_the_same_bytes(
    spec: Spec, trained: Trained, tiny_folder: Path, tmp_path: Path
) -> None:
    text = (tiny_folder / "model.yaml").read_bytes()
    first = release.write(trained, text, tmp_path / "first")
    again = release.write(train(spec, Simulated(spec), None, quiet), text, tmp_path / "again")
    assert first.content == again.content


def test_another_seed_gives_another_forest(trained: Trained, other: Trained) -> None:
    assert not np.array_equal(other.scorer.forest.threshold, trained.scorer.forest.threshold)


def test_a_file_of_the_same_payments_trains_the_same_model(
    spec: Spec, trained: Trained, records: list[dict[str, Any]], tmp_path: Path
) -> None:
    from_file = train(spec, recorded(tmp_path, spec, records), None, quiet)
    assert np.array_equal(from_file.scorer.forest.value, trained.scorer.forest.value)
    assert {name: value for name, value in from_file.figures.items() if name != "scenarios"} == {
        name: value for name, value in trained.figures.items() if name != "scenarios"
    }


def test_what_the_gate_wrote_trains_the_same_model_without_any_raw_record(
    spec: Spec, trained: Trained, records: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Features as they were kept, labels as they came back, customers under another name."""
    rows = gather(trained.scorer.features, spec, Simulated(spec), quiet)
    events = []
    for at, (image, row) in enumerate(zip(records, rows.matrix.tolist(), strict=True)):
        old = {"status": "approved", "merchant_category": image["merchant_category"]}
        old |= {"customer_id": f"pseudonym-{image['customer_id']}", "channel": image["channel"]}
        features = dict(zip(spec.features.names, row, strict=True))
        events.append(event(at, image["created_at"], None, old) | {"fraud": {"features": features}})
        if image["status"] == "chargeback":
            new = old | {"status": "chargeback"}
            events.append(event(at, image["created_at"] + 2 * DAY_S, old, new))
    path = tmp_path / "events.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in events))
    from_events = train(spec, opened(spec, [path]), default_period(spec, Simulated(spec), quiet), quiet)
    assert np.array_equal(from_events.scorer.forest.threshold, trained.scorer.forest.threshold)
    assert np.array_equal(from_events.scorer.forest.value, trained.scorer.forest.value)
    assert from_events.figures["auc"] == trained.figures["auc"]


def event(at: int, time: float, old: Any, new: Any) -> dict[str, Any]:
    kind = "MODIFY" if old else "INSERT"
    return {
        "schema": "tidegate.event/1",
        "event_id": f"{at}-{kind}",
        "sequence": f"{at:010}{kind == 'MODIFY':d}",
        "type": kind,
        "time": f"{datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "keys": {"payment_id": f"p{at}"},
        "old": old,
        "new": new,
        "fraud": None,
    }


def test_a_period_begins_after_the_warm_up_and_ends_before_what_is_held_out(
    spec: Spec, records: list[dict[str, Any]]
) -> None:
    times = np.array([record["created_at"] for record in records])
    period = default_period(spec, Simulated(spec), quiet)
    assert period.start == times[0] + 3 * DAY_S
    usable = times[times >= period.start]
    assert (usable >= period.end).sum() == pytest.approx(len(usable) * spec.holdout, abs=1)


def test_it_is_measured_on_what_came_after_the_labels(spec: Spec, trained: Trained) -> None:
    assert trained.held_out is not None
    period = default_period(spec, Simulated(spec), quiet)
    assert trained.held_out.time.min() >= period.end + 2 * DAY_S
    assert trained.figures["records"] == len(trained.held_out) == trained.training["held_out"]
    assert 0.6 < trained.figures["auc"] <= 1
    assert set(trained.figures["scenarios"]) <= {"1", "2", "3"}


def test_a_model_does_not_depend_on_what_was_found_to_be_fraud_after_its_labels_were_due(
    spec: Spec, records: list[dict[str, Any]], tmp_path: Path
) -> None:
    """All that is later than the period is fraud, or nothing is: nothing of that may be known."""
    start = records[0]["created_at"]
    period = Period(start + 3 * DAY_S, start + 15 * DAY_S)
    trainings = []
    for status in ("chargeback", "approved"):
        later = [one if one["created_at"] < period.end else one | {"status": status} for one in records]
        trainings.append(train(spec, recorded(tmp_path, spec, later), period, quiet))
    one, other = (found.scorer.forest for found in trainings)
    assert np.array_equal(one.value, other.value)
    assert np.array_equal(one.threshold, other.threshold)


def test_cards_that_are_known_are_left_out_of_the_figures(spec: Spec, trained: Trained) -> None:
    blind = train(replace(spec, card=None), Simulated(spec), None, quiet)
    assert np.array_equal(blind.scorer.forest.value, trained.scorer.forest.value)
    assert blind.figures["records"] > trained.figures["records"]


def test_shares_and_medians_are_those_of_the_training_data(
    spec: Spec, trained: Trained, records: list[dict[str, Any]]
) -> None:
    period = default_period(spec, Simulated(spec), quiet)
    inside = [one for one in records if period.start <= one["created_at"] < period.end]
    by_name = {feature.name: feature for feature in trained.scorer.features.features}
    pos = sum(record["channel"] == "pos" for record in inside) / len(inside)
    assert by_name["channel"].shares["pos"] == pytest.approx(pos)
    assert by_name["amount"].median == pytest.approx(np.median([r["amount"] for r in inside]))


def test_it_is_calibrated_on_records_that_it_was_not_trained_on(spec: Spec, trained: Trained) -> None:
    period = default_period(spec, Simulated(spec), quiet)
    rows = gather(trained.scorer.features, spec, Simulated(spec), quiet, start=period.end)
    between = rows.between(period.end, period.end + 2 * DAY_S)
    if len(between) >= FEWEST_RECORDS:
        assert trained.training["calibrated_on"]["records"] == len(between)
    else:
        assert "trained on" in trained.training["calibrated_on"]["which"]
        between = gather(
            trained.scorer.features, spec, Simulated(spec), quiet, start=period.start, end=period.end
        )
    # Equal scores count as the lowest of them: never more than was promised, and less where many are equal.
    assert figures(trained.scorer, between, trained.spec)["alert_rate"] <= 0.005 + 1 / len(between)
    assert 0.02 < (scored(trained.scorer, between) >= 0.9).mean() <= 0.1 + 1 / len(between)


def test_all_kinds_are_compared_on_the_same_records(trained: Trained) -> None:
    found = {one["estimator"]: one for one in trained.comparison}
    assert {one.partition(" ")[0].rstrip(",") for one in found} == {
        "blend", "isolation_forest", "random_forest", "extra_trees", "hist_gradient_boosting",
    }  # fmt: skip
    released = trained.comparison[0]
    assert released["estimator"] == "blend, as released"
    assert released["auc"] == trained.figures["auc"]
    assert released["average_precision"] > found["isolation_forest on raw numbers"]["average_precision"]


def test_a_baseline_and_golden_rows_are_carried(trained: Trained) -> None:
    baseline = Baseline.from_content(trained.baseline)
    assert list(baseline.features) == list(trained.scorer.features.names)
    assert len(trained.golden["rows"]) == len(trained.golden["scores"]) == 32


def test_without_labels_it_is_an_isolation_forest_and_says_so(
    spec: Spec, records: list[dict[str, Any]], tmp_path: Path
) -> None:
    bare = [{name: value for name, value in one.items() if name != "status"} for one in records]
    unlabelled = train(spec, recorded(tmp_path, spec, bare), None, quiet)
    assert set(unlabelled.figures) == {"records", "imputed_share", "flag_at", "alert_rate"}
    assert unlabelled.training["estimator"]["kind"] == ISOLATION_FOREST
    assert "terminal_risk_30d" not in unlabelled.scorer.features.names
    assert "status" not in unlabelled.scorer.reads
    assert "no record has a label" in unlabelled.training["notes"][0]
    manifest = release.write(unlabelled, b"", tmp_path / "out")
    assert "no record has a label" in (manifest.folder / "MODEL_CARD.md").read_text()


def test_with_few_labels_too(spec: Spec, records: list[dict[str, Any]], tmp_path: Path) -> None:
    start = records[0]["created_at"]
    few = [
        one | {"status": "chargeback" if 1_000 <= at < 1_030 else "approved"}
        for at, one in enumerate(records)
    ]
    found = train(spec, recorded(tmp_path, spec, few), Period(start, start + 20 * DAY_S), quiet)
    assert found.training["frauds"] == 30
    assert "only 30 records are known to be fraud" in found.training["notes"][0]


def test_an_isolation_forest_that_was_asked_for_has_all_features(spec: Spec) -> None:
    asked = replace(spec, estimator=EstimatorSpec(ISOLATION_FOREST, {"n_estimators": 9}))
    found = train(asked, Simulated(spec), None, quiet)
    assert found.scorer.features.names == spec.features.names
    assert found.training["notes"] == []
    assert found.scorer.forest.trees == 9


def test_too_few_records_are_refused(spec: Spec, records: list[dict[str, Any]], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"records to train on.*needs 1,000 or more"):
        train(spec, recorded(tmp_path, spec, records[:1_000]), None, quiet)
    with pytest.raises(ModelError, match="0 records to train on"):
        train(spec, Simulated(spec), Period(0, 1), quiet)


def test_a_field_that_is_mostly_missing_is_refused_by_name(
    spec: Spec, records: list[dict[str, Any]], tmp_path: Path
) -> None:
    texts = [record | {"amount": "a text"} for record in records]
    with pytest.raises(ModelError, match="amount is missing or of the wrong type in 100% of the records"):
        train(spec, recorded(tmp_path, spec, texts), None, quiet)


def test_figures_without_any_fraud_claim_nothing(trained: Trained) -> None:
    matrix = np.zeros((5, len(trained.scorer.features.names)), dtype=np.float32)
    honest = Rows(matrix, np.arange(5.0), np.zeros(5, dtype=bool), np.zeros(5, dtype=np.int64))
    assert "auc" not in figures(trained.scorer, honest, trained.spec)


def test_a_period_to_the_end_of_the_data_leaves_nothing_to_measure_on(spec: Spec, tmp_path: Path) -> None:
    found = train(spec, Simulated(spec), Period(), quiet)
    assert found.figures == {"records": 0}
    assert found.comparison == []
    assert release.findings(release.write(found, b"", tmp_path / "out").folder) == []


def test_rows_are_scored_as_the_function_scores(spec: Spec, trained: Trained) -> None:
    rows = gather(trained.scorer.features, spec, Simulated(spec), quiet)
    scores = scored(trained.scorer, rows)
    assert ((scores >= 0) & (scores <= 1)).all()
    assert np.array_equal(scores, np.round(scores, 6))
