"""What IAM is asked on the embedded AWS while it is enforced: by whom, for what, and what it answered.

moto asks once per request, of the policies of whoever makes it. It leaves out the permissions boundary of a
role; here a role may do only what its boundary allows as well, as on AWS.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from moto.core.exceptions import AccessDeniedError
from moto.iam.access_control import AssumedRoleAccessKey, IAMPolicy, PermissionResult
from moto.s3.exceptions import S3AccessDeniedError

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS_MAX: Final = 1_000_000  # of calls told apart; the same call again takes no room
ALWAYS_ALLOWED: Final = "sts:GetCallerIdentity"
AUTHORISED_AS: Final = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "monitoring:DescribeAlarms": "cloudwatch:DescribeAlarms",
    "monitoring:GetMetricStatistics": "cloudwatch:GetMetricStatistics",
    "sns:PublishBatch": "sns:Publish",
}
"""Operations that IAM does not know, or under another name: which action it asks for instead.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
"""


@dataclass(frozen=True, slots=True, order=True)
class Call:
    """A kind of request that was made."""

    who: str
    """`role/<name>` or `user/<name>`."""
    action: str
    """As IAM calls it: `s3:PutObject`."""
    resource: str
    """ARN; `*` where the action has none, or moto tells none."""
    allowed: bool


class Calls:
    """Requests since IAM was enforced, each kind with how often."""

    def __init__(self) -> None:
        self._kept: Counter[Call] = Counter()
        self._lock = Lock()  # moto answers each request in a thread of its own

    def kept(self) -> dict[Call, int]:
        """What was asked so far."""
        with self._lock:
            return dict(self._kept)

    def note(self, call: Call) -> None:
        """Keep a call.

        Raises:
            RuntimeError: there are too many kinds; to drop some would make a power seem unused.
        """
        with self._lock:
            if len(self._kept) >= KINDS_MAX and call not in self._kept:
                raise RuntimeError(f"more than {KINDS_MAX:,} kinds of calls: reset the embedded AWS between")
            self._kept[call] += 1

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._kept.clear()


CALLS: Final = Calls()
"""Of the one embedded AWS that there can be in a process."""


def checked(check: Callable[[Any, str], None]) -> Callable[[Any, str], None]:
    """A check of a request, as moto makes it: by the name that IAM has for it, in the boundary, and kept."""

    def check_and_keep(request: Any, resource: str) -> None:
        request._action = AUTHORISED_AS.get(request._action, request._action)  # noqa: SLF001  it has no other door
        try:
            if not within_boundary(request, resource):
                request._raise_access_denied()  # noqa: SLF001
            check(request, resource)
        except (AccessDeniedError, S3AccessDeniedError):
            CALLS.note(_call(request, resource, allowed=False))
            raise
        CALLS.note(_call(request, resource, allowed=True))

    return check_and_keep


def within_boundary(request: Any, resource: str) -> bool:
    """Whether the boundary of the role that asks allows it; true for a user, and a role without one."""
    key, action = request._access_key, request._action  # noqa: SLF001
    if not isinstance(key, AssumedRoleAccessKey) or action == ALWAYS_ALLOWED:
        return True
    boundary = request.backend.get_role(key._owner_role_name).permissions_boundary_arn  # noqa: SLF001
    if not boundary:
        return True
    document = IAMPolicy(request.backend.get_policy(boundary))
    permitted: bool = document.is_action_permitted(action, resource) == PermissionResult.PERMITTED
    return permitted


def _call(request: Any, resource: str, *, allowed: bool) -> Call:
    # arn:aws:sts::<account>:assumed-role/<name>/<session>, or arn:aws:iam::<account>:user/<name>
    kind, name = request._access_key.arn.split(":")[-1].split("/")[:2]  # noqa: SLF001
    who = f"{kind.removeprefix('assumed-')}/{name}"
    return Call(who, request._action, resource, allowed)  # noqa: SLF001
