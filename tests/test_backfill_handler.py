"""The answers that the state machine gets. What happens inside is tests/test_history.py's."""

from __future__ import annotations

import importlib
import sys
import time
from contextlib import closing
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

import processor.aws
import processor.start
from processor.errors import TidegateError, Transient
from tests.exporting import EXPORT, EXPORTED_AT, TABLE
from tests.test_handler import Context, Ears
from tests.worlds import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from processor.history import Progress

FILE = {"itemCount": 3, "md5Checksum": "x", "etag": "y", "dataFileS3Key": "AWSDynamoDB/1/data/x7.json.gz"}
ASKED = {
    "export": EXPORT,
    "exported_at": EXPORTED_AT,
    "keys": ["payment_id"],
    "file": FILE,
    "next": 1,
    "counts": {},
}


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """What the handler answers when the file goes as told."""
    monkeypatch.setattr(processor.start, "start", lambda *_, **__: (World().gate(), Ears()))
    monkeypatch.setattr(processor.aws, "connect", lambda *_, **__: (None,))
    monkeypatch.setattr(time, "time", lambda: float(EXPORTED_AT + 60))
    for name, value in (("EXPORTS_BUCKET", "exports"), ("TABLE_ARN", TABLE)):
        monkeypatch.setenv(name, value)

    def answer(event: Any, journey: Callable[[Progress], None]) -> Any:
        monkeypatch.delitem(sys.modules, "processor.backfill", raising=False)
        module = importlib.import_module("processor.backfill")
        monkeypatch.setattr(module, "opened", lambda *_: closing(BytesIO()))
        monkeypatch.setattr(
            module, "bring_through", lambda _gate, _source, _packed, progress, **_: journey(progress)
        )
        monkeypatch.delitem(sys.modules, "processor.backfill")
        return module.handler(event, Context())

    return answer


def through(progress: Progress) -> None:
    progress.done, progress.next = True, 4
    progress.counts["events"] += 3


def test_a_file_that_is_through_says_what_came_of_it(answer: Any) -> None:
    came = answer(ASKED, through)
    assert (came["done"], came["items"], came["counts"]["events"], came["name"]) == (True, 3, 3, "x7")


def test_what_earlier_calls_counted_is_counted_on(answer: Any) -> None:
    came = answer({**ASKED, "next": 2, "counts": {"events": 1}}, through)
    assert came["counts"]["events"] == 4


def test_a_file_that_takes_longer_says_where_to_go_on(answer: Any) -> None:
    def some(progress: Progress) -> None:
        progress.next, progress.stopped = 3, "s3:PutObject under events/: SlowDown"

    came = answer(ASKED, some)
    assert (came["done"], came["next"]) == (False, 3)


def test_a_call_that_did_nothing_fails_so_that_it_is_tried_later(answer: Any) -> None:
    def nothing(progress: Progress) -> None:
        progress.stopped = "s3:PutObject under events/: SlowDown"

    with pytest.raises(TidegateError, match="SlowDown"):
        answer(ASKED, nothing)


def test_a_file_with_another_number_of_items_is_no_success(answer: Any) -> None:
    def short(progress: Progress) -> None:
        progress.done, progress.next = True, 3

    with pytest.raises(TidegateError, match="has 2 items and its manifest says 3"):
        answer(ASKED, short)


def test_an_unexpected_error_is_raised_without_what_it_says(answer: Any) -> None:
    def broken(_progress: Progress) -> None:
        raise KeyError("jane.doe@example.com")

    with pytest.raises(TidegateError, match=r"^unexpected KeyError at tests/test_backfill_handler\.py:\d+$"):
        answer(ASKED, broken)


def test_an_export_that_the_ledger_may_have_forgotten_is_refused(answer: Any) -> None:
    with pytest.raises(TidegateError, match="export the table anew"):
        answer({**ASKED, "exported_at": EXPORTED_AT - 30 * 86_400}, through)


@pytest.mark.parametrize("part", ["export", "exported_at", "keys", "file"])
def test_another_event_is_refused(answer: Any, part: str) -> None:
    with pytest.raises(TidegateError):
        answer({**ASKED, part: None}, through)


def test_trouble_of_aws_before_the_first_line_is_an_error_too(answer: Any) -> None:
    def refused(_progress: Progress) -> None:
        raise Transient("s3:GetObject on the export: SlowDown")

    with pytest.raises(TidegateError, match="SlowDown"):
        answer(ASKED, refused)
