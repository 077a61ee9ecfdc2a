"""A backfill of a deployed stream: its table exported, the state machine started on the export, and followed.

AWS calls: lambda:GetFunctionConfiguration on the function; dynamodb:DescribeTable,
dynamodb:ExportTableToPointInTime and dynamodb:DescribeExport on the table; states:ListExecutions,
states:StartExecution, states:DescribeExecution, states:ListMapRuns and states:DescribeMapRun on the machine;
s3:GetObject on the export's summary and on results. DynamoDB writes the export in the caller's name.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

from processor.cli.functions import ALIAS, explained
from processor.errors import TidegateError
from processor.exports import MANIFEST_BYTES_MAX, read_summary
from processor.history import COUNTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from processor.cli.audit.place import Bar

CONFIG: Final = Config(retries={"mode": "standard", "total_max_attempts": 5})
POLL_S, POLL_S_MAX = 1.0, 20.0  # growing: an export takes minutes, a backfill up to days
RESULTS_BYTES_MAX: Final = 256_000_000


@dataclass(frozen=True, slots=True)
class Function:
    """The backfill of one stream, as it is deployed."""

    env: str
    name: str
    arn: str
    table_arn: str
    bucket: str
    """Of exports."""
    key_arn: str
    """Of what is written there."""

    @property
    def permit(self) -> str:
        """How to be allowed to."""
        return f"attach the managed policy tidegate-{self.env}-backfiller to your role"

    @property
    def machine_arn(self) -> str:
        """By Terraform's convention."""
        return (
            self.arn.replace(":lambda:", ":states:").partition(":function:")[0] + f":stateMachine:{self.name}"
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    export_arn: str
    execution_arn: str
    status: str
    """SUCCEEDED, or how else it ended."""
    trouble: str
    files: int
    items: int
    """In all files that were done."""
    expected: int
    """Items of the export."""
    counts: dict[str, int]

    @property
    def is_clean(self) -> bool:
        """Whether every item of the export has its event."""
        return self.status == "SUCCEEDED" and not self.counts["held"] and self.items == self.expected

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "export": self.export_arn, "execution": self.execution_arn, "status": self.status,
            "trouble": self.trouble, "files": self.files, "items": self.items, "expected": self.expected,
            **self.counts,
        }  # fmt: skip

    def lines(self) -> list[str]:
        """For people."""
        counts = self.counts
        came = (
            f"{self.items:,} of {self.expected:,} items in {self.files:,} files: {counts['events']:,} events "
            f"written, {counts['duplicates']:,} there already, {counts['held']:,} in quarantine, "
            f"{counts['flagged']:,} flagged"
        )
        said = [came]
        if self.status != "SUCCEEDED":
            said.append(f"ended as {self.status}: {self.trouble or 'the state machine shows why'}")
            said.append(f"to go on with the same export: --export {self.export_arn}")
        return said


