"""The answers that Lambda gets. What happens inside is tests/test_pipeline.py's."""

from __future__ import annotations

import importlib
import sys
import traceback
from typing import TYPE_CHECKING, Any

import pytest

import processor.start
from processor.errors import TidegateError, Transient
from tests.builders import FIRST_SEQUENCE, stream_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from processor.telemetry import Tally

RECORDS = [stream_record({"payment_id": f"p-{at}"}, at=at) for at in (5, 3, 4)]


class Context:
    """What Lambda tells a function about its call."""

    aws_request_id = "8f507cfc-xmpl-4697-b07a-ac58fc914c95"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


class Ears:
    """Hears what telemetry is given."""

    def __init__(self) -> None:
        self.tallies: list[Tally] = []

    def batch(self, tally: Tally) -> None:
        self.tallies.append(tally)


@pytest.fixture
def ears() -> Ears:
    return Ears()


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch, ears: Ears) -> Callable[[Any, Any], Any]:
    """What the handler answers to an event when the batch goes as told."""

    def answer(event: Any, journey: Callable[[Any, Any, Tally], None]) -> Any:
        monkeypatch.setattr(processor.start, "start", lambda *_: (None, ears))
        monkeypatch.delitem(sys.modules, "processor.handler", raising=False)
        module = importlib.import_module("processor.handler")
        monkeypatch.setattr(module, "pass_through", journey)
        monkeypatch.delitem(sys.modules, "processor.handler")
        return module.handler(event, Context())

    return answer


def stop(failure: Exception) -> Callable[[Any, Any, Any], None]:
    def journey(*_: Any, **__: Any) -> None:
        raise failure

    return journey


def test_a_passed_batch_has_no_failures(answer: Any, ears: Ears) -> None:
    assert answer({"Records": RECORDS}, lambda *_, **__: None) == {"batchItemFailures": []}
    assert [tally.stopped for tally in ears.tallies] == [""]


def test_a_stopped_batch_names_where_to_go_on(answer: Any, ears: Ears) -> None:
    failure = Transient("sns:Publish: Throttled", sequence="123")
    assert answer({"Records": RECORDS}, stop(failure)) == {"batchItemFailures": [{"itemIdentifier": "123"}]}
    assert [tally.stopped for tally in ears.tallies] == ["sns:Publish: Throttled"]


def test_a_batch_stopped_as_a_whole_names_its_lowest_sequence_number(answer: Any) -> None:
    stopped = stop(Transient("dynamodb:Query"))
    lowest = {"batchItemFailures": [{"itemIdentifier": str(FIRST_SEQUENCE + 3)}]}
    assert answer({"Records": [*RECORDS, "garbage"]}, stopped) == lowest


def test_a_batch_without_any_number_fails_as_a_whole(answer: Any) -> None:
    stopped = stop(Transient("dynamodb:Query"))
    assert answer({"Records": ["garbage"]}, stopped) == {"batchItemFailures": [{"itemIdentifier": ""}]}


def test_an_unexpected_error_is_raised_without_what_it_says(answer: Any, ears: Ears) -> None:
    with pytest.raises(TidegateError, match=r"^unexpected KeyError at tests/test_handler\.py:\d+$") as caught:
        answer({"Records": RECORDS}, stop(KeyError(str(2**70))))
    assert str(2**70) not in "".join(traceback.format_exception(caught.value))
    assert ears.tallies[0].stopped.startswith("KeyError at ")


@pytest.mark.parametrize("event", [{}, {"Records": None}, {"Records": {}}])
def test_another_event_is_refused(answer: Any, event: Any) -> None:
    with pytest.raises(TidegateError, match="not an event of a stream"):
        answer(event, lambda *_, **__: None)
