"""A preview as one page for whoever answers for the data."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from processor.review.anonymity import SMALL
from processor.review.markup import exposure_bar, row, table, text, tile
from processor.review.markup import page as whole
from processor.review.shape import after, before, counted, in_line, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from processor.review.anonymity import Anonymity, Measure
    from processor.review.preview import Cell, FieldSeen, Preview

CHART_WIDTH, CHART_HEIGHT, CHART_FOOT = 640, 180, 40


FOOTER: Final = """\
Made by <code>tidegate policy preview</code>. Tokens and pseudonyms on this page were made with a
key that is thrown away: they join nothing."""
WARNING: Final = """\
<p class="warning" role="note"><strong>This page shows raw personal data.</strong> Keep it as you would the
records themselves, and delete it once it is read.</p>"""
GROUPS: Final = """\
<p>Records that agree in {fields} form a group, in the literature an <em>equivalence class</em>. Sizes count
{who}. The smallest group has k = {k:,} (k-anonymity, Sweeney 2002). Who knows that somebody is in the data
finds their records with a probability of {risk_max} at most and {risk} on average over the records: the
<em>prosecutor risk</em>, 1 in the size of the group.</p>"""
NOT_SAID: Final = """\
<p class="small">What this does not say: fields of other classes and free text are taken to be unknown to
whoever looks, and a pseudonym or token that links the records of one person makes them more telling together
than each is alone.</p>"""
BY_RECORD: Final = "records (the policy names no subject, so each counts as a person of its own)"


def page(seen: Preview, findings: Sequence[str], *, now: int, show: bool) -> str:
    """The page, as HTML.

    Args:
        seen: what there is to show.
        findings: what a reviewer has to mend or answer for.
        now: when, epoch seconds.
        show: whether raw values are shown, not only their form.
    """
    sections = [
        WARNING if show else "",
        _tiles(seen, findings),
        _findings(findings),
        _fields(seen),
        _examples(seen, show=show),
        _anonymity(seen.anonymity),
    ]
    made = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return whole(
        kind="Preview of a masking policy",
        title=f"{seen.plan.name}, version {seen.plan.version}",
        about="what leaves",
        words=(
            f"{counted(seen.records, 'record')} of a sample, sanitised on {made}. "
            f"Policy file: <code>sha256 {seen.plan.sha256[:16]}…</code>"
        ),
        sections=sections,
        footer=FOOTER,
    )


def _tiles(seen: Preview, findings: Sequence[str]) -> str:
    leaving = sum(one.exposure > 0 for one in seen.fields)
    readable = sum(one.readable for one in seen.fields)
    tiles = [
        tile(f"{len(findings):,}", "findings" if len(findings) != 1 else "finding", loud=bool(findings)),
        tile(f"{leaving} of {len(seen.fields)}", "fields leave in some form"),
        tile(f"{readable}", "of them can be read, in whole or in part"),
    ]
    if seen.anonymity is not None:
        measure = seen.anonymity.measure
        tiles += [
            tile(f"k = {measure.k:,}", "people in the smallest group", loud=measure.k < SMALL),
            tile(_percent(measure.small), f"of the records in groups of fewer than {SMALL}"),
            tile(_percent(measure.unique), "of the records alone in their group"),
        ]
    return f'<section aria-label="Summary"><ul class="tiles">{"".join(tiles)}</ul></section>'


def _findings(findings: Sequence[str]) -> str:
    if not findings:
        return '<section><h2>Findings</h2><p class="fine">None.</p></section>'
    items = "".join(f"<li>{text(finding)}</li>" for finding in findings)
    return f'<section><h2>Findings</h2><ul class="findings">{items}</ul></section>'


def _fields(seen: Preview) -> str:
    head = row(
        ["Field", "Action", "Class", "Exposure", "Records", "Different before", "Different after", "Remarks"],
        head=True,
    )
    body = [_field(one, seen.records) for one in sorted(seen.fields, key=lambda one: -one.exposure)]
    unnamed = "".join(
        f"<li><code>{text(path)}</code>, {counted(count, 'time')}</li>"
        for path, count in seen.unnamed.most_common()
    )
    left = f"<h3>Fields that no rule names: {text(seen.plan.unknown)}</h3><ul>{unnamed}</ul>"
    words = (
        "The most exposed first. Exposure is an order, not a measure: from 0, which reveals nothing, to 100, "
        "which reveals all; a grey bar is of a field of class public. Counts with ≈ are estimates."
    )
    return (
        f"<section><h2>Fields</h2><p>{words}</p>{table(head, body, 'Fields and what becomes of them')}"
        f"{left if unnamed else ''}</section>"
    )


def _field(one: FieldSeen, records: int) -> str:
    return row(
        [
            f"<code>{text(one.path)}</code>",
            text(one.action),
            text(one.data_class),
            exposure_bar(one.exposure, one.data_class),
            text(share(one.records, records)),
            text(str(one.before)),
            text(str(one.after)),
            "<br>".join(map(text, one.remarks)),
        ],
        kind="remarked" if one.found or one.leaks else "",
    )


def _examples(seen: Preview, *, show: bool) -> str:
    if not seen.examples:
        return ""
    form = "" if show else " Raw values show by their form only: X and x for letters, 9 for digits."
    head = row(["Field", "Before", "After"], head=True)
    tables = [table(head, [_cell(cell, show=show) for cell in example]) for example in seen.examples]
    shown = "".join(
        f"<details{' open' if number == 1 else ''}><summary>Record {number}</summary>{table}</details>"
        for number, table in enumerate(tables, 1)
    )
    return f"<section><h2>Before and after</h2><p>The first records of the sample.{form}</p>{shown}</section>"


def _cell(cell: Cell, *, show: bool) -> str:
    left = (
        f"<code>{text(after(cell.after))}</code>"
        if cell.after
        else '<span class="gone">does not leave</span>'
    )
    raw = f"<code>{text(before(cell.before, show=show))}</code>" if cell.before else ""
    return row([f"<code>{text(in_line(cell.path))}</code>", raw, left])


def _anonymity(found: Anonymity | None) -> str:
    title = "<h2>Who could still be told apart</h2>"
    if found is None:
        return f"<section>{title}<p>No record leaves.</p></section>"
    if not found.fields:
        words = "No field of a class that narrows down who it was leaves in a readable form."
        return f"<section>{title}<p>{words}</p></section>"
    groups = GROUPS.format(
        fields=", ".join(f"<code>{text(path)}</code>" for path in found.fields),
        who="people" if found.by_person else BY_RECORD,
        k=found.measure.k,
        risk_max=_percent(found.measure.risk_max),
        risk=_percent(found.measure.risk),
    )
    parts = (title, groups, _chart(found), _contributions(found), _smallest(found), NOT_SAID)
    return f"<section>{''.join(parts)}</section>"


def _chart(found: Anonymity) -> str:
    """Bars of the share of records by the size of their group."""
    who, foot = "people" if found.by_person else "records", CHART_HEIGHT - CHART_FOOT
    step = CHART_WIDTH // len(found.bars)
    room = foot - 20
    parts, longest = [], max(bar.records for bar in found.bars)
    for index, bar in enumerate(found.bars):
        height = max(room * bar.records // longest, 1 if bar.records else 0)
        x, top = index * step + 8, foot - height
        middle = x + (step - 16) // 2
        kind = "high" if bar.least < SMALL else "low"
        parts += [
            f'<rect class="{kind}" x="{x}" y="{top}" width="{step - 16}" height="{height}" rx="2"/>',
            f'<text x="{middle}" y="{top - 6}">{text(share(bar.records, found.records))}</text>',
            f'<text x="{middle}" y="{foot + 18}">{text(bar.label)}</text>',
        ]
    shares = [share(bar.records, found.records) for bar in found.bars]
    said = "; ".join(
        f"groups of {bar.label}: {part} of the records, {counted(bar.classes, 'group')}"
        for bar, part in zip(found.bars, shares, strict=True)
    )
    return f"""<figure>
