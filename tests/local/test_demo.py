"""The demo's edges: what it refuses, what it says, and that its JSON holds no raw payment."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from models.simulator import identifying_values, payments
from processor.errors import TidegateError
from processor.local import demo, presentation
from processor.local.checks import Comparison, Leak
from processor.local.mapping import Tally
from processor.local.rights import Rights
from processor.local.scenario import Report

RAW = next(payments(1, seed=5, start=datetime(2026, 11, 1, tzinfo=UTC)))
EVENT: dict[str, Any] = {
    "type": "INSERT",
    "new": {"payment_id": RAW["payment_id"], "name": "[redacted]"},
    "fraud": {"score": 0.5, "flagged": False},
    "notes": {"dropped": 2, "scrubbed": {}},
}
RIGHTS = Rights(
    opened=True,
    denied=True,
    receipt={},
    verified=True,
    status_after="erased",
    redacted_after=True,
    audited=True,
    said=("detokenize --env: said by a command",),
)
FINE = Report(
    payments=10,
    changed=1,
    removed=1,
    expired=1,
    tally=Tally(read=13, done=13, invocations=1),
    comparison=Comparison((), (), ()),
    leaks=[],
    searched_values=30,
    searched_bytes=40_000,
    records=13,
    events=13,
    objects=[(f"events/payments/{number}.jsonl.gz", 1000) for number in range(12)],
    manifests=12,
    quarantined=0,
    flagged=1,
    alerts=1,
    unalerted=(),
    failures=0,
    actions={"name": {"redact": 13}, "amount": {"keep": 13}},
    rights=RIGHTS,
    guarded=True,
    seconds=2.0,
    cold_start_ms=300.0,
    baseline_ms=1000.0,
    before=RAW,
    after=EVENT,
)


def shown(report: Report) -> str:
    console = Console(file=io.StringIO(), width=160)
    presentation.show(report, console)
    out = console.file
    assert isinstance(out, io.StringIO)
    return out.getvalue()


def test_a_good_run_has_no_problem_and_says_so() -> None:
    assert FINE.problems() == []
    text = shown(FINE)
    for part in ("✓ Every record came out once", "13 in 12 objects", "0.30", "and 4 more", "[redacted]"):
        assert part in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"comparison": Comparison(("a", "b"), (), ())}, "2 records are missing"),
        ({"comparison": Comparison((), ("a",), ())}, "1 records are there twice"),
        ({"comparison": Comparison((), (), ("a",))}, "1 events come from no record"),
        ({"leaks": [Leak("the function's log", 7)]}, "raw values were found in the function's log"),
        ({"unalerted": ("a",)}, "1 flagged events were not published"),
        ({"failures": 2}, "2 batches were given up"),
        ({"manifests": 11}, "12 objects have 11 manifests"),
        ({"guarded": False}, "may do what its policy does not allow"),
        ({"rights": replace(RIGHTS, opened=False)}, "a token did not open for an investigator"),
        ({"rights": replace(RIGHTS, denied=False)}, "an investigator could erase somebody"),
        ({"rights": replace(RIGHTS, verified=False)}, "the receipt of an erasure is not signed"),
        ({"rights": replace(RIGHTS, status_after="opened")}, "a token of an erased person still opens"),
        ({"rights": replace(RIGHTS, redacted_after=False)}, "new record was not redacted"),
        ({"rights": replace(RIGHTS, audited=False)}, "the audit trail is not whole"),
    ],
)
def test_every_fault_is_a_problem(changes: dict[str, Any], said: str) -> None:
    report = replace(FINE, **changes)
    assert len(report.problems()) == 1
    assert said in report.problems()[0]
    assert said in shown(report).replace("\n", " ")


def test_what_the_commands_said_is_shown_only_where_they_failed() -> None:
    assert "said by a command" not in shown(FINE)
    assert "said by a command" in shown(replace(FINE, rights=replace(RIGHTS, opened=False)))


def test_the_json_holds_no_raw_value() -> None:
    text = json.dumps(FINE.as_json(), default=str)
    assert not [value for value in identifying_values(RAW) if value in text]


@pytest.mark.parametrize("count", ["0", "9", "50001", "-1", "many"])
def test_a_number_of_payments_out_of_bounds_is_refused(
    count: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        demo.main(["--payments", count])
    assert ended.value.code == demo.UNUSABLE
    assert "must be 10 to 50000" in capsys.readouterr().err


def test_keep_is_an_option_or_an_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEEP", raising=False)
    assert not demo._options([]).keep
    assert demo._options(["--keep"]).keep
    monkeypatch.setenv("KEEP", "0")
    assert not demo._options([]).keep
    monkeypatch.setenv("KEEP", "1")
    assert demo._options([]).keep


def test_what_makes_it_impossible_is_said_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def impossible(*_: Any) -> Any:
        raise TidegateError("Terraform [1.10] must be installed.")

    monkeypatch.setattr(demo, "standing", impossible)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert demo.main([]) == demo.UNUSABLE
    assert "Terraform [1.10] must be installed." in capsys.readouterr().out
