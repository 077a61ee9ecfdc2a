"""Which alarms ring: CloudWatch's rules over the metrics that the functions printed.

firing(alarms_of(json.loads(terraform.run("show", "-json"))), log.splitlines(), time.time())

The rules: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html

- An alarm is looked at every minute, over so many periods up to that minute: here up to the end of that of
  `now`.
- Of missing data, where there is some in the range, CloudWatch looks further back before it applies
  `treat_missing_data`; here that is applied at once.

An alarm that is not understood is an error: one taken for silent would prove nothing.
"""

from __future__ import annotations

import ast
import json
import math
import operator
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

Metric: TypeAlias = "tuple[str, str, frozenset[tuple[str, str]]]"
"""Namespace, name and dimensions."""

MINUTE_S: Final = 60
TYPE: Final = "aws_cloudwatch_metric_alarm"
COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
STATISTICS: Final[Mapping[str, Callable[[list[float]], float]]] = {
    "Sum": sum,
    "Maximum": max,
    "Minimum": min,
    "Average": lambda values: sum(values) / len(values),
    "SampleCount": len,
}
OF_TWO: Final[Mapping[type[ast.AST], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}
MOST_METRICS: Final = 10  # of an alarm on metric math
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html"""


@dataclass(frozen=True, slots=True)
class Datum:
    """One value of a metric."""

    metric: Metric
    time: float
    """Epoch seconds."""
    value: float


def alarms_of(shown: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The alarms in what `terraform show -json` says of a state or a plan."""
    values = shown.get("values") or shown["planned_values"]
    return [resource["values"] for resource in _resources(values["root_module"]) if resource["type"] == TYPE]


def _resources(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from module.get("resources", ())
    for child in module.get("child_modules", ()):
        yield from _resources(child)


def data_of(lines: Iterable[str | bytes]) -> Iterator[Datum]:
    """The values in lines of the embedded metric format; other lines are passed over, as CloudWatch does.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    for line in lines:
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if isinstance(told, dict) and "_aws" in told:
            yield from _data(told)


def _data(told: Mapping[str, Any]) -> Iterator[Datum]:
    time = told["_aws"]["Timestamp"] / 1000
    for directive in told["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = frozenset((name, str(told[name])) for name in names)
            for metric in directive["Metrics"]:
                values = told[metric["Name"]]
                for value in values if isinstance(values, list) else [values]:
                    yield Datum((directive["Namespace"], metric["Name"], dimensions), time, float(value))


def firing(alarms: Iterable[Mapping[str, Any]], lines: Iterable[str | bytes], now: float) -> set[str]:
    """The names of the alarms that ring.

    Args:
        alarms: as Terraform has them.
        lines: what the functions printed.
        now: epoch seconds.

    Raises:
        ValueError: an alarm is of a kind that this does not know.
    """
    by_metric: dict[Metric, list[Datum]] = defaultdict(list)
    for datum in data_of(lines):
        by_metric[datum.metric].append(datum)
    end = (now // MINUTE_S + 1) * MINUTE_S
    return {alarm["alarm_name"] for alarm in alarms if _rings(alarm, by_metric, end)}


def _rings(alarm: Mapping[str, Any], data: Mapping[Metric, list[Datum]], end: float) -> bool:
    breaches = COMPARISONS.get(alarm["comparison_operator"])
    if breaches is None or alarm.get("threshold") is None:
        raise ValueError(f"{alarm['alarm_name']}: only a comparison with a threshold is understood")
    missing = alarm.get("treat_missing_data") or "missing"
    if missing not in {"breaching", "notBreaching", "missing"}:
        raise ValueError(f"{alarm['alarm_name']}: what {missing} means depends on the alarm's past")
    periods = int(alarm["evaluation_periods"])
    needed = int(alarm.get("datapoints_to_alarm") or periods)
    points = _points(alarm, data, end, periods)
    threshold, if_missing = alarm["threshold"], missing == "breaching"
    hits = [if_missing if point is None else breaches(point, threshold) for point in points]
    return hits.count(True) >= needed


def _points(
    alarm: Mapping[str, Any], data: Mapping[Metric, list[Datum]], end: float, periods: int
) -> list[float | None]:
    """The value of each period, the latest first; None where there is none."""
    queries = {query["id"]: query for query in alarm.get("metric_query") or ()}
    if not queries:
        return _series(alarm, alarm["statistic"], data, end, periods)
    series = {
        name: _series(query["metric"][0], query["metric"][0]["stat"], data, end, periods)
        for name, query in queries.items()
        if query["metric"]
    }
    if len(series) > MOST_METRICS:
        raise ValueError(f"{alarm['alarm_name']}: CloudWatch takes {MOST_METRICS} metrics in an alarm")
    (returned,) = [name for name, query in queries.items() if query.get("return_data")]
    formulas = {
        name: ast.parse(query["expression"], mode="eval").body
        for name, query in queries.items()
        if name not in series
    }
    return [
        _point(returned, formulas, {name: points[at] for name, points in series.items()})
        for at in range(periods)
    ]


def _point(name: str, formulas: Mapping[str, ast.expr], points: Mapping[str, float | None]) -> float | None:
    """A query's value in one period, which may be worked out from those of other queries."""
    if name in points:
        return points[name]
    rest = {other: formula for other, formula in formulas.items() if other != name}
    formula = formulas[name]
    used = {node.id for node in ast.walk(formula) if isinstance(node, ast.Name)} & rest.keys()
    return _computed(formula, {**points, **{other: _point(other, rest, points) for other in used}})


def _series(
    query: Mapping[str, Any], statistic: str, data: Mapping[Metric, list[Datum]], end: float, periods: int
) -> list[float | None]:
    metric = (query["namespace"], query["metric_name"], frozenset((query.get("dimensions") or {}).items()))
    if statistic not in STATISTICS:
        raise ValueError(f"{query['metric_name']}: the statistic {statistic} is not understood")
    of, period = STATISTICS[statistic], query["period"]
    points: list[float | None] = []
    for at in range(periods):
        until = end - at * period
        values = [one.value for one in data.get(metric, ()) if until - period <= one.time < until]
        points.append(of(values) if values else None)
    return points


def _computed(formula: ast.expr, points: Mapping[str, float | None]) -> float | None:
    """Metric math, as far as it is arithmetic, LOG and IF; nothing where an operand is missing, or by zero.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    """
    match formula:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.Name(id=name) if name in points:
            return points[name]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OF_TWO:
            return _of_two(op, _computed(left, points), _computed(right, points))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in OF_TWO:
            return _of_two(op, _computed(left, points), _computed(right, points))
        case ast.Call(func=ast.Name(id="LOG"), args=[of]):
            value = _computed(of, points)
            return math.log(value) if value is not None and value > 0 else None
        case ast.Call(func=ast.Name(id="IF"), args=[condition, then, other]):
            holds = _computed(condition, points)
            return None if holds is None else _computed(then if holds else other, points)
    raise ValueError(f"the expression {ast.unparse(formula)} is not understood")


def _of_two(op: ast.AST, first: float | None, second: float | None) -> float | None:
    if first is None or second is None or (isinstance(op, ast.Div) and second == 0):
        return None
    return float(OF_TWO[type(op)](first, second))
