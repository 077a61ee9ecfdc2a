"""A caller of the functions on people and the STS that knows them, for tests."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from processor.proof import (
    BODY,
    CONTENT_TYPE,
    FUNCTION_HEADER,
    REQUEST_HEADER,
    Answer,
    Callers,
    request_digest,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Ask = Callable[[str, Mapping[str, str]], Answer]

ENDPOINT = "https://sts.eu-west-1.amazonaws.com"
ACCOUNT = "123456789012"
ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/Disputes/ann"
KEYS = Credentials("AKIDEXAMPLE1", "a secret key", "a session token")


def signed(
    request: Mapping[str, Any],
    function: str,
    *,
    endpoint: str = ENDPOINT,
    region: str = "eu-west-1",
    keys: Credentials = KEYS,
    **changes: str,
) -> dict[str, str]:
    """The headers of a proof; `changes` replace headers before they are signed."""
    headers = {
        "Host": endpoint.partition("//")[2],
        "Content-Type": CONTENT_TYPE,
        FUNCTION_HEADER: function,
        REQUEST_HEADER: request_digest(request),
    }
    asked = AWSRequest("POST", f"{endpoint}/", headers | changes, BODY)
    SigV4Auth(keys, "sts", region).add_auth(asked)
    return {name.lower(): str(value) for name, value in asked.headers.items()}


def with_proof(request: Mapping[str, Any], function: str, **changes: Any) -> dict[str, Any]:
    return {**request, "proof": {"headers": signed(request, function, **changes)}}


class Sts:
    """Knows one caller, and computes their signature over what it is sent."""

    def __init__(self, arn: str = ARN) -> None:
        self.arn = arn
        self.asked: list[str] = []

    def __call__(self, endpoint: str, headers: Mapping[str, str]) -> Answer:
        self.asked.append(endpoint)
        names = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
        again = AWSRequest("POST", endpoint, {name: headers[name] for name in names}, BODY)
        again.context["timestamp"] = headers["x-amz-date"]
        auth = SigV4Auth(KEYS, "sts", "eu-west-1")
        signature = auth.signature(auth.string_to_sign(again, auth.canonical_request(again)), again)
        if not hmac.compare_digest(signature, headers["authorization"].rpartition("Signature=")[2]):
            return Answer(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>")
        return Answer(200, f"<GetCallerIdentityResult><Arn>{self.arn}</Arn></GetCallerIdentityResult>")


def callers(function: str, clock: Callable[[], float], sts: Ask | None = None) -> Callers:
    return Callers(endpoint=ENDPOINT, function=function, account=ACCOUNT, ask=sts or Sts(), clock=clock)
