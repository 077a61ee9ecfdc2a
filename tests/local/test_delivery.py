"""Lambda's rules of delivery, one by one, and the law that no record is ever lost without a word."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.local.delivery import (
    EXHAUSTED,
    PAYLOAD_BYTES_MAX,
    STREAM_KEEPS_S,
    TOO_OLD,
    Answer,
    Batch,
    Entry,
    Lane,
    Lost,
    Rules,
    Verdict,
    failure_report,
    judge,
    sift,
)

FAILED = Answer(error="Unhandled")


def entry(sequence: int, time: float = 0.0, size: int = 100) -> Entry:
    return Entry(record={"dynamodb": {}}, sequence=sequence, time=time, size=size)


def batch(*sequences: int, failures: int = 0) -> Batch:
    return Batch(tuple(map(entry, sequences)), failures)


def naming(*identifiers: Any) -> Answer:
    return Answer({"batchItemFailures": [{"itemIdentifier": identifier} for identifier in identifiers]})


def outcome(verdict: Verdict) -> tuple[list[int], list[list[int]], list[list[int]]]:
    """Sequence numbers that are done, come again, and are lost."""
    return (
        [one.sequence for one in verdict.done],
        [[one.sequence for one in again.entries] for again in verdict.again],
        [[one.sequence for one in lost.batch.entries] for lost in verdict.lost],
    )


PARTIAL = Rules(partial=True)
BISECT = Rules(bisect=True, partial=True)


@pytest.mark.parametrize(
    "answer", [Answer(), Answer({}), Answer({"batchItemFailures": []}), Answer({"batchItemFailures": None})]
)
def test_empty_answers_are_full_success(answer: Answer) -> None:
    assert outcome(judge(batch(1, 2, 3), answer, PARTIAL)) == ([1, 2, 3], [], [])


@pytest.mark.parametrize(
    "answer",
    [
        FAILED,
        naming(""),
        naming(None),
        naming("9"),
        naming("2", "9"),
        Answer({"batchItemFailures": [{"itemId": "2"}]}),
        Answer({"batchItemFailures": ["2"]}),
        Answer({"batchItemFailures": 2}),
        Answer("2"),
    ],
)
def test_errors_and_answers_that_name_nothing_known_are_full_failure(answer: Answer) -> None:
    assert outcome(judge(batch(1, 2, 3), answer, PARTIAL)) == ([], [[1, 2, 3]], [])


def test_the_lowest_number_is_the_checkpoint_and_what_succeeded_after_it_comes_again() -> None:
    assert outcome(judge(batch(9, 10, 11, 12), naming("12", "10"), PARTIAL)) == ([9], [[10, 11, 12]], [])


def test_without_partial_answers_the_answer_does_not_matter() -> None:
    assert outcome(judge(batch(1, 2), naming("2"), Rules())) == ([1, 2], [], [])


def test_an_error_is_bisected_and_the_halves_keep_their_retries() -> None:
    verdict = judge(batch(1, 2, 3, failures=2), FAILED, BISECT)
    assert outcome(verdict) == ([], [[1], [2, 3]], [])
    assert [again.failures for again in verdict.again] == [2, 2]


def test_a_partial_answer_splits_at_its_number_instead() -> None:
    verdict = judge(batch(1, 2, 3, 4), naming("3"), BISECT)
    assert outcome(verdict) == ([1, 2], [[3, 4]], [])
    assert verdict.again[0].failures == 0


def test_a_partial_answer_that_names_the_first_record_has_nothing_to_split() -> None:
    verdict = judge(batch(1, 2), naming("1"), BISECT)
    assert outcome(verdict) == ([], [[1, 2]], [])
    assert verdict.again[0].failures == 1


@pytest.mark.parametrize(("retries", "failures", "given_up"), [(0, 0, True), (2, 1, False), (2, 2, True)])
def test_retries_are_counted(retries: int, failures: int, *, given_up: bool) -> None:
    verdict = judge(batch(1, failures=failures), FAILED, Rules(retries=retries))
    assert bool(verdict.lost) == given_up
    assert bool(verdict.again) != given_up


def test_giving_up_takes_all_that_is_left_of_the_batch_and_keeps_what_was_done() -> None:
    verdict = judge(batch(1, 2, 3), naming("2"), Rules(partial=True, retries=0))
    assert outcome(verdict) == ([1], [], [[2, 3]])
    assert verdict.lost[0].condition == EXHAUSTED


def test_what_is_too_old_is_reported_and_what_the_stream_forgot_is_not() -> None:
    young, old = entry(2, time=1000.0), entry(1, time=0.0)
    both = Batch((old, young))
    fresh, lost, trimmed = sift(both, Rules(max_age_s=60), now=1010.0)
    assert (fresh, trimmed) == (Batch((young,)), ())
    assert lost == (Lost(Batch((old,)), TOO_OLD),)
    assert sift(both, Rules(), now=1010.0) == (both, (), ())
    assert sift(both, Rules(), now=STREAM_KEEPS_S + 500.0) == (Batch((young,)), (), (old,))


def test_a_batch_goes_when_it_is_full_or_its_window_is_over() -> None:
    lane = Lane(Rules(batch_size=2, window_s=5))
    lane.offer([entry(1)], now=0.0)
    assert lane.take(4.9) is None
    lane.offer([entry(2), entry(3)], now=4.9)
    assert lane.take(4.9) == batch(1, 2)
    assert lane.take(9.8) is None
    assert lane.take(9.9) == batch(3)
    assert len(lane) == 0


def test_a_batch_stays_below_the_payload_limit() -> None:
    lane = Lane(Rules(batch_size=100, window_s=300))
    lane.offer([entry(number, size=PAYLOAD_BYTES_MAX // 3) for number in range(4)], now=0.0)
    first = lane.take(0.0)
    assert first is not None
    assert len(first.entries) == 2
    assert lane.take(0.0) is None
    assert len(lane) == 2


def test_what_comes_again_comes_first_and_not_too_soon() -> None:
    lane = Lane(Rules(batch_size=1))
    lane.offer([entry(9)], now=0.0)
    lane.put_back([batch(1), batch(2)], not_before=1.0)
    assert lane.take(0.5) is None
    assert [lane.take(1.0) for _ in range(3)] == [batch(1), batch(2), batch(9)]


def test_the_report_has_lambdas_form_and_no_record() -> None:
    lost = Lost(Batch((entry(7, time=0.0), entry(9, time=1.5)), failures=3, deliveries=4), EXHAUSTED)
    report = failure_report(
        lost, function_arn="arn:f", stream_arn="arn:s", shard="shard-1", request_id="id", now=2.0
    )
    assert report["requestContext"] == {
        "requestId": "id",
        "functionArn": "arn:f",
        "condition": "RetryAttemptsExhausted",
        "approximateInvokeCount": 4,
    }
    assert report["DDBStreamBatchInfo"] == {
        "shardId": "shard-1",
        "startSequenceNumber": "7",
        "endSequenceNumber": "9",
        "approximateArrivalOfFirstRecord": "1970-01-01T00:00:00.000Z",
        "approximateArrivalOfLastRecord": "1970-01-01T00:00:01.500Z",
        "batchSize": 2,
        "streamArn": "arn:s",
    }
    assert set(report) == {
        "requestContext",
        "responseContext",
        "version",
        "timestamp",
        "DDBStreamBatchInfo",
    }


RULES = st.builds(
    Rules,
    batch_size=st.integers(1, 7),
    window_s=st.sampled_from([0, 3]),
    retries=st.sampled_from([-1, 0, 1, 3]),
    max_age_s=st.sampled_from([-1, 60]),
    bisect=st.booleans(),
    partial=st.booleans(),
)
ANSWERS = st.lists(st.one_of(st.just("error"), st.just("well"), st.lists(st.integers(0, 8), max_size=3)))


def answer_for(out: Batch, choice: Any) -> Answer:
    """The scripted answer: an error, success, or the records at these positions (modulo) named as failed."""
    if choice == "error":
        return FAILED
    if choice == "well":
        return Answer({"batchItemFailures": []})
    return naming(*(str(out.entries[at % len(out.entries)].sequence) for at in choice))


@settings(max_examples=300, deadline=None)
@given(rules=RULES, count=st.integers(0, 25), answers=ANSWERS, step=st.sampled_from([1.0, 20.0, 9_000.0]))
def test_every_record_is_acknowledged_expired_or_reported_in_order(
    rules: Rules, count: int, answers: list[Any], step: float
) -> None:
    lane = Lane(rules)
    lane.offer((entry(number) for number in range(count)), now=0.0)
    script = iter(answers)
    now, ends, delivered = 0.0, Counter[int](), -1
    while len(lane):
        now += step
        taken = lane.take(now)
        if taken is None:
            continue
        fresh, lost, trimmed = sift(taken, rules, now)
        ends.update(one.sequence for one in trimmed)
        if fresh is not None:
            assert fresh.entries[0].sequence >= delivered  # nothing earlier than what is done
            verdict = judge(fresh, answer_for(fresh, next(script, "well")), rules)
            parts = [*verdict.done, *(one for again in verdict.again for one in again.entries)]
            parts += [one for gone in verdict.lost for one in gone.batch.entries]
            assert parts == list(fresh.entries)
            if verdict.done:
                delivered = verdict.done[-1].sequence
            ends.update(one.sequence for one in verdict.done)
            lost += verdict.lost
            lane.put_back(verdict.again)
        ends.update(one.sequence for gone in lost for one in gone.batch.entries)
    assert ends == Counter(range(count))
