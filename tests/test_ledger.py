"""Exactly once: whatever is delivered how often, in whatever pieces, by how many runs at once."""

from __future__ import annotations

import threading
import zlib
from collections import Counter
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from processor.errors import Transient
from processor.ledger import Holding, Ledger, lane_of, record_id
from processor.quarantine import Poisoned
from processor.sinks import Feed, put_once
from tests.builders import FIRST_SEQUENCE, STREAM, event
from tests.fakes import FakeDynamoDB, FakeS3, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

BUCKET, TABLE, LANE = "tidegate-events", "ledger", "0a1b2c3d"
Batch = range


def poisoned(at: int) -> Poisoned:
    one = event(at)
    return Poisoned(None, LANE, one.sequence, one.event_id, "cannot pass", "")


def holding(s3: Any, *held: int, is_pardon: bool = False) -> Holding:
    """What a run holds back; what goes to quarantine is an object named after its record."""

    def keep(ones: Collection[Poisoned]) -> None:
        for one in ones:
            put_once(s3, "quarantine", f"quarantine/{one.sequence}", one.sequence.encode())

    return Holding(
        records={record_id(event(at).event_id, event(at).sequence): poisoned(at) for at in held},
        keep=keep,
        of=lambda one: poisoned(int(one.sequence) - FIRST_SEQUENCE),
        is_pardon=is_pardon,
    )


NOTHING = holding(None)


def out_or_held(s3: FakeS3, at: int) -> tuple[int, int]:
    """How often a record is in objects of events, and how often in quarantine."""
    written = times_written(s3.under("events/").values())
    return written[event(at).line], len(s3.under(f"quarantine/{event(at).sequence}"))


class Crash(BaseException):
    """The function was killed here: nothing it would have done afterwards happens."""


def ledger(s3: Any, dynamodb: Any, edition: str = "sha/model") -> Ledger:
    return Ledger(
        dynamodb=dynamodb,
        table=TABLE,
        feed=Feed(s3, BUCKET),
        policy="payments",
        edition=edition,
        retention_days=21,
        summarise=lambda events: {"records": len(events)},
        clock=lambda: 1_795_467_845.0,
    )


def times_written(bodies: Any) -> Counter[str]:
    """How often each event stands in the objects."""
    lines = (line for body in bodies for line in zlib.decompress(body, 31).decode().splitlines())
    return Counter(lines)


def expected(batch: Batch) -> Counter[str]:
    return Counter(event(at).line for at in batch)


