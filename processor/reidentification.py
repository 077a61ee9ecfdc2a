"""Lawful re-identification, top to bottom: who asks, may they, whose is it, open, record, answer.

What an answer may tell apart, its time must not: a token of an erased person, of one who was never seen and a
forged one cost the same lookups, derivations and decryptions. The latter two are the openers' to see to.
"""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from processor.asking import Asked, Item, read
from processor.calls import Call
from processor.crypto import InvalidToken
from processor.proof import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from processor.asking import Book
    from processor.crypto.typed import Scalar
    from processor.proof import Callers
    from processor.rates import Rates
    from processor.subjects import Subjects

SCHEMA: Final = "tidegate.access/1"
KIND: Final = "detokenize"
OPENED, ERASED, INVALID = "opened", "erased", "invalid"
METRICS: Final = {OPENED: "ValuesOpened", ERASED: "TokensErased", INVALID: "TokensInvalid"}


@dataclass(frozen=True, slots=True)
class Desk:
    """What the function is made of."""

    books: Mapping[str, Book]
    """By the policy's name."""
    callers: Callers
    rates: Rates
    subjects: Subjects
    record: Callable[[str, Mapping[str, Any]], Any]
    """Writes a record of a kind into the audit trail; see `Chain.append`."""
    clock: Callable[[], float]


def reidentify(desk: Desk, request: Any, request_id: str) -> tuple[dict[str, Any], Call]:
    """The answer to a request, and what to say of it. Its record is in the audit trail by then.

    Raises:
        Transient: AWS failed somewhere on the way. Nothing is answered, not even in part.
    """
    asked = Asked()
    try:
        values = _granted(desk, request, asked)
    except Refused as refusal:
        asked.who = asked.who or refusal.who
        desk.record(KIND, _record(desk, asked, request_id, Counter(), refused=str(refusal)))
        return {"refused": str(refusal)}, Call(refused=str(refusal))
    outcomes = Counter(value.get("status", OPENED) for value in values)
    link = desk.record(KIND, _record(desk, asked, request_id, outcomes))
    counts = {metric: outcomes[outcome] for outcome, metric in METRICS.items()}
    return {"values": values, "record": {"key": link.key, "sha256": link.sha256}}, Call(counts)


def _granted(desk: Desk, request: Any, asked: Asked) -> list[dict[str, Any]]:
    if not isinstance(request, dict):
        raise Refused("the request is not a JSON object")
    asked.who = desk.callers.who(request)
    read(request, desk.books, asked)
    assert asked.book is not None, "reading sees to it"  # noqa: S101
    assert asked.purpose is not None, "reading sees to it"  # noqa: S101
    most = asked.book.purposes[asked.purpose].values_per_hour
    if not desk.rates.take(asked.who, asked.book.plan.name, asked.purpose, len(asked.items), most=most):
        raise Refused(
            f"at most {most:,} values an hour may be opened for {asked.purpose}: ask later, or for fewer"
        )
    secrets = _secrets(desk, asked.items)
    return [_opened(asked.book, item, secret) for item, secret in zip(asked.items, secrets, strict=True)]


def _secrets(desk: Desk, items: Sequence[Item]) -> list[_Secret]:
    """What is kept of each item's person: all of them looked up at once."""
    names = {name for item in items for reading in item.people for name in reading}
    known = desk.subjects.known(names) if names else {}
    return [_secret(index, item, known) for index, item in enumerate(items)]


@dataclass(frozen=True, slots=True)
class _Secret:
    """A person's secret, if there is one."""

    value: bytes | None
    erased: bool

    def __repr__(self) -> str:
        return "_Secret(…)"  # never the bytes


def _secret(index: int, item: Item, known: Mapping[str, bytes | None]) -> _Secret:
    seen = [found for names in item.people if (found := [known[name] for name in names if name in known])]
    if len(seen) > 1:
        raise Refused(
            f"tokens[{index}].subject is known as a text and as a number: give the person's name, psn.…"
        )
    kept = seen[0] if seen else []
    # Erasing one name after the other may have been interrupted: one tombstone is enough.
    return _Secret(kept[0] if kept and None not in kept else None, erased=None in kept)


def _opened(book: Book, item: Item, secret: _Secret) -> dict[str, Any]:
    opener = book.openers[item.path]
    try:
        value = opener(item.token, secret.value, item.event_id, item.version)
    except InvalidToken:
        return {"status": ERASED if secret.erased and opener.by_subject else INVALID}
    return _answered(value)


def _answered(value: Scalar) -> dict[str, Any]:
    """A value in JSON; where JSON has no such type or would round, as text with its type beside it."""
    if isinstance(value, Decimal):
        return {"value": format(value, "f"), "type": "number"}
    if isinstance(value, bytes):
        return {"value": b64encode(value).decode(), "type": "binary"}
    return {"value": value}


def _record(
    desk: Desk, asked: Asked, request_id: str, outcomes: Counter[str], *, refused: str = ""
) -> dict[str, Any]:
    plan = asked.book.plan if asked.book else None
    names = {name for item in asked.items for names in item.people for name in names}
    return {
        "schema": SCHEMA,
        "kind": KIND,
        "time": datetime.fromtimestamp(int(desk.clock()), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "who": asked.who,
        "purpose": asked.purpose,
        "ticket": asked.ticket,
        "policy": {"name": plan.name, "version": plan.version, "sha256": plan.sha256} if plan else None,
        "fields": dict(sorted(Counter(item.path for item in asked.items).items())),
        "subjects": sorted(names),
        "outcomes": {outcome: outcomes[outcome] for outcome in METRICS},
        "granted": not refused,
        "refused": refused,
        "request_id": request_id,
    }
