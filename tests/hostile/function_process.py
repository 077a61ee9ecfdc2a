"""The function in a process of its own, with nothing that is not in its package: what memory it takes.

python -m tests.hostile.function_process PACKAGE PAYLOAD…

Handles each payload (files of JSON), one after the other as a warm function does. Says on the last line how
much memory it had: when it was ready, when the first payload was read, and at most.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any
from unittest import mock

import processor.start
from tests.fake_subjects import FakeSubjects
from tests.fakes import FakeDynamoDB, FakeS3

REGION = "eu-west-1"
ENVIRON = {
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "EVENTS_BUCKET": "tidegate-events",
    "AUDIT_BUCKET": "tidegate-audit",
    "QUARANTINE_BUCKET": "tidegate-quarantine",
    "ALERTS_TOPIC_ARN": f"arn:aws:sns:{REGION}:123456789012:alerts",
    "LEDGER_TABLE": "tidegate-ledger",
    "SUBJECTS_TABLE": "tidegate-subjects",
    "PROFILES_TABLE": "tidegate-profiles",
    "DATA_KEY_ARN": f"arn:aws:kms:{REGION}:123456789012:key/data",
    "TOKEN_KEY_ARNS": json.dumps({"1": f"arn:aws:kms:{REGION}:123456789012:key/tokens"}),
}


class Bucket(FakeS3):
    """Keeps what the function reads again, and of the rest only that it is there."""

    def put_object(self, **call: Any) -> dict[str, Any]:
        is_elsewhere = call["Key"].startswith(("events/", "quarantine/"))
        return super().put_object(**call | ({"Body": b""} if is_elsewhere else {}))


class Tables:
    """All tables behind one client; of profiles nothing is kept."""

    def __init__(self) -> None:
        self._ledger, self._subjects = FakeDynamoDB(), FakeSubjects()

    def __getattr__(self, operation: str) -> Any:
        def call(**call: Any) -> Any:
            names = (call.get("TableName"), *call.get("RequestItems", ()))
            if "tidegate-profiles" in names:
                return {}
            return getattr(self._subjects if "tidegate-subjects" in names else self._ledger, operation)(
                **call
            )

        return call


class Rest:
    """KMS and SNS."""

    def generate_mac(self, **_call: Any) -> dict[str, bytes]:
        return {"Mac": b"m" * 64}

    def generate_data_key(self, **_call: Any) -> dict[str, bytes]:
        return {"Plaintext": b"k" * 32, "CiphertextBlob": b"sealed"}

    def publish_batch(self, **_call: Any) -> dict[str, Any]:
        return {"Failed": []}


class Context:
    """What Lambda tells a function about its call."""

    def get_remaining_time_in_millis(self) -> int:
        return 600_000


def handler_of(package: Path) -> Any:
    """The handler of the package, with AWS's clients in memory, as they are in Lambda, and not in use."""
    connect, start = processor.start.connect, processor.start.start
    clients: list[Any] = []

    def connected(*services: str, **options: Any) -> tuple[Any, ...]:
        clients.extend(connect(*services, **options))
        once = options.get("once", ())
        fakes = {"s3": Bucket(), "dynamodb": Tables(), "kms": Rest(), "sns": Rest()}
        return tuple(fakes[service] for service in (*services, *once))

    with (
        mock.patch.object(processor.start, "connect", connected),
        mock.patch.object(processor.start, "start", lambda _, *rest: start(package, *rest)),
        mock.patch.dict("os.environ", ENVIRON),
    ):
        from processor.handler import handler  # noqa: PLC0415  starts at import
    handler.__dict__["clients"] = clients
    return handler


def peak_mb() -> float:
    """The most that was ever resident, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # of this program alone; Linux's getrusage knows that of who started it, too
        (peak,) = (line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak) / 1024
    return getrusage(RUSAGE_SELF).ru_maxrss / 2**20


def main(package: str, *payloads: str) -> None:
    handler = handler_of(Path(package))
    ready_mb, read_mb = peak_mb(), 0.0
    for path in payloads:
        event = json.loads(Path(path).read_bytes().decode())
        read_mb = read_mb or peak_mb()
        answer = handler(event, Context())
        assert answer == {"batchItemFailures": []}, answer
        del event
    strangers = sorted({"boto3", "moto", "pandas", "pytest", "sklearn"} & sys.modules.keys())
    said = {"ready_mb": ready_mb, "read_mb": read_mb, "peak_mb": peak_mb(), "strangers": strangers}
    print(json.dumps(said))  # noqa: T201  the answer


if __name__ == "__main__":
    main(*sys.argv[1:])
