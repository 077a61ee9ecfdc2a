"""Files of records: whatever their format, the same changes come out, in order of time."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import random
import re
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sources import Changed, Simulated, open_sources
from models.sources.columns import Texts, by_form, moments, text_moments
from models.sources.json_lines import PARSED
from processor.scoring.features import instant, number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from models.spec import Spec

WANTED = ("amount", "customer_id", "note", "status")
START = datetime(2026, 4, 1, tzinfo=UTC)
ALIASES = {
    "short": {"time": "created_at"},
    "handbook": {
        "transaction_id": "payment_id",
        "time": "created_at",
        "fraud": {"status": {"1": "chargeback", "0": "approved"}},
    },
}


def quiet(_step: str, _done: int) -> None:
    pass


def records(count: int = 50) -> list[dict[str, Any]]:
    """Payments in order of time; some have no note."""
    rng = random.Random(6)
    return [
        {
            "payment_id": f"{at:04}",
            "created_at": (START + timedelta(seconds=97 * at)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "amount": rng.randrange(1, 100_000) / 100,
            "customer_id": f"0{rng.randrange(9)}",
            "status": rng.choice(["approved", "chargeback"]),
            "scenario": rng.randrange(3),
        }
        | ({"note": rng.choice(["a, b", 'say "so"', "two\nlines", "ü"])} if at % 3 else {})
        for at in range(count)
    ]


def read(*paths: Path | str, **how: Any) -> list[Changed]:
    options: dict[str, Any] = {"time": "created_at", "wanted": WANTED, "id": "payment_id"}
    return list(open_sources(paths, **options | {"numbers": {"amount"}} | how).changes(quiet))


def as_csv(path: Path, rows: Sequence[dict[str, Any]], delimiter: str = ",") -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def as_json(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def as_parquet(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    names = dict.fromkeys(name for row in rows for name in row)
    pq.write_table(pa.table({name: [row.get(name) for row in rows] for name in names}), path)


def packed(write: Callable[[Path, Sequence[dict[str, Any]]], None]) -> Any:
    def write_packed(path: Path, rows: Sequence[dict[str, Any]]) -> None:
        write(path, rows)
        path.write_bytes(gzip.compress(path.read_bytes()))

    return write_packed


def expected(rows: Sequence[dict[str, Any]]) -> list[Changed]:
    return [
        Changed(
            time=instant(row["created_at"]),
            before=None,
            after={name: row[name] for name in WANTED if name in row}
            | {"created_at": instant(row["created_at"])},
            id=row["payment_id"],
            features=None,
            scenario=row["scenario"],
        )
        for row in rows
    ]


FORMATS = [
    ("data.csv", as_csv),
    ("data.csv.gz", packed(as_csv)),
    ("data.tsv", lambda path, rows: as_csv(path, rows, "\t")),
    ("data.jsonl", as_json),
    ("data.jsonl.gz", packed(as_json)),
    ("data.parquet", as_parquet),
    ("by_content_csv", as_csv),
    ("by_content_json", packed(as_json)),
]


@pytest.mark.parametrize(("name", "write"), FORMATS, ids=[name for name, _ in FORMATS])
def test_each_format_gives_the_same_changes(tmp_path: Path, name: str, write: Any) -> None:
    write(tmp_path / name, records())
    assert read(tmp_path / name) == expected(records())


def test_files_that_are_not_in_order_are_put_in_order(tmp_path: Path) -> None:
    rows = records()
    mixed = random.Random(1).sample(rows, len(rows))
    as_csv(tmp_path / "one.csv", mixed[:20])
    as_json(tmp_path / "two.jsonl", mixed[20:30])
    as_parquet(tmp_path / "three.parquet", mixed[30:])
    found = read(*(tmp_path / name for name in ("one.csv", "two.jsonl", "three.parquet")))
    assert found == expected(rows)


def test_records_of_one_moment_stay_as_they_were_read(tmp_path: Path) -> None:
    rows = [row | {"created_at": "2026-04-01T00:00:00Z"} for row in records()]
    as_csv(tmp_path / "b.csv", rows[:10])
    as_csv(tmp_path / "a.csv", [{**rows[10], "created_at": "2026-03-01T00:00:00Z"}, *rows[11:]])
    found = read(tmp_path / "b.csv", tmp_path / "a.csv")
    assert [one.id for one in found] == ["0010", *(row["payment_id"] for row in rows if row is not rows[10])]


def test_a_folder_is_read_by_name_and_its_hidden_files_are_not(tmp_path: Path) -> None:
    rows = records()
    folder = tmp_path / "days"
    (folder / "b" / ".cache").mkdir(parents=True)
    as_json(folder / "b" / "2.jsonl", rows[:25])
    as_csv(folder / "b" / "1.csv", rows[25:])
    (folder / "b" / "_SUCCESS").touch()
    (folder / "b" / ".cache" / "x").write_text("nothing")
    data = open_sources([folder], time="created_at", wanted=WANTED, id="payment_id", numbers={"amount"})
    assert list(data.changes(quiet)) == expected(rows)
    assert data.description()["file"] == "2 files"


def test_changes_come_as_often_as_asked_for(tmp_path: Path) -> None:
    as_json(tmp_path / "data.jsonl", records())
    data = open_sources([tmp_path / "data.jsonl"], time="created_at", wanted=WANTED)
    steps: list[tuple[str, int]] = []
    first = list(data.changes(lambda step, done: steps.append((step, done))))
    assert first == list(data.changes(quiet))
    assert steps == [("reading records", 50)]


def test_the_fingerprint_is_that_of_the_stored_bytes(tmp_path: Path) -> None:
    packed(as_csv)(tmp_path / "data.csv.gz", records())
    data = open_sources([tmp_path / "data.csv.gz"], time="created_at", wanted=WANTED)
    list(data.changes(quiet))
    stored = (tmp_path / "data.csv.gz").read_bytes()
    about = data.description()
    assert (about["file"], about["bytes"], about["read"]) == ("data.csv.gz", len(stored), 50)
    assert about["sha256"] == hashlib.sha256(stored).hexdigest()


def test_a_file_with_other_names_is_read_by_the_alias_that_fits(tmp_path: Path) -> None:
    rows = records()
    as_csv(
        tmp_path / "handbook.csv",
        [
            {
                "transaction_id": row["payment_id"],
                "time": row["created_at"],
                "customer_id": row["customer_id"],
                "amount": row["amount"],
                "fraud": int(row["status"] == "chargeback"),
                "note": row.get("note"),
                "scenario": row["scenario"],
            }
            for row in rows
        ],
    )
    assert read(tmp_path / "handbook.csv", aliases=ALIASES) == expected(rows)


@pytest.mark.parametrize("write", [as_json, as_parquet], ids=["json", "parquet"])
@pytest.mark.parametrize("fraud", [int, bool, float, str])
def test_an_alias_takes_values_by_their_text(tmp_path: Path, write: Any, fraud: type) -> None:
    aliases = {
        "x": {"time": "created_at", "fraud": {"status": {"1": "bad", True: "bad", "0": "ok", "false": "ok"}}}
    }
    path = tmp_path / ("data.parquet" if write is as_parquet else "data.jsonl")
    write(path, [{"time": 1_800_000_000 + at, "fraud": fraud(at)} for at in (0, 1)])
    found = read(path, aliases=aliases, wanted=["status"])
    assert [one.after["status"] for one in found if one.after] == ["ok", "bad"]


def test_the_tables_own_names_go_before_any_alias(tmp_path: Path) -> None:
    rows = [row | {"time": "never", "transaction_id": "x", "fraud": 7} for row in records()]
    as_csv(tmp_path / "data.csv", rows)
    assert read(tmp_path / "data.csv", aliases=ALIASES) == expected(rows)


def test_a_field_of_json_may_come_late(tmp_path: Path) -> None:
    rows = [{"created_at": at + 1, "payment_id": at} for at in range(2 * PARSED)] + [
        {"created_at": 10**9, "payment_id": 1.0, "amount": 5, "customer_id": "a", "status": "x", "note": ""}
    ]
    as_json(tmp_path / "data.jsonl", rows)
    found = read(tmp_path / "data.jsonl")
    assert found[0].after == {"created_at": 1.0}
    assert found[-1].after == {name: rows[-1][name] for name in WANTED} | {"created_at": 1e9}
    assert found[-1].id == "1"


def test_records_without_a_time_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = records()
    as_csv(tmp_path / "data.csv", [rows[0] | {"created_at": ""}, rows[1] | {"created_at": "soon"}, *rows[2:]])
    data = open_sources([tmp_path / "data.csv"], time="created_at", wanted=WANTED, id="payment_id")
    assert [one.id for one in data.changes(quiet)] == [row["payment_id"] for row in rows[2:]]
    assert (data.records, data.left_out) == (50, 2)


def test_without_a_word_on_numbers_they_go_by_their_form(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(
        "created_at,a,b,c,d,payment_id\n1800000000,7,1.50,007,1E5,1\n1800000001,-7,,x,1e-05,002\n"
    )
    one, two = read(tmp_path / "data.csv", wanted=["a", "b", "c", "d"], numbers=None)
    assert one.after == {"a": 7, "b": 1.5, "c": "007", "d": "1E5", "created_at": 1.8e9}
    assert two.after == {"a": -7, "c": "x", "d": 1e-05, "created_at": 1.8e9 + 1}
    assert (one.id, two.id) == ("1", "002")


def test_parquet_has_moments_decimals_and_what_pandas_makes_of_missing_numbers(tmp_path: Path) -> None:
    moment = datetime(2026, 4, 1, 12, 30, 0, 250_000, tzinfo=UTC)
    table = pa.table(
        {
            "created_at": pa.array([moment, moment], pa.timestamp("ns", tz="Europe/Berlin")),
            "signed_up": pa.array([moment, None], pa.timestamp("us")),
            "amount": pa.array([Decimal("1.25"), None], pa.decimal128(10, 2)),
            "customer_id": pa.array([7.0, float("nan")]),
            "channel": pa.array(["app", "pos"]).dictionary_encode(),
        }
    )
    pq.write_table(table, tmp_path / "data.parquet")
    names = ["signed_up", "amount", "customer_id", "channel"]
    one, two = read(tmp_path / "data.parquet", wanted=names, id=None)
    assert one.time == moment.timestamp() == two.time
    assert one.after == {
        "created_at": moment.timestamp(),
        "signed_up": "2026-04-01T12:30:00.250000Z",
        "amount": 1.25,
        "customer_id": 7,
        "channel": "app",
    }
    assert type(one.after["customer_id"]) is int
    assert two.after == {"created_at": moment.timestamp(), "channel": "pos"}


def test_ints_stay_exact_beside_floats(tmp_path: Path) -> None:
    as_json(tmp_path / "a.jsonl", [{"created_at": 1, "customer_id": 2**60 + 1}])
    as_json(tmp_path / "b.jsonl", [{"created_at": 2, "customer_id": 0.5}])
    found = read(tmp_path / "a.jsonl", tmp_path / "b.jsonl", wanted=["customer_id"])
    assert [one.after["customer_id"] for one in found if one.after] == [2**60 + 1, 0.5]


def test_a_moment_before_1970_is_kept_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("created_at\n1969-12-31T23:59:59Z\n1970-01-01T00:00:01Z\n")
    one, two = read(tmp_path / "data.csv", wanted=[])
    assert (one.time, two.time) == (-1.0, 1.0)
    assert one.after == {"created_at": "1969-12-31T23:59:59Z"}


def test_a_million_numbers_take_little_memory(tmp_path: Path) -> None:
    rows = 100_000
    path = tmp_path / "data.csv"
    path.write_text("created_at,amount\n" + "".join(f"{10**9 + at},{at}.5\n" for at in range(rows)))
    data = open_sources([path], time="created_at", wanted=["amount"])
    data.changes(quiet)
    tracemalloc.start()
    total = sum(1 for _ in data.changes(quiet))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert total == rows
    assert peak < 20_000_000, "images are made a block at a time"


def test_the_simulator_tells_who_paid_where(spec: Spec) -> None:
    world = Simulated(spec)
    found = list(world.changes(quiet))
    assert len(found) > 1_000
    assert [one.time for one in found] == sorted(one.time for one in found)
    for one in found[:100]:
        assert one.after is not None
        assert one.after["created_at"] == one.time
        assert one.after["status"] == ("chargeback" if one.scenario else "approved")
        assert re.fullmatch("C[0-9]{7}", one.after["customer_id"])
    assert len({one.after["terminal_id"] for one in found if one.after}) > 50


MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))  # noqa: DTZ001  zones are put on below
ZONES = st.sampled_from([None, UTC, timezone(timedelta(hours=2)), timezone(timedelta(minutes=-330))])
FRACTIONS = st.sampled_from(["auto", "seconds", "milliseconds", "microseconds"])
ODD = st.sampled_from(
    [
        "2026-02-30T00:00:00Z", "2026-04-01T24:00:00Z", "2026-04-01T00:00:60Z", "0000-01-01T00:00:00Z",
        "2026-04-01", "20260401", "2026-04-01T00:00Z", "2026-04-01 00:00:00Z", "2026-04-01t00:00:00Z",
        "2026-04-01T00:00:00z", " 2026-04-01T00:00:00", "2026-W14-3T00:00:00Z", "2026-04-01T00:00:00,5Z", "",
        "2026-04-01T00:00:0\u0660Z", "+026-04-01T00:00:00Z",
    ]
)  # fmt: skip


@given(
    st.lists(MOMENTS, max_size=5),
    ZONES,
    FRACTIONS,
    st.sampled_from(["Z", "+00:00"]),
    st.lists(ODD, max_size=1),
)
def test_moments_are_those_that_the_function_reads(
    times: list[datetime], zone: Any, fraction: str, utc: str, odd: list[str]
) -> None:
    texts = [time.replace(tzinfo=zone).isoformat(timespec=fraction) for time in times] + odd
    texts = [text.replace("+00:00", utc) for text in texts]
    wanted = np.array([instant(text) for text in texts])
    assert np.array_equal(moments(texts), wanted, equal_nan=True)
    assert np.array_equal(text_moments(texts), wanted, equal_nan=True)


@given(
    st.lists(st.one_of(st.integers(), st.floats(), st.text(), st.sampled_from(["1\n2", "-0", "00", "1."])))
)
def test_a_number_is_told_by_itself_and_not_by_its_neighbours(values: list[Any]) -> None:
    texts = [str(value) for value in values]
    together = by_form(texts, Texts()).tolist()
    assert together == [by_form([text], Texts()).tolist()[0] for text in texts]
    for value, text, told in zip(values, texts, together, strict=True):
        if isinstance(value, float) and np.isfinite(value):
            assert number(told) == number(value) or isinstance(told, str), (
                "repr writes an exponent its own way"
            )
        if isinstance(told, str):
            assert told == text
