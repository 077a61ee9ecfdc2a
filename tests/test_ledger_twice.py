"""Exactly once where the stream itself has a change twice: as far back as is promised."""

from __future__ import annotations

import threading
import zlib
from collections import Counter
from typing import TYPE_CHECKING, Any

import boto3
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from processor.errors import Transient
from processor.event import Event
from processor.ledger import LOOK_BACK_S, Holding, Ledger, Window, record_id
from processor.policy import Notes
from processor.quarantine import Poisoned
from processor.sinks import Feed, put_once
from tests.builders import FIRST_OF_KINESIS, TIME
from tests.fakes import FakeDynamoDB, FakeS3
from tests.test_ledger import Crash, Turns

if TYPE_CHECKING:
    from collections.abc import Collection

LANE = "0a1b2c3d"
CHANGES = 5
POSITIONS = 9
STEP_S = 7  # between two arrivals

feedings = st.lists(st.integers(0, CHANGES - 1), min_size=POSITIONS, max_size=POSITIONS)
"""Which change stands at each position of a shard."""

pieces = st.tuples(st.integers(0, POSITIONS - 1), st.integers(1, POSITIONS)).map(
    lambda cut: range(cut[0], min(POSITIONS, sum(cut)))
)
verdicts = st.frozensets(st.integers(0, CHANGES - 1), max_size=2)
"""The changes that a policy cannot let pass."""


def event(change: int, at: int, made: int) -> Event:
    line = f'{{"event_id":"{change}"}}'
    notes = Notes((("amount", "keep"),), [1], dropped=0)
    return Event(str(change), str(FIRST_OF_KINESIS + at), made, line, None, notes)


class Shard:
    """A shard, the ledger over it, and where its events and held records go."""

    def __init__(self, feeding: list[int], s3: FakeS3, dynamodb: Any) -> None:
        self.feeding, self.s3, self.dynamodb = feeding, s3, dynamodb

    def made(self, change: int) -> int:
        """A change is made before it arrives for the first time."""
        return TIME + self.feeding.index(change) * STEP_S - 1

    def settle(self, batch: range, refused: frozenset[int]) -> None:
        """Deliver the positions to a policy that refuses these changes."""
        of = {self.feeding[at]: at for at in reversed(batch)}  # twins of a batch are dropped before
        events = {change: event(change, at, self.made(change)) for change, at in of.items()}

        def poisoned(one: Event) -> Poisoned:
            return Poisoned(None, LANE, one.sequence, one.event_id, "cannot pass", "")

        def keep(held: Collection[Poisoned]) -> None:
            for one in held:
                put_once(self.s3, "quarantine", f"quarantine/{one.event_id}", one.event_id.encode())

        held = {
            record_id(one.event_id, one.sequence): poisoned(one)
            for change, one in events.items()
            if change in refused
        }
        ledger = Ledger(
            dynamodb=self.dynamodb,
            table="ledger",
            feed=Feed(self.s3, "events"),
            policy="payments",
            edition=str(sorted(refused)),
            retention_days=21,
            summarise=lambda events: {"records": len(events)},
            clock=lambda: 0.0,
        )
        passing = [one for change, one in events.items() if change not in refused]
        window = Window.of([(self.made(self.feeding[at]), TIME + at * STEP_S) for at in batch])
        ledger.settle(LANE, passing, Holding(records=held, keep=keep, of=poisoned), window)

    def counts(self) -> dict[int, int]:
        """How often each change is in an object or in quarantine."""
        bodies = self.s3.under("events/").values()
        lines = Counter(line for body in bodies for line in zlib.decompress(body, 31).decode().splitlines())
        return {
            change: lines[f'{{"event_id":"{change}"}}'] + len(self.s3.under(f"quarantine/{change}"))
            for change in set(self.feeding)
        }


@given(feedings, st.lists(st.tuples(pieces, st.none() | st.integers(0, 12), verdicts), max_size=8))
def test_a_change_is_once_whatever_crashed_and_however_it_was_cut(
    feeding: list[int], deliveries: list[tuple[range, int | None, frozenset[int]]]
) -> None:
    countdown: list[int | None] = [None]

    def hook(_moment: str) -> None:
        if countdown[0] is not None:
            countdown[0] -= 1
            if countdown[0] < 0:
                raise Crash

    shard = Shard(feeding, FakeS3(hook), FakeDynamoDB(hook))
    for batch, crash, refused in deliveries:
        countdown[0] = crash
        try:
            shard.settle(batch, refused)
        except Crash:
            pass
        else:
            counts = shard.counts()
            assert all(counts[feeding[at]] == 1 for at in batch)
    countdown[0] = None
    for at in range(POSITIONS):
        shard.settle(range(at, at + 1), frozenset())
    assert set(shard.counts().values()) == {1}


