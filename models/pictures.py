"""The card's pictures, as small SVG: the same figures give the same bytes.

Drawn here rather than by matplotlib, which takes 0.7 s to import and 80 MB on disk, and whose pictures do not
follow the reader's light or dark theme. Each picture brings its own ground, so that it can be read where page
and theme disagree, and its own words for those who cannot see it.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from models.evaluation import Ranking, average_precision

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from models.drift import Baseline
    from models.evaluation.columns import Flags, Floats

WIDTH: Final = 640
HEIGHT: Final = 340
LEFT, RIGHT, TOP, BOTTOM = 62, 28, 90, 52  # margins around a plot

MOST_BARS: Final = 15
HISTOGRAM_BINS: Final = 20
NAME_WIDTH: Final = 210  # what a feature's name may take
MOST_LETTERS: Final = 30

STYLE: Final = """text{font:12px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2328}
.head{font-size:15px;font-weight:600}.edge{font-size:10px;fill:#59636e;text-anchor:middle}.soft{fill:#59636e}.ground{fill:#fff;stroke:#d1d9e0}.grid{stroke:#d1d9e0}
.honest{fill:#54aeff}.fraud{fill:#cf222e}.curve{fill:none;stroke:#0969da;stroke-width:2}
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.soft,.edge{fill:#9198a1}.ground{fill:#0d1117;stroke:#3d444d}
.grid{stroke:#3d444d}.honest{fill:#388bfd}.fraud{fill:#ff7b72}.curve{stroke:#58a6ff}}"""


class _Sheet:
    """Shapes of one picture, in the order in which they are drawn."""

    def __init__(self, title: str, words: str, height: int = HEIGHT) -> None:
        self.height = height
        size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<title>{escape(title)}. {escape(words)}</title><style>{STYLE}</style>",
            f'<rect class="ground" x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1}" rx="6"/>',
        ]
        self.text(20, 28, title, "head")
        self.text(20, 47, words, "soft")

    def text(self, x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> None:
        named = f' class="{kind}"' if kind else ""
        placed = "" if anchor == "start" else f' text-anchor="{anchor}"'
        self._parts.append(f'<text x="{x:.4g}" y="{y:.4g}"{named}{placed}>{escape(words)}</text>')

    def line(self, x: float, y: float, to_x: float, to_y: float) -> None:
        self._parts.append(f'<path class="grid" d="M{x:.4g} {y:.4g}L{to_x:.4g} {to_y:.4g}"/>')

    def curve(self, points: Sequence[tuple[float, float]]) -> None:
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self._parts.append(f'<path class="curve" d="M{path}"/>')

    def dot(self, x: float, y: float, kind: str) -> None:
        self._parts.append(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>')

    def bar(self, x: float, y: float, width: float, height: float, kind: str, *, opacity: float = 1) -> None:
        seen = "" if opacity == 1 else f' opacity="{opacity:.2f}"'
        size = f'width="{width:.1f}" height="{max(height, 0):.1f}"'
        self._parts.append(f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" {size}{seen}/>')

    def legend(self, entries: Sequence[tuple[str, str]]) -> None:
        for at, (kind, words) in enumerate(reversed(entries)):
            x = WIDTH - RIGHT - 80 * (at + 1)
            self.bar(x, 19, 10, 10, kind)
            self.text(x + 15, 28, words, "soft")

    def svg(self) -> str:
        return "\n".join([*self._parts, "</svg>", ""])


class _Plot:
    """A sheet with two axes that start at 0, y in per cent."""

    def __init__(self, sheet: _Sheet, most_x: float, most_y: float, *, x_name: str, y_name: str) -> None:
        self.sheet, self._most_x = sheet, most_x
        step = _step(most_y)
        ticks = [step * at for at in range(int(np.ceil(most_y / step - 1e-9)) + 1)]
        self._most_y = ticks[-1]
        for tick in ticks:
            sheet.line(LEFT, self.y(tick), WIDTH - RIGHT, self.y(tick))
            sheet.text(LEFT - 8, self.y(tick) + 4, _percent(tick), "soft", "end")
        sheet.text(20, TOP - 16, y_name, "soft")
        sheet.text((LEFT + WIDTH - RIGHT) / 2, sheet.height - 12, x_name, "soft", "middle")

    def x(self, value: float) -> float:
        return LEFT + value / self._most_x * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return self.sheet.height - BOTTOM - value / self._most_y * (self.sheet.height - TOP - BOTTOM)

    def name(self, value: float, words: str) -> None:
        self.sheet.text(self.x(value), self.sheet.height - BOTTOM + 18, words, "soft", "middle")

    def bar(self, start: float, end: float, value: float, kind: str) -> None:
        top = self.y(value)
        self.sheet.bar(self.x(start), top, self.x(end) - self.x(start), self.y(0) - top, kind)


def precision_recall(scores: Floats, fraud: Flags, shares: Sequence[float] = (0.001, 0.005, 0.01)) -> str:
    """Precision against recall, with a dot at each alert budget. Needs some fraud."""
    curve = Ranking(scores, fraud).curve()
    chance = _percent(float(fraud.mean()))
    words = f"Average precision {average_precision(curve):.3f}; chance would have {chance}."
    sheet = _Sheet("Precision and recall", words)
    names = {"x_name": "recall: share of the fraud that is found", "y_name": "precision"}
    plot = _Plot(sheet, 1, 1, **names)
    for tick in range(0, 101, 20):
        plot.name(tick / 100, f"{tick} %")
    recall, precision = curve.caught[1:] / curve.fraud, curve.caught[1:] / curve.alerts[1:]
    points = [(plot.x(0), plot.y(precision[0]))]
    for x, y in zip(recall.tolist(), precision.tolist(), strict=True):
        point = (plot.x(x), plot.y(y))
        if abs(point[0] - points[-1][0]) + abs(point[1] - points[-1][1]) > 1:  # a pixel
            points.append(point)
    sheet.curve([*points, (plot.x(1), plot.y(precision[recall >= 1][0]))])
    for share in shares:
        alerts = share * len(scores)
        caught = curve.caught_at(alerts)
        x, y = plot.x(caught / curve.fraud), plot.y(caught / alerts)
        sheet.dot(x, y, "fraud")
        sheet.text(x + 8, y - 6, f"{100 * share:g} % alerts")
    return sheet.svg()


def score_histogram(scores: Floats, fraud: Flags) -> str:
    """How the scores of honest records and of fraud are spread. Needs some of both."""
    found = [
        np.histogram(scores[rows], bins=HISTOGRAM_BINS, range=(0, 1))[0] / max(rows.sum(), 1)
        for rows in (~fraud, fraud)
    ]
    last = found[1][-1]
    words = f"{_percent(float(last))} of the fraud scores {1 - 1 / HISTOGRAM_BINS:g} or more."
    sheet = _Sheet("Scores of honest records and of fraud", words)
    sheet.legend([("honest", "honest"), ("fraud", "fraud")])
    highest = float(max(max(shares) for shares in found))
    plot = _Plot(sheet, 1, highest, x_name="score", y_name="share of each kind")
    for tick in range(0, 11, 2):
        plot.name(tick / 10, f"{tick / 10:g}")
    width = 1 / HISTOGRAM_BINS
    for at, (honest, bad) in enumerate(zip(*(shares.tolist() for shares in found), strict=True)):
        plot.bar(width * (at + 0.08), width * (at + 0.5), honest, "honest")
        plot.bar(width * (at + 0.5), width * (at + 0.92), bad, "fraud")
    return sheet.svg()


def calibration(bins: Sequence[Mapping[str, Any]]) -> str:
    """The share of fraud in each range of scores. Args: `measured(...)["calibration"]["bins"]`."""
    shares = [of["fraud_share"] or 0.0 for of in bins]
    words = "What an alert with this score is worth: the higher the score, the more of them are fraud."
    sheet = _Sheet("Share of fraud by score", words)
    highest = max([*shares, 0.01])
    plot = _Plot(sheet, len(bins), highest, x_name="score, from this to the next", y_name="share of fraud")
    for at, (of, share) in enumerate(zip(bins, shares, strict=True)):
        plot.bar(at + 0.1, at + 0.9, share, "fraud")
        plot.name(at + 0.5, f"{of['from']:g}")
        told = _percent(share) if of["records"] else "none"
        sheet.text(plot.x(at + 0.5), plot.y(share) - 5, told, "", "middle")
    return sheet.svg()


def importance(weights: Mapping[str, float]) -> str:
    """The features that matter most, by any measure whose values are 0 or more."""
    order = sorted(weights.items(), key=lambda entry: (-entry[1], entry[0]))[:MOST_BARS]
    total = sum(weights.values()) or 1.0
    words = "The share of each in all that moves the score."
    if len(order) < len(weights):
        words += f" The {len(order)} strongest of {len(weights)}."
    sheet = _Sheet("Importance of the features", words, TOP + 22 * len(order))
    room = WIDTH - RIGHT - NAME_WIDTH - 55
    for at, (name, weight) in enumerate(order):
        y = TOP - 16 + 22 * at
        sheet.text(NAME_WIDTH - 8, y + 13, _short(name), "", "end")
        length = room * weight / (order[0][1] or 1.0)
        sheet.bar(NAME_WIDTH, y + 2, length, 15, "honest")
        sheet.text(NAME_WIDTH + length + 6, y + 13, _percent(weight / total), "soft")
    return sheet.svg()


def drift_baseline(baseline: Baseline) -> str:
    """How each feature was spread in training: a row of bins, the fuller in colour the more records."""
    rows = [*baseline.features.items(), ("score", baseline.score)]
    words = f"{baseline.records:,} records. The fuller a bin, the more of them; below it where it begins."
    sheet = _Sheet("How features and scores were spread in training", words, TOP + 34 * len(rows) + 6)
    room = WIDTH - RIGHT - NAME_WIDTH - 62
    sheet.text(WIDTH - RIGHT - 24, TOP - 22, "missing", "soft", "middle")
    for at, (name, spread) in enumerate(rows):
        y = TOP - 14 + 34 * at
        sheet.text(NAME_WIDTH - 8, y + 13, _short(name), "", "end")
        width = room / (len(spread.edges) + 1)
        for bin_at, share in enumerate(spread.shares[:-1]):
            x = NAME_WIDTH + width * bin_at
            sheet.bar(x, y, width - 2, 16, "honest", opacity=0.12 + 0.88 * min(share * 2, 1))
            if bin_at:
                sheet.text(x, y + 28, _number(spread.edges[bin_at - 1]), "edge")
        missing = spread.shares[-1]
        sheet.text(WIDTH - RIGHT - 24, y + 13, _percent(missing) if missing else "none", "soft", "middle")
    return sheet.svg()


def _step(most: float) -> float:
    """A round distance between ticks, so that there are two to five of them."""
    power = 10.0 ** np.floor(np.log10(max(most, 1e-9) / 2))
    return float(next(power * of for of in (1, 2, 2.5, 5, 10) if most / (power * of) <= 5))  # noqa: PLR2004


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"  # noqa: PLR2004


def _number(value: float) -> str:
    """Three digits, thousands as k and millions as M."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def _short(name: str) -> str:
    return name if len(name) <= MOST_LETTERS else name[: MOST_LETTERS - 1] + "…"
