"""What X-Ray is told, heard by a daemon on loopback."""

from __future__ import annotations

import json
import re
from socket import AF_INET, SOCK_DGRAM, socket
from typing import TYPE_CHECKING, Any

import pytest

from processor.telemetry import Tally, Telemetry

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = "1-5759e988-bd862e3fe1be46a994272793"
HEADER = f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:a87bd80c:0"


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket]:
    with socket(AF_INET, SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(1)
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"127.0.0.1:{listening.getsockname()[1]}")
        yield listening


def tell(tally: Tally) -> None:
    Telemetry("payments", "payments_fraud@0123456789ab", lambda: 1000.5, lambda _line: None).batch(tally)


def heard(daemon: socket) -> dict[str, Any]:
    header, _, document = daemon.recv(65_536).partition(b"\n")
    assert json.loads(header) == {"format": "json", "version": 1}
    return dict(json.loads(document))


def test_a_sampled_call_is_told_with_what_it_is_found_by(
    daemon: socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", HEADER)
    tell(Tally(records=12, durations={"decode": 0.25, "settle": 0.25}))
    told = heard(daemon)
    assert re.fullmatch("[0-9a-f]{16}", told.pop("id"))
    assert told == {
        "name": "tidegate",
        "type": "subsegment",
        "trace_id": ROOT,
        "parent_id": "53995c3f42cd8ad8",
        "start_time": 1000.0,
        "end_time": 1000.5,
        "fault": False,
        "annotations": {"policy": "payments", "model": "payments_fraud@0123456789ab", "records": 12},
    }


def test_a_stopped_batch_is_a_fault(daemon: socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", HEADER)
    tell(Tally(stopped="sns:Publish: Throttled"))
    assert heard(daemon)["fault"] is True


@pytest.mark.parametrize(
    "header",
    [
        "",
        HEADER.replace("Sampled=1", "Sampled=0"),
        HEADER.replace("Parent=53995c3f42cd8ad8;", ""),
        "Sampled=1",
        "garbage",
    ],
)
def test_a_call_that_is_not_sampled_is_not_told(
    daemon: socket, monkeypatch: pytest.MonkeyPatch, header: str
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", header)
    tell(Tally())
    daemon.settimeout(0.05)
    with pytest.raises(TimeoutError):
        daemon.recv(65_536)


@pytest.mark.parametrize("address", ["", "nonsense", "127.0.0.1:", "127.0.0.1:9"])
def test_no_batch_fails_for_want_of_a_daemon(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", HEADER)
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", address)
    tell(Tally())