@given(
    feedings,
    st.lists(st.tuples(pieces, verdicts), min_size=2, max_size=3),
    st.lists(st.integers(0, 5), max_size=60),
)
def test_a_change_is_once_whoever_runs_at_the_same_time(
    feeding: list[int], batches: list[tuple[range, frozenset[int]]], schedule: list[int]
) -> None:
    turns = Turns(schedule, len(batches))
    s3, dynamodb = FakeS3(turns.wait), FakeDynamoDB(turns.wait)
    shard = Shard(feeding, s3, dynamodb)

    def run(me: int) -> None:
        turns.begin(me)
        try:
            shard.settle(*batches[me])
        except Transient:
            pass
        finally:
            turns.end(me)

    threads = [threading.Thread(target=run, args=(me,)) for me in range(len(batches))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(shard.counts().values()) <= 1, f"twice, with the schedule {schedule}"
    s3.hook = dynamodb.hook = lambda _moment: None
    shard.settle(range(POSITIONS), frozenset())
    assert set(shard.counts().values()) == {1}


def far(behind_s: int, between: int = 40) -> tuple[Shard, FakeDynamoDB, list[str]]:
    """A shard whose first change came again so late, and so many batches in between."""
    calls: list[str] = []
    s3, dynamodb = FakeS3(calls.append), FakeDynamoDB(calls.append)
    shard = Shard([0, *range(1, between + 1), 0], s3, dynamodb)
    for at in range(between + 1):
        settle_at(shard, at, TIME + at * behind_s // between)
    calls.clear()
    settle_at(shard, between + 1, TIME + behind_s)
    return shard, dynamodb, calls


def settle_at(shard: Shard, at: int, arrived: int) -> None:
    change = shard.feeding[at]
    one = event(change, at, TIME - 1 if change == 0 else arrived - 1)
    ledger = Ledger(
        dynamodb=shard.dynamodb,
        table="ledger",
        feed=Feed(shard.s3, "events"),
        policy="payments",
        edition="",
        retention_days=21,
        summarise=lambda events: {"records": len(events)},
        clock=lambda: 0.0,
    )
    nothing = Holding(records={}, keep=len, of=lambda _event: Poisoned(None, LANE, "", "", "", ""))
    ledger.settle(LANE, [one], nothing, Window.of([(one.time, arrived)]))


def test_the_look_back_goes_as_far_as_it_says_and_no_further() -> None:
    for behind_s in (60, LOOK_BACK_S - 1):
        assert far(behind_s)[0].counts()[0] == 1
    assert far(LOOK_BACK_S + 300)[0].counts()[0] == 2, "another event, under the same id"


def test_looking_back_is_one_query_where_nothing_is_late() -> None:
    calls: list[str] = []
    shard = Shard([*range(60)], FakeS3(calls.append), FakeDynamoDB(calls.append))
    for at in range(59):
        settle_at(shard, at, TIME + at)
    calls.clear()
    settle_at(shard, 59, TIME + 59)
    assert calls.count("before Query") == 1
    assert len([call for call in calls if call.startswith("before")]) == 3


def test_dynamodb_answers_as_the_fake_does() -> None:
    """Page by page from the newest on, to where nothing earlier can matter."""
    key = [{"AttributeName": "stream", "KeyType": "HASH"}, {"AttributeName": "intent", "KeyType": "RANGE"}]
    types = [{"AttributeName": one["AttributeName"], "AttributeType": "S"} for one in key]
    with mock_aws():
        dynamodb: Any = boto3.client(
            "dynamodb", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        dynamodb.create_table(
            TableName="ledger", KeySchema=key, AttributeDefinitions=types, BillingMode="PAY_PER_REQUEST"
        )
        shard = Shard([0, *range(1, 30), 0, 30], FakeS3(), dynamodb)
        for at in range(32):
            settle_at(shard, at, TIME + at)
        assert set(shard.counts().values()) == {1}
