"""Watching a canary: the alarms of a stream, the records its new version passes, and the time.

AWS calls: cloudwatch DescribeAlarms, GetMetricStatistics.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from processor.cli.functions import explained
from processor.errors import TidegateError
from processor.review.canary import Course, Look, Pointing, decide
from processor.telemetry import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Callable

    from processor.cli.alias import Live
    from processor.review.canary import Version

POLL_S: Final = 10.0  # alarms are evaluated once a minute
PATIENCE: Final = 6  # looks in a row that may fail
RULED: Final = re.compile(r'ALARM\(\\?"([^"\\]+)\\?"\)')
MINUTE_S: Final = 60


@dataclass(frozen=True, slots=True)
class Canary:
    """A new version that is tried beside the one in force."""

    live: Live
    policy: str
    """Its metrics' dimension."""
    stable: Version
    new: Version
    percent: int

    @property
    def pointing(self) -> Pointing:
        """Where the alias points while nobody else moves it."""
        return Pointing(self.stable.number, self.new.number, self.percent)


class Watch:
    """What CloudWatch says.

    Args:
        env: for what to do about missing powers.
        client: a Boto3 client of CloudWatch.
    """

    def __init__(self, env: str, client: Any) -> None:
        self._env, self._cloudwatch = env, client

    def states(self, function: str) -> dict[str, str]:
        """The states of the alarms of a function on a stream, by name; none before one sums them up."""
        composite = f"{function}-canary"
        with self._explained("DescribeAlarms", composite):
            both = self._cloudwatch.describe_alarms(AlarmNames=[composite], AlarmTypes=["CompositeAlarm"])
            if not both["CompositeAlarms"]:
                return {}
            (one,) = both["CompositeAlarms"]
            names = RULED.findall(one["AlarmRule"])
            found = self._cloudwatch.describe_alarms(AlarmNames=names, AlarmTypes=["MetricAlarm"])[
                "MetricAlarms"
            ]
        if missing := set(names) - {alarm["AlarmName"] for alarm in found}:
            raise TidegateError(
                f"{composite} goes by alarms that are gone: {', '.join(sorted(missing))}. Apply once more."
            )
        return {alarm["AlarmName"]: alarm["StateValue"] for alarm in found}

    def records(self, policy: str, version: int, since: float) -> int:
        """How many records a version has taken since then, epoch seconds; metrics come a minute late."""
        start = since // MINUTE_S * MINUTE_S
        dimensions = {"Policy": policy, "Version": str(version)}
        with self._explained("GetMetricStatistics", f"{NAMESPACE} Records"):
            points = self._cloudwatch.get_metric_statistics(
                Namespace=NAMESPACE,
                MetricName="Records",
                Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
                StartTime=datetime.fromtimestamp(start, UTC),
                EndTime=datetime.fromtimestamp(time.time() + MINUTE_S, UTC),
                Period=MINUTE_S,
                Statistics=["Sum"],
            )["Datapoints"]
        return int(sum(point["Sum"] for point in points))

    def _explained(self, action: str, what: str) -> Any:
        permit = f"attach the managed policy tidegate-{self._env}-releaser to your role"
        return explained(f"cloudwatch:{action} on {what}", permit, env=self._env)


def watched(
    canary: Canary,
    watch: Watch,
    for_s: float,
    on_look: Callable[[Look], object],
    *,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[Course, Look]:
    """Look until it is decided what becomes of the canary; what was seen last.

    Raises:
        TidegateError: AWS could not be asked for a minute.
    """
    begun, failed = clock(), 0
    while True:
        try:
            now = canary.live.now()
            look = Look(
                states=watch.states(canary.live.function),
                records=watch.records(canary.policy, canary.new.number, begun),
                seconds=clock() - begun,
                is_ours=(now.version, now.canary) == (canary.stable.number, canary.new.number),
            )
        except TidegateError:
            failed += 1
            if failed == PATIENCE:
                raise
        else:
            failed = 0
            on_look(look)
            if (course := decide(look, for_s)) is not Course.WAIT:
                return course, look
        sleep(POLL_S)
