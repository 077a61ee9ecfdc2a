"""`tidegate policy preview`: what a person reads, what a script reads, and what neither gets to see."""

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from processor.cli.policy import sample as sample_module
from processor.cli.policy.preview import preview

POLICY = """\
policy: small
version: 3
subject: who
fields:
  who: pseudonymize
  name: redact
  note: keep
  postcode: {action: generalize, to: zip3, class: postcode}
routes: {sns: {events: none}}
retention_days: {events: 400, audit: 2557, quarantine: 14, logs: 90, ledger: 21}
"""
RECORDS = (
    {"who": "C1", "name": "Ann Example", "note": "fine", "postcode": "12345", "other": 1},
    {"who": "C2", "name": "Bob Example", "note": "fine", "postcode": "12399"},
)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A policy and a sample in the working folder."""
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(POLICY)
    Path("sample.jsonl").write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    return Path("small.yaml")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(preview, [str(argument) for argument in arguments])


def test_a_person_sees_forms_of_what_comes_in_and_values_of_what_goes_out(small: Path) -> None:
    done = run(small, "--sample", "sample.jsonl")
    assert done.exit_code == 0, done.output
    assert "Example" not in done.output
    assert "C1" not in done.output
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[0] == "small, version 3, on 2 records of the sample"
    assert "100 note keep 100% 1 1" in lines
    assert "name text Xxx Xxxxxxx [redacted]" in lines
    assert "postcode text 99999 123" in lines
    assert "other (does not leave)" in lines
    assert "k = 2 (the smallest of 1 group)" in lines
    assert lines[-1] == "No findings."


def test_raw_values_show_when_asked_for(small: Path) -> None:
    shown = run(small, "--sample", "sample.jsonl", "--show-values", "--records", "1").stdout
    assert "Ann Example" in shown
    assert "Bob Example" not in shown
    assert "record 1" not in run(small, "--sample", "sample.jsonl", "--records", "0").stdout


@pytest.mark.parametrize("show", [True, False])
def test_the_page_obeys_the_same_rule_and_is_for_its_owner(small: Path, *, show: bool) -> None:
    more = ("--show-values",) if show else ()
    done = run(small, "--sample", "sample.jsonl", "--html", "out.html", *more)
    assert done.exit_code == 0
    assert done.stderr == "tidegate: wrote out.html\n"
    text = Path("out.html").read_text()
    assert text.startswith("<!doctype html>")
    assert ("Ann Example" in text) is show
    assert stat.S_IMODE(Path("out.html").stat().st_mode) == 0o600


def test_for_scripts(small: Path) -> None:
    answer = json.loads(run(small, "--sample", "sample.jsonl", "--json").stdout)
    assert (answer["policy"], answer["version"], answer["records"], answer["findings"]) == ("small", 3, 2, [])
    fields = {one["field"]: one for one in answer["fields"]}
    assert fields["postcode"] == {
        "field": "postcode",
        "action": "generalize",
        "class": "postcode",
        "exposure": fields["postcode"]["exposure"],
        "records": 2,
        "distinct_before": {"count": 2, "exact": True},
        "distinct_after": {"count": 1, "exact": True},
        "found": {},
        "mismatched": 0,
        "oversized": 0,
        "leaks": 0,
    }
    anonymity = answer["anonymity"]
    assert (anonymity["measure"]["k"], anonymity["risk_max"], anonymity["fields"]) == (2, 0.5, ["postcode"])
    assert answer["unnamed"] == {"other": 1}
    cells = {cell["field"]: (cell["before"], cell["after"]) for cell in answer["examples"][0]}
    assert cells["name"] == ("text Xxx Xxxxxxx", "[redacted]")
    assert cells["other"] == ("", None)


def test_findings_exit_1(small: Path) -> None:
    assert run(small, "--sample", "sample.jsonl", "--min-k", "2").exit_code == 0
    done = run(small, "--sample", "sample.jsonl", "--min-k", "3")
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (1, "k is 2, and 3 was asked for")
    Path("sample.jsonl").write_text('{"note": "write to ann@example.com"}')
    done = run(small, "--sample", "sample.jsonl")
    assert done.exit_code == 1
    assert done.stdout.splitlines()[-1] == "note is kept, and in it was recognised: email 1 time"
    assert "ann@" not in done.output


def test_a_record_may_not_move_the_cursor_of_a_terminal(small: Path) -> None:
    Path("sample.jsonl").write_text(json.dumps({"note": "\x1b[2J\u202e", "\x1b]0;x\x07": 1}))
    assert not set(run(small, "--sample", "sample.jsonl", "--show-values").output) & set("\x1b\x07\u202e")


def test_long_work_says_how_far_it_is(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_module, "PROGRESS_S", 0)
    monkeypatch.setattr(sample_module, "LINES_BETWEEN", 1)
    done = run(small, "--sample", "sample.jsonl", "--json")
    said = done.stderr.splitlines()
    assert len(said) == 2
    assert said[1].startswith("tidegate: 2 records, 100% of the file, ")
    assert json.loads(done.stdout)["records"] == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "sample.jsonl: holds no record"),
        ('{"name": "Ann"}\n{"name": "Bob"', "sample.jsonl: line 2: not JSON from column 15 on"),
        (None, "sample.jsonl: cannot be read: No such file or directory"),
    ],
)
def test_an_unusable_sample_exits_2(small: Path, content: str | None, words: str) -> None:
    Path("sample.jsonl").unlink()
    if content is not None:
        Path("sample.jsonl").write_text(content)
    done = run(small, "--sample", "sample.jsonl", "--html", "out.html")
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr
    assert not Path("out.html").exists()


def test_an_unusable_policy_exits_2(small: Path) -> None:
    small.write_text(POLICY.replace("redact", "redcat"))
    done = run(small, "--sample", "sample.jsonl")
    assert done.exit_code == 2
    assert "small.yaml:6:9: unknown action 'redcat'" in done.stderr
    small.write_text(POLICY)
    done = run(small, "--sample", "sample.jsonl", "--html", "absent/out.html")
    assert done.exit_code == 2
    assert "absent/out.html: cannot be written: No such file or directory" in done.stderr