class Backfill:
    """The steps of one, for whoever the credentials are of."""

    def __init__(self, env: str, stream: str, sleep: Callable[[float], object] = time.sleep) -> None:
        self._sleep, self._env, self._stream = sleep, env, stream
        with explained("the credentials"):
            session = boto3.Session()
            self._lambda: Any = session.client("lambda", config=CONFIG)
            self._dynamodb: Any = session.client("dynamodb", config=CONFIG)
            self._states: Any = session.client("stepfunctions", config=CONFIG)
            self._s3: Any = session.client("s3", config=CONFIG)
        self._function = self._find()

    def run(self, export_arn: str | None, bar: Bar, tell: Callable[[str], object]) -> Outcome:
        """Export the table, or take up an export, and bring it through.

        Raises:
            TidegateError: a step is refused or fails; with what to do.
        """
        arn = export_arn or self._export(tell)
        if not arn.startswith(f"{self._function.table_arn}/export/"):
            raise TidegateError(f"--export: is of another table than {self._function.table_arn}")
        described = self._wait_for(arn, bar)
        summary = read_summary(self._read(described["ExportManifest"], MANIFEST_BYTES_MAX))
        said = {
            "export": summary.export,
            "exported_at": summary.exported_at,
            "keys": self._keys(),
            "manifest": summary.files_key,
        }
        execution_arn = self._running(summary.export) or self._start(said)
        tell(f"execution {execution_arn}")
        ended = self._follow(execution_arn, bar)
        files, items, counts = self._results(ended)
        return Outcome(
            export_arn=arn,
            execution_arn=execution_arn,
            status=ended["status"],
            trouble=": ".join(filter(None, [ended.get("error", ""), ended.get("cause", "")[:500]])),
            files=files,
            items=items,
            expected=summary.items,
            counts=counts,
        )

    def _find(self) -> Function:
        name = f"tidegate-{self._env}-{self._stream}-backfill"
        permit = (
            f"attach the managed policy tidegate-{self._env}-backfiller to your role; and the stream has to "
            f"be in `backfills` of terraform/environments/{self._env}.tfvars"
        )
        with explained(f"lambda:GetFunctionConfiguration on {name}:{ALIAS}", permit, env=self._env):
            found = self._lambda.get_function_configuration(FunctionName=name, Qualifier=ALIAS)
        environ = found["Environment"]["Variables"]
        return Function(
            self._env, name, found["FunctionArn"], environ["TABLE_ARN"], environ["EXPORTS_BUCKET"],
            environ["DATA_KEY_ARN"],
        )  # fmt: skip

    def _keys(self) -> list[str]:
        table = self._function.table_arn
        with explained(f"dynamodb:DescribeTable on {table}", self._function.permit, env=self._env):
            answer = self._dynamodb.describe_table(TableName=table.rpartition("/")[2])
        return [one["AttributeName"] for one in answer["Table"]["KeySchema"]]

    def _export(self, tell: Callable[[str], object]) -> str:
        function = self._function
        what = f"dynamodb:ExportTableToPointInTime on {function.table_arn} to {function.bucket}"
        with explained(what, function.permit, env=self._env):
            answer = self._dynamodb.export_table_to_point_in_time(
                TableArn=function.table_arn,
                S3Bucket=function.bucket,
                S3SseAlgorithm="KMS",
                S3SseKmsKeyId=function.key_arn,
                ExportFormat="DYNAMODB_JSON",
            )
        arn: str = answer["ExportDescription"]["ExportArn"]
        tell(f"export {arn}\n(after an interruption, go on with --export {arn})")
        return arn

    def _wait_for(self, arn: str, bar: Bar) -> dict[str, Any]:
        for wait_s in _pauses():
            with explained(f"dynamodb:DescribeExport on {arn}", self._function.permit, env=self._env):
                answer = self._dynamodb.describe_export(ExportArn=arn)
            described: dict[str, Any] = answer["ExportDescription"]
            if described["ExportStatus"] == "FAILED":
                raise TidegateError(
                    f"the export failed: {described.get('FailureCode', 'unknown')}: "
                    f"{described.get('FailureMessage', '')[:300]}. Start anew, without --export."
                )
            if described["ExportStatus"] == "COMPLETED":
                return described
            bar.reading("DynamoDB exports the table", 0)
            self._sleep(wait_s)
        raise AssertionError("pauses never end")

    def _read(self, key: str, most: int) -> bytes:
        bucket = self._function.bucket
        with explained(f"s3:GetObject on {bucket}/{key}", self._function.permit, env=self._env):
            answer = self._s3.get_object(Bucket=bucket, Key=key)
            body: bytes = answer["Body"].read(most + 1)
        if len(body) > most:
            raise TidegateError(f"{key}: larger than {most:,} bytes")
        return body

    def _running(self, export: str) -> str | None:
        """An execution that is at work on the export already."""
        machine = self._function.machine_arn
        with explained(f"states:ListExecutions of {machine}", self._function.permit, env=self._env):
            answer = self._states.list_executions(stateMachineArn=machine, statusFilter="RUNNING")
        arns = [one["executionArn"] for one in answer["executions"] if one["name"].startswith(export)]
        return arns[0] if arns else None

    def _start(self, said: dict[str, Any]) -> str:
        machine = self._function.machine_arn
        name = f"{said['export']}-{int(time.time() * 1000)}"
        with explained(f"states:StartExecution of {machine}", self._function.permit, env=self._env):
            answer = self._states.start_execution(stateMachineArn=machine, name=name, input=json.dumps(said))
        return str(answer["executionArn"])

    def _follow(self, arn: str, bar: Bar) -> dict[str, Any]:
        done = 0
        for wait_s in _pauses():
            with explained(f"states:DescribeExecution of {arn}", self._function.permit, env=self._env):
                described: dict[str, Any] = self._states.describe_execution(executionArn=arn)
                runs = self._states.list_map_runs(executionArn=arn)["mapRuns"]
                for run in runs[:1]:
                    counts = self._states.describe_map_run(mapRunArn=run["mapRunArn"])["itemCounts"]
                    bar.steps(counts["total"])
                    bar.reading("through the gate", counts["succeeded"] - done)
                    done = counts["succeeded"]
            if described["status"] not in {"RUNNING", "PENDING_REDRIVE"}:
                return described
            self._sleep(wait_s)
        raise AssertionError("pauses never end")

    def _results(self, ended: dict[str, Any]) -> tuple[int, int, dict[str, int]]:
        """Files and items that are done, and what came of them, as the function said of each file.

        https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
        """
        counts = dict.fromkeys(COUNTS, 0)
        details = json.loads(ended.get("output") or "{}").get("ResultWriterDetails")
        if not details:
            return 0, 0, counts
        manifest = json.loads(self._read(details["Key"], MANIFEST_BYTES_MAX))
        files = items = 0
        for file in manifest["ResultFiles"]["SUCCEEDED"]:
            for one in json.loads(self._read(file["Key"], RESULTS_BYTES_MAX)):
                came = json.loads(one["Output"])
                files, items = files + 1, items + came["items"]
                for name in COUNTS:
                    counts[name] += came["counts"][name]
        return files, items, counts


def _pauses() -> Iterator[float]:
    """Longer and longer ones, without an end."""
    pause = POLL_S
    while True:
        yield pause
        pause = min(pause * 1.3, POLL_S_MAX)
