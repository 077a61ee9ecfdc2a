"""A gate with all that is around it, and a Lambda that runs its handler here: real but for Lambda."""

from __future__ import annotations

import importlib
import io
import json
import sys
from base64 import b64encode
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
from click.testing import CliRunner, Result

import processor.start
from processor.cli import main
from processor.crypto import KeyRing
from processor.errors import TidegateError
from processor.policy import Sanitiser
from processor.policy.plan import dump_plan, read_plan
from processor.quarantine import Quarantine
from processor.telemetry import Telemetry
from tests.builders import STREAM
from tests.worlds import ENCRYPTING, World

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from processor.pipeline import Gate

ACCOUNT = "123456789012"
NAME = "tidegate-dev-payments"
TAIL_BYTES = 4096
LENIENT = {"payment_id": "keep", "email": "redact"}


class Lambda:
    """Runs the handler of a gate as `invoke` does, with the tail of what it prints."""

    def __init__(self, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.requests: list[dict[str, Any]] = []
        self.before: Callable[[dict[str, Any]], object] = lambda _request: None
        """Called before each run; what it raises is how the run ends."""
        self.filters: list[str] = []
        self.stream_arn = STREAM
        self.description = "Sanitises and scores the changes of one table (policy payments)"
        self.noise = ""
        """What else is in the log, behind the line."""
        self.environ = {
            "AUDIT_BUCKET": "audit",
            "LEDGER_TABLE": "ledger",
            "QUARANTINE_BUCKET": "quarantine",
            "DATA_KEY_ARN": "",
        }
        self.deploy(gate)

    def deploy(self, gate: Gate) -> None:
        """Run this gate from now on."""
        self._log: list[str] = []
        telemetry = Telemetry("payments", None, lambda: 0.0, self._log.append)
        self._monkeypatch.setattr(processor.start, "start", lambda *_: (gate, telemetry))
        self._monkeypatch.delitem(sys.modules, "processor.handler", raising=False)
        self._handler = importlib.import_module("processor.handler").handler
        self._monkeypatch.delitem(sys.modules, "processor.handler")

    def invoke(self, **call: Any) -> dict[str, Any]:
        assert (call["FunctionName"], call["Qualifier"], call["LogType"]) == (NAME, "live", "Tail")
        assert len(call["Payload"]) <= 6 * 1024 * 1024
        request = json.loads(call["Payload"])
        assert request["replay"] is True
        self.requests.append(request)
        self._log.clear()
        answer: dict[str, Any] = {"ExecutedVersion": "7"}
        try:
            self.before(request)
            body = self._handler(request, None)
        except TidegateError as error:
            answer["FunctionError"] = "Unhandled"
            body = {"errorMessage": str(error), "errorType": type(error).__name__}
        tail = ("START\n" + "\n".join(self._log) + "\n" + self.noise + "END\n").encode()[-TAIL_BYTES:]
        return answer | {
            "Payload": io.BytesIO(json.dumps(body).encode()),
            "LogResult": b64encode(tail).decode(),
        }

    def get_function_configuration(self, **call: Any) -> dict[str, Any]:
        assert call == {"FunctionName": NAME, "Qualifier": "live"}
        return {"Environment": {"Variables": self.environ}, "Description": self.description}

    def list_event_source_mappings(self, **call: Any) -> dict[str, Any]:
        assert call == {"FunctionName": f"{NAME}:live"}
        criteria = {"Filters": [{"Pattern": pattern} for pattern in self.filters]}
        return {"EventSourceMappings": [{"EventSourceArn": self.stream_arn, "FilterCriteria": criteria}]}


class Session:
    """What `boto3.Session` gives, with this Lambda in it."""

    def __init__(self, lambda_: Lambda) -> None:
        self._lambda = lambda_

    def client(self, service: str, **_options: Any) -> Any:
        return self._lambda if service == "lambda" else client(service)


class Town:
    """A gate's world in an account: buckets, keys and queue are moto's; call inside of `mock_aws`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "x")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        monkeypatch.setenv(
            "AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled"
        )  # moto finds streams by their old hosts
        self.s3, self.kms = client("s3"), client("kms")
        for bucket in ("audit", "quarantine"):
            where: Any = {"LocationConstraint": "eu-west-1"}
            self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
        self.key_arn = self.kms.create_key()["KeyMetadata"]["Arn"]
        self.world = World()
        self.strict = self._gate(self.world.gate(**changes))
        self.lenient = replace(
            self.strict, judge=None, sanitiser=Sanitiser(lenient(), KeyRing({1: b"r" * 64}))
        )
        plan = self.strict.plan
        place = f"policies/{plan.name}/{plan.sha256}.json"
        self.s3.put_object(Bucket="audit", Key=place, Body=dump_plan(plan))
        self.function = Lambda(self.strict, monkeypatch)
        self.function.environ["DATA_KEY_ARN"] = self.key_arn
        monkeypatch.setattr(boto3, "Session", lambda **_: Session(self.function))

    def _gate(self, gate: Gate) -> Gate:
        quarantine = Quarantine(
            s3=self.s3, kms=self.kms, bucket="quarantine", data_key_arn=self.key_arn, policy="payments"
        )
        return replace(gate, quarantine=quarantine)

    def lying(self) -> list[str]:
        """All that is in quarantine."""
        return [one["Key"] for one in self.s3.list_objects_v2(Bucket="quarantine").get("Contents", [])]

    def held(self) -> list[str]:
        """The objects of records, without markers."""
        return [key for key in self.lying() if key.endswith(".json")]

    def event_ids(self) -> list[str]:
        """Of all events, in order, as often as they are there."""
        return sorted(event["event_id"] for event in self.world.events())


def client(service: str) -> Any:
    return boto3.client(service, region_name="eu-west-1")  # type: ignore[call-overload]


def lenient() -> Any:
    """A policy that requires nothing."""
    plan, problems = read_plan({**ENCRYPTING, "fields": LENIENT}, "f" * 64)
    assert plan is not None, problems
    return plan


def replay(*arguments: object) -> Result:
    """`tidegate replay` on the stream of these tests."""
    words = ["replay", "--env", "dev", "--stream", "payments", *map(str, arguments)]
    return CliRunner().invoke(main, words, prog_name="tidegate")


def told(*arguments: object) -> dict[str, Any]:
    """What it says with --json."""
    done = replay("--json", *arguments)
    assert done.exit_code in {0, 1}, done.output
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