<svg class="chart" viewBox="0 0 {CHART_WIDTH} {CHART_HEIGHT}" role="img" aria-labelledby="sizes">
<title id="sizes">{text(said)}</title>
<line x1="0" x2="{CHART_WIDTH}" y1="{foot}" y2="{foot}"/>
{"".join(parts)}
<text x="{CHART_WIDTH // 2}" y="{CHART_HEIGHT - 4}">{who} in the group</text>
</svg>
<figcaption>Share of the records by the size of their group; groups: {found.measure.classes:,}.</figcaption>
</figure>"""


def _contributions(found: Anonymity) -> str:
    heads = ["Field", "k without it", f"In groups of &lt; {SMALL} without it", "Alone without it"]
    heads += ["Groups by it only", f"In groups of &lt; {SMALL} by it only"]
    body = [
        row(
            [
                f"<code>{text(one.path)}</code>",
                *_measured(one.without),
                f"{one.alone.classes:,}",
                _percent(one.alone.small),
            ]
        )
        for one in found.contributions
    ]
    words = "The first contributes most. To lower the risk, make it coarser or drop it, and look again."
    return f"<h3>Which fields are to blame</h3><p>{words}</p>{table(row(heads, head=True), body)}"


def _measured(measure: Measure) -> list[str]:
    return [f"{measure.k:,}", _percent(measure.small), _percent(measure.unique)]


def _smallest(found: Anonymity) -> str:
    heads = [
        "People" if found.by_person else "Size",
        "Records",
        *(f"<code>{text(path)}</code>" for path in found.fields),
    ]
    body = [
        row([f"{one.people:,}", f"{one.records:,}", *(text(in_line(value)) for value in one.values)])
        for one in found.smallest
    ]
    return f"<h3>The smallest groups, as sanitised</h3>{table(row(heads, head=True), body)}"


def _percent(part: float) -> str:
    return f"{part:.1%}"
