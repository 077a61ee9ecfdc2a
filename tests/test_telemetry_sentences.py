"""Telemetry knows every sentence that the function on the stream may have to say, and no other."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from processor.telemetry import CALLS, REASONS, STOPS, sayable

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parents[1] / "processor"
NOT_OF_THE_STREAM = {
    *("access", "asking", "detokenize", "erase", "erasure", "proof", "rates", "receipts"),
    *("reidentification", "unwrapping", "cli", "local", "review"),
}
HOLE = "{}"


def written(name: str) -> Iterator[tuple[str, str]]:
    """What is given to each call of this name: (module and line, text with `{}` for what is filled in)."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).parts[0].removesuffix(".py") in NOT_OF_THE_STREAM:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name and node.args:
                text = as_text(node.args[0], path)
                if text is not None:
                    yield f"{path.name}:{node.lineno}", text


def as_text(node: ast.expr, path: Path) -> str | None:
    """A text of the code; None for what is passed on from an error that was raised elsewhere."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(part.value if isinstance(part, ast.Constant) else HOLE for part in parts)  # type: ignore[misc]
        case ast.Name(id=name):
            module = importlib.import_module(".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts))
            return str(getattr(module, name))
        case ast.Attribute(attr="reason"):
            return None
    raise AssertionError(f"{path.name}:{node.lineno}: say this error in one text, so that it can be known")


def form(sentence: str) -> str:
    return re.sub(r"\{\w*\}", HOLE, sentence)


MEND = "add it to processor/telemetry.py, or the log says only that there is another reason"


def test_every_reason_for_quarantine_can_be_said() -> None:
    reasons, used = {form(reason) for reason in REASONS}, set()
    for where, text in written("Poison"):
        plain = sayable(text, "reasons") == text  # where a constant of the module is filled in already
        assert text in reasons or plain, f"{where}: {text!r}: {MEND}"
        used |= {reason for reason in reasons if text == reason or _fits(text, reason)}
    assert reasons - used == set(), "no error says these any more"


def _fits(text: str, reason: str) -> bool:
    return re.fullmatch(re.escape(reason).replace(re.escape(HOLE), ".+"), text) is not None


def test_every_reason_to_stop_can_be_said() -> None:
    stops = {form(stop) for stop in STOPS}
    # sns:Publish and aws.calling fill in what is called: those are the next test's.
    composed = {"{}: {} (request {})", "{}: {}", "sns:Publish: {}"}
    used = {where: text for where, text in written("Transient") if text not in composed}
    assert used, "found none: the search is broken"
    for where, text in used.items():
        assert text in stops, f"{where}: {text!r}: {MEND}"
    by_calls = {stop for stop in stops if any(stop.startswith(f"{form(call)}: {HOLE}") for call in CALLS)}
    assert stops - by_calls - set(used.values()) == {HOLE}, "no error says these any more"


def test_every_call_that_may_fail_can_be_said() -> None:
    calls = {text: where for where, text in written("calling")}
    assert calls.keys() == {form(call) for call in CALLS}, MEND


@pytest.mark.parametrize(
    "sentence",
    [
        "s3:PutObject under events/: SlowDown (request 7F1E0ABC+/=)",
        "kms:GenerateMac for token key version 12: ConnectTimeoutError",
        "dynamodb:Query on the ledger: ProvisionedThroughputExceededException (request unknown)",
        "time ran out: 1,234 records are left",
        "ValueError at processor/policy/sanitiser.py:123",
        "KeyError at unknown:0",
    ],
)
def test_sentences_are_said_as_they_come(sentence: str) -> None:
    assert sayable(sentence, "stops") == sentence
