"""State machines on this machine: the definition that Terraform made, walked as Step Functions does.

Only what our definitions use is known; whatever else stands in one is refused when it is met, so that none is
taken for tried that was not. Calls are made with the machine's role, so IAM decides about them.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html
"""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from botocore.exceptions import ClientError

from processor.errors import TidegateError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

STEPS_MAX: Final = 1_000  # of one item
THREADS_MAX: Final = 2
FUNCTION: Final = re.compile(r"arn:[^:]+:lambda:[^:]+:[^:]+:function:(?P<name>[^:]+):(?P<qualifier>[^:]+)")
FORMAT: Final = re.compile(r"States\.Format\('(?P<text>[^']*)', (?P<path>\$[^)]*)\)")
KNOWN: Final = {
    "Map": {
        *("Type", "Label", "MaxConcurrency", "ToleratedFailurePercentage", "ItemReader", "ItemSelector"),
        *("ItemProcessor", "ResultWriter", "End"),
    },
    "Task": {"Type", "Resource", "Parameters", "ResultSelector", "ResultPath", "Retry", "Next"},
    "Choice": {"Type", "Choices", "Default"},
    "Succeed": {"Type", "OutputPath"},
}
"""What of each type of state is known here."""


class Failed(TidegateError):  # noqa: N818  an outcome with a name
    """An execution, or the part of it for one item, that failed."""

    def __init__(self, error: str, cause: str) -> None:
        self.error, self.cause = error, cause
        super().__init__(f"{error}: {cause}")


