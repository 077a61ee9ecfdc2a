"""The profiles table: what a batch adds is there for the next, once, under names that tell nobody."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from moto import mock_aws

from processor.crypto import KeyRing
from processor.entities import entity_names, short_names
from processor.errors import Transient
from processor.pipeline import pass_through
from processor.policy.people import People
from processor.profiles import Profiles
from processor.scoring import Memory, Step
from processor.scoring.features import Contribution, Feature, FeatureSet, Label
from processor.scoring.profiles import DAY_S, Profile
from processor.telemetry import Tally
from tests.builders import TIME, stream_record
from tests.fakes import refusal, with_profiles
from tests.worlds import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.pipeline import Gate

ROOTS = {1: b"r" * 64, 2: b"s" * 64}
RING = KeyRing({1: ROOTS[1]})
CUSTOMER = Profile("customer", "customer_id", (1, 30), "amount", counterpart="terminal_id")
TERMINAL = Profile("terminal", "terminal_id", (30,), feature="ratio", labels=True, label_days=7)
OPTIONS = {"typical": 50.0, "weight": 0.5}
FEATURES = FeatureSet(
    [
        Feature("count", "count", profile="customer", days=(1,)),
        Feature("ratio", "log_ratio", profile="customer", days=(30,), options=OPTIONS),
        Feature("met", "distinct", profile="customer", days=(30,)),
        Feature("since", "since_last", profile="customer", options={"most": 100.0}),
        Feature("frauds", "confirmed", profile="terminal", days=(30,)),
        Feature("like", "mean", profile="terminal", days=(30,), options={"typical": 0.0, "weight": 1.0}),
        Feature("run", "run_count", profile="terminal"),
    ],
    [CUSTOMER, TERMINAL],
    "created_at",
    Label("status", "chargeback", 7),
)


def payment(at: int, *, amount: float = 20, customer: str = "Ann", **more: Any) -> dict[str, Any]:
    whole = {"payment_id": f"p-{at}", "customer_id": customer, "terminal_id": f"t-{at % 3}", "amount": amount}
    return {**whole, "created_at": TIME + at * 600, "status": "approved", **more}


class Table:
    """The table on moto."""

    def __init__(self) -> None:
        self.client = with_profiles()
        self.calls: list[str] = []
        self.refused = ""

    def batch_get_item(self, **call: Any) -> Any:
        return self._call("BatchGetItem", self.client.batch_get_item, call)

    def update_item(self, **call: Any) -> Any:
        return self._call("UpdateItem", self.client.update_item, call)

    def _call(self, name: str, call: Any, arguments: dict[str, Any]) -> Any:
        self.calls.append(name)
        if name == self.refused:
            raise refusal("ThrottlingException", name)
        return call(**arguments)

    @property
    def items(self) -> list[dict[str, Any]]:
        return list(self.client.scan(TableName="profiles")["Items"])


@pytest.fixture
def table() -> Iterator[Table]:
    with mock_aws():
        yield Table()


def profiles(table: Table, keys: KeyRing = RING, gate: Gate | None = None) -> Profiles:
    plan = gate.plan if gate else World().gate().plan
    names = entity_names(replace(plan, subject=None, rules=()), keys, "payments_fraud", FEATURES)
    return Profiles(dynamodb=table, adding=table, table="profiles", profiles=FEATURES.profiles, names=names)


def run(table: Table, steps: list[Step], keys: KeyRing = RING) -> np.ndarray[Any, Any]:
    """A batch through the table."""
    kept = profiles(table, keys)
    memory = Memory(short_names(keys, "payments_fraud"))
    known, said = kept.recall(FEATURES.entities(steps), {}, memory), list[list[Contribution]]()
    matrix = FEATURES.measure(steps, memory, said)
    additions = Memory(memory.short)
    for contributions in said:
        FEATURES.learn(contributions, additions)
    assert kept.add(additions, known, lambda: False) == 0
    return matrix


def days_of_steps() -> list[Step]:
    """Payments, corrections, removals, labels, one that is late, and a year in between."""
    steps = [Step(None, payment(at, amount=10.0 + at % 7)) for at in range(40)]
    steps += [Step(None, payment(at, customer=f"c{at % 5}")) for at in range(40, 60)]
    steps.append(Step(payment(3, amount=13.0), payment(3, amount=500.0)))
    steps.append(Step(payment(5, amount=15.0), None))
    steps.append(Step(payment(6, amount=16.0), payment(6, amount=16.0, status="chargeback")))
    steps.append(Step(None, payment(-300, amount=5.0)))
    year = 365 * 144
    return steps + [Step(None, payment(at + year)) for at in range(20)]


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_batches_of_any_size_through_the_table_are_as_one_run_in_memory(table: Table, size: int) -> None:
    steps = days_of_steps()
    together = FEATURES.measure(steps, Memory(short_names(RING, "payments_fraud")))
    cut = [run(table, steps[at : at + size]) for at in range(0, len(steps), size)]
    np.testing.assert_array_equal(np.concatenate(cut), together)


def test_a_batch_costs_one_read_and_one_write_per_entity(table: Table) -> None:
    run(table, [Step(None, payment(at)) for at in range(60)])
    assert table.calls.count("BatchGetItem") == 1
    assert table.calls.count("UpdateItem") == 4, "one customer, three terminals"


def test_what_is_kept_names_nobody_and_expires(table: Table) -> None:
    run(table, [Step(None, payment(0, customer="Ann Example", terminal_id="Shop 7"))])
    text = json.dumps(table.items, default=str)
    assert "Ann" not in text
    assert "Shop" not in text
    assert {item["entity"]["S"].split(".")[1] for item in table.items} == {"profile"}
    expires = {int(item["expires_at"]["N"]) for item in table.items}
    assert expires == {TIME + 4 * 30 * DAY_S}


def test_a_history_longer_than_one_request_takes_several(table: Table) -> None:
    steps = [Step(None, payment(3 * at * 12)) for at in range(200)]  # one a slot, at one terminal
    run(table, steps)
    (terminal,) = [
        item for item in table.items if "f.1" not in item and any(n.startswith("e.") for n in item)
    ]
    assert sum(name.startswith("e.") for name in terminal) > 100
    later = [Step(None, payment(3 * 201 * 12))]
    together = FEATURES.measure([*steps, *later], Memory(short_names(RING, "payments_fraud")))
    np.testing.assert_array_equal(run(table, later), together[-1:])


def test_what_has_faded_is_taken_away(table: Table) -> None:
    run(table, [Step(None, payment(0))])
    before = {name for item in table.items for name in item if "." in name}
    run(table, [Step(None, payment(3 * 365 * 144))])  # three years later, at the same terminal
    after = {name for item in table.items for name in item if "." in name}
    assert before
    assert after
    assert not before & after


def test_a_rotation_of_keys_forgets_nothing(table: Table) -> None:
    steps = [Step(None, payment(at)) for at in range(10)]
    run(table, steps[:5])
    both = run(table, steps[5:7], KeyRing(ROOTS))
    both = np.concatenate([both, run(table, steps[7:], KeyRing(ROOTS))])
    expected = FEATURES.measure(steps, Memory(short_names(RING, "payments_fraud")))[5:]
    of = [at for at, name in enumerate(FEATURES.names) if name != "met"]  # counterparts have new short names
    np.testing.assert_array_equal(both[:, of], expected[:, of])


# --- In the gate ---------------------------------------------------------------------------------------


def gate_of(world: World, table: Table, **changes: Any) -> Gate:
    gate = world.gate(**changes)
    assert gate.judge
    looking: Any = Looking(gate.judge.scorer, FEATURES)
    short = short_names(RING, "payments_fraud")
    return replace(
        gate, judge=replace(gate.judge, scorer=looking, profiles=profiles(table, gate=gate), short=short)
    )


class Looking:
    """A scorer that flags nobody and says what it saw."""

    def __init__(self, scorer: Any, features: FeatureSet) -> None:
        self.model, self.features, self._scorer = scorer.model, features, scorer
        self.seen: list[np.ndarray[Any, Any]] = []

    def score(self, steps: Any, _threshold: float, memory: Any, **_: Any) -> Any:
        said: list[list[Contribution]] = []
        self.seen.append(self.features.measure(steps, memory, said))
        scored = self._scorer.score([Step(None, step.after) for step in steps if step.after], 2.0)
        return scored._replace(said=said)


def delivered(count: int) -> list[dict[str, Any]]:
    return [stream_record(payment(at, amount=20, email="a@b.example"), at=at) for at in range(count)]


def totals(table: Table) -> dict[str, int]:
    """How often each entity's events count, as the table has it."""
    return {
        item["entity"]["S"]: sum(int(value["N"]) for name, value in item.items() if name.startswith("e."))
        for item in table.items
    }


