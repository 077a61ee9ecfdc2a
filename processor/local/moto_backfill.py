"""Where moto differs from AWS in what a backfill needs: exports of tables, and executions of state machines.

moto writes one file of an export, without manifests, under names of its own, and does not run an execution.
"""

from __future__ import annotations

import json
from base64 import b64encode
from contextlib import contextmanager
from datetime import UTC, datetime
from secrets import token_hex
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

from moto.core.responses import ActionResult
from moto.dynamodb.models.table_export import TableExport
from moto.dynamodb.responses import DynamoHandler
from moto.s3.models import s3_backends
from moto.stepfunctions.models import StateMachine, StepFunctionBackend
from moto.stepfunctions.responses import StepFunctionResponse

from processor.local.exporting import Layout
from processor.local.machines import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from processor.local.machines import Machine, MapRun

MACHINES: Final[dict[str, Machine]] = {}
"""What runs the executions of state machines, by ARN: see `Stage.backfilling`."""
RUNS: Final[dict[str, MapRun]] = {}
"""The map of each execution, by its ARN."""

_make_export = TableExport.__init__
_response = TableExport.response
_start = StateMachine.start_execution
_export = DynamoHandler.export_table_to_point_in_time


@contextmanager
def running(arn: str, machine: Machine) -> Iterator[None]:
    """Run the executions of a state machine that Terraform made, while the context is open."""
    MACHINES[arn] = machine
    try:
        yield
    finally:
        del MACHINES[arn]


def _make_as_named(export: Any, *given: Any, **named: Any) -> None:
    _make_export(export, *given, **named)
    export.exported_at = datetime.now(UTC)
    export.id = f"0{int(export.exported_at.timestamp() * 1000)}-{token_hex(4)}"
    export.arn = f"{export.table.table_arn}/export/{export.id}"
    # What the table is at this moment, however long the writing takes.
    attributes = [item.to_json()["Attributes"] for item in export.table.all_items()]
    export.items = json.loads(json.dumps(attributes, default=_wire))


def _wire(value: Any) -> Any:
    """What JSON has no form for, in the form of exports."""
    return b64encode(value).decode() if isinstance(value, bytes) else value.to_json()


def _write_as_laid_out(export: Any) -> None:
    """Write an export with its manifests, as DynamoDB does."""
    try:
        backend = s3_backends[export.account_id][export.partition]
        for key, body in _layout(export).files(export.items).items():
            backend.put_object(bucket_name=export.s3_bucket, key_name=key, value=body)
    except Exception as bug:
        export.status, export.failure_code, export.failure_message = "FAILED", "UNKNOWN", str(bug)
        raise
    export.item_count, export.status = len(export.items), "COMPLETED"


def _response_with_manifest(export: Any) -> dict[str, Any]:
    more = {"ExportTime": export.exported_at.timestamp()}
    if export.status == "COMPLETED":
        more["ExportManifest"] = f"{_layout(export).folder}/manifest-summary.json"
    return {**_response(export), **more}


def _layout(export: Any) -> Layout:
    return Layout(
        export.id,
        export.table.table_arn,
        export.exported_at.timestamp(),
        export.s3_bucket,
        export.s3_prefix or "",
    )


def _start_and_run(machine: Any, *given: Any, **named: Any) -> Any:
    """Start an execution, and run it if somebody runs those of the machine."""
    execution = _start(machine, *given, **named)
    runner = MACHINES.get(machine.arn)
    if runner is not None and execution.execution_arn not in RUNS:
        Thread(target=_run, args=(runner, execution), daemon=True).start()
    return execution


def _run(runner: Machine, execution: Any) -> None:
    def began(run: MapRun) -> None:
        RUNS[execution.execution_arn] = run

    try:
        output = runner.run(json.loads(execution.execution_input), began)
    except Failed as failure:
        _end(execution, "FAILED", error=failure.error, cause=failure.cause)
    except Exception as bug:  # noqa: BLE001  of ours: an execution that never ended would tell nobody
        _end(execution, "FAILED", error="States.Runtime", cause=repr(bug))
    else:
        _end(execution, "SUCCEEDED", output=json.dumps(output))


def _end(execution: Any, status: str, **more: str) -> None:
    execution.stop_date = datetime.now(UTC)
    for name, text in more.items():
        setattr(execution, name, text)
    execution.status = status


def _map_runs(_backend: Any, execution_arn: str) -> dict[str, Any]:
    run = RUNS.get(execution_arn)
    return {"mapRuns": [{"mapRunArn": run.arn, "executionArn": execution_arn}] if run else []}


def _map_run(_backend: Any, map_run_arn: str) -> dict[str, Any]:
    (run,) = (one for one in RUNS.values() if one.arn == map_run_arn)
    return {"mapRunArn": run.arn, "itemCounts": run.counts(), "executionCounts": run.counts()}


def _validate(_response: Any) -> ActionResult:
    """Find nothing wrong with a definition: it is walked later, and what is not known then is refused."""
    return ActionResult({"result": "OK", "diagnostics": [], "truncated": False})


def _no_versions(_response: Any) -> ActionResult:
    """List the versions of a machine: ours are not published."""
    return ActionResult({"stateMachineVersions": []})


def _export_without_prefix(handler: Any) -> ActionResult:
    """Export a table. moto wants a prefix."""
    handler.body.setdefault("S3Prefix", "")
    return _export(handler)


def _named(response: Any) -> str:
    """Which ARN a request is about."""
    names = ("stateMachineArn", "executionArn", "mapRunArn")
    return next((arn for name in names if (arn := response._get_param(name))), "*")  # noqa: SLF001


Mending = tuple[Any, str, "Callable[..., Any]"]
MENDINGS: Final[tuple[Mending, ...]] = (
    (DynamoHandler, "export_table_to_point_in_time", _export_without_prefix),
    (TableExport, "__init__", _make_as_named),
    (TableExport, "run", _write_as_laid_out),
    (TableExport, "response", _response_with_manifest),
    (StateMachine, "start_execution", _start_and_run),
    (StepFunctionBackend, "list_map_runs", _map_runs),
    (StepFunctionBackend, "describe_map_run", _map_run),
    (StepFunctionResponse, "validate_state_machine_definition", _validate),
    (StepFunctionResponse, "list_state_machine_versions", _no_versions),
    (StepFunctionResponse, "_determine_resource", _named),
)
