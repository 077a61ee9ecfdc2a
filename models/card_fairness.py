"""The card's section on fairness: how the model treats each declared group of people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

METRICS: Final = {
    "demographic_parity_difference": "largest less smallest alert rate",
    "demographic_parity_ratio": "smallest by largest alert rate",
    "equalized_odds_difference": "the larger difference of true and false positive rates",
    "equalized_odds_ratio": "the smaller ratio of true and false positive rates",
}
"""fairlearn's, by its names."""
_COLUMNS: Final = {
    "alert_rate": ("alert rate", ".2%"),
    "true_positive_rate": ("true positive rate", ".1%"),
    "false_positive_rate": ("false positive rate", ".3%"),
}


def fairness(content: Mapping[str, Any]) -> str:
    """The section as Markdown, of a manifest; it says so where nothing is known of groups."""
    figures = content["figures"]
    groups = figures.get("groups", {})
    if not groups:
        return "Not known: no record that it is measured on says of which of the spec's groups it is."
    fewest = next(iter(groups.values()))["fewest"]
    read = [f"`{one['field']}`" for one in groups.values() if one["field"] in content["reads"]]
    reading = f"It reads {', '.join(read)} itself." if read else "It reads none of these fields."
    begins = (
        f"On those later records, flagged at `{figures['flag_at']}`. Groups are of values as the\n"
        f"gate lets them out. {reading}"
    )
    ends = f"""In brackets: 95 % intervals. What fewer than {fewest["people"]} people share is told as
`(other)`, which is compared with nobody. Metrics are fairlearn's. Differences are between groups of
{fewest["records"]} (honest) records or {fewest["fraud"]} frauds or more. Ratios leave out rates with an
asterisk: their groups would have fewer than {fewest["alerts"]} (false) alerts at the rate of all. Rates of
equals differ by chance, which the intervals of the metrics allow for: one that reaches 0 (of a
difference) or 1 (of a ratio) shows nothing unfair."""
    return "\n\n".join([begins, *(_group(name, told) for name, told in groups.items()), ends])


def _group(name: str, told: Mapping[str, Any]) -> str:
    words = name.replace("_", " ")
    heads = " | ".join(head for head, _ in _COLUMNS.values())
    lines = [f"**{words.capitalize()}**: {told['of']}.", "", f"| {words} | people | records | {heads} |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for value, row in told["groups"].items():
        cells = [
            _figure(row[rate], form) + ("" if rate in row["judged"] else " \\*")
            for rate, (_, form) in _COLUMNS.items()
        ]
        lines.append(f"| {_escaped(value)} | {row['people']:,} | {row['records']:,} | {' | '.join(cells)} |")
    lines += ["", f"| between values of {words} | | |", "| --- | --- | --- |"]
    for metric, meaning in METRICS.items():
        form = ".3f" if metric.endswith("ratio") else ".2%"
        lines.append(
            f"| {metric.replace('_', ' ')} | {meaning} | {_figure(told['disparity'][metric], form)} |"
        )
    return "\n".join(lines)


def _figure(told: Mapping[str, Any], form: str) -> str:
    """A figure with its range."""
    if told["value"] is None:
        return "not known"
    if told["low"] is None:
        return f"{told['value']:{form}}"
    return f"{told['value']:{form}} ({told['low']:{form}} to {told['high']:{form}})"


def _escaped(value: str) -> str:
    """A value of the data in a cell: nothing in it ends the cell, or is Markdown or HTML."""
    text = "".join(letter if letter.isprintable() else " " for letter in value)
    for letter in "\\`|*_[]<>&":
        text = text.replace(letter, f"\\{letter}")
    return text