@dataclass(slots=True)
class MapRun:
    """How far a distributed map is."""

    arn: str
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    results: list[dict[str, Any]] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """As Step Functions tells them."""
        ended = self.succeeded + self.failed
        none = dict.fromkeys(("timedOut", "aborted", "running", "resultsWritten"), 0)
        return {
            **none, "pending": self.total - ended, "succeeded": self.succeeded, "failed": self.failed,
            "total": self.total,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Machine:
    """A state machine, as its role."""

    definition: Mapping[str, Any]
    s3: Any
    functions: Any
    """A client of Lambda."""
    run_arn: Callable[[str], str]
    """The ARN of a map run by its id."""

    def run(self, given: Any, began: Callable[[MapRun], object]) -> Any:
        """Run an execution to its end, and give its output.

        Args:
            given: its input.
            began: told when a map begins.

        Raises:
            Failed: it failed.
        """
        state = self.definition["States"][self.definition["StartAt"]]
        if state["Type"] != "Map" or not state.get("End"):
            raise TidegateError("a state machine is one distributed map here")
        return self._map(_checked(state), given, began)

    def _map(self, state: Mapping[str, Any], given: Any, began: Callable[[MapRun], object]) -> Any:
        reader = state["ItemReader"]
        if reader["ReaderConfig"] != {"InputType": "JSONL"} or not reader["Resource"].endswith(
            ":s3:getObject"
        ):
            raise TidegateError("a map reads lines of JSON from S3 here")
        try:
            text = self.s3.get_object(**_filled(reader["Parameters"], given))["Body"].read()
        except ClientError as refused:
            raise Failed("States.ItemReaderFailed", str(refused)) from None
        items = [json.loads(line) for line in text.splitlines()]
        run = MapRun(self.run_arn(str(uuid4())), total=len(items))
        began(run)
        processor = state["ItemProcessor"]

        def bring(item: Any) -> None:
            try:
                output = self._walk(processor, _filled(state["ItemSelector"], given, item))
            except Failed as failure:
                run.failed += 1
                run.results.append({"Status": "FAILED", "Error": failure.error, "Cause": failure.cause})
            else:
                run.succeeded += 1
                run.results.append({"Status": "SUCCEEDED", "Output": json.dumps(output)})

        with ThreadPoolExecutor(min(state["MaxConcurrency"], THREADS_MAX)) as pool:
            list(pool.map(bring, items))
        output = self._write(state["ResultWriter"], given, run)
        if run.failed * 100 > state["ToleratedFailurePercentage"] * run.total:
            first = next(one for one in run.results if one["Status"] == "FAILED")
            raise Failed("States.ExceedToleratedFailureThreshold", f"{first['Error']}: {first['Cause']}")
        return output

    def _write(self, writer: Mapping[str, Any], given: Any, run: MapRun) -> dict[str, Any]:
        """Write results as ResultWriter does: one file for each outcome, and a manifest of them."""
        place = _filled(writer["Parameters"], given)
        folder = f"{place['Prefix']}/{run.arn.rpartition(':')[2]}"
        files: dict[str, list[dict[str, Any]]] = {"SUCCEEDED": [], "FAILED": [], "PENDING": []}
        for status in ("SUCCEEDED", "FAILED"):
            some = [one for one in run.results if one["Status"] == status]
            if some:
                key, body = f"{folder}/{status}_0.json", json.dumps(some).encode()
                self.s3.put_object(Bucket=place["Bucket"], Key=key, Body=body)
                files[status].append({"Key": key, "Size": len(body)})
        key = f"{folder}/manifest.json"
        said = {"DestinationBucket": place["Bucket"], "MapRunArn": run.arn, "ResultFiles": files}
        self.s3.put_object(Bucket=place["Bucket"], Key=key, Body=json.dumps(said).encode())
        return {"MapRunArn": run.arn, "ResultWriterDetails": {"Bucket": place["Bucket"], "Key": key}}

    def _walk(self, processor: Mapping[str, Any], given: Any) -> Any:
        name, value = processor["StartAt"], given
        for _ in range(STEPS_MAX):
            state = _checked(processor["States"][name])
            if state["Type"] == "Succeed":
                return _at(state.get("OutputPath", "$"), value)
            if state["Type"] == "Choice":
                name = _chosen(state, value)
            else:
                value, name = self._task(state, value), state["Next"]
        raise Failed("States.Runtime", f"more than {STEPS_MAX:,} steps")

    def _task(self, state: Mapping[str, Any], value: Any) -> Any:
        if not state["Resource"].endswith(":states:::lambda:invoke"):
            raise TidegateError(f"{state['Resource']} is not known here")
        attempts: dict[int, int] = {}
        while True:
            try:
                answer = self._invoke(_filled(state["Parameters"], value))
            except Failed as failure:
                # Without the pauses: nobody here has to be waited for.
                retry = _retry(state["Retry"], failure)
                attempts[retry] = attempts.get(retry, 0) + 1
                if attempts[retry] > state["Retry"][retry]["MaxAttempts"]:
                    raise
                continue
            if not re.fullmatch(r"\$\.\w+", state["ResultPath"]):
                raise TidegateError(f"{state['ResultPath']} is not known here")
            return {**value, state["ResultPath"][2:]: _filled(state["ResultSelector"], answer)}

    def _invoke(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        called = FUNCTION.fullmatch(parameters["FunctionName"])
        if called is None:
            raise TidegateError(f"{parameters['FunctionName']}: names no version of a function")
        try:
            answer = self.functions.invoke(
                FunctionName=called["name"],
                Qualifier=called["qualifier"],
                Payload=json.dumps(parameters["Payload"]).encode(),
            )
        except ClientError as refused:
            raise Failed("Lambda." + refused.response["Error"]["Code"], str(refused)) from None
        payload = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise Failed(str(payload.get("errorType", "Error")), str(payload.get("errorMessage", "")))
        return {"Payload": payload}


def _checked(state: Mapping[str, Any]) -> Mapping[str, Any]:
    strange = set(state) - KNOWN.get(state["Type"], set())
    if strange or state["Type"] not in KNOWN:
        raise TidegateError(f"a state of the type {state['Type']} with {sorted(strange)} is not known here")
    return state


def _retry(rules: list[Mapping[str, Any]], failure: Failed) -> int:
    """Which rule is for this failure: the first that names it, or all."""
    for at, rule in enumerate(rules):
        if failure.error in rule["ErrorEquals"] or "States.ALL" in rule["ErrorEquals"]:
            return at
    raise failure


def _chosen(state: Mapping[str, Any], value: Any) -> str:
    for choice in state["Choices"]:
        if set(choice) != {"Variable", "BooleanEquals", "Next"}:
            raise TidegateError("a choice goes by a boolean here")
        if _at(choice["Variable"], value) is choice["BooleanEquals"]:
            return str(choice["Next"])
    return str(state["Default"])


def _filled(template: Any, given: Any, item: Any = None) -> Any:
    """A template with its paths filled in."""
    if not isinstance(template, dict):
        return template
    return {
        name.removesuffix(".$"): _at(part, given, item) if name.endswith(".$") else _filled(part, given, item)
        for name, part in template.items()
    }


def _at(path: str, given: Any, item: Any = None) -> Any:
    if path == "$$.Map.Item.Value":
        return item
    if formatted := FORMAT.fullmatch(path):
        return formatted["text"].replace("{}", str(_at(formatted["path"], given)), 1)
    if not re.fullmatch(r"\$(?:\.\w+)*", path):
        raise TidegateError(f"the path {path} is not known here")
    for name in path.split(".")[1:]:
        if not isinstance(given, dict) or name not in given:
            raise Failed("States.ParameterPathFailure", f"there is no {path}")
        given = given[name]
    return given