@pytest.fixture(params=["fake", "moto"])
def aws(request: pytest.FixtureRequest) -> Iterator[tuple[Any, Any, Callable[[], list[bytes]]]]:
    """S3, DynamoDB and a way to read all objects: the fakes, and moto to hold them to."""
    if request.param == "fake":
        s3 = FakeS3()
        yield s3, FakeDynamoDB(), lambda: list(s3.under("events/").values())
        return
    with mock_aws():
        region = {"region_name": "eu-west-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
        client, dynamodb = boto3.client("s3", **region), boto3.client("dynamodb", **region)
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        dynamodb.create_table(
            TableName=TABLE,
            KeySchema=[
                {"AttributeName": "stream", "KeyType": "HASH"},
                {"AttributeName": "intent", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "stream", "AttributeType": "S"},
                {"AttributeName": "intent", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )

        def bodies() -> list[bytes]:
            listed = client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
            return [client.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read() for one in listed]

        yield client, dynamodb, bodies


def test_the_key_says_policy_hour_stream_and_range(aws: Any) -> None:
    s3, dynamodb, _ = aws
    (settled,) = ledger(s3, dynamodb).settle(LANE, [event(1), event(0)], NOTHING)
    folder, _, name = settled.stored.key.rpartition("/")
    assert folder == "events/payments/dt=2026-11-23/hour=21"
    lane, first, last, rest = name.split("-")
    assert (lane, first, last) == (LANE, event(0).sequence, event(1).sequence)
    assert rest.endswith(".jsonl.gz")
    assert len(rest.removesuffix(".jsonl.gz")) == 16


def test_the_same_batch_again_is_found_not_written(aws: Any) -> None:
    s3, dynamodb, bodies = aws
    events = [event(at) for at in range(10)]
    (first,) = ledger(s3, dynamodb).settle(LANE, events, NOTHING)
    (again,) = ledger(s3, dynamodb).settle(LANE, events, NOTHING)
    assert (first.stored.created, again.stored.created) == (True, False)
    assert again.stored.key == first.stored.key
    assert (again.stored.size, again.stored.sha256) == (first.stored.size, first.stored.sha256)
    assert times_written(bodies()) == expected(range(10))


def test_no_number_of_fences_keeps_records_out_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever fences while others write, again and again: each delivery alone gets through."""
    waited: list[float] = []
    monkeypatch.setattr("processor.ledger.sleep", waited.append)
    s3, dynamodb = FakeS3(), FakeDynamoDB()
    for _ in range(20):
        run = ledger(s3, dynamodb)
        s3.hook = lambda moment: fence_all(s3, dynamodb) if moment == "before PutObject events" else None
        with pytest.raises(Transient, match="rounds without a free key"):
            run.settle(LANE, [event(0)], NOTHING)
    s3.hook = lambda _moment: None
    (settled,) = ledger(s3, dynamodb).settle(LANE, [event(0)], NOTHING)
    assert settled.stored.created
    assert len(set(waited)) == len(waited) > 100, "each waits a while of its own before it begins anew"
    assert max(waited) <= 1
    assert times_written(s3.under("events/").values()) == expected(range(1))


def fence_all(s3: FakeS3, dynamodb: FakeDynamoDB) -> None:
    """What another run does that sees all intents at a bad moment."""
    hook, s3.hook = s3.hook, lambda _moment: None
    for item in list(dynamodb.items.values()):
        Feed(s3, BUCKET).fence(item["object_key"]["S"])
    s3.hook = hook


def test_what_is_fenced_is_not_fenced_again_by_the_same_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processor.ledger.sleep", lambda _seconds: None)
    s3, dynamodb = FakeS3(), FakeDynamoDB()
    s3.hook = lambda moment: fence_all(s3, dynamodb) if moment == "before PutObject events" else None
    run = ledger(s3, dynamodb)
    with pytest.raises(Transient):
        run.settle(LANE, [event(0)], NOTHING)
    puts = Counter[str]()
    s3.hook = lambda moment: puts.update([moment])
    run.settle(LANE, [event(0)], NOTHING)
    assert puts["before PutObject events"] <= 3


def test_a_batch_cut_anew_is_written_where_it_is_missing(aws: Any) -> None:
    s3, dynamodb, bodies = aws
    gate = ledger(s3, dynamodb)
    gate.settle(LANE, [event(at) for at in range(3, 6)], NOTHING)
    settled = gate.settle(LANE, [event(at) for at in range(10)], NOTHING)
    assert [one.stored.created for one in settled] == [False, True]
    assert settled[0].intent.summary == {"records": 3}
    assert times_written(bodies()) == expected(range(10))


def test_a_declared_batch_that_never_came_is_fenced(aws: Any) -> None:
    s3, dynamodb, bodies = aws
    whole = [event(at) for at in range(6)]

    class NoUpload:
        def put_object(self, **_call: Any) -> None:
            raise Crash

    with pytest.raises(Crash):
        ledger(NoUpload(), dynamodb).settle(LANE, whole, NOTHING)
    ledger(s3, dynamodb).settle(LANE, whole[:3], NOTHING)
    assert times_written(bodies()) == expected(range(3))
    assert Feed(s3, BUCKET).create(next(_keys(dynamodb, 6)), whole) is None, "the key is fenced for ever"
    ledger(s3, dynamodb).settle(LANE, whole, NOTHING)
    assert times_written(bodies()) == expected(range(6))


def _keys(dynamodb: Any, records: int) -> Iterator[str]:
    """Keys of the intents of so many records."""
    items = (
        dynamodb.items.values()
        if isinstance(dynamodb, FakeDynamoDB)
        else dynamodb.scan(TableName=TABLE)["Items"]
    )
    return (item["object_key"]["S"] for item in items if len(bytes(item["record_ids"]["B"])) == 8 * records)


def test_another_edition_of_the_policy_does_not_write_again(aws: Any) -> None:
    s3, dynamodb, bodies = aws
    events = [event(at) for at in range(4)]
    ledger(s3, dynamodb, "old policy").settle(LANE, events, NOTHING)
    (settled,) = ledger(s3, dynamodb, "new policy").settle(LANE, events, NOTHING)
    assert not settled.stored.created
    assert times_written(bodies()) == expected(range(4))


def test_a_normal_batch_takes_three_requests() -> None:
    calls: list[str] = []
    s3, dynamodb = FakeS3(calls.append), FakeDynamoDB(calls.append)
    ledger(s3, dynamodb).settle(LANE, [event(at) for at in range(1000)], NOTHING)
    assert [call for call in calls if call.startswith("before")] == [
        "before PutItem",
        "before Query",
        "before PutObject events",
    ]


def test_nothing_to_settle_takes_no_request() -> None:
    calls: list[str] = []
    assert ledger(FakeS3(calls.append), FakeDynamoDB(calls.append)).settle(LANE, [], NOTHING) == []
    assert calls == []


def test_a_record_twice_in_a_batch_is_written_once() -> None:
    s3 = FakeS3()
    ledger(s3, FakeDynamoDB()).settle(LANE, [event(0), event(0), event(1)], NOTHING)
    assert times_written(s3.under("events/").values()) == expected(range(2))


def test_the_ledger_holds_no_line_of_an_event() -> None:
    dynamodb = FakeDynamoDB()
    ledger(FakeS3(), dynamodb).settle(LANE, [event(0, line='{"note":"secret of Jane"}')], NOTHING)
    assert "Jane" not in repr(dynamodb.items)
    ((_, item),) = dynamodb.items.items()
    assert int(item["expires_at"]["N"]) == 1_795_467_845 + 21 * 86_400


def test_every_page_of_the_query_is_read() -> None:
    s3, dynamodb = FakeS3(), FakeDynamoDB()
    for at in range(5):
        ledger(s3, dynamodb).settle(LANE, [event(at)], NOTHING)
    whole_query = dynamodb.query

    def one_at_a_time(**call: Any) -> dict[str, Any]:
        items = whole_query(**call)["Items"]
        start = call.get("ExclusiveStartKey", 0)
        more = {"LastEvaluatedKey": start + 1} if start + 1 < len(items) else {}
        return {"Items": items[start : start + 1], **more}

    dynamodb.query = one_at_a_time  # type: ignore[method-assign]
    settled = ledger(s3, dynamodb).settle(LANE, [event(at) for at in range(5)], NOTHING)
    assert not any(one.stored.created for one in settled)
    assert times_written(s3.under("events/").values()) == expected(range(5))


def test_a_refused_call_is_transient_and_quotes_nothing() -> None:
    def refuse(moment: str) -> None:
        if moment == "before Query":
            raise refusal("ProvisionedThroughputExceededException", "Query")

    with pytest.raises(Transient) as caught:
        ledger(FakeS3(), FakeDynamoDB(refuse)).settle(LANE, [event(0)], NOTHING)
    assert str(caught.value) == (
        "dynamodb:Query on the ledger: ProvisionedThroughputExceededException (request 7PDX)"
    )
    assert caught.value.__suppress_context__


def test_lanes_differ_by_stream() -> None:
    assert lane_of({"eventSourceARN": STREAM}) != lane_of({"eventSourceARN": STREAM + "1"})
    assert len(lane_of("garbage")) == len(lane_of({"eventSourceARN": "\ud800"})) == 8


RECORDS = 8
pieces = st.tuples(st.integers(0, RECORDS - 1), st.integers(1, RECORDS)).map(
    lambda cut: range(cut[0], min(RECORDS, cut[0] + cut[1]))
)
crashes = st.none() | st.integers(0, 12)
verdicts = st.frozensets(st.integers(0, RECORDS - 1), max_size=4)
"""The records that a policy, or a version of the code, cannot let pass."""


def settle(s3: Any, dynamodb: Any, batch: Batch, held: frozenset[int]) -> None:
    events = [event(at) for at in batch if at not in held]
    mine = holding(s3, *(at for at in batch if at in held))
    ledger(s3, dynamodb, edition=str(sorted(held))).settle(LANE, events, mine)


@given(st.lists(st.tuples(pieces, crashes, verdicts), max_size=8), verdicts)
def test_exactly_once_under_any_crashes_cuts_and_verdicts(
    deliveries: list[tuple[Batch, int | None, frozenset[int]]], last: frozenset[int]
) -> None:
    """Whatever was tried before, by whatever policy, and died wherever: in the end each record is once."""
    countdown: list[int | None] = [None]

    def hook(_moment: str) -> None:
        if countdown[0] is not None:
            countdown[0] -= 1
            if countdown[0] < 0:
                raise Crash

    s3, dynamodb = FakeS3(hook), FakeDynamoDB(hook)
    for batch, crash, held in deliveries:
        countdown[0] = crash
        try:
            settle(s3, dynamodb, batch, held)
        except Crash:
            pass
        else:
            assert all(sum(out_or_held(s3, at)) == 1 for at in batch), "acknowledged, so out or held, once"
    countdown[0] = None
    settle(s3, dynamodb, range(RECORDS), last)
    assert [sum(out_or_held(s3, at)) for at in range(RECORDS)] == [1] * RECORDS


class Turns:
    """Lets threads run one at a time, a call to AWS each, in the order that a schedule says."""

    def __init__(self, schedule: list[int], runs: int) -> None:
        self.schedule, self.alive = iter(schedule), set(range(runs))
        self.turn, self.changed = min(self.alive), threading.Condition()
        self.names: dict[int, int] = {}

    def wait(self, _moment: str) -> None:
        me = self.names[threading.get_ident()]
        with self.changed:
            self._pass_on()
            assert self.changed.wait_for(lambda: self.turn == me, timeout=10)

    def begin(self, me: int) -> None:
        with self.changed:
            self.names[threading.get_ident()] = me
            assert self.changed.wait_for(lambda: self.turn == me, timeout=10)

    def end(self, me: int) -> None:
        with self.changed:
            self.alive.discard(me)
            if self.alive:
                self._pass_on()

    def _pass_on(self) -> None:
        alive = sorted(self.alive)
        self.turn = alive[next(self.schedule, 0) % len(alive)]
        self.changed.notify_all()


@given(
    st.lists(st.tuples(pieces, verdicts), min_size=2, max_size=3),
    st.lists(st.integers(0, 5), max_size=60),
    verdicts,
)
def test_exactly_once_with_runs_at_the_same_time(
    batches: list[tuple[Batch, frozenset[int]]], schedule: list[int], last: frozenset[int]
) -> None:
    """Runs over the same records, interleaved call by call: none is twice or both, none is lost."""
    turns = Turns(schedule, len(batches))
    s3, dynamodb = FakeS3(turns.wait), FakeDynamoDB(turns.wait)
    acknowledged: list[Batch] = []

    def run(me: int) -> None:
        turns.begin(me)
        try:
            settle(s3, dynamodb, *batches[me])
            acknowledged.append(batches[me][0])
        except Transient:
            pass
        finally:
            turns.end(me)

    threads = [threading.Thread(target=run, args=(me,)) for me in range(len(batches))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = [out_or_held(s3, at) for at in range(RECORDS)]
    assert all(sum(count) <= 1 for count in counts), f"twice, with the schedule {schedule}"
    assert all(sum(counts[at]) == 1 for batch in acknowledged for at in batch)

    s3.hook = dynamodb.hook = lambda _moment: None
    settle(s3, dynamodb, range(RECORDS), last)
    assert [sum(out_or_held(s3, at)) for at in range(RECORDS)] == [1] * RECORDS


def test_what_one_policy_held_the_next_does_not_let_out_unless_it_is_a_replay() -> None:
    s3, dynamodb = FakeS3(), FakeDynamoDB()
    settle(s3, dynamodb, range(4), frozenset({2}))
    settle(s3, dynamodb, range(4), frozenset())
    assert [out_or_held(s3, at) for at in range(4)] == [(1, 0), (1, 0), (0, 1), (1, 0)]
    pardon = holding(s3, is_pardon=True)
    (settled,) = ledger(s3, dynamodb, "the next").settle(LANE, [event(2)], pardon)
    assert settled.stored.created
    assert out_or_held(s3, 2) == (1, 1), "who replays sees to the object in quarantine"
    settle(s3, dynamodb, range(4), frozenset({2}))
    assert out_or_held(s3, 2) == (1, 1), "and a late delivery changes nothing"


def test_two_policies_on_one_stream_do_not_take_each_others_intents_for_theirs() -> None:
    s3, dynamodb = FakeS3(), FakeDynamoDB()
    for policy in ("payments", "fraud"):
        one = Ledger(
            dynamodb=dynamodb,
            table=TABLE,
            feed=Feed(s3, BUCKET),
            policy=policy,
            edition="sha/model",
            retention_days=21,
            summarise=lambda events: {"records": len(events)},
            clock=lambda: 1_795_467_845.0,
        )
        (settled,) = one.settle(LANE, [event(1)], NOTHING)
        assert settled.stored.created
