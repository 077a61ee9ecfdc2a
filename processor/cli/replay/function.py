"""The function on a stream, as the replay finds and calls it.

AWS calls: lambda:GetFunctionConfiguration and lambda:InvokeFunction on its alias;
lambda:ListEventSourceMappings; sts:GetCallerIdentity.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

from processor.cli.functions import ALIAS, explained
from processor.cli.replay.sending import Said
from processor.errors import TidegateError
from processor.telemetry import REASONS_MAX

if TYPE_CHECKING:
    from collections.abc import Mapping

# As patient as Lambda is with a function; that it is asked twice does no harm.
CONFIG: Final = Config(
    connect_timeout=5,
    read_timeout=910,
    tcp_keepalive=True,
    max_pool_connections=16,
    retries={"mode": "standard", "total_max_attempts": 5},
)
POLICY: Final = re.compile(r"\(policy ([a-z0-9_-]{1,64})\)$")
"""The end of the function's description, in terraform/modules/stream/function.tf."""
SAFE: Final = re.compile(r"\bTask timed out after [\d.]+ seconds$|^unexpected \w+ at [\w/.]+:\d+$", re.ASCII)
"""What of an error's text is known to quote nothing."""


@dataclass(frozen=True, slots=True)
class Feed:
    """What feeds the function from its stream."""

    stream_arn: str
    """Of the table's own stream, or of a Kinesis data stream."""
    filters: tuple[str, ...]
    table_arn: str
    """Of the table whose changes come that way."""


@dataclass(frozen=True, slots=True)
class Function:
    """The function on one stream of an environment, and the clients for what is around it."""

    env: str
    stream: str
    policy: str
    """Which policy it runs: as Terraform describes it, or else named as the stream."""
    environ: Mapping[str, str]
    """What Terraform tells it: the names of buckets and tables."""
    session: Any

    @property
    def name(self) -> str:
        """By Terraform's convention."""
        return f"tidegate-{self.env}-{self.stream}"

    @property
    def permit(self) -> str:
        """How to be allowed to replay."""
        return f"attach the managed policy tidegate-{self.env}-replayer to your role"

    def client(self, service: str) -> Any:
        """A client that waits as long as a function may run."""
        return self.session.client(service, config=CONFIG)

    def who(self) -> str:
        """As whom the replay runs."""
        with explained("sts:GetCallerIdentity"):
            return str(self.client("sts").get_caller_identity()["Arn"])

    def caller(self) -> Any:
        """What sends a payload to the function and says what it said."""
        client = self.client("lambda")

        def call(payload: bytes) -> Said:
            with explained(f"lambda:InvokeFunction on {self.name}:{ALIAS}", self.permit, env=self.env):
                answer = client.invoke(
                    FunctionName=self.name, Qualifier=ALIAS, LogType="Tail", Payload=payload
                )
                return said(answer, payload_of(answer))

        return call

    def feed(self) -> Feed:
        """What feeds it: a replay sends what the mapping would.

        Raises:
            TidegateError: nothing does.
        """
        with explained(f"lambda:ListEventSourceMappings for {self.name}:{ALIAS}", self.permit, env=self.env):
            answer = self.client("lambda").list_event_source_mappings(FunctionName=f"{self.name}:{ALIAS}")
        for found in answer["EventSourceMappings"]:
            arn = found.get("EventSourceArn", "")
            if ":dynamodb:" in arn or ":kinesis:" in arn:
                filters = (found.get("FilterCriteria") or {}).get("Filters") or ()
                table = self.environ.get("TABLE_ARN") or arn.partition("/stream/")[0]
                return Feed(arn, tuple(one["Pattern"] for one in filters), table)
        raise TidegateError(f"no stream feeds {self.name}:{ALIAS}: make apply ENV={self.env}")


def find(env: str, stream: str) -> Function:
    """The function of a stream.

    Raises:
        TidegateError: it is not there, or may not be looked at; with what to do.
    """
    name = f"tidegate-{env}-{stream}"
    with explained("the credentials"):
        session = boto3.Session()
        client: Any = session.client("lambda", config=CONFIG)
    permit = f"attach the managed policy tidegate-{env}-replayer to your role"
    with explained(f"lambda:GetFunctionConfiguration on {name}:{ALIAS}", permit, env=env):
        configured = client.get_function_configuration(FunctionName=name, Qualifier=ALIAS)
    environ = configured.get("Environment", {}).get("Variables", {})
    if missing := {"AUDIT_BUCKET", "LEDGER_TABLE", "QUARANTINE_BUCKET", "DATA_KEY_ARN"} - environ.keys():
        raise TidegateError(
            f"{name} is no function on a stream: its environment lacks {', '.join(sorted(missing))}"
        )
    described = POLICY.search(configured.get("Description", ""))
    return Function(env, stream, described[1] if described else stream, environ, session)


def payload_of(answer: Mapping[str, Any]) -> Any:
    """What the function returned, None if that is no JSON."""
    try:
        return json.loads(answer["Payload"].read())
    except ValueError:
        return None


def said(answer: Mapping[str, Any], payload: Any) -> Said:
    """What an answer of Invoke and the tail of the log in it say together."""
    line = _line(answer.get("LogResult", ""))
    base = Said(
        written=_count(line.get("EventsWritten")) or 0,
        version=str(answer.get("ExecutedVersion", "")),
    )
    if "FunctionError" in answer or not isinstance(payload, dict) or "batchItemFailures" not in payload:
        return replace(base, failed=True, trouble=_failure(payload))
    if failures := payload["batchItemFailures"]:
        stopped = str(line.get("message", "")).removeprefix("stopped: ")
        trouble = stopped or "the function stopped, and its log does not say why"
        return replace(base, resume=str(failures[0].get("itemIdentifier", "")), trouble=trouble)
    return replace(base, held=_held(line))


def _line(tail: str) -> dict[str, Any]:
    """The function's line about the batch; empty if the tail, which is 4 KB, does not have it whole."""
    for text in reversed(b64decode(tail).decode("utf-8", "replace").splitlines()):
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and "EventsWritten" in line:
            return line
    return {}


def _held(line: Mapping[str, Any]) -> Counter[tuple[str, str]] | None:
    reasons = line.get("quarantined")
    if not isinstance(reasons, list) or len(reasons) >= REASONS_MAX:  # then there may be more than it says
        return None
    return Counter({(str(one["reason"]), str(one["path"])): int(one["count"]) for one in reasons})


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _failure(payload: Any) -> str:
    """Why a call failed: its type, and its text only where that is known to quote nothing."""
    kind, text = "Error", ""
    if isinstance(payload, dict):
        kind, text = str(payload.get("errorType", kind)), str(payload.get("errorMessage", ""))
    kind = kind if re.fullmatch(r"[\w.]{1,80}", kind) else "Error"
    known = SAFE.search(text)
    return f"the function failed: {known[0] if known else kind}"
