"""A file of an export through the gate, on fakes: once each, whatever happens on the way."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from models.simulator import identifying_values
from processor import exports
from processor.errors import TidegateError, Transient
from processor.exports import DataFile, Source, Unreadable
from processor.history import Progress, bring_through, check_age, gate_for, opened
from processor.pipeline import pass_through
from processor.telemetry import Tally
from tests.builders import delivered
from tests.exporting import EXPORT, EXPORTED_AT, TABLE
from tests.fakes import refusal
from tests.worlds import PAYMENTS, World, records

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SOURCE = Source(EXPORT, EXPORTED_AT, TABLE, "x7sample", ("payment_id",))


def packed(items: Sequence[Mapping[str, Any]], *more: bytes) -> BytesIO:
    lines = [json.dumps({"Item": delivered(item)}).encode() for item in items]
    return BytesIO(gzip.compress(b"".join(line + b"\n" for line in [*lines, *more])))


def never() -> bool:
    return False


def bring(
    world: World,
    body: BytesIO,
    progress: Progress | None = None,
    *,
    is_late: Callable[[], bool] = never,
    **changes: Any,
) -> tuple[Progress, list[Tally]]:
    progress, told = progress or Progress(), list[Tally]()
    gate = gate_for(world.gate(**changes), EXPORT)
    body.seek(0)
    bring_through(gate, SOURCE, body, progress, is_late=is_late, tell=told.append)
    return progress, told


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "CHUNK_ITEMS", 50)


def ids(world: World) -> list[str]:
    return sorted(event["event_id"] for event in world.events())


def test_each_item_becomes_one_event_with_the_name_of_its_place() -> None:
    world = World()
    progress, told = bring(world, packed(PAYMENTS[:120]))
    assert progress.done
    assert progress.counts == {"events": 120, "duplicates": 0, "held": 0, "flagged": 0, "leaks": 0}
    assert ids(world) == sorted(f"backfill-{EXPORT}-x7sample-{number}" for number in range(1, 121))
    assert {(event["type"], event["time"]) for event in world.events()} == {
        ("INSERT", "2026-11-23T21:04:05Z")
    }
    assert len({event["sequence"] for event in world.events()}) == 120
    assert all(event["keys"] == {"payment_id": event["new"]["payment_id"]} for event in world.events())
    assert [tally.records for tally in told] == [50, 50, 20]


def test_objects_are_apart_within_their_hour_and_have_manifests() -> None:
    world = World()
    bring(world, packed(PAYMENTS[:60]))
    folder = f"payments/dt=2026-11-23/hour=21/backfill={EXPORT}/"
    assert len(world.s3.under(f"events/{folder}")) == 2
    manifests = world.s3.under(f"manifests/payments/dt=2026-11-23/backfill={EXPORT}/")
    assert sorted(json.loads(text)["records"] for text in manifests.values()) == [10, 50]


def test_an_item_is_sanitised_as_the_stream_does_it() -> None:
    world = World()
    pass_through(world.gate(), records(20), Tally())
    streamed = {event["new"]["payment_id"]: event["new"] for event in world.events()}
    history = World(people=world.people)
    bring(history, packed(PAYMENTS[:20]))
    assert {event["new"]["payment_id"]: event["new"] for event in history.events()} == streamed


def test_a_second_run_adds_nothing() -> None:
    world, body = World(), packed(PAYMENTS[:120])
    bring(world, body)
    before = dict(world.s3.objects)
    progress, _ = bring(world, body)
    assert (progress.counts["events"], progress.counts["duplicates"]) == (0, 120)
    assert world.s3.objects == before


def test_nobody_is_alerted_of_the_past() -> None:
    world = World()
    progress, _ = bring(world, packed(PAYMENTS[:120]), threshold=0.5)
    assert progress.counts["flagged"] > 0
    bring(world, packed(PAYMENTS[:120]), threshold=0.5)
    assert world.published == []


def test_what_cannot_pass_is_in_quarantine_once_and_sealed() -> None:
    world = World()
    broken = dict(PAYMENTS[1])
    del broken["payment_id"]
    body = packed([PAYMENTS[0], broken], b'{"Item": {"email": {"S": 1}}}', b"jane.doe@example.com is no JSON")
    for events in (1, 0):
        progress, told = bring(world, body)
        assert (progress.counts["events"], progress.counts["held"]) == (events, 3)
    assert len(world.s3.under("quarantine/")) == 3
    out = b"".join(world.s3.under("quarantine/").values()).decode() + repr(told) + repr(world.dynamodb.items)
    assert "jane.doe" not in out
    assert not [value for value in identifying_values(PAYMENTS[1]) if value in out]


@pytest.mark.parametrize("edition", [{}, {"version": 99, "sha256": "0" * 64}], ids=["same", "another policy"])
@pytest.mark.parametrize("at", range(1, 32, 5))
def test_whatever_fails_and_under_whichever_policy_it_goes_on_each_item_is_there_once(
    at: int, edition: dict[str, Any]
) -> None:
    world = World()
    broken = dict(PAYMENTS[1])
    del broken["payment_id"]
    body = packed([*PAYMENTS[:119], broken])
    calls = 0

    def hook(_moment: str) -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            raise refusal("SlowDown", "PutObject", 503)

    world.s3.hook = hook
    bring(world, body)
    progress, _ = bring(world, body, **edition)
    if not progress.done:
        progress, _ = bring(world, body, **edition)
    assert progress.done
    assert len(ids(world)) == len(set(ids(world))) == 119
    assert len(world.s3.under("quarantine/")) == 1
    assert sum(progress.counts[name] for name in ("events", "duplicates", "held")) == 120


def test_it_ends_in_time_and_goes_on_where_it_stopped() -> None:
    world, body = World(), packed(PAYMENTS[:200])
    left = iter([False, *([False] * 50), False])  # the first look of the loop, then one for each item, …
    progress, _ = bring(world, body, is_late=lambda: next(left, True))
    assert (progress.done, progress.next) == (False, 51)
    again = Progress(progress.next, counts=progress.counts)
    progress, _ = bring(world, body, again)
    assert (progress.done, progress.next, progress.counts["events"]) == (True, 201, 200)
    assert progress.counts["duplicates"] <= 50


def test_a_file_that_is_cut_off_says_so_and_what_was_whole_is_out() -> None:
    world, body = World(), packed(PAYMENTS[:200])
    with pytest.raises(Unreadable, match="cut off"):
        bring(world, BytesIO(body.getvalue()[:-2000]))
    assert 0 < len(ids(world)) < 200


def test_one_memory_bounds_the_lines_of_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "CHUNK_BYTES", 10_000)
    body = gzip.GzipFile(fileobj=packed(PAYMENTS[:40]))
    parts = list(exports.chunks(body))  # type: ignore[arg-type]
    assert len(parts) > 2
    assert [number for part in parts for number in range(part.number, part.next)] == list(range(1, 41))
    assert all(sum(map(len, part.lines[:-1])) < 10_000 for part in parts)


def test_an_export_that_the_ledger_may_have_forgotten_is_refused() -> None:
    gate = World().gate()
    check_age(gate, SOURCE, EXPORTED_AT + 20 * 86_400)
    with pytest.raises(TidegateError, match="export the table anew"):
        check_age(gate, SOURCE, EXPORTED_AT + 21 * 86_400)


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        ("PreconditionFailed", Unreadable, "not the file that the manifest speaks of"),
        ("NoSuchKey", Unreadable, "gone"),
        ("SlowDown", Transient, "s3:GetObject on the export: SlowDown"),
    ],
)
def test_only_the_file_of_the_manifest_is_read(code: str, kind: type[Exception], says: str) -> None:
    class S3:
        def get_object(self, **call: Any) -> Any:
            assert call["IfMatch"] == '"abc-1"'
            raise refusal(code, "GetObject")

    with pytest.raises(kind, match=says):
        opened(S3(), "exports", DataFile("AWSDynamoDB/x/data/y.json.gz", 1, "", "abc-1"))


def test_ids_hold_no_more_than_ids_may() -> None:
    for part in ("export", "name", "table_arn"):
        with pytest.raises(Unreadable, match="not in the form"):
            replace(SOURCE, **{part: "a/b c"})
