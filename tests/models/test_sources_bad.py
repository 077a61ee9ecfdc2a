"""Data that cannot be used: errors say where and what to do, and never what is there."""

from __future__ import annotations

import gzip
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from models.sources import LONGEST_LINE, data, open_sources
from processor.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "4111-1111"
HEAD = "created_at,amount,name\n"
ROW = f"2026-04-01T00:00:00Z,5,{SECRET}\n"


def quiet(_step: str, _done: int) -> None:
    pass


def read(path: Path, **how: Any) -> None:
    options: dict[str, Any] = {"time": "created_at", "wanted": ["amount", "name"]} | how
    list(open_sources([path], **options).changes(quiet))


def lines(*records: Any) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


GOOD = {"created_at": 1, "amount": 2, "name": SECRET}

BAD: dict[str, tuple[str, str | bytes, str]] = {
    "a short row": ("a.csv", HEAD + ROW + f"1,{SECRET}\n", r"a\.csv:3: has 2 columns, .* 3"),
    "a long row": ("a.csv", HEAD + ROW * 2 + f"1,2,3,{SECRET}\n", r"a\.csv:4: has 4 columns"),
    "only short rows": ("a.csv", HEAD + f"1,{SECRET}\n", r"a\.csv:2: has 2 columns"),
    "a quote": ("a.csv", HEAD + f'1,2,"{SECRET}\n', r"a\.csv:\d+: is no CSV"),
    "a quote inside": ("a.csv", HEAD + f'1,2,"{SECRET}" x\n', r"a\.csv:2: is no CSV"),
    "no header": ("a.csv", "\n" + ROW, r"a\.csv: its first line should name the columns"),
    "nothing in CSV": ("a.csv", "", r"a\.csv: its first line should name the columns"),
    "values for a header": ("a.csv", ROW * 2, r"a\.csv: has no created_at, which says when"),
    "a column twice": ("a.csv", f"created_at,amount,amount,name\n1,2,3,{SECRET}\n", "two .* called amount"),
    "a misspelled time": ("a.csv", f"create_at,amount,name\n1,2,{SECRET}\n", r"nearest is create_at"),
    "a misspelled column": ("a.csv", f"created_at,amout,name\n1,2,{SECRET}\n", r"no column amount.*is amout"),
    "a misspelled name in JSON": ("a.jsonl", lines({"created_at": 1, "amout": 2, "name": "a"}), "is amout"),
    "no time in JSON": ("a.jsonl", lines({"createdAt": 1, "name": SECRET}), r"nearest is createdAt"),
    "no usable time": ("a.csv", HEAD + f"soon,5,{SECRET}\n", r"a\.csv: no record has a usable created_at"),
    "no JSON": ("a.jsonl", lines(GOOD) + f"{{{SECRET}\n", r"a\.jsonl:2: is no JSON"),
    "two on a line": ("a.jsonl", "\n" + json.dumps(GOOD) + json.dumps(GOOD), r"a\.jsonl:2: is no JSON"),
    "no object": ("a.jsonl", lines(GOOD, [SECRET]), r"a\.jsonl:2: is no JSON object"),
    "deep": ("a.jsonl", "[" * 200_000, r"a\.jsonl:1: is no JSON"),
    "long": ("a.jsonl", lines(GOOD) + '{"a": "' + "x" * 2 * LONGEST_LINE, r"a\.jsonl:2: is longer than"),
    "not UTF-8": ("a.jsonl", lines(GOOD).encode() + b"\xff\n", r"a\.jsonl: is not UTF-8"),
    "UTF-16": ("a.csv", (HEAD + ROW).encode("utf-16"), r"a\.csv: is not UTF-8"),
    "cut off": ("a.csv.gz", gzip.compress(HEAD.encode())[:-9], r"a\.csv\.gz: ends in the middle"),
    "damaged": ("a.csv.gz", gzip.compress(HEAD.encode())[:-8] + b"\0" * 8, r"a\.csv\.gz: gzip cannot unpack"),
    "not packed": ("a.csv.gz", HEAD + ROW, r"a\.csv\.gz: is not packed by gzip"),
    "no Parquet": ("a.parquet", SECRET * 9, r"a\.parquet: is no Parquet"),
    "unknown": ("a.txt", f"a letter to {SECRET}\n", r"a\.txt: is of an unknown kind.*CSV.*Parquet"),
    "an array": ("a.json", json.dumps([GOOD]), r"a\.json: is of an unknown kind"),
    "a picture": ("a.png", b"\x89PNG\r\n\x1a\n\0\0", r"a\.png: is of an unknown kind"),
    "Parquet by another name": ("a.dat", b"PAR1....", "give it the extension"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "said"), BAD.values(), ids=BAD.keys())
def test_the_error_says_where_and_never_what(
    tmp_path: Path, name: str, content: str | bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ModelError, match=said) as told:
        read(tmp_path / name)
    error: BaseException | None = told.value
    assert SECRET not in str(error)
    assert told.value.__suppress_context__ or told.value.__context__ is None, (
        "a traceback would print the cause"
    )


def test_a_value_that_an_alias_does_not_know(tmp_path: Path) -> None:
    aliases = {"x": {"time": "created_at", "fraud": {"status": {"1": "chargeback", "0": "approved"}}}}
    for name, content in {
        "a.csv": f"time,fraud\n1,0\n2,{SECRET}\n",
        "a.jsonl": lines({"time": 1, "fraud": 0}, {"time": 2, "fraud": SECRET}),
    }.items():
        (tmp_path / name).write_text(content)
        with pytest.raises(ModelError, match=rf"{name}: record 2: fraud has a value.*they know 0, 1") as told:
            read(tmp_path / name, wanted=["status"], aliases=aliases)
        assert SECRET not in str(told.value)


@pytest.mark.parametrize("meaning", [7, {}, {"status": {}}, {"status": "x"}], ids=str)
def test_an_alias_that_is_none(tmp_path: Path, meaning: Any) -> None:
    (tmp_path / "a.csv").write_text("time\n1\n")
    with pytest.raises(ModelError, match=r"aliases: time should be a field"):
        read(tmp_path / "a.csv", aliases={"x": {"time": meaning}})


def test_optional_fields_may_be_missing(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("created_at,amount\n1,2\n")
    read(tmp_path / "a.csv", optional=["name"])
    (tmp_path / "b.jsonl").write_text(lines({"created_at": 1, "amount": 2}))
    read(tmp_path / "b.jsonl", optional=["name"])


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.csv: cannot be read \(No such file"):
        read(tmp_path / "none.csv")
    with pytest.raises(ModelError, match="has no files in it"):
        read(tmp_path)
    with pytest.raises(ModelError, match="no data is named"):
        open_sources([], time="created_at", wanted=[])


def test_files_of_nothing_have_no_records(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.dat"):
        (tmp_path / name).touch()
    (tmp_path / "c.csv").write_text(HEAD)
    read(tmp_path)


def test_too_many_records_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "MOST_RECORDS", 3)
    (tmp_path / "a.csv").write_text(HEAD + ROW * 3)
    read(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_text(HEAD + ROW * 4)
    with pytest.raises(ModelError, match="more than 3 records"):
        read(tmp_path / "a.csv")


def test_without_pyarrow_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(ModelError, match=r"pip install 'tidegate\[train\]'"):
        read(tmp_path / "a.parquet")
