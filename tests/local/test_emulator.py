"""The function as Lambda runs it: cold starts, errors, timeouts and crashes of a real process."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from processor.errors import TidegateError
from processor.local import emulator
from processor.local.delivery import PAYLOAD_BYTES_MAX, Answer
from processor.local.emulator import Function, running

pytestmark = pytest.mark.slow

HANDLER = """
import os, sys, time

print("imported")

def handler(event, context):
    match event.get("do"):
        case "raise":
            raise ValueError("the card is 4111111111111111")
        case "sleep":
            time.sleep(30)
        case "die":
            os._exit(3)
        case "look":
            about = {"folder": os.getcwd(), "path": sys.path, "pid": os.getpid()}
            return {"environ": sorted(os.environ), **about}
        case "print":
            print("said by the function")
    return {"left_ms": context.get_remaining_time_in_millis(), "version": context.function_version}
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    (folder / "app.py").write_text(HANDLER)
    return folder


@pytest.fixture(scope="module")
def function(package: Path) -> Iterator[Function]:
    # The project's own Python stands in for the runtime's here: it has awslambdaric too.
    with running(
        package,
        handler="app.handler",
        python=Path(sys.executable),
        environ={"OWN": "1"},
        version="7",
        timeout_s=2,
    ) as started:
        yield started


def test_the_function_answers_with_a_deadline(function: Function) -> None:
    payload = function.invoke({}).payload
    assert payload["version"] == "7"
    assert 0 < payload["left_ms"] <= 2000


def test_what_it_prints_is_in_the_log_and_cold_starts_are_measured(function: Function) -> None:
    answer = function.invoke({"do": "print"})
    assert b"said by the function" in answer.log
    assert b"said by the function" in function.log
    assert b"said by the function" not in function.invoke({}).log, "of one call alone"
    assert 0 < function.cold_starts_ms[0] < 20_000


def test_it_sees_its_package_and_nothing_of_ours(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    monkeypatch.setenv("SECRET_OF_OURS", "1")
    with running(
        package, handler="app.handler", python=Path(sys.executable), environ={"OWN": "1"}
    ) as started:
        seen = started.invoke({"do": "look"}).payload
    assert seen["folder"] == str(package)
    assert "OWN" in seen["environ"]
    assert not {"SECRET_OF_OURS", "PYTHONPATH", "HOME", "VIRTUAL_ENV"} & set(seen["environ"])
    assert str(Path.cwd()) not in seen["path"]
    assert not list(package.glob("**/*.pyc"))


def test_an_error_is_told_by_its_type_alone(function: Function) -> None:
    assert function.invoke({"do": "raise"}) == Answer(error="ValueError")


def test_a_timeout_kills_and_the_next_call_starts_cold(function: Function) -> None:
    function.invoke({})
    starts = len(function.cold_starts_ms)
    begun = time.monotonic()
    assert function.invoke({"do": "sleep"}) == Answer(error="Task timed out")
    assert 1.5 < time.monotonic() - begun < 10
    assert not function.invoke({}).error
    assert len(function.cold_starts_ms) == starts + 1


def test_a_crash_is_an_error_and_the_next_call_starts_cold(function: Function) -> None:
    assert function.invoke({"do": "die"}) == Answer(error="Runtime.ExitError")
    assert not function.invoke({}).error


def test_an_event_above_the_limit_is_refused(function: Function) -> None:
    assert function.invoke({"text": "x" * PAYLOAD_BYTES_MAX}) == Answer(error="RequestEntityTooLarge")


def test_a_package_that_fails_to_start_is_an_error_at_each_call(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("raise RuntimeError('no policy')")
    with running(tmp_path, handler="app.handler", python=Path(sys.executable), environ={}) as started:
        assert started.invoke({}).error
        assert started.invoke({}).error
        assert b"no policy" in started.log


def test_nothing_runs_on_after_an_interruption(package: Path) -> None:
    python = Path(sys.executable)
    pids: list[int] = []

    def interrupted() -> None:
        with running(package, handler="app.handler", python=python, environ={}) as started:
            pids.append(started.invoke({"do": "look"}).payload["pid"])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_a_missing_emulator_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulator, "find_spec", lambda _name: None)
    with pytest.raises(TidegateError, match="make setup"):
        emulator.emulator_path()
