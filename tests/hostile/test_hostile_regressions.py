"""Hostile records that once got through, got lost or stopped a batch: none does any more."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from processor.errors import TidegateError
from processor.pipeline import Gate, pass_through
from processor.telemetry import Tally
from tests.builders import STREAM
from tests.hostile.deliveries import HANDLER, Context, Outcome, astray, deliver
from tests.hostile.test_hostile_records import between, hostile, sequenced, settled
from tests.worlds import World, records

TABLE = "arn:aws:dynamodb:eu-west-1:1:table/"


@pytest.mark.parametrize(
    "parts",
    [
        {"eventID": "\ud800"},
        {"eventID": "\ud800", "eventName": "UPSERT"},
        {"eventSourceARN": f"{TABLE}\ud800/stream/x"},
    ],
)
@pytest.mark.parametrize("place", [0, 1])
def test_a_lone_surrogate_in_what_names_a_record_stops_nobody(parts, place):
    batch = records(3)
    batch[place] = batch[place] | parts
    settled(batch)


@pytest.mark.parametrize("event_id", ["x" * 129, "x" * 300_000, "a b", "\n"])
def test_an_event_id_that_no_topic_takes_is_poison(event_id):
    outcome = settled(between(hostile(eventID=event_id)))
    assert outcome.quarantined().total() == 1


OF_ANOTHER_TABLE = hostile(0, eventSourceARN=STREAM.replace("payments", "orders"), eventID="b" * 32)


def all_alerts(world: World) -> Gate:
    gate = world.gate()
    routes = replace(gate.plan.routes, sns=replace(gate.plan.routes.sns, events="all"))
    return replace(gate, plan=replace(gate.plan, routes=routes))


@pytest.mark.parametrize("first", ["garbage", {"eventSourceARN": None}, OF_ANOTHER_TABLE])
def test_where_the_batch_is_cut_says_nothing_about_the_lane(first):
    world, _seen = World(), []
    gate = all_alerts(world)
    batch = [first, *records(3)[1:]]
    assert deliver(batch, gate, world).passed
    assert deliver(batch[1:], gate, world).passed  # as after a bisection or a partial failure
    assert not astray(Outcome(world), batch)


def test_two_poisoned_records_with_one_sequence_number_are_both_kept():
    batch = sequenced("7", "7")
    batch = [one | {"eventName": "UPSERT"} for one in batch]
    settled(batch)


def test_two_poisoned_records_with_one_event_id_are_both_kept():
    settled([hostile(at, eventID="e" * 32, eventName="UPSERT") for at in range(2)])


def test_two_records_with_one_event_id_are_one_event_and_one_in_quarantine():
    batch = [hostile(at, eventID="e" * 32) for at in range(2)]
    outcome = deliver(batch)
    assert outcome.events()["e" * 32] == 1
    assert outcome.quarantined().total() == 1


def test_poison_with_the_event_id_of_a_good_record_takes_nobody_with_it():
    batch = [hostile(0, eventID="e" * 32), hostile(1, eventID="e" * 32, eventName="UPSERT")]
    outcome = deliver(batch)
    assert outcome.events()["e" * 32] == 1
    assert outcome.quarantined().total() == 1


def test_poison_with_the_event_id_of_an_earlier_event_is_kept():
    world = World()
    gate = world.gate()
    deliver([hostile(0, eventID="e" * 32)], gate, world)
    deliver([hostile(1, eventID="e" * 32, eventName="UPSERT")], gate, world)
    out = Outcome(world)
    assert out.events()["e" * 32] == 1
    assert out.quarantined().total() == 1


@pytest.mark.parametrize("sequences", [["07", "7"], ["7", "07", "007"], ["07", "7", "007", "0" * 40, "00"]])
def test_leading_zeros_make_no_other_object(sequences):
    batch, world = sequenced(*sequences), World()
    gate = world.gate()
    settled(batch, deliver(batch, gate, world))
    for again in (batch[::-1], batch[1:], batch[:1], batch):
        assert deliver(again, gate, world).passed
        assert not astray(Outcome(world), batch)


@pytest.mark.parametrize("name", ["jane_doe", "DE89370400440532013000", "Jane.Doe", "jane.doe-1987"])
def test_an_attribute_that_no_rule_names_is_not_named_in_reasons_or_log(name):
    outcome = settled(between(hostile(image={name: {"N": "x"}})))
    assert name not in outcome.everything()


def test_a_long_subject_is_not_kept_in_the_process():
    world = World()
    gate = world.gate()
    for at in range(30):
        subject = {"customer_id": {"S": f"{at}-" + "x" * 390_000}}
        deliver([hostile(0, subject, eventID=f"{at:032x}")], gate, world)
    assert gate.sanitiser._people is not None
    assert gate.sanitiser._people._names.cache_info().currsize < 5


def test_nesting_that_json_could_just_read_can_be_quarantined():
    for levels in range(900, 1000):
        try:
            record = json.loads('{"a":' * levels + "1" + "}" * levels)
        except RecursionError:
            break
        world = World()
        pass_through(world.gate(), [record], Tally())
        assert len(world.s3.under("quarantine/")) == 1


@pytest.mark.parametrize("event", [None, [], "x", 1])
def test_an_event_that_is_no_map_is_refused_in_our_words(event):
    with pytest.raises(TidegateError, match="not an event of a stream"):
        HANDLER.handler(event, Context())
