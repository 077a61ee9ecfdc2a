"""The whole journey, on fakes: what comes in, what goes out, what is told."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from models.simulator import identifying_values
from processor.crypto import KeyRing
from processor.errors import Transient
from processor.pipeline import pass_through
from processor.policy import Sanitiser
from processor.policy.plan import read_plan
from processor.telemetry import Tally
from tests.builders import FIRST_SEQUENCE, stream_record
from tests.fakes import refusal

if TYPE_CHECKING:
    from processor.crypto import DataKey

from tests.worlds import ENCRYPTING, PAYMENTS, World, records


def everything_written(world: World) -> str:
    """All that left, in the clear where it is compressed."""
    bodies = [zlib.decompress(body, 31) for body in world.s3.under("events/").values()]
    rest = [*world.s3.under("manifests/").values(), *world.s3.under("quarantine/").values()]
    return b"".join(bodies + rest).decode() + repr(world.published) + repr(world.dynamodb.items)


def test_payments_come_out_sanitised_scored_and_once() -> None:
    world, tally = World(), Tally()
    pass_through(world.gate(threshold=0.9), records(), tally)
    events = world.events()
    assert [event["sequence"] for event in events] == [str(FIRST_SEQUENCE + at) for at in range(len(events))]
    assert (tally.records, tally.written, tally.quarantined) == (400, 400, 0)
    flagged = [event["event_id"] for event in events if event["fraud"]["flagged"]]
    assert flagged
    assert [json.loads(entry["Message"])["event_id"] for entry in world.published] == flagged
    assert tally.alerts == tally.flagged == len(flagged)
    (manifest,) = map(json.loads, world.s3.under("manifests/").values())
    assert (manifest["records"], manifest["flagged"]) == (400, len(flagged))
    assert {"field": "email", "action": "tokenize", "count": 400} in manifest["actions"]


def test_no_identifying_value_leaves_by_any_door() -> None:
    world = World()
    delivered = records()
    del delivered[3]["dynamodb"]["NewImage"]["payment_id"]
    pass_through(world.gate(), delivered, Tally())
    out = everything_written(world)
    values = {value for payment in PAYMENTS for value in identifying_values(payment)}
    assert len(values) > 500
    assert not [value for value in values if value in out or json.dumps(value)[1:-1] in out]


def test_a_data_key_that_cannot_be_had_stops_the_batch_and_quarantines_nothing() -> None:
    def throttled() -> DataKey:
        raise Transient("kms:GenerateDataKey for values: ThrottlingException")

    world, tally = World(), Tally()
    gate = world.gate()
    encrypting, _ = read_plan({**ENCRYPTING, "fields": {"payment_id": "encrypt"}}, gate.plan.sha256)
    assert encrypting is not None
    gate = replace(gate, sanitiser=Sanitiser(encrypting, KeyRing({1: b"r" * 64}), throttled))
    with pytest.raises(Transient, match="ThrottlingException"):
        pass_through(gate, records(3), tally)
    assert (world.events(), tally.quarantined) == ([], 0)


def test_poison_goes_to_quarantine_and_the_batch_goes_on() -> None:
    world, tally = World(), Tally()
    delivered: list[Any] = records(10)
    delivered[2]["dynamodb"]["NewImage"]["amount"] = {"N": "many"}
    del delivered[5]["dynamodb"]["NewImage"]["customer_id"]
    delivered[7] = "garbage"
    pass_through(world.gate(), delivered, tally)
    assert len(world.events()) == tally.written == 7
    assert tally.quarantined == len(world.s3.under("quarantine/")) == 3
    assert dict(tally.reasons) == {
        ("N holds what is not a number", "dynamodb.NewImage.amount"): 1,
        ("a required field is missing", "customer_id"): 1,
        ("a stream record must be a map, not a string", ""): 1,
    }


def test_a_bug_in_an_action_quarantines_the_record_and_quotes_nothing() -> None:
    class Broken(Sanitiser):
        def sanitise(self, change: Any, _secrets: Any = None) -> Any:
            raise ValueError(change.new["email"])

    world, tally = World(), Tally()
    gate = world.gate()
    gate = replace(gate, sanitiser=Broken(gate.plan, KeyRing({1: b"r" * 64})))
    pass_through(gate, records(2), tally)
    assert world.events() == []
    assert tally.quarantined == 2
    ((reason, _),) = tally.reasons
    assert reason.startswith("cannot be sanitised: ValueError at tests/test_pipeline.py:")
    assert PAYMENTS[0]["email"] not in reason


def test_a_removal_is_an_event_without_a_verdict() -> None:
    world = World()
    pass_through(world.gate(), [stream_record(None, PAYMENTS[0])], Tally())
    (event,) = world.events()
    assert (event["type"], event["fraud"], event["new"]) == ("REMOVE", None, None)
    assert event["old"]["name"] == "[redacted]"


def test_verdicts_belong_to_their_records_when_removals_are_between() -> None:
    world, mixed = World(), World()
    pass_through(world.gate(), records(50), Tally())
    delivered = [
        one for at, record in enumerate(records(50)) for one in (record, _removal(at)) if one is not None
    ]
    pass_through(mixed.gate(), delivered, Tally())
    scores = {event["event_id"]: event["fraud"]["score"] for event in world.events()}
    inserted = [event for event in mixed.events() if event["type"] == "INSERT"]
    assert {event["event_id"]: event["fraud"]["score"] for event in inserted} == scores


def _removal(at: int) -> dict[str, Any] | None:
    if at % 3 == 0:
        return None
    service = {
        "type": "Service",
        "principalId": "dynamodb.amazonaws.com",
    }  # it expires: what was true stays so
    return {**stream_record(None, PAYMENTS[at], at=1000 + at), "userIdentity": service}


def test_the_same_batch_again_writes_nothing_and_counts_nothing_twice() -> None:
    world, first, again = World(), Tally(), Tally()
    pass_through(world.gate(), records(50), first)
    before = dict(world.s3.objects)
    pass_through(world.gate(), records(50), again)
    assert world.s3.objects == before
    assert (first.written, again.written, again.quarantined) == (50, 0, 0)


def test_a_manifest_that_was_missed_is_written_on_the_next_delivery() -> None:
    world = World()

    def stop_before_manifest(moment: str) -> None:
        if moment == "before PutObject manifests":
            raise refusal("SlowDown", "PutObject", 503)

    world.s3.hook = stop_before_manifest
    with pytest.raises(Transient) as caught:
        pass_through(world.gate(), records(50), Tally())
    assert caught.value.sequence == ""
    world.s3.hook = lambda _moment: None
    pass_through(world.gate(), records(70), Tally())
    manifests = [json.loads(body) for body in world.s3.under("manifests/").values()]
    assert sorted(manifest["records"] for manifest in manifests) == [20, 50]
    assert sorted(event["sequence"] for event in world.events()) == [
        record["dynamodb"]["SequenceNumber"] for record in records(70)
    ]


def test_a_refused_alert_is_where_the_stream_goes_on() -> None:
    world, tally = World(), Tally()
    flagged: list[str] = []

    def refuse_second(message: str) -> bool:
        flagged.append(json.loads(message)["sequence"])
        return len(flagged) == 2

    world.refuse_alerts = refuse_second
    gate = world.gate(threshold=0.9)
    with pytest.raises(Transient) as caught:
        pass_through(gate, records(), tally)
    assert caught.value.sequence == flagged[1]
    assert tally.written == len(world.events()) == 400, "what is written stays written and counted"
    world.refuse_alerts = lambda _message: False
    rest = [one for one in records() if one["dynamodb"]["SequenceNumber"] >= flagged[1]]
    pass_through(gate, rest, Tally())
    assert len(world.events()) == 400
    assert {json.loads(entry["Message"])["sequence"] for entry in world.published} == {
        event["sequence"] for event in world.events() if event["fraud"]["flagged"]
    }


def test_what_is_stored_is_told_though_its_writer_died_and_this_run_would_not_flag_it() -> None:
    """A deployment between two deliveries: another model, or another threshold."""
    world, tally = World(), Tally()
    world.refuse_alerts = lambda _message: True
    with pytest.raises(Transient):
        pass_through(world.gate(threshold=0.9), records(), Tally())
    world.refuse_alerts = lambda _message: False
    pass_through(world.gate(threshold=1.1), records(200), tally)
    told = {json.loads(entry["Message"])["event_id"]: entry["Message"] for entry in world.published}
    stored = {event["event_id"]: event for event in world.events()[:200] if event["fraud"]["flagged"]}
    assert len(stored) > 5
    assert {name: json.loads(line) for name, line in told.items()} == stored
    assert tally.alerts == len(stored)


def test_nobody_is_told_of_what_this_run_would_flag_and_the_stored_event_does_not() -> None:
    world = World()
    pass_through(world.gate(threshold=1.1), records(), Tally())
    pass_through(world.gate(threshold=0.9), records(), Tally())
    assert world.published == []


def test_nobody_is_told_of_what_another_run_holds() -> None:
    world = World()
    delivered = records()
    strict = world.gate()
    for one in delivered:
        del one["dynamodb"]["NewImage"]["customer_id"]
    pass_through(strict, delivered, Tally())
    pass_through(world.gate(threshold=0.0), records(), Tally())
    assert world.events() == []
    assert world.published == []


@pytest.mark.parametrize(("route", "alerts"), [("all", 20), ("none", 0)])
def test_the_policy_routes_alerts(route: str, alerts: int) -> None:
    world = World()
    routes = world.gate().plan.routes
    gate = world.gate(routes=replace(routes, sns=replace(routes.sns, events=route)))
    pass_through(gate, records(20), Tally())
    assert len(world.published) == alerts


def test_without_a_score_section_nothing_is_scored() -> None:
    world = World()
    gate = replace(world.gate(), judge=None)
    pass_through(gate, records(3), Tally())
    assert [event["fraud"] for event in world.events()] == [None] * 3


def test_an_empty_batch_does_nothing() -> None:
    world = World()
    pass_through(world.gate(), [], Tally())
    assert world.s3.objects == {}


def test_when_time_runs_out_what_is_done_is_finished_and_the_rest_comes_again() -> None:
    world, tally, looks = World(), Tally(), iter([False] * 30 + [True] * 500)
    delivered = records(100)
    with pytest.raises(Transient, match="time ran out: 70 records are left") as caught:
        pass_through(world.gate(), delivered, tally, lambda: next(looks))
    assert caught.value.sequence == delivered[30]["dynamodb"]["SequenceNumber"]
    assert tally.written == len(world.events()) == 30
    assert len(world.s3.under("manifests/")) == 1
    pass_through(world.gate(), delivered[30:], Tally())
    assert [event["sequence"] for event in world.events()] == [
        record["dynamodb"]["SequenceNumber"] for record in delivered
    ]


def test_without_any_time_nothing_is_begun() -> None:
    world = World()
    with pytest.raises(Transient, match="time ran out: 5 records are left") as caught:
        pass_through(world.gate(), records(5), Tally(), lambda: True)
    assert caught.value.sequence == records(1)[0]["dynamodb"]["SequenceNumber"]
    assert not world.events()


def test_what_one_policy_holds_back_is_not_let_out_by_the_next_before_somebody_replays_it() -> None:
    """A deployment between two deliveries of one batch."""
    world, tally = World(), Tally()
    delivered = records(5)
    strict = world.gate()
    del delivered[2]["dynamodb"]["NewImage"]["customer_id"]  # which the policy of the first delivery requires
    world.s3.hook = lambda moment: _refuse(moment, "before PutObject events")
    with pytest.raises(Transient):
        pass_through(strict, delivered, Tally())
    world.s3.hook = lambda _moment: None
    fields = {"payment_id": "keep", "email": "redact"}
    lenient, problems = read_plan({**ENCRYPTING, "fields": fields}, "f" * 64)
    assert lenient is not None, problems
    gate = replace(world.gate(), judge=None, sanitiser=Sanitiser(lenient, KeyRing({1: b"r" * 64})))
    pass_through(gate, delivered, tally)
    assert len(world.events()) == 4
    assert len(world.s3.under("quarantine/")) == 1
    assert dict(tally.reasons) == {("another run holds it: under another policy it could not pass", ""): 1}


def _refuse(moment: str, at: str) -> None:
    if moment == at:
        raise refusal("SlowDown", "PutObject", 503)


def test_a_replay_lets_out_what_was_held_back_once_it_can_pass() -> None:
    world = World()
    delivered = records(3)
    del delivered[1]["dynamodb"]["NewImage"]["customer_id"]
    pass_through(world.gate(), delivered, Tally())
    assert (len(world.events()), len(world.s3.under("quarantine/"))) == (2, 1)
    mended = records(3)[1:2]
    pass_through(world.gate(), mended, Tally())
    assert len(world.events()) == 2, "not by a mere delivery"
    for _ in range(2):
        pass_through(world.gate(), mended, Tally(), is_replay=True)
        assert len(world.events()) == 3
