"""`tidegate backfill`: exports as DynamoDB writes them, events as the gate does, nothing raw on the disk."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from models.simulator import identifying_values
from processor import exports
from processor.cli.backfill import backfill
from processor.local.exporting import checksum
from tests.builders import delivered
from tests.exporting import EXPORT, data_files, written
from tests.worlds import PAYMENTS, ROOT

if TYPE_CHECKING:
    from pathlib import Path

POLICY = ROOT / "policies" / "payments.yaml"
FOLDER = f"events/payments/dt=2026-11-23/hour=21/backfill={EXPORT}"


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "CHUNK_ITEMS", 20)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_bytes(b"k" * 64)
    path.chmod(0o600)
    return path


def run(*arguments: object, out: Path) -> Result:
    given = [*arguments, "--policy", POLICY, "--out", out, "--key", "payment_id", "--jobs", 1]
    return CliRunner().invoke(backfill, [str(argument) for argument in given])


def events(out: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in sorted(out.rglob("*.jsonl.gz"))
        for line in zlib.decompress(path.read_bytes(), 31).splitlines()
    ]


def everything(folder: Path) -> str:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return "".join(
        (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode()
        for path in files
    )


@pytest.mark.parametrize("named", ["the folder above", "its folder", "its summary", "its data files"])
def test_an_export_by_any_of_its_names(tmp_path: Path, key_file: Path, named: str) -> None:
    folder = written(tmp_path / "export", PAYMENTS[:50])
    paths = {
        "the folder above": [tmp_path / "export"],
        "its folder": [folder],
        "its summary": [folder / "manifest-summary.json"],
        "its data files": data_files(folder),
    }[named]
    done = run(*paths, "--key-file", key_file, "--json", out=tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["items"], said["events"], said["held"], said["policy"]) == (50, 50, 0, "payments")
    made = events(tmp_path / "out")
    assert {event["new"]["payment_id"] for event in made} == {one["payment_id"] for one in PAYMENTS[:50]}
    assert len({event["event_id"] for event in made}) == 50
    assert all(event["keys"] and event["fraud"] and event["type"] == "INSERT" for event in made)
    assert {path.parent for path in (tmp_path / "out").rglob("*.gz")} == {tmp_path / "out" / FOLDER}


def test_a_second_run_goes_on_where_the_first_ended(tmp_path: Path, key_file: Path) -> None:
    folder = written(tmp_path / "export", PAYMENTS[:50])
    run(folder, "--key-file", key_file, out=tmp_path / "out")
    before = events(tmp_path / "out")
    lost, *_ = (tmp_path / "out").rglob("*.gz")
    lost.unlink()
    done = run(folder, "--key-file", key_file, "--json", out=tmp_path / "out")
    said = json.loads(done.stdout)
    assert (done.exit_code, said["events"] + said["duplicates"]) == (0, 50)
    assert 0 < said["events"] <= 20
    assert events(tmp_path / "out") == before


def test_another_key_is_refused_beside_what_is_there(tmp_path: Path, key_file: Path) -> None:
    folder = written(tmp_path / "export", PAYMENTS[:10])
    run(folder, "--key-file", key_file, out=tmp_path / "out")
    done = CliRunner().invoke(
        backfill, [str(folder), "--policy", str(POLICY), "--out", str(tmp_path / "out"), "--jobs", "1"]
    )
    assert "was begun under another key" in str(done.exception)


def test_what_cannot_pass_is_nowhere_and_said_by_its_line(tmp_path: Path, key_file: Path) -> None:
    broken = {name: value for name, value in PAYMENTS[1].items() if name != "payment_id"}
    folder = written(tmp_path / "export", [PAYMENTS[0], broken, *PAYMENTS[2:30]], parts=1)
    (data,) = data_files(folder)
    for reasons in (2, 0):  # the second run finds the file, and not the reasons
        done = run(data, "--key-file", key_file, "--json", out=tmp_path / "out")
        said = json.loads(done.stdout)
        assert (done.exit_code, said["held"], len(said["failed"])) == (1, 1, reasons // 2)
    done = run(data, out=tmp_path / "other")
    assert f"{data.name}:2: " in done.stderr
    assert "1 could not pass" in done.stdout
    text = everything(tmp_path / "out") + everything(tmp_path / "other") + done.output
    assert not [value for value in identifying_values(PAYMENTS[1]) if value in text]


def test_no_identifying_value_is_on_the_disk(tmp_path: Path) -> None:
    run(written(tmp_path / "export", PAYMENTS[:100]), out=tmp_path / "out")
    text = everything(tmp_path / "out")
    assert not [value for one in PAYMENTS[:100] for value in identifying_values(one) if value in text]


def test_several_processes_do_what_one_does(tmp_path: Path, key_file: Path) -> None:
    folder = written(tmp_path / "export", PAYMENTS[:60], parts=3)
    run(folder, "--key-file", key_file, out=tmp_path / "one")
    done = run(folder, "--key-file", key_file, "--jobs", 2, out=tmp_path / "two")
    assert done.exit_code == 0

    def named(out: Path) -> dict[str, Any]:
        return {event["new"]["payment_id"]: event["new"] for event in events(out)}

    assert named(tmp_path / "one") == named(tmp_path / "two")


def test_a_bare_file_needs_its_time_and_has_a_name_of_its_content(tmp_path: Path, key_file: Path) -> None:
    bare = tmp_path / "some.json"
    bare.write_text("".join(json.dumps({"Item": delivered(one)}) + "\n" for one in PAYMENTS[:5]))
    assert "--written-at" in str(run(bare, out=tmp_path / "out").exception)
    done = run(bare, "--written-at", "2026-11-23T21:00Z", "--key-file", key_file, out=tmp_path / "out")
    assert done.exit_code == 0, done.output
    (event, *_) = events(tmp_path / "out")
    assert event["time"] == "2026-11-23T21:00:00Z"
    assert event["event_id"].startswith("backfill-file-")


def spoil_data(folder: Path) -> None:
    data_files(folder)[0].write_bytes(gzip.compress(b'{"Item": {}}\n'))


def spoil_manifest(folder: Path) -> None:
    path = folder / "manifest-files.json"
    path.write_text(path.read_text().replace('"itemCount": ', '"itemCount": 1'))


def spoil_count(folder: Path) -> None:
    spoil_manifest(folder)
    (folder / "manifest-files.checksum").write_text(checksum((folder / "manifest-files.json").read_bytes()))


def remove_data(folder: Path) -> None:
    data_files(folder)[0].unlink()


def to_ion(folder: Path) -> None:
    spoil_summary(folder, "DYNAMODB_JSON", "ION")


def to_incremental(folder: Path) -> None:
    spoil_summary(folder, "FULL_EXPORT", "INCREMENTAL_EXPORT")


def spoil_summary(folder: Path, old: str, new: str) -> None:
    path = folder / "manifest-summary.json"
    path.write_text(path.read_text().replace(old, new))
    path.with_suffix(".checksum").unlink()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (spoil_data, "its MD5 is not what the manifest says"),
        (spoil_manifest, "its MD5 is not what manifest-files.checksum says"),
        (spoil_count, "its manifest says"),
        (remove_data, "is missing, though the manifest names it"),
        (to_ion, "it is Ion: export in DYNAMODB_JSON"),
        (to_incremental, "incremental export"),
    ],
)
def test_what_is_altered_or_of_another_kind_is_not_taken_for_whole(
    tmp_path: Path, spoil: Any, says: str
) -> None:
    folder = written(tmp_path / "export", PAYMENTS[:10])
    spoil(folder)
    done = run(folder, out=tmp_path / "out")
    assert done.exit_code != 0
    assert says in done.stderr + str(done.exception)


@pytest.mark.parametrize(
    ("line", "says"), [(b"$ion_1_0 {Item:{}}\n", "Ion"), (b'{"Metadata": {}, "Keys": {}}\n', "incremental")]
)
def test_a_data_file_of_another_kind_is_known_by_its_beginning(
    tmp_path: Path, line: bytes, says: str
) -> None:
    path = tmp_path / "x.json.gz"
    path.write_bytes(gzip.compress(line))
    done = run(path, "--written-at", "2026-11-23", out=tmp_path / "out")
    assert done.exit_code == 1
    assert says in done.stderr


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([], "Either FILES and --out, or --env and --stream"),
        (
            ["{export}", "--env", "dev", "--stream", "payments"],
            "Either FILES and --out, or --env and --stream",
        ),
        (["{export}"], "Say --out DIR"),
        (["{export}", "--out", "{out}", "--env", "dev"], "go without FILES"),
        (["--stream", "payments"], "Say --env"),
        (["--env", "dev", "--stream", "payments", "--key", "payment_id"], "go with FILES"),
    ],
)
def test_it_is_either_here_or_in_an_environment(tmp_path: Path, given: list[str], says: str) -> None:
    folder = written(tmp_path / "export", PAYMENTS[:2])
    arguments = [one.format(export=folder, out=tmp_path / "out") for one in given]
    done = CliRunner(env={"TIDEGATE_ENV": ""}).invoke(backfill, arguments)
    assert done.exit_code == 2
    assert says in " ".join(done.stderr.split())
