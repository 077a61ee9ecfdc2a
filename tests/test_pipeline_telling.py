"""What a batch's line says after the journey: counted and timed where it happened."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from models.simulator import identifying_values
from processor.errors import Transient
from processor.pipeline import pass_through
from processor.scoring.drift import Bins
from processor.telemetry import DECILES, DURATIONS, STAGES, Tally, Telemetry
from tests.builders import TIME
from tests.fakes import refusal
from tests.worlds import PAYMENTS, World, records

if TYPE_CHECKING:
    from collections.abc import Sequence


def line_of(tally: Tally, now: float = TIME + 60.0, features: Sequence[str] = ()) -> dict[str, Any]:
    lines: list[str] = []
    Telemetry("payments", None, lambda: now, lines.append, features=features).batch(tally)
    return dict(json.loads(lines[0]))


def ticking() -> Tally:
    """A tally whose clock advances a second whenever it is looked at."""
    seconds = count()
    return Tally(clock=lambda: float(next(seconds)))


def test_a_batch_goes_through_every_stage_in_order() -> None:
    tally = ticking()
    pass_through(World().gate(), records(5), tally)
    line = line_of(tally)
    assert list(tally.durations) == list(STAGES)
    assert {name: line[name] for name in DURATIONS} == {
        name: 2000.0 if stage == "people" else 1000.0 for name, stage in DURATIONS.items()
    }


def test_a_batch_that_stops_is_timed_up_to_where_it_stopped() -> None:
    world, tally = World(), ticking()

    def refuse(moment: str) -> None:
        if moment == "before PutObject events":
            raise refusal("SlowDown", "PutObject", 503)

    world.s3.hook = refuse
    with pytest.raises(Transient) as stopped:
        pass_through(world.gate(), records(5), tally)
    tally.stopped = str(stopped.value)
    line = line_of(tally)
    assert "DurationSettle" in line
    assert not {"DurationAudit", "DurationAlerts"} & line.keys()
    assert line["message"].startswith("stopped: s3:PutObject under events/: SlowDown (request ")


def test_every_scored_record_is_counted_in_the_bins_of_training() -> None:
    gate, tally = World().gate(), Tally()
    assert gate.judge
    names = gate.judge.scorer.features.names
    gate.judge.scorer.bins = Bins.judging([[0.0] for _ in names], [0.5])
    delivered = records(50)
    del delivered[0]["dynamodb"]["NewImage"]["amount"]
    pass_through(gate, delivered, tally)
    line = line_of(tally, features=names)
    assert sum(line[name] for name in DECILES) == 50
    assert sum(line[name] for name in DECILES[5:]) == line["drift"]["score"][1]
    assert list(line["drift"]["features"]) == list(names)
    assert all(sum(row) == 50 for row in (line["drift"]["score"], *line["drift"]["features"].values()))
    assert line["drift"]["features"]["amount"] == [0, 49, 1], "what is missing is not imputed here"


def test_without_a_baseline_only_tenths_of_scores_are_told_and_without_a_score_nothing() -> None:
    gate, scored, removed = World().gate(), Tally(), Tally()
    assert gate.judge
    gate.judge.scorer.bins = None
    pass_through(gate, records(5), scored)
    line = line_of(scored, features=gate.judge.scorer.features.names)
    assert sum(line[name] for name in DECILES) == 5
    assert "drift" not in line
    garbage: list[Any] = ["garbage"]
    pass_through(gate, garbage, removed)
    assert not {"drift", *DECILES} & line_of(removed).keys()


def test_the_age_is_that_of_the_oldest_record() -> None:
    tally = Tally()
    pass_through(World().gate(), records(5)[::-1], tally)
    assert line_of(tally)["IteratorAge"] == 60_000


def test_a_batch_of_which_nothing_can_be_decoded_has_no_age() -> None:
    tally = Tally()
    garbage: list[Any] = ["garbage"]
    pass_through(World().gate(), garbage, tally)
    line = line_of(tally)
    assert "IteratorAge" not in line
    assert line["quarantined"] == [
        {"reason": "a stream record must be a map, not a string", "path": "", "count": 1}
    ]


def test_what_was_written_before_is_counted_as_avoided() -> None:
    world = World()
    first, again, more = Tally(), Tally(), Tally()
    pass_through(world.gate(), records(5), first)
    pass_through(world.gate(), records(5), again)
    pass_through(world.gate(), records(8)[2:], more)
    assert [(one.written, one.duplicates) for one in (first, again, more)] == [(5, 0), (0, 5), (3, 3)]


def test_fields_without_a_rule_and_values_too_large_are_counted() -> None:
    tally, delivered = Tally(), records(3)
    delivered[0]["dynamodb"]["NewImage"]["surprise"] = {"S": "x"}
    delivered[1]["dynamodb"]["NewImage"]["email"] = {"S": "a" * 400_000}
    pass_through(World().gate(), delivered, tally)
    line = line_of(tally)
    assert (line["FieldsUnknown"], line["ValuesOversized"]) == (1, 1)


def test_a_leak_that_was_stopped_is_counted() -> None:
    tally, delivered = Tally(), records(3)
    delivered[0]["dynamodb"]["NewImage"]["status"] = {"S": "jane.doe@example.com"}
    pass_through(World().gate(), delivered, tally)
    assert line_of(tally)["LeaksStopped"] == 1


def test_no_identifying_value_is_in_the_line_whatever_went_wrong() -> None:
    tally, delivered = Tally(), records()
    for at, record in enumerate(delivered):
        image = record["dynamodb"]["NewImage"]
        match at % 5:
            case 0:
                del image["customer_id"]
            case 1:
                image[PAYMENTS[at]["email"]] = {"N": PAYMENTS[at]["email"]}  # a name that is a value
            case 2:
                record["eventName"] = PAYMENTS[at]["name"]
            case 3:
                image["amount"] = {PAYMENTS[at]["email"]: PAYMENTS[at]["name"]}
    pass_through(World().gate(), delivered, tally)
    line = json.dumps(line_of(tally), ensure_ascii=False)
    assert tally.quarantined == 320
    values = {str(value) for payment in PAYMENTS for value in identifying_values(payment)}
    assert len(values) > 500
    assert not [value for value in values if value in line]
