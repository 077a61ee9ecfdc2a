"""How AWS refuses: errors whose messages quote the request, as AWS's own sometimes do."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

STATUS = {
    "PreconditionFailed": 412,
    "ConditionalRequestConflict": 409,
    "404": 404,
    "NoSuchKey": 404,
    "SlowDown": 503,
    "InternalError": 500,
    "InternalServerError": 500,
    "AccessDenied": 403,
}


def refusal(code: str, operation: str, request: Any = None) -> ClientError:
    """The error of a refused call."""
    return ClientError(
        {
            "Error": {"Code": code, "Message": f"refused: {request!r}"},
            "ResponseMetadata": {
                "RequestId": "7PDX",
                "HTTPStatusCode": STATUS.get(code, 400),
                "RetryAttempts": 0,
            },
        },
        operation,
    )