def test_an_event_counts_once_however_often_it_is_delivered(table: Table) -> None:
    world = World()
    for _ in range(3):
        pass_through(gate_of(world, table), delivered(9), Tally())
    assert sorted(totals(table).values()) == [0, 3, 3, 3], "and customers count no labels"


def test_an_event_that_is_held_does_not_count(table: Table) -> None:
    world = World()
    records = delivered(9)
    del records[4]["dynamodb"]["NewImage"]["customer_id"]
    pass_through(gate_of(world, table), records, Tally())
    assert sorted(totals(table).values()) == [0, 2, 3, 3]


def test_a_table_that_refuses_writes_costs_updates_and_no_events(table: Table) -> None:
    world, tally = World(), Tally()
    table.refused = "UpdateItem"
    pass_through(gate_of(world, table), delivered(9), tally)
    assert (tally.missed, len(world.events())) == (4, 9)


def test_a_table_that_refuses_reads_stops_the_batch_before_anything_is_written(table: Table) -> None:
    world = World()
    table.refused = "BatchGetItem"
    with pytest.raises(Transient, match="dynamodb:BatchGetItem on profiles: ThrottlingException"):
        pass_through(gate_of(world, table), delivered(3), Tally())
    assert world.events() == []


def test_no_update_begins_when_time_has_run_out(table: Table) -> None:
    world, tally = World(), Tally()
    looks = iter([False] * 9)
    pass_through(gate_of(world, table), delivered(9), tally, lambda: next(looks, True))
    assert (tally.missed, tally.written) == (4, 9)


def test_what_an_erased_person_did_is_found_no_more_and_kept_no_more(table: Table) -> None:
    plan = World().gate().plan
    assert plan.by_subject
    names = entity_names(plan, RING, "payments_fraud", FEATURES)
    person = People(plan, RING).names("Ann")
    assert person
    living, dead = {person[0]: b"k" * 32}, {person[0]: None}
    assert names(CUSTOMER, "Ann", living) != names(CUSTOMER, "Ann", {person[0]: b"l" * 32})
    assert names(CUSTOMER, "Ann", dead) == ()
    assert len(names(TERMINAL, "t-1", dead)) == 1
    kept = Profiles(dynamodb=table, adding=table, table="profiles", profiles=FEATURES.profiles, names=names)
    steps = [Step(None, payment(0))]
    memory = Memory(short_names(RING, "payments_fraud"))
    known, said = kept.recall(FEATURES.entities(steps), dead, memory), list[list[Contribution]]()
    FEATURES.measure(steps, memory, said)
    additions = Memory(memory.short)
    FEATURES.learn(said[0], additions)
    assert kept.add(additions, known, lambda: False) == 0
    assert len(table.items) == 1, "the terminal's"
    assert math.isfinite(memory["customer", "Ann"].last)
