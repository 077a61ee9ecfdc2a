"""What the functions on people say of a call: one line of JSON, which is log and metrics at once.

As telemetry.py does for batches: counts, names of policies and reasons in words, no value and no name of
anybody. Who asked for what is the audit trail's to say, which fewer may read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from processor.errors import TidegateError
from processor.telemetry import NAMESPACE, place_of

if TYPE_CHECKING:
    from collections.abc import Callable

COUNTED: Final = ("RequestsRefused", "RequestsFailed")


@dataclass(slots=True)
class Call:
    """What became of one call."""

    counts: dict[str, int] = field(default_factory=dict)
    """By metric: how many values opened, people erased and so on."""
    refused: str = ""
    """Why it was not granted; empty if it was."""
    failed: str = ""
    """What stopped it; empty if nothing did."""


class Voice:
    """A function's voice. `write` takes one line of text; in Lambda it is `print`."""

    def __init__(self, function: str, clock: Callable[[], float], write: Callable[[str], Any]) -> None:
        self._function, self._clock, self._write = function, clock, write

    def tell(self, call: Call) -> None:
        """Say what became of a call."""
        counts = {"Requests": 1, **call.counts}
        counts |= dict(zip(COUNTED, (int(bool(call.refused)), int(bool(call.failed))), strict=True))
        metrics = [{"Name": name, "Unit": "Count"} for name in counts]
        directive = {"Namespace": NAMESPACE, "Dimensions": [["Function"]], "Metrics": metrics}
        said = f"failed: {call.failed}" if call.failed else f"refused: {call.refused}" if call.refused else ""
        line = {
            "_aws": {"Timestamp": int(self._clock() * 1000), "CloudWatchMetrics": [directive]},
            "level": "ERROR" if call.failed else "WARN" if call.refused else "INFO",
            "message": said or "answered",
            "Function": self._function,
            **counts,
        }
        self._write(json.dumps(line, separators=(",", ":")))


def answered(voice: Voice, work: Callable[[], tuple[dict[str, Any], Call]]) -> dict[str, Any]:
    """What the work answers, after the voice has told what became of it.

    Raises:
        TidegateError: the work did, or something unexpected: then its type and place, without its text, which
            may quote a value.
    """
    call = Call()
    try:
        body, call = work()
    except TidegateError as failure:
        call.failed = str(failure)
        raise
    except Exception as bug:  # noqa: BLE001  raised again, without what it may quote
        call.failed = place_of(bug)
        raise TidegateError(f"unexpected {call.failed}") from None
    finally:
        voice.tell(call)
    return body
