"""A state machine on this machine: what Terraform makes is walked as Step Functions would, and no more."""

from __future__ import annotations

import json
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from processor.errors import TidegateError
from processor.local.machines import Failed, Machine, MapRun

if TYPE_CHECKING:
    from collections.abc import Callable

CALLED = "arn:aws:lambda:eu-west-1:123456789012:function:backfill:live"
GIVEN = {"export": "e1", "manifest": "m.json"}


def definition(**bring: Any) -> dict[str, Any]:
    """As modules/backfill/machine.tf has it, in short."""
    return {
        "StartAt": "EachFile",
        "States": {
            "EachFile": {
                "Type": "Map",
                "MaxConcurrency": 5,
                "ToleratedFailurePercentage": 0,
                "ItemReader": {
                    "Resource": "arn:aws:states:::s3:getObject",
                    "ReaderConfig": {"InputType": "JSONL"},
                    "Parameters": {"Bucket": "exports", "Key.$": "$.manifest"},
                },
                "ItemSelector": {"export.$": "$.export", "file.$": "$$.Map.Item.Value", "came": {"next": 1}},
                "ItemProcessor": {
                    "StartAt": "Bring",
                    "States": {
                        "Bring": {
                            "Type": "Task",
                            "Resource": "arn:aws:states:::lambda:invoke",
                            "Parameters": {
                                "FunctionName": CALLED,
                                "Payload": {"file.$": "$.file", "next.$": "$.came.next"},
                            },
                            "ResultSelector": {"next.$": "$.Payload.next", "done.$": "$.Payload.done"},
                            "ResultPath": "$.came",
                            "Retry": [
                                {"ErrorEquals": ["Unreadable"], "MaxAttempts": 0},
                                {"ErrorEquals": ["States.ALL"], "MaxAttempts": 2},
                            ],
                            "Next": "IsDone",
                        }
                        | bring,
                        "IsDone": {
                            "Type": "Choice",
                            "Choices": [{"Variable": "$.came.done", "BooleanEquals": True, "Next": "Done"}],
                            "Default": "Bring",
                        },
                        "Done": {"Type": "Succeed", "OutputPath": "$.came"},
                    },
                },
                "ResultWriter": {
                    "Resource": "arn:aws:states:::s3:putObject",
                    "Parameters": {"Bucket": "exports", "Prefix.$": "States.Format('results/{}', $.export)"},
                },
                "End": True,
            }
        },
    }


class S3:
    def __init__(self) -> None:
        self.kept = {"m.json": b'{"name": "a"}\n{"name": "b"}\n'}

    def get_object(self, **call: Any) -> dict[str, Any]:
        return {"Body": BytesIO(self.kept[call["Key"]])}

    def put_object(self, **call: Any) -> None:
        self.kept[call["Key"]] = call["Body"]


class Functions:
    def __init__(self, answer: Callable[[Any, int], Any]) -> None:
        self.calls: list[Any] = []
        self._answer = answer

    def invoke(self, **call: Any) -> dict[str, Any]:
        assert (call["FunctionName"], call["Qualifier"]) == ("backfill", "live")
        payload = json.loads(call["Payload"])
        self.calls.append(payload)
        said = self._answer(payload, len(self.calls))
        if isinstance(said, str):
            body = {"errorType": said, "errorMessage": said}
            return {"Payload": BytesIO(json.dumps(body).encode()), "FunctionError": "Unhandled"}
        return {"Payload": BytesIO(json.dumps(said).encode())}


def run(answer: Callable[[Any, int], Any], **bring: Any) -> tuple[Any, S3, Functions, list[MapRun]]:
    s3, functions, runs = S3(), Functions(answer), list[MapRun]()
    machine = Machine(definition(**bring), s3, functions, lambda name: f"arn:run:{name}")
    return machine.run(GIVEN, runs.append), s3, functions, runs


def test_each_file_is_called_until_it_is_done_and_results_are_written() -> None:
    output, s3, functions, runs = run(
        lambda payload, _: {"next": payload["next"] + 5, "done": payload["next"] > 5}
    )
    assert sorted((call["file"]["name"], call["next"]) for call in functions.calls) == [
        *(("a", 1), ("a", 6), ("b", 1), ("b", 6))
    ]
    manifest = json.loads(s3.kept[output["ResultWriterDetails"]["Key"]])
    (file,) = manifest["ResultFiles"]["SUCCEEDED"]
    assert file["Key"].startswith("results/e1/")
    results = json.loads(s3.kept[file["Key"]])
    assert [json.loads(one["Output"]) for one in results] == [{"next": 11, "done": True}] * 2
    assert (runs[0].counts()["total"], runs[0].counts()["succeeded"]) == (2, 2)


def test_what_may_pass_is_tried_again_and_what_may_not_is_not() -> None:
    _, _, functions, _ = run(lambda _, at: "SlowDown" if at < 3 else {"next": 9, "done": True})
    assert len(functions.calls) == 4
    with pytest.raises(Failed, match="ExceedToleratedFailureThreshold: Unreadable"):
        run(lambda *_: "Unreadable")


def test_one_file_that_fails_fails_the_whole_and_the_others_are_done() -> None:
    def answer(payload: Any, _at: int) -> Any:
        return "Unreadable" if payload["file"]["name"] == "a" else {"next": 9, "done": True}

    runs: list[MapRun] = []
    machine = Machine(definition(), S3(), Functions(answer), lambda name: f"arn:run:{name}")
    with pytest.raises(Failed):
        machine.run(GIVEN, runs.append)
    assert (runs[0].succeeded, runs[0].failed) == (1, 1)


def test_what_is_not_known_here_is_refused() -> None:
    with pytest.raises(TidegateError, match="not known here"):
        run(lambda *_: {"next": 1, "done": True}, TimeoutSeconds=5)
