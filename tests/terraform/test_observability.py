"""The dashboard and the alarms speak of the metrics that the functions emit, and of no others.

A misspelled name would be a graph without lines, or an alarm that never rings.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import processor
from processor import calls, reidentification, telemetry
from processor.calls import Call, Voice
from processor.judge import Agreement
from processor.local.terraform import ROOT
from processor.telemetry import METRICS, Tally, Telemetry
from tests.alarms import data_of

PACKAGE = Path(processor.__file__).parent
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
OF_LAMBDA = {"Duration", "Errors", "Invocations", "IteratorAge", "Throttles"}
OF_OTHERS = {
    ("AWS/Lambda", "FunctionName"): OF_LAMBDA,
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    ("AWS/SQS", "QueueName"): {"ApproximateNumberOfMessagesVisible"},
    # https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
    ("AWS/States", "StateMachineArn"): {"ExecutionsFailed"},
}


def erasure() -> Iterator[str]:
    """The metrics that the erasures name where they count."""
    tree = ast.parse((PACKAGE / "erasure.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Call" and node.args:
            (counts,) = node.args
            assert isinstance(counts, ast.Dict)
            yield from (
                text.value
                for key in counts.keys
                for text in ast.walk(key)  # type: ignore[arg-type]
                if isinstance(text, ast.Constant) and isinstance(text.value, str)
            )


OF_PEOPLE = {"Requests", *calls.COUNTED, *reidentification.METRICS.values(), *erasure()}
EMITTED = {"Policy": set(METRICS), "Function": OF_PEOPLE}


def test_what_is_taken_for_emitted_is() -> None:
    lines: list[str] = []
    whole = Tally(
        oldest=0,
        deciles=[1] * 10,
        agreement=Agreement(1, 1, 1),
        durations=dict.fromkeys(telemetry.STAGES, 1.0),
    )
    Telemetry("payments", None, lambda: 1.0, lines.append, shadow="candidate").batch(whole)
    counts = dict.fromkeys([*reidentification.METRICS.values(), *erasure()], 1)
    Voice("tidegate-dev-erase", lambda: 1.0, lines.append).tell(Call(counts))
    found: dict[str, set[str]] = {}
    for datum in data_of(lines):
        namespace, name, dimensions = datum.metric
        assert namespace == telemetry.NAMESPACE
        ((dimension, _),) = dimensions
        found.setdefault(dimension, set()).add(name)
    assert found == EMITTED
    assert {"PeopleErased", "ErasedAgain", "DryRuns"} <= OF_PEOPLE


def graphs() -> dict[str, set[str]]:
    """The metrics of the dashboard, by dimension."""
    text = (ROOT / "dashboard.tf").read_text(encoding="utf-8")
    drawn: dict[str, set[str]] = {}
    for metrics, by in re.findall(r'metrics = \[([^\]]+)\], by = "(\w+)"', text):
        drawn.setdefault(by, set()).update(re.findall(r'"(\w+)"', metrics))
    assert len(re.findall(r"\bby = ", text)) == len(re.findall(r"\btitle = .*metrics = ", text)) > 10
    return drawn


def test_the_dashboard_draws_all_that_is_emitted_and_nothing_else() -> None:
    drawn = graphs()
    assert drawn.pop("FunctionName") <= OF_LAMBDA
    assert drawn.pop("Cost") <= OF_LAMBDA
    assert drawn.pop("QueueName") <= OF_OTHERS["AWS/SQS", "QueueName"]
    assert drawn == EMITTED


@pytest.mark.parametrize(
    "file", ["modules/stream/alarms.tf", "modules/access/alarms.tf", "modules/backfill/alarms.tf"]
)
def test_an_alarm_watches_what_is_emitted(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    alarms = re.split(r'\nresource "aws_cloudwatch_metric_alarm" ', "\n" + text)[1:]
    assert alarms
    for alarm in alarms:
        (namespace,) = re.findall(r'namespace +=\s"([^"]+)"', alarm)
        (dimension,) = re.findall(r"dimensions +=\s\{ (\w+) =", alarm)
        names = set(re.findall(r'metric_name +=\s"(\w+)"', alarm))
        for queries in re.findall(r"for_each = \{([^}]+)\}", alarm):
            names |= set(re.findall(r'"(\w+)"', queries))
        assert names
        if namespace == telemetry.NAMESPACE:
            assert names <= EMITTED[dimension]
        else:
            assert names <= OF_OTHERS[namespace, dimension]
