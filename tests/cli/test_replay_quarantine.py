"""`tidegate replay --quarantine`: what was held comes out once it can, and is marked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws

from processor.cli.replay import sending
from processor.errors import TidegateError
from processor.pipeline import pass_through
from processor.telemetry import Tally
from tests.builders import STREAM
from tests.cli.replay_world import Town, replay, told
from tests.fakes import refusal
from tests.worlds import records

if TYPE_CHECKING:
    from collections.abc import Iterator

MISSING = {"reason": "a required field is missing", "path": "customer_id"}


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    monkeypatch.setattr(sending, "PAUSE_S", 0)
    with mock_aws():
        yield Town(monkeypatch)


def deliver(town: Town, *poison: int, n: int = 10) -> list[dict[str, Any]]:
    """A batch of which the strict policy holds some."""
    batch = records(n)
    for at in poison:
        del batch[at]["dynamodb"]["NewImage"]["customer_id"]
    pass_through(town.strict, batch, Tally())
    assert (len(town.world.events()), len(town.held())) == (n - len(poison), len(poison))
    return batch


def test_what_can_pass_now_is_let_out_and_marked(town: Town) -> None:
    batch = deliver(town, 2, 5, 6)
    town.function.deploy(town.lenient)
    answer = told("--quarantine")
    assert (answer["found"], answer["let_out"], answer["was_there_already"]) == (3, 3, 0)
    assert (answer["held_again"], answer["calls"]) == ([], 1)
    assert town.event_ids() == sorted(record["eventID"] for record in batch)
    (sent,) = town.function.requests
    assert sent["Records"] == [batch[at] for at in (2, 5, 6)], "whole, in order, as they came"
    held = town.held()
    assert town.lying() == sorted([*held, *(f"{key}.replayed" for key in held)])
    mark = json.loads(town.s3.get_object(Bucket="quarantine", Key=f"{held[0]}.replayed")["Body"].read())
    assert mark.pop("at").endswith("Z")
    assert mark == {
        "schema": "tidegate.replayed/1",
        "policy": "payments",
        "function": "tidegate-dev-payments:7",
        "by": "arn:aws:sts::123456789012:user/moto",
    }


def test_a_second_run_skips_what_is_marked_and_writes_nothing_twice_without_marks(town: Town) -> None:
    batch = deliver(town, 1, 4)
    town.function.deploy(town.lenient)
    assert replay("--quarantine").exit_code == 0
    again = replay("--quarantine")
    assert again.exit_code == 0
    assert "0 records found" in again.stdout
    assert "2 skipped: replayed before" in again.stdout
    assert len(town.function.requests) == 1
    for key in town.lying():
        if key.endswith(".replayed"):
            town.s3.delete_object(Bucket="quarantine", Key=key)
    for arguments in ([], ["--again"]):
        answer = told("--quarantine", *arguments)
        assert (answer["found"], answer["let_out"], answer["was_there_already"]) == (2, 0, 2)
    assert town.event_ids() == sorted(record["eventID"] for record in batch)


def test_what_is_poison_still_stays_where_it_is_and_is_told_from_the_rest(town: Town) -> None:
    batch = deliver(town, *range(0, 10, 2))
    for at in (2, 8):  # which no policy lets pass
        key = next(key for key in town.held() if batch[at]["dynamodb"]["SequenceNumber"] in key)
        town.s3.delete_object(Bucket="quarantine", Key=key)
        batch[at]["dynamodb"]["NewImage"]["amount"] = {"N": "jane.doe@example.com"}
        pass_through(town.strict, [batch[at]], Tally())
    town.function.deploy(town.lenient)
    done = replay("--quarantine", "--json")
    assert (done.exit_code, "jane" in done.output) == (1, False)
    answer = json.loads(done.stdout)
    reason = {"reason": "N holds what is not a number", "path": "dynamodb.NewImage.?", "count": 2}
    assert (answer["let_out"], answer["held_again"]) == (3, [reason])
    assert answer["calls"] <= 2 * 5
    marked = [key for key in town.lying() if key.endswith(".replayed")]
    assert len(town.held()) == 5, "held as before, not twice"
    assert len(marked) == 3
    assert not [key for key in marked if any(batch[at]["dynamodb"]["SequenceNumber"] in key for at in (2, 8))]
    answer = told("--quarantine")
    assert (answer["skipped_as_replayed"], answer["found"], answer["let_out"]) == (3, 2, 0)
    assert len(town.event_ids()) == 8


def test_nothing_comes_out_under_the_policy_that_held_it(town: Town) -> None:
    deliver(town, 0, 9)
    done = replay("--quarantine")
    assert done.exit_code == 1
    assert "2 held again\n    2 customer_id: a required field is missing" in done.stdout
    assert len(town.function.requests) == 1, "all were held: none has to be told from another"
    assert (len(town.event_ids()), len(town.lying())) == (8, 2)


def test_a_dry_run_says_what_would_be_sent_and_opens_nothing(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(town, 1, 4)
    monkeypatch.setattr("processor.cli.replay.opening.Opener.parcel", None)
    done = replay("--quarantine", "--dry-run")
    assert done.exit_code == 0
    assert "2 would be sent to payments; nothing was\n    2 customer_id: a required field is" in done.stdout
    answer = told("--quarantine", "--dry-run")
    assert answer["would_send"] == [{**MISSING, "count": 2}]
    assert answer["from"].endswith("Z")
    assert (town.function.requests, len(town.lying())) == ([], 2)


def test_days_and_reasons_choose(town: Town) -> None:
    deliver(town, 1, 4)
    town.function.deploy(town.lenient)
    for arguments in (["--since", "2026-11-24"], ["--until", "2026-11-22"], ["--reason", "another"]):
        assert told("--quarantine", *arguments)["found"] == 0
    chosen = ["--since", "2026-11-23", "--until", "2026-11-23", "--reason", "required"]
    assert told("--quarantine", *chosen)["let_out"] == 2


def tamper(town: Town, key: str, **changes: Any) -> None:
    body = json.loads(town.s3.get_object(Bucket="quarantine", Key=key)["Body"].read())
    town.s3.put_object(Bucket="quarantine", Key=key, Body=json.dumps(body | changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reason": "another"}, "altered: it does not open with its data key"),
        ({"nonce": "AAAA"}, "altered: it does not open with its data key"),
        ({"nonce": "é"}, "altered: it does not open with its data key"),
        ({"data_key": "AAAA"}, "kms:Decrypt for quarantine: "),
        ({"sequence": "12"}, "altered: it was written to another place"),
        ({"policy": "cards"}, "altered: it was written to another place"),
        ({"schema": "tidegate.quarantine/2"}, "of another schema"),
        ({"path": None}, "altered: its parts are not of the types"),
        ({"more": "1"}, "altered: it does not have the parts"),
    ],
)
def test_an_altered_object_is_named_and_the_run_goes_on(
    town: Town, changes: dict[str, Any], words: str
) -> None:
    deliver(town, 1, 4)
    town.function.deploy(town.lenient)
    altered = town.held()[0]
    tamper(town, altered, **changes)
    answer = told("--quarantine")
    assert (answer["found"], answer["let_out"]) == (2, 1)
    (named,) = answer["unreadable"]["where"]
    assert (answer["unreadable"]["count"], named["place"]) == (1, altered)
    assert words in named["why"]
    assert replay("--quarantine").exit_code == 1


def test_an_object_that_was_moved_is_not_sent(town: Town) -> None:
    deliver(town, 1, 4)
    town.function.deploy(town.lenient)
    first, second = town.held()
    body = town.s3.get_object(Bucket="quarantine", Key=first)["Body"].read()
    town.s3.put_object(Bucket="quarantine", Key=second, Body=body)
    town.s3.put_object(Bucket="quarantine", Key=first.replace("/dt=", "/x"), Body=body)
    answer = told("--quarantine")
    assert (answer["let_out"], answer["unreadable"]["count"]) == (1, 2)
    assert [one["place"] for one in answer["unreadable"]["where"]] == [
        "an object under quarantine/payments/",
        second,
    ]


def test_records_that_name_no_stream_are_held_again_and_not_twice(town: Town) -> None:
    batch = records(4)
    batch[1]["eventSourceARN"], batch[2]["eventSourceARN"] = "garbage", {"a": 1}
    pass_through(town.strict, batch, Tally())
    answer = told("--quarantine")
    assert (answer["let_out"], sum(one["count"] for one in answer["held_again"])) == (0, 2)
    assert len(town.lying()) == 2


def test_a_record_of_another_table_is_not_let_out_by_this_policy(town: Town) -> None:
    deliver(town, 1)
    town.function.deploy(town.lenient)
    town.function.stream_arn = STREAM.replace("payments", "cards")
    answer = told("--quarantine")
    assert answer["unreadable"]["where"][0]["why"].startswith("of another table than the function's")
    assert (answer["let_out"], town.function.requests) == (0, [])
    town.function.stream_arn = STREAM.replace("2026-11-23", "2026-11-24")  # made anew since
    assert told("--quarantine")["let_out"] == 1


def test_the_function_says_whose_policy_it_runs_unless_it_was_another(town: Town) -> None:
    deliver(town, 1)
    town.function.deploy(town.lenient)
    town.function.description = "Sanitises (policy cards)"
    done = replay("--quarantine")
    assert (done.exit_code, "the audit trail knows no policy cards" in done.stderr) == (2, True)
    assert told("--quarantine", "--policy", "payments")["let_out"] == 1
    town.function.description = ""
    assert told("--quarantine")["policy"] == "payments"


def test_a_record_without_a_sequence_number_is_sent_and_told(town: Town) -> None:
    batch = records(3)
    del batch[1]["dynamodb"]["SequenceNumber"]
    del batch[2]["dynamodb"]["NewImage"]["customer_id"]
    pass_through(town.strict, batch, Tally())
    town.function.deploy(town.lenient)
    answer = told("--quarantine")
    assert (answer["let_out"], len(answer["held_again"]), len(town.held())) == (1, 1, 2)


def test_what_the_ledger_may_have_forgotten_is_refused_unless_it_is_said(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(town, 1, 4)
    town.function.deploy(town.lenient)
    days = town.strict.plan.retention_days.ledger
    real = __import__("time").time()
    monkeypatch.setattr("processor.cli.replay.time.time", lambda: real + days * 86_400)
    done = replay("--quarantine")
    assert done.exit_code == 1
    assert "2 too old for the ledger to know whether they were let out: not sent" in done.stdout
    assert not town.function.requests
    assert told("--quarantine", "--older")["let_out"] == 2


def test_a_function_in_trouble_is_tried_again_and_then_left(town: Town) -> None:
    deliver(town, 1, 4)
    town.function.deploy(town.lenient)
    town.world.s3.hook = lambda moment: _refuse(moment, "before PutObject events")
    answer = told("--quarantine", "--batch-size", 1)
    assert answer["not_done"]["count"] == 2
    assert "s3:PutObject under events/: SlowDown" in answer["not_done"]["where"][0]["why"]
    assert answer["calls"] == 2 * sending.ATTEMPTS
    town.world.s3.hook = lambda _moment: None
    assert told("--quarantine")["let_out"] == 2


def _refuse(moment: str, at: str) -> None:
    if moment == at:
        raise refusal("SlowDown", "PutObject", 503)


def test_a_function_that_does_nothing_is_not_asked_for_ever(town: Town) -> None:
    deliver(town, *range(10))
    town.function.before = _fail
    done = replay("--quarantine", "--json", "--batch-size", 1)
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["calls"]) == (1, sending.TROUBLES_MAX)
    assert answer["stopped"] == "the function failed: TidegateError"
    assert "secret" not in done.output


def _fail(_request: object) -> None:
    raise TidegateError("secret")


def test_one_record_that_breaks_the_function_does_not_keep_the_others(town: Town) -> None:
    batch = deliver(town, *range(10))
    town.function.deploy(town.lenient)

    def break_at(request: dict[str, Any]) -> None:
        if batch[3] in request["Records"]:
            raise TidegateError("unexpected KeyError at processor/event.py:12")

    town.function.before = break_at
    answer = told("--quarantine")
    assert (answer["let_out"], answer["not_done"]["count"]) == (9, 1)
    (one,) = answer["not_done"]["where"]
    assert one["why"] == "the function failed: unexpected KeyError at processor/event.py:12"
    assert batch[3]["dynamodb"]["SequenceNumber"] in one["place"]


def test_a_log_that_does_not_say_it_is_asked_of_fewer_records(town: Town) -> None:
    deliver(town, 1, 4)
    town.function.deploy(town.lenient)
    asked = town.function.requests
    town.function.before = lambda _request: setattr(
        town.function, "noise", "x" * 5_000 if len(asked) == 1 else ""
    )
    answer = told("--quarantine")
    assert (answer["calls"], answer["not_done"]["count"]) == (3, 0)
    assert answer["let_out"] + answer["was_there_already"] == 2


def test_an_interrupted_run_loses_nothing(town: Town) -> None:
    batch = deliver(town, 1, 4, 7)
    town.function.deploy(town.lenient)
    asked = town.function.requests

    def interrupt(_request: object) -> None:
        if len(asked) == 2:
            raise KeyboardInterrupt

    town.function.before = interrupt
    done = replay("--quarantine", "--batch-size", 1)
    assert done.exit_code == 1
    assert "1 let out" in done.stdout
    assert "stopped: interrupted" in done.stdout
    town.function.before = lambda _request: None
    answer = told("--quarantine")
    assert (answer["skipped_as_replayed"], answer["let_out"]) == (1, 2)
    assert town.event_ids() == sorted(record["eventID"] for record in batch)
