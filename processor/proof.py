"""Who calls: a request to STS that only the caller can have signed, and that is good for one request only.

Lambda does not tell a function who invoked it. So the caller signs `sts:GetCallerIdentity` and sends the
signed headers along; the function asks STS with them, and STS answers whose signature it is. Two signed
headers bind the proof to this function and to this request: it says nothing elsewhere or of another request.
HashiCorp Vault's AWS method and aws-iam-authenticator do the same:
https://developer.hashicorp.com/vault/docs/auth/aws#iam-auth-method

AWS calls: sts:GetCallerIdentity as the caller, which needs no permission.
https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from processor.aws import calling
from processor.errors import TidegateError, Transient
from processor.receipts import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BODY: Final = "Action=GetCallerIdentity&Version=2011-06-15"
CONTENT_TYPE: Final = "application/x-www-form-urlencoded; charset=utf-8"
FUNCTION_HEADER: Final = "x-tidegate-function"
REQUEST_HEADER: Final = "x-tidegate-request"
BOUND: Final = frozenset({"host", "x-amz-date", FUNCTION_HEADER, REQUEST_HEADER})
"""Headers without which in the signature a proof binds nothing."""
NEEDED: Final = BOUND | {"authorization", "content-type"}
ALLOWED: Final = NEEDED | {"x-amz-security-token", "content-length"}
AGE_S_MAX: Final = 300
TIMEOUT_S: Final = (2, 10)  # to connect, to read: those of the other clients
OK: Final = 200
TOO_MANY: Final = 429
BROKEN: Final = 500

_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=\w{4,128}/\d{8}/[a-z0-9-]{1,40}/sts/aws4_request, ?"
    r"SignedHeaders=(?P<signed>[a-z0-9;-]{1,400}), ?Signature=[0-9a-f]{64}"
)
_PLAIN = re.compile(r"[\x20-\x7e]{1,16384}")  # a session token has up to some 12,000 characters
_MOMENT = "%Y%m%dT%H%M%SZ"
_ARN = re.compile(
    r"<Arn>(?P<arn>arn:aws[a-z-]*:(?:iam|sts)::(?P<account>\d{12}):[\w+=,.@/-]{1,1024})</Arn>", re.ASCII
)
_SESSION = re.compile(r"(arn:[a-z-]+:sts::\d{12}:(?:assumed-role/[^/]+|federated-user))/.+")


class Refused(TidegateError):  # noqa: N818  an outcome with a name
    """A request that is not granted. Says why, without a value of the request: the caller is told.

    Args:
        message: why.
        who: the ARN of the caller, where that is known and is the reason.
    """

    def __init__(self, message: str, *, who: str | None = None) -> None:
        super().__init__(message)
        self.who = who


def request_digest(request: Mapping[str, Any]) -> str:
    """What a proof is bound to: the SHA-256 of the request without the proof, in hex.

    Raises:
        ValueError: the request is no document of JSON.
    """
    return sha256(canonical({name: part for name, part in request.items() if name != "proof"})).hexdigest()


def host_of(endpoint: str) -> str:
    """The Host header of an endpoint: its port stands there if it is not the scheme's own."""
    parts = urlsplit(endpoint)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    return f"{parts.hostname}:{parts.port}" if parts.port not in {None, usual} else parts.hostname or ""


def principal(arn: str) -> str:
    """Who somebody is whatever they call their session: the role of an assumed role, or the ARN as it is.

    Federated users are one: whoever may hand out their sessions chooses the names.
    """
    session = _SESSION.fullmatch(arn)
    return session[1] if session else arn


@dataclass(frozen=True, slots=True)
class Answer:
    """What STS answered."""

    status: int
    text: str


def ask_sts() -> Callable[[str, Mapping[str, str]], Answer]:
    """The function that posts the one question of a proof to an endpoint. It follows no redirection."""
    timeout: Any = TIMEOUT_S  # the stubs know one number only
    session = URLLib3Session(timeout=timeout)

    def ask(endpoint: str, headers: Mapping[str, str]) -> Answer:
        with calling("sts:GetCallerIdentity of the caller"):
            answer = session.send(AWSRequest("POST", endpoint, dict(headers), BODY).prepare())
        return Answer(answer.status_code, answer.content.decode("utf-8", "replace"))

    return ask


