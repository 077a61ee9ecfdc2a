"""How long the ledger remembers: what is older than that may have been let out, and nobody knows.

AWS calls: s3:ListBucket and s3:GetObject under `policies/` in the audit bucket.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final

from processor.cli.functions import explained
from processor.errors import TidegateError
from processor.policy import load_plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from processor.cli.replay.function import Function

DAY_S: Final = 86_400
PLAN_BYTES_MAX: Final = 4_000_000
MARGIN_S: Final = 7_200  # what is looked at is sent within that time, however often it has to be tried


def oldest(
    function: Function, policy: str, *, older: bool, clock: Callable[[], float]
) -> Callable[[], float]:
    """What says from which time on the ledger still knows of every record; epoch seconds.

    By the shortest `retention_days.ledger` that any version of the policy ever had. To be asked for all
    that is sent, because a replay may take as long as the ledger remembers.

    Args:
        function: of the stream.
        policy: whose records are replayed.
        clock: epoch seconds.
        older: whether somebody has said that what is older is to be sent as well.

    Raises:
        TidegateError: the audit trail does not know the policy.
    """
    if older:
        return lambda: -inf
    s3, bucket = function.client("s3"), function.environ["AUDIT_BUCKET"]
    what = f"s3:ListBucket and s3:GetObject on {bucket}/policies/{policy}/"
    days = []
    with explained(what, function.permit, env=function.env):
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"policies/{policy}/")
        for key in [one["Key"] for page in pages for one in page.get("Contents", [])]:
            plan = load_plan(s3.get_object(Bucket=bucket, Key=key)["Body"].read(PLAN_BYTES_MAX))
            days.append(plan.retention_days.ledger)
    if not days:
        raise TidegateError(
            f"the audit trail knows no policy {policy}, so nothing says for how long the ledger remembers "
            "its records. Check --stream and --policy; or, if nothing of it was ever let out, say --older."
        )
    remembered_s = min(days) * DAY_S - MARGIN_S
    return lambda: clock() - remembered_s
