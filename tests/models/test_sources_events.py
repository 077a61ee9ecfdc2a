"""The gate's events as training data: features as they were measured, labels as they came back."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from models.sources import Data, Measured, open_sources
from processor.errors import ModelError
from processor.event import SCHEMA

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("amount", "count_7d")
NOON = 1_795_000_000


def quiet(_step: str, _done: int) -> None:
    pass


def event(at: int, key: str = "p1", kind: str = "INSERT", **more: Any) -> dict[str, Any]:
    """An event of so many seconds after noon."""
    status = more.pop("status", "approved")
    new = {"status": status, "amount": 5, "name": "x", "scenario": 2} if kind != "REMOVE" else None
    measured = more.pop("features", {"count_7d": None, "amount": 2.5, "more": 1})
    return {
        "schema": SCHEMA,
        "event_id": f"{kind}-{key}-{at}",
        "type": kind,
        "time": datetime.fromtimestamp(NOON + at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "table": "payments",
        "sequence": str(100 + at),
        "keys": {"payment_id": key},
        "new": new,
        "old": None if kind == "INSERT" else {"status": "approved", "amount": 5},
        "fraud": {"score": 0.5, "flagged": False} | ({"features": measured} if measured else {}),
    } | more


def written(folder: Path, *files: list[dict[str, Any]]) -> Path:
    for number, events in enumerate(files):
        lines = "".join(json.dumps(event) + "\n" for event in events)
        (folder / f"{number}.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    return folder


def opened(folder: Path) -> Data:
    return open_sources([folder], time="created_at", wanted=["status", "amount"], features=NAMES)


def rows_of(folder: Path) -> Measured:
    return opened(folder).measured("status", "chargeback", quiet)


def test_events_are_changes_with_their_features_and_only_the_wanted_fields(tmp_path: Path) -> None:
    events = [event(2, "p1", "MODIFY", status="chargeback"), event(0, "p1"), event(3, "p1", "REMOVE")]
    insert, modify, remove = opened(written(tmp_path, events)).changes(quiet)
    assert (insert.time, insert.before, insert.id, insert.scenario) == (NOON, None, "p1", 2)
    assert insert.after == {"status": "approved", "amount": 5, "scenario": 2}
    assert insert.features is not None
    assert insert.features[0] == 2.5
    assert np.isnan(insert.features[1])
    assert modify.before == {"status": "approved", "amount": 5}
    assert modify.after is not None
    assert modify.after["status"] == "chargeback"
    assert (remove.time, remove.after) == (NOON + 3, None)


def test_those_of_one_second_come_in_the_order_of_the_stream(tmp_path: Path) -> None:
    late, early = (
        event(0, sequence="1000", event_id="b"),
        event(0, sequence="999", event_id="a", keys={"k": 1}),
    )
    assert [one.id for one in opened(written(tmp_path, [late, early])).changes(quiet)] == ["1", "p1"]


def test_a_label_comes_back_with_a_later_change_of_the_same_keys(tmp_path: Path) -> None:
    """The file of the change is read before that of the record."""
    later = [event(900, "p2", "MODIFY", status="chargeback"), event(950, "p2", "MODIFY", status="chargeback")]
    rows = rows_of(written(tmp_path, later, [event(0, "p1"), event(1, "p2")]))
    assert rows.id.tolist() == ["p1", "p2"]
    assert rows.fraud is not None
    assert rows.fraud.tolist() == [False, True]
    assert np.array_equal(rows.labelled_at, [np.nan, NOON + 900], equal_nan=True)
    assert rows.time.tolist() == [NOON, NOON + 1]
    assert rows.score.tolist() == [0.5, 0.5]
    assert np.array_equal(rows.matrix, np.array([[2.5, np.nan]] * 2, np.float32), equal_nan=True)
    assert rows.columns["amount"].tolist() == [5, 5]
    assert rows.scenario.tolist() == [2, 2]


def test_a_label_that_is_taken_back_is_none(tmp_path: Path) -> None:
    events = [event(0), event(5, kind="MODIFY", status="chargeback"), event(9, kind="MODIFY")]
    rows = rows_of(written(tmp_path, events))
    assert rows.fraud is not None
    assert not rows.fraud.any()


def test_a_key_that_is_used_again_is_another_record(tmp_path: Path) -> None:
    events = [event(0), event(1, kind="REMOVE"), event(2), event(3, kind="MODIFY", status="chargeback")]
    rows = rows_of(written(tmp_path, events))
    assert rows.fraud is not None
    assert rows.fraud.tolist() == [False, True]


def test_without_the_labels_field_nothing_is_known(tmp_path: Path) -> None:
    bare = event(0) | {"new": {"amount": 1}}
    assert rows_of(written(tmp_path, [bare])).fraud is None


def test_what_was_written_twice_counts_once(tmp_path: Path) -> None:
    data = opened(written(tmp_path, [event(0), event(1, "p2")], [event(0)]))
    assert len(list(data.changes(quiet))) == 2
    assert (data.duplicates, data.records) == (1, 2)
    assert data.description()["duplicates"] == 1


def test_by_kinesis_the_time_says_the_order_and_the_id_what_came_twice(tmp_path: Path) -> None:
    us = 1_782_864_000_000_000
    made = [
        event(at, f"p{at}", time="2026-07-01T00:00:00Z", time_us=us + at, sequence=f"{495 - at}{0:053}")
        for at in range(4)
    ]
    twice = made[1] | {"sequence": f"496{0:053}"}
    data = opened(written(tmp_path, [made[2], made[0]], [made[3], made[1], twice]))
    changes = list(data.changes(quiet))
    assert [change.id for change in changes] == ["p0", "p1", "p2", "p3"]
    assert data.duplicates == 1


def test_fences_are_nothing(tmp_path: Path) -> None:
    (tmp_path / "fence.jsonl.gz").write_bytes(gzip.compress(b""))
    assert len(list(opened(written(tmp_path, [event(0)])).changes(quiet))) == 1


def test_insertions_without_features_are_told_and_left_out(tmp_path: Path) -> None:
    events = [
        event(0),
        event(1, "p2", features=None),
        event(2, "p3", features={"amount": 1}),
        event(3, fraud=None),
    ]
    rows = rows_of(written(tmp_path, events))
    assert (len(rows), rows.without_features) == (1, 3)


def test_no_features_at_all_is_an_error_that_says_what_to_set(tmp_path: Path) -> None:
    folder = written(tmp_path, [event(0, features=None), event(1, "p2", features=None)])
    with pytest.raises(ModelError, match=r"none of the 2 insertions.*score\.keep_features: true"):
        rows_of(folder)


def test_files_without_events_have_no_measured_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("created_at,status,amount\n1,a,2\n")
    with pytest.raises(ModelError, match="no events of the gate"):
        rows_of(tmp_path)


def test_keys_that_are_all_the_same_are_no_keys(tmp_path: Path) -> None:
    events = [event(at, "[redacted]") for at in range(5)]
    with pytest.raises(ModelError, match="do not tell records apart"):
        rows_of(written(tmp_path, [*events, event(9, "[redacted]", "MODIFY", status="chargeback")]))


def test_events_stand_beside_plain_images_in_order_of_time(tmp_path: Path) -> None:
    written(tmp_path, [event(0), event(10, "p2")])
    (tmp_path / "table.csv").write_text(f"created_at,status,amount\n{NOON + 10},a,2\n{NOON + 5},b,3\n")
    found = list(opened(tmp_path).changes(quiet))
    assert [(one.time - NOON, one.after and one.after["status"]) for one in found] == [
        (0, "approved"),
        (5, "b"),
        (10, "approved"),
        (10, "a"),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "other/1"},
        {"event_id": 7},
        {"sequence": None},
        {"type": "secret"},
        {"keys": "secret"},
        {"new": ["secret"]},
        {"fraud": "secret"},
        {"time": "secret"},
    ],
    ids=str,
)
def test_a_line_that_is_no_event_is_named_and_never_quoted(tmp_path: Path, change: dict[str, Any]) -> None:
    folder = written(tmp_path, [event(0), event(1, "secret") | change])
    with pytest.raises(
        ModelError, match=r"0\.jsonl\.gz:2: (is no event of the gate|has a time that is none)"
    ) as told:
        opened(folder).changes(quiet)
    assert "secret" not in str(told.value)