class Callers:
    """Tells who signed a request: somebody of the function's own account, for STS knows everybody at AWS.

    Args:
        endpoint: of this region's STS, as botocore knows it. No other is ever asked.
        function: this function's name, for which the proof must be.
        account: the 12 digits of its account.
        ask: see `ask_sts`.
        clock: epoch seconds.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        function: str,
        account: str,
        ask: Callable[[str, Mapping[str, str]], Answer],
        clock: Callable[[], float],
    ) -> None:
        self._endpoint, self._ask, self._clock = f"{endpoint.rstrip('/')}/", ask, clock
        self._function, self._account = function, account

    def who(self, request: Mapping[str, Any]) -> str:
        """The ARN of the caller, as STS says it.

        Raises:
            Refused: no proof, one for another function, request or region, too old, or not the caller's; or
                the caller is of another account.
            Transient: STS did not answer.
        """
        headers = self._checked(request)
        answer = self._ask(self._endpoint, headers)
        if answer.status >= BROKEN or answer.status == TOO_MANY:
            raise Transient(f"sts:GetCallerIdentity of the caller: HTTP {answer.status}")
        found = list(_ARN.finditer(answer.text)) if answer.status == OK else []
        if len(found) != 1:
            raise Refused(
                "STS does not know the proof's signature: are the credentials valid, the clock right?"
            )
        arn, account = found[0]["arn"], found[0]["account"]
        if account != self._account:
            raise Refused(
                f"the caller is of the AWS account {account}; only those of {self._account}, which is this "
                "function's, may ask: assume a role there",
                who=arn,
            )
        return arn

    def _checked(self, request: Mapping[str, Any]) -> dict[str, str]:
        headers = _headers(request.get("proof"))
        if headers["host"] != host_of(self._endpoint):
            raise Refused(f"the proof must be signed for {host_of(self._endpoint)}, the STS of this region")
        if headers["content-type"] != CONTENT_TYPE:
            raise Refused(f"the proof's content-type must be {CONTENT_TYPE}")
        if headers.pop("content-length", str(len(BODY))) != str(len(BODY)):
            raise Refused(f"the proof's content-length must be {len(BODY)}")
        if headers[FUNCTION_HEADER] != self._function:
            raise Refused("the proof is for another function")
        try:
            digest = request_digest(request)
        except ValueError as mistake:
            raise Refused(f"the request is {mistake}") from None
        if not hmac.compare_digest(headers[REQUEST_HEADER], digest):
            raise Refused("the proof is for another request")
        if abs(self._clock() - _moment(headers["x-amz-date"])) > AGE_S_MAX:
            raise Refused(f"the proof's date is over {AGE_S_MAX} seconds off: sign anew, or set the clock")
        signature = _SIGNED.fullmatch(headers["authorization"])
        if signature is None:
            raise Refused("the proof's authorization is no signature for STS (AWS4-HMAC-SHA256)")
        signed = signature["signed"].split(";")
        needed = BOUND | ({"x-amz-security-token"} & headers.keys())
        if missing := sorted(needed - set(signed)):
            raise Refused(f"the proof's signature leaves out {', '.join(missing)}")
        return headers


def _headers(proof: Any) -> dict[str, str]:
    given = proof.get("headers") if isinstance(proof, dict) and set(proof) == {"headers"} else None
    if not isinstance(given, dict):
        raise Refused('the request needs a proof of who calls: {"proof": {"headers": {…}}}')
    headers = {}
    for name, value in given.items():
        if not isinstance(value, str) or not _PLAIN.fullmatch(value):
            raise Refused("a header of the proof is no plain text")
        headers[name.lower()] = value
    if len(headers) < len(given) or not NEEDED <= headers.keys() <= ALLOWED:
        raise Refused(
            f"a proof has the headers {', '.join(sorted(NEEDED))}; beside them at most " + _OPTIONAL
        )
    return headers


_ALWAYS = ", ".join(sorted(NEEDED))
_OPTIONAL = " and ".join(sorted(ALLOWED - NEEDED))


def _moment(text: str) -> float:
    try:
        return datetime.strptime(text, _MOMENT).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise Refused("the proof's x-amz-date is no date") from None
