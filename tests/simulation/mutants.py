"""Breaks of the product, each a few characters of its source: what the simulator has to find."""

from __future__ import annotations
import __future__

import inspect
import textwrap
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType
from typing import TYPE_CHECKING, Any, Final

from processor import pipeline, quarantine, sinks
from processor.audit import Chain
from processor.cli.replay import age
from processor.ledger import Ledger
from processor.quarantine import Quarantine
from processor.sinks import Alerts, Feed
from processor.subjects import Subjects
from tests.simulation import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

HANDLER: Final = "the handler's module"
ANNOTATIONS: Final = __future__.annotations.compiler_flag


@dataclass(frozen=True, slots=True)
class Mutant:
    """One break: in these functions, this text instead of that."""

    name: str
    found_as: frozenset[str]
    """The violations by which it may be found."""
    edits: tuple[tuple[Any, str, str], ...]
    """Function, or HANDLER; what stands there, once; what is to stand there."""


def mutant(name: str, found_as: str, *edits: tuple[Any, str, str]) -> Mutant:
    """A break with its edits; `found_as` has alternatives between bars."""
    return Mutant(name, frozenset(found_as.split(" | ")), edits)


MUTANTS: Final = (
    mutant(
        "others' objects are not looked for",
        "twice",
        (
            Ledger.settle,
            "done, doomed = self._said_by_others(intent, window)",
            "done, doomed = [], frozenset()",
        ),
    ),
    mutant(
        "the fence is skipped: what is not there is taken for what will never be",
        "twice | lost",
        (
            Feed.fence,
            'return None if self._put(key, b"", FENCE) else self._find(key)',
            "try:\n            return self._find(key)\n        except Transient:\n            return None",
        ),
    ),
    mutant(
        "the object is written before the intent",
        "twice",
        (Ledger.settle, "            self._declare(intent, window)\n", ""),
        (
            Ledger.settle,
            "return [*settled, Settled(intent, stored)]",
            "return [*settled, (Settled(intent, stored), self._declare(intent, window))[0]]",
        ),
    ),
    mutant(
        "the ledger is read before the intent is declared",
        "twice",
        (Ledger.settle, "            self._declare(intent, window)\n", ""),
        (
            Ledger.settle,
            "self._said_by_others(intent, window)\n",
            "self._said_by_others(intent, window)\n            self._declare(intent, window)\n",
        ),
    ),
    mutant(
        "the ledger's read is weak",
        "twice",
        (Ledger._queried, '"ConsistentRead": True', '"ConsistentRead": False'),
    ),
    mutant(
        "only the first page of the ledger is read",
        "twice",
        (Ledger._queried, 'if "LastEvaluatedKey" not in page:', "if True:"),
    ),
    mutant(
        "intents that begin where the batch ends are overlooked",
        "twice",
        (Ledger._overlapping, "<= :last", "< :last"),
    ),
    mutant(
        "objects are written without a condition",
        "twice | lost",
        (sinks.put_once, '"IfNoneMatch": "*", ', ""),
    ),
    mutant(
        "fences have no mark",
        "lost | manifest | no manifest",
        (Feed._find, "FENCE.items() <= ", "FENCE.items() < "),
    ),
    mutant(
        "a fenced key is tried again for ever",
        "restless",
        (Ledger._intent, "{self._edition}/{generation}/", "{self._edition}/"),
    ),
    mutant(
        "a key after a fence is the same for all runs",
        "restless",
        (Ledger.settle, "generation = token_hex(GENERATION_BYTES)", 'generation = "again"'),
    ),
    mutant(
        "the ledger forgets while the stream delivers",
        "twice",
        (Ledger._declare, "+ self._retention_s", "+ 3_600"),
    ),
    mutant("a replay goes back as far as it likes", "twice", (age.oldest, "if older:", "if True:")),
    mutant(
        "a taken key counts as written",
        "lost | manifest | no manifest",
        (Feed.create, "self._find(key)", 'Stored(self._bucket, key, 0, "", None, created=False)'),
    ),
    mutant(
        "trouble is acknowledged",
        "lost",
        (
            HANDLER,
            '{"batchItemFailures": [{"itemIdentifier": failure.sequence or _first(records)}]}',
            '{"batchItemFailures": []}',
        ),
    ),
    mutant(
        "a batch that failed comes again from its second record on",
        "lost",
        (HANDLER, 'return min(sequences, key=int, default="")', "return sorted(sequences, key=int)[-1]"),
    ),
    mutant(
        "manifests are for whoever wrote the object",
        "no manifest",
        (pipeline.pass_through, "gate.audit.describe(", "one.stored.created and gate.audit.describe("),
    ),
    mutant(
        "alerts are for whoever wrote the object",
        "no alert",
        (
            pipeline.pass_through,
            "gate.alerts.publish(",
            "any(one.stored.created for one in settled) and gate.alerts.publish(",
        ),
    ),
    mutant(
        "alerts are of what this run made, not of what is stored",
        "alert",
        (pipeline._alerts, "if one.stored.created:", "if True:"),
    ),
    mutant(
        "alerts are of what was held, too, because another run holds it",
        "alert",
        (
            pipeline._alerts,
            "alerts: list[tuple[Alert, Stored]] = []",
            """alerts = [
        (made, None) for made in [gate.alert(event.line) for event in events]
        if made and not any(record_id(made.event_id, made.sequence) in one.intent.records for one in settled)
    ]""",
        ),
    ),
    mutant(
        "alerts have another deduplication id than the event's",
        "alert",
        (
            Alerts._entry,
            '"MessageDeduplicationId": alert.event_id',
            '"MessageDeduplicationId": alert.sequence',
        ),
    ),
    mutant(
        "of alerts that failed, the last is reported",
        "no alert",
        (Alerts.publish, 'min(answer["Failed"]', 'max(answer["Failed"]'),
    ),
    mutant(
        "what is held is not declared", "twice", (Ledger._intent, "held=frozenset(held)", "held=frozenset()")
    ),
    mutant(
        "what others hold is let out",
        "twice",
        (Ledger.settle, "frozenset() if holding.is_pardon else", "frozenset() if True else"),
    ),
    mutant(
        "quarantine has a new name for a record each time",
        "twice",
        (quarantine._name, "blake2b(raw, digest_size=8)", "blake2b(urandom(8), digest_size=8)"),
    ),
    mutant(
        "quarantine tells the record",
        "leak",
        (Quarantine._sealer, '"path": one.path}', '"path": repr(one.record)}'),
    ),
    mutant(
        "profiles are told by whoever finds the object, too",
        "profiles",
        (pipeline._written, " if one.stored.created", ""),
    ),
    mutant("the log tells the record", "leak", (pipeline._poisoned, "poison.reason", "repr(record)")),
    mutant(
        "a chain goes on after a write that nobody knows of",
        "chain",
        (Chain.append, "            self._begin()\n            raise", "            raise"),
    ),
    mutant(
        "people get another secret from each run",
        "not the same",
        (Subjects._put, ", ConditionExpression=free", ""),
    ),
    mutant(
        "secrets are used for ever",
        "not forgotten",
        (Subjects._cache_until, "while self._cache:", "while False:"),
    ),
)


