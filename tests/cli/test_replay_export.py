"""`tidegate replay --export`: what the stream has forgotten comes out of a table's export, once."""

from __future__ import annotations

import gzip
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from processor.cli.replay import export, sending
from processor.cli.replay.exported import Full, NoChange, Written, read, record_of
from processor.stream import decode
from tests.builders import STREAM, delivered
from tests.cli.replay_world import Town, client, replay, told
from tests.worlds import PAYMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

WRITTEN = int(time.time()) - 3 * 86_400


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Town]:
    monkeypatch.setattr(sending, "PAUSE_S", 0)
    monkeypatch.chdir(tmp_path)
    with mock_aws():
        town = Town(monkeypatch)
        client("dynamodb").create_table(
            TableName="ledger",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("stream", "intent")
            ],
            KeySchema=[
                {"AttributeName": "stream", "KeyType": "HASH"},
                {"AttributeName": "intent", "KeyType": "RANGE"},
            ],
        )
        yield town


def line(at: int, *, new: bool = True, old: bool = False, seconds: float | None = None) -> dict[str, Any]:
    item = delivered(PAYMENTS[at])
    micros = int((WRITTEN + at if seconds is None else seconds) * 1_000_000)
    entry: dict[str, Any] = {"Metadata": {"WriteTimestampMicros": {"N": str(micros)}}}
    entry["Keys"] = {"payment_id": item["payment_id"]}
    return entry | ({"NewImage": item} if new else {}) | ({"OldImage": item} if old else {})


def file(name: str, lines: list[Any]) -> str:
    body = "".join(json.dumps(one) + "\n" for one in lines).encode()
    Path(name).write_bytes(gzip.compress(body) if name.endswith(".gz") else body)
    return name


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


RANGE = ["--since", iso(WRITTEN), "--until", iso(WRITTEN + 1_000)]


def test_the_items_of_a_range_come_out_and_only_once(town: Town) -> None:
    lines = [line(4), line(0), line(2, old=True), line(3, new=False, old=True), line(1, seconds=WRITTEN - 1)]
    first = file("a.json.gz", lines)
    answer = told("--export", first, *RANGE)
    assert (answer["found"], answer["let_out"]) == (4, 4)
    events = {event["sequence"]: event for event in town.world.events()}
    assert [events[one]["type"] for one in sorted(events, key=int)] == [
        "INSERT",
        "MODIFY",
        "REMOVE",
        "INSERT",
    ]
    assert all(event["event_id"].startswith("export-") for event in events.values())
    assert {event["table"] for event in events.values()} == {"payments"}
    again = file("b.json", [line(0), line(5)])
    answer = told("--export", again, "--export", first, *RANGE)
    assert (answer["found"], answer["let_out"], answer["was_there_already"]) == (6, 1, 5)
    assert len(town.world.events()) == 5
    assert len(answer["caveats"]) == 4


def test_it_says_what_an_export_cannot_tell(town: Town) -> None:
    done = replay("--export", file("a.json", [line(0)]), *RANGE)
    assert done.exit_code == 0
    assert "mind: An export does not have the ids of the stream" in done.stderr
    assert town.event_ids()


def test_a_dry_run_counts_and_makes_no_secret(town: Town) -> None:
    name = file("a.json", [line(0), line(1), line(2, new=False, old=True)])
    answer = told("--export", name, *RANGE, "--dry-run")
    assert [(one["reason"], one["count"]) for one in answer["would_send"]] == [
        ("written by INSERT", 2),
        ("written by REMOVE", 1),
    ]
    assert (town.function.requests, client("dynamodb").scan(TableName="ledger")["Items"]) == ([], [])


def test_a_full_export_needs_to_be_told_its_time_and_keys(town: Town) -> None:
    items = [{"Item": delivered(payment)} for payment in PAYMENTS[:5]]
    name = file("a.json.gz", [*items, {"Item": {"amount": {"N": "1"}}}])
    told_of = ["--written-at", iso(WRITTEN), "--key", "payment_id"]
    for _ in range(2):
        answer = told("--export", name, *told_of)
        assert (answer["found"], answer["unreadable"]["count"]) == (6, 1)
        assert answer["unreadable"]["where"] == [
            {"place": "a.json.gz:6", "why": "lacks the key attribute payment_id"}
        ]
    assert len(town.world.events()) == 5
    assert {event["type"] for event in town.world.events()} == {"INSERT"}
    assert all(event["keys"] for event in town.world.events())
    answer = told("--export", name, *RANGE)
    assert answer["unreadable"]["count"] == 6


def test_files_may_lie_in_s3(town: Town) -> None:
    body = gzip.compress(json.dumps(line(0)).encode())
    town.s3.put_object(Bucket="audit", Key="AWSDynamoDB/01/data/x.json.gz", Body=body)
    assert told("--export", "s3://audit/AWSDynamoDB/01/data/x.json.gz", *RANGE)["let_out"] == 1
    done = replay("--export", "s3://audit/none.json.gz", *RANGE)
    assert (done.exit_code, "s3:GetObject on s3://audit/none.json.gz" in done.stderr) == (2, True)


