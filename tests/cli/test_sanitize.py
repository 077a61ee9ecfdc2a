"""`tidegate sanitize`: lines in, sanitised lines out, and not a value in what is said of those that fail."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from processor.cli import lines
from processor.cli.sanitize import sanitize

POLICY = """\
policy: small
version: 1
fields:
  id: {action: keep, required: true}
  amount: keep
  email: tokenize
routes: {sns: {events: none}}
retention_days: {events: 400, audit: 2557, quarantine: 14, logs: 90, ledger: 21}
"""
THROWN_AWAY = (
    "tidegate: no --key-file: tokens and pseudonyms are made with a key that is thrown away, and "
    "join nothing outside of this run\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "small.yaml").write_text(POLICY)
    (tmp_path / "key").write_bytes(b"k" * 64)
    (tmp_path / "key").chmod(0o600)
    return tmp_path


def run(folder: Path, given: str | bytes, *arguments: object) -> Result:
    options = ["--policy", folder / "small.yaml", *arguments]
    return CliRunner().invoke(sanitize, [str(option) for option in options], input=given)


def test_lines_keep_their_order_and_numbers_their_digits(folder: Path) -> None:
    amounts = ["1.10", "-0.00", "1e3", "12345678901234567890123456789.123456789", "7"]
    given = "".join(f'{{"id": {n}, "amount": {amount}, "other": 1}}\n' for n, amount in enumerate(amounts))
    done = run(folder, given, "--key-file", folder / "key")
    assert (done.exit_code, done.stderr) == (0, "")
    written = ["1.10", "-0.00", "1E+3", "12345678901234567890123456789.123456789", "7"]
    assert done.stdout == "".join(f'{{"id":{n},"amount":{amount}}}\n' for n, amount in enumerate(written))


def test_one_key_file_makes_runs_join_and_a_thrown_away_key_does_not(folder: Path) -> None:
    given = '{"id": 1, "email": "ann@example.com"}'
    joined = [run(folder, given, "--key-file", folder / "key").stdout for _ in range(2)]
    assert joined[0] == joined[1]
    assert json.loads(joined[0])["email"].startswith("tok.email.1.")
    apart = [run(folder, given) for _ in range(2)]
    assert apart[0].stdout != apart[1].stdout
    assert {(done.exit_code, done.stderr) for done in apart} == {(0, THROWN_AWAY)}


SECRET = "ann@example.com"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"amount": 1}', "id: a required field is missing"),
        (f'{{"id": "{SECRET}"', "not JSON from column 25 on"),
        (f'["{SECRET}"]', "not a JSON object"),
        (f'{{"{SECRET}": 1, "{SECRET}": 2}}', "a key is twice in one object"),
        ('{"id": NaN}', "NaN and Infinity are no JSON numbers"),
        ('{"id": 1e9999999999999999999}', "a number has too many digits"),
        ('{"id": ' + "1" * 5000 + "}", "a number has too many digits"),
        ('{"id": ' + "[" * 200_000, "nested too deeply"),
        (b'{"id": "ann\xff"}', "not UTF-8"),
        ('{"id": "' + "a" * lines.LINE_BYTES_MAX + '"}', "the line is longer than 4,000,000 bytes"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else None,
)
def test_a_line_that_fails_is_named_on_stderr_and_not_on_stdout(
    folder: Path, line: str | bytes, reason: str
) -> None:
    bad = line if isinstance(line, bytes) else line.encode()
    done = run(folder, b'{"id": 1}\n\n' + bad + b'\n{"id": 2}\n' + bad, "--key-file", folder / "key")
    assert done.exit_code == 1
    assert done.stdout == '{"id":1}\n{"id":2}\n'
    assert done.stderr == f"line 3: {reason}\nline 5: {reason}\ntidegate: lines that failed: 2\n"


def test_an_unusable_policy_or_key_exits_2_with_nothing_on_stdout(folder: Path) -> None:
    given = '{"id": 1}'
    (folder / "short").write_bytes(b"k" * 31)
    (folder / "short").chmod(0o600)
    for key in ("short", "absent"):
        done = run(folder, given, "--key-file", folder / key)
        assert (done.exit_code, done.stdout) == (2, "")
        assert str(folder / key) in done.stderr
    (folder / "small.yaml").write_text(POLICY.replace("tokenize", "tokenise"))
    done = run(folder, given)
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"{folder}/small.yaml:6:10: unknown action 'tokenise'\n    Did you mean 'tokenize'?" in done.stderr


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o666])
def test_a_key_file_that_others_can_touch_is_refused_with_the_mending(folder: Path, mode: int) -> None:
    (folder / "key").chmod(mode)
    done = run(folder, '{"id": 1}', "--key-file", folder / "key")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.endswith(f": chmod 600 {folder}/key\n")
    (folder / "key").chmod(0o600)
    assert run(folder, '{"id": 1}', "--key-file", folder / "key").exit_code == 0