@contextmanager
def broken(one: Mutant) -> Iterator[None]:
    """Let the product be broken so."""
    sources: dict[Any, str] = {}
    for function, old, new in one.edits:
        source = sources.get(function) or _source(function)
        assert source.count(old) == 1, f"{one.name}: {source.count(old)} times in {function}: {old}"
        sources[function] = source.replace(old, new)
    whole = {function: environment.CODE if function is HANDLER else function.__code__ for function in sources}
    _put({function: _code(function, source) for function, source in sources.items()})
    try:
        yield
    finally:
        _put(whole)


def _put(codes: dict[Any, CodeType]) -> None:
    for function, code in codes.items():
        if function is HANDLER:
            environment.CODE = code
        else:
            function.__code__ = code


def _source(function: Any) -> str:
    return environment.HANDLER.read_text() if function is HANDLER else inspect.getsource(function)


def _code(function: Any, source: str) -> CodeType:
    """The code object of a function whose source was edited."""
    if function is HANDLER:
        return compile(source, str(environment.HANDLER), "exec")
    module = compile(
        textwrap.dedent(source), inspect.getfile(function), "exec", ANNOTATIONS, dont_inherit=True
    )
    codes = [one for one in module.co_consts if isinstance(one, CodeType)]
    (code,) = (one for one in codes if one.co_name == function.__name__)
    assert code.co_freevars == function.__code__.co_freevars
    return code