def test_what_cannot_be_read_is_named_without_its_value(town: Town) -> None:
    Path("a.json.gz").write_bytes(gzip.compress(b"jane.doe@example.com\n" * 400)[:-12])
    Path("b.json").write_text('{"dataFileS3Key": "jane.doe@example.com"}\n$ion_1_0 x\n')
    name = file("c.json", [line(0, new=False), line(1)])
    done = replay("--json", "--export", "a.json.gz", "--export", "b.json", "--export", name, *RANGE)
    assert (done.exit_code, "jane" in done.output) == (1, False)
    answer = json.loads(done.stdout)
    said = {one["place"]: one["why"] for one in answer["unreadable"]["where"]}
    assert said["a.json.gz:1"] == "not a line of JSON"
    assert [why for place, why in said.items() if place.startswith("a.")][-1].startswith("no gzip from here")
    assert said["b.json:1"] == "neither an item of a full export nor one of an incremental export"
    assert said["b.json:2"] == "not a line of JSON; it looks like Ion: export in DYNAMODB_JSON"
    assert said["c.json:1"].startswith("a removal without the item's old image")
    assert answer["let_out"] == 1
    done = replay("--export", "missing.json", *RANGE)
    assert (done.exit_code, "missing.json: cannot be read (No such file" in done.stderr) == (2, True)
    assert town.event_ids()


def test_what_the_stream_has_still_and_what_the_ledger_has_forgotten_are_refused(town: Town) -> None:
    now, days = time.time(), town.strict.plan.retention_days.ledger
    old = now - days * 86_400
    name = file("a.json", [line(0, seconds=now - 3_600), line(1, seconds=old), line(2)])
    wide = ["--since", iso(old - 1), "--until", iso(now)]
    answer = told("--export", name, *wide)
    assert (answer["too_young"]["count"], answer["too_old"]["count"], answer["let_out"]) == (1, 1, 1)
    answer = told("--export", name, *wide, "--older")
    assert (answer["too_young"]["count"], answer["too_old"]["count"], answer["let_out"]) == (1, 0, 1)


def test_what_is_held_of_an_export_can_be_replayed_from_quarantine(town: Town) -> None:
    poison = line(0)
    del poison["NewImage"]["customer_id"]
    assert told("--export", file("a.json", [poison]), *RANGE)["held_again"]
    town.function.deploy(town.lenient)
    assert told("--quarantine")["let_out"] == 1
    assert told("--export", "a.json", *RANGE)["was_there_already"] == 1
    assert len(town.world.events()) == 1


def test_records_go_in_the_order_of_their_streams(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "SORTED_BYTES_MAX", 20_000)
    name = file("a.json", [line(at) for at in reversed(range(60))])
    assert told("--export", name, *RANGE, "--batch-size", 7)["let_out"] == 60
    for request in town.function.requests:
        assert len({record["eventSourceARN"] for record in request["Records"]}) == 1
        numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in request["Records"]]
        assert numbers == sorted(numbers)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--quarantine", "--failures"],
        ["--export", "a"],
        ["--export", "a", "--since", "2026-11-23"],
        ["--export", "a", "--key", "id"],
        ["--export", "a", "--written-at", "2026-11-23"],
        ["--failures", "--since", "2026-11-23"],
        ["--failures", "--again"],
        ["--quarantine", "--key", "id"],
        ["--quarantine", "--since", "yesterday"],
        ["--quarantine", "--policy", "../x"],
    ],
)
def test_what_makes_no_sense_is_said(town: Town, arguments: list[str]) -> None:
    done = replay(*arguments)
    assert (done.exit_code, town.function.requests) == (2, [])


def test_a_policy_that_nothing_is_known_of_is_refused(town: Town) -> None:
    done = replay("--quarantine", "--policy", "cards")
    assert done.exit_code == 2
    assert "the audit trail knows no policy cards" in done.stderr
    assert town.function.requests == []


SECRET = b"s" * 32


def written(at: int, **changes: Any) -> Written:
    return read(json.dumps(line(at) | changes).encode(), None)


def test_a_record_is_what_the_gate_can_decode_and_the_same_each_time() -> None:
    record = record_of(written(3), STREAM, SECRET)
    assert record == record_of(written(3), STREAM, SECRET)
    change = decode(record)
    assert (change.kind, change.time, change.table) == ("INSERT", WRITTEN + 3, "payments")
    assert len(change.sequence) <= 40
    table = STREAM.rpartition("/stream/")[0]
    others = [
        record_of(written(4), STREAM, SECRET),
        record_of(written(3), STREAM.replace("payments", "cards"), SECRET),
        record_of(written(3), STREAM, b"t" * 32),
        record_of(written(3, Metadata={"WriteTimestampMicros": {"N": "1"}}), STREAM, SECRET),
    ]
    for of in ("eventID", "dynamodb"):
        assert len({json.dumps(one[of]) for one in [record, *others]}) == 5
    assert record["eventSourceARN"].startswith(f"{table}/stream/export-")


@pytest.mark.parametrize("full", [None, Full(0.0, ("id",))])
@settings(max_examples=50, deadline=None)
@given(
    entry=st.dictionaries(st.sampled_from(["id", "N", "WriteTimestampMicros"]), st.none() | st.just("jane"))
)
def test_a_line_is_read_or_refused_without_its_values(full: Full | None, entry: dict[str, Any]) -> None:
    for shaped in (
        entry,
        {"Item": entry},
        {"Metadata": entry, "Keys": entry},
        [entry],
        "jane",
        {"Item": "jane"},
    ):
        said = ""
        try:
            read(json.dumps(shaped).encode(), full)
        except NoChange as flaw:
            said = str(flaw)
        assert "jane" not in said
