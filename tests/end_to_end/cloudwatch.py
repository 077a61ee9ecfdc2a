"""CloudWatch on the embedded AWS: metrics out of the function's lines, and the alarms' states by them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from tests.alarms import alarms_of, data_of, firing

if TYPE_CHECKING:
    from processor.local.stage import Stage


def tell(stage: Stage, log: bytes) -> set[str]:
    """Keep what was told of each version, set all alarms by the log, and say which ring.

    An alarm on several others has no state here: what asks for it looks at those.
    """
    cloudwatch, lines = stage.aws.client("cloudwatch"), log.splitlines()
    for datum in data_of(lines):
        namespace, name, dimensions = datum.metric
        if len(dimensions) > 1:
            by = [{"Name": key, "Value": value} for key, value in dimensions]
            metric: Any = {
                "MetricName": name,
                "Dimensions": by,
                "Timestamp": datum.time,
                "Value": datum.value,
            }
            cloudwatch.put_metric_data(Namespace=namespace, MetricData=[metric])
    alarms = alarms_of(json.loads(stage.terraform.run("show", "-json")))
    ringing = firing(alarms, lines, time.time())
    for alarm in alarms:
        state = "ALARM" if alarm["alarm_name"] in ringing else "OK"
        cloudwatch.set_alarm_state(AlarmName=alarm["alarm_name"], StateValue=state, StateReason="evaluated")
    return ringing
