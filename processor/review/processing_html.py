"""The records of processing and the data map as one page, for whoever answers for the data, and for print."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from processor.review.markup import exposure_bar, page, row, table, text, tile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from processor.review.processing import Mapped, Records, Statement

NOT_STATED: Final = "not stated"
FIELDS: Final = ("Field", "Action", "Class", "Exposure", "What leaves", "Read raw by", "Opened for")
PLACES: Final = ("Place", "Where", "Holds", "Kept", "Who can read it")


def records_page(records: Records, now: int) -> str:
    """The page, as HTML; `now` is when, in epoch seconds."""
    made = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return page(
        kind="Records of processing activities · GDPR Art. 30(1)",
        title=f"{records.policy}, version {records.version}",
        about="records of processing",
        words=f"As of {made}. Policy file: <code>sha256 {records.sha256[:16]}…</code>",
        sections=[
            _tiles(records),
            _lacks(records),
            _statements(records.statements),
            _map(records),
            _places(records),
        ],
        footer="Made by <code>tidegate report</code> from the policy and what Terraform made.",
    )


def _tiles(records: Records) -> str:
    leaving = [one for one in records.fields if one.exposure > 0]
    opened = [one for one in leaving if one.opened_for]
    tiles = [
        tile(f"{len(records.lacks)}", NOT_STATED, loud=bool(records.lacks)),
        tile(f"{len({one.path for one in leaving})}", "fields leave in some form"),
        tile(f"{len({one.path for one in opened})}", "of them can be opened again, for a purpose"),
        tile(f"{len({one.path for one in leaving if one.dies_with_person})}", "die with the person's key"),
    ]
    return f'<section aria-label="Summary"><ul class="tiles">{"".join(tiles)}</ul></section>'


def _lacks(records: Records) -> str:
    if not records.lacks:
        return ""
    return f'<section><h2>Not stated</h2><ul class="findings">{_items(records.lacks)}</ul></section>'


def _statements(statements: Iterable[Statement]) -> str:
    parts = []
    for one in statements:
        says = f"<ul>{_items(one.says)}</ul>" if one.says else ""
        lacks = "".join(f'<p class="gone">{NOT_STATED}: {text(lack)}</p>' for lack in one.lacks)
        parts.append(f"<h3>{one.letter}) {text(one.title)}</h3>{says}{lacks}")
    return f"<section><h2>Records</h2>{''.join(parts)}</section>"


def _map(records: Records) -> str:
    rows = [_field(one) for one in sorted(records.fields, key=lambda one: -one.exposure)]
    words = (
        "The most exposed first, from 0, which reveals nothing, to 100, which reveals all. Fields that no "
        f"rule names: {records.unknown}. Tokens and encrypted values are opened by: {records.openers}."
    )
    return (
        f"<section><h2>Data map</h2><p>{text(words)}</p>"
        f"{table(row(FIELDS, head=True), rows, 'What becomes of each field')}</section>"
    )


def _field(one: Mapped) -> str:
    dies = "<br>until the person is erased" if one.dies_with_person else ""
    when = f"<br>when {text(one.when)}" if one.when else ""
    return row([
        f"<code>{text(one.path)}</code>", f"{text(one.action)}{when}", text(one.data_class),
        exposure_bar(one.exposure, one.data_class), text(one.leaves), text(", ".join(one.read_by)),
        text(", ".join(one.opened_for)) + dies,
    ])  # fmt: skip


def _places(records: Records) -> str:
    rows = [
        row(
            [
                text(one.name),
                f"<code>{text(one.where)}</code>",
                *map(text, (one.holds, one.kept, one.readers)),
            ],
            kind="remarked" if one.hold else "",
        )
        for one in records.holdings
    ]
    return (
        f"<section><h2>Where it lies</h2>"
        f"{table(row(PLACES, head=True), rows, 'Places, what they hold and for how long')}</section>"
    )


def _items(lines: Iterable[str]) -> str:
    return "".join(f"<li>{text(line)}</li>" for line in lines)
