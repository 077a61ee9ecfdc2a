"""The whole gate, standing: package, embedded AWS, what Terraform made in it, and a queue of the alerts."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import zipfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from processor.cli.package import build, build_access
from processor.errors import TidegateError
from processor.local import emulator, moto_backfill
from processor.local.aws import embedded_aws
from processor.local.carrying import Carrier
from processor.local.machines import Machine
from processor.local.mapping import EventSource, Settings
from processor.local.runtime import runtime_python
from processor.local.terraform import REPOSITORY, Terraform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from processor.local.aws import Credentials, EmbeddedAws
    from processor.local.delivery import Answer

    Invoke = Callable[[Any], Answer]

POLICY: Final = REPOSITORY / "policies" / "payments.yaml"
PACKAGE: Final = REPOSITORY / ".build" / "payments.zip"  # where terraform/ looks for it
OTHERS: Final = ("customers",)
"""The streams besides, each under the policy of its name."""
ACCESS: Final = REPOSITORY / ".build" / "access.zip"  # and for this
STATE_BUCKET: Final = "tidegate-local-state"  # of terraform/environments/local.backend.hcl
INBOX: Final = "tidegate-local-inbox"
DISORDER: Final = 7
"""The seed by which changes come twice and in another order where they come by Kinesis."""
PYTHON: Final = f"{sys.version_info.major}.{sys.version_info.minor}"


class Progress(Protocol):
    """Told what is going on."""

    def step(self, text: str) -> None:
        """Something else begins; what was going on is done."""

    def detail(self, text: str) -> None:
        """How it is getting on."""


@dataclass(frozen=True, slots=True)
class Hosted:
    """A function that Terraform made, and what the emulator needs to run it."""

    folder: Path
    """Its unpacked package."""
    configuration: dict[str, Any]
    """As Lambda tells it."""
    role: Credentials

    def launch(self, aws: EmbeddedAws) -> dict[str, Any]:
        """How the emulator has to run it, from what Terraform set."""
        return {
            "folder": self.folder,
            "handler": self.configuration["Handler"],
            "python": runtime_python(),
            "environ": self.configuration["Environment"]["Variables"] | aws.environ(self.role),
            "name": self.configuration["FunctionName"],
            "version": self.configuration["Version"],
            "timeout_s": self.configuration["Timeout"],
            "memory_mb": self.configuration["MemorySize"],
        }


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that is up."""

    aws: EmbeddedAws
    terraform: Terraform
    outputs: dict[str, Any]
    """Of Terraform."""
    stream: dict[str, Any]
    """Of the outputs, what is about the payments' stream."""
    gate: Hosted
    others: dict[str, Hosted]
    """The functions on the streams besides."""
    detokenize: Hosted
    erase: Hosted
    backfill: Hosted
    """What brings exports of the payments' table through."""
    runner: Credentials
    """The role of the state machine that calls it."""
    inbox_url: str
    """A queue that is subscribed to the alerts."""
    carriers: dict[str, Carrier]
    """What puts changes into data streams as DynamoDB would, by the ARN of the stream."""

    def of(self, name: str) -> Stage:
        """The same stage, seen from one of the streams besides."""
        return replace(self, stream=self.outputs["streams"][name], gate=self.others[name])

    def by_now(self) -> Stage:
        """The same stage with what Terraform says by now, and its functions as they are configured."""
        functions = self.aws.client("lambda")

        def now(hosted: Hosted) -> Hosted:
            name = hosted.configuration["FunctionName"]
            configuration = functions.get_function_configuration(FunctionName=name, Qualifier="live")
            return replace(hosted, configuration=configuration)

        return replace(
            self,
            outputs=self.terraform.output(),
            gate=now(self.gate),
            others={name: now(one) for name, one in self.others.items()},
            detokenize=now(self.detokenize),
            erase=now(self.erase),
            backfill=now(self.backfill),
        )

    @property
    def role(self) -> Credentials:
        """That of the function on the stream."""
        return self.gate.role

    def launch(self) -> dict[str, Any]:
        """How the emulator has to run the function on the stream."""
        return self.gate.launch(self.aws)

    @contextmanager
    def function(self) -> Iterator[emulator.Function]:
        """The function on the stream, running under its own role."""
        with emulator.running(**self.launch()) as function:
            yield function

    @contextmanager
    def access(self) -> Iterator[tuple[emulator.Function, ...]]:
        """The functions on people, each under its own role: whoever IAM lets call them is answered."""
        with ExitStack() as stack:
            functions = []
            for hosted in (self.detokenize, self.erase):
                launch = hosted.launch(self.aws)
                function = stack.enter_context(emulator.running(**launch))
                stack.enter_context(self.aws.serving(launch["name"], function.invoke))
                functions.append(function)
            yield tuple(functions)

    @contextmanager
    def backfilling(
        self, wrap: Callable[[Invoke], Invoke] = lambda invoke: invoke
    ) -> Iterator[emulator.Function]:
        """The function of the backfill, and its state machine run as its role; `wrap` comes between them."""
        launch, made = self.backfill.launch(self.aws), self.outputs["backfills"]["payments"]
        described = self.aws.client("stepfunctions").describe_state_machine(
            stateMachineArn=made["state_machine_arn"]
        )
        run = made["state_machine_arn"].replace(":stateMachine:", ":mapRun:")
        machine = Machine(
            json.loads(described["definition"]),
            self.aws.client("s3", self.runner),
            self.aws.client("lambda", self.runner),
            lambda name: f"{run}/file:{name}",
        )
        with (
            emulator.running(**launch) as function,
            self.aws.serving(launch["name"], wrap(function.invoke)),
            moto_backfill.running(made["state_machine_arn"], machine),
        ):
            yield function

    def event_source(self, function: emulator.Function) -> EventSource:
        """The mapping that Terraform made, ready to deliver to the function under its role."""
        mapping = self.aws.client("lambda").get_event_source_mapping(UUID=self.stream["mapping_id"])
        settings = Settings.read(mapping)
        carrier = self.carriers.get(settings.stream_arn)
        return EventSource(
            settings,
            streams=self.aws.client("kinesis" if carrier else "dynamodbstreams", self.role),
            invoke=function.invoke,
            report=self._reporter(settings.destination_arn),
            carry=carrier.carry if carrier else lambda: 0,
        )

    def _reporter(self, destination_arn: str | None) -> Callable[[str], object] | None:
        if destination_arn is None:
            return None
        if ":sns:" in destination_arn:
            sns = self.aws.client("sns", self.role)
            return lambda report: sns.publish(TopicArn=destination_arn, Message=report)
        name = destination_arn.split(":")[-1]
        url = self.aws.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]
        sqs = self.aws.client("sqs", self.role)
        return lambda report: sqs.send_message(QueueUrl=url, MessageBody=report)


@contextmanager
def standing(progress: Progress, port: int = 0) -> Iterator[Stage]:
    """Build and set up everything; IAM is enforced from then on. Nothing of it is left afterwards.

    Raises:
        TidegateError: a part is missing or does not work; says which and what to do.
    """
    progress.step("Building the Lambda packages")
    build(POLICY, PACKAGE, PYTHON, emulator.architecture(), progress.detail)
    for name in OTHERS:
        build(_policy(name), _package(name), PYTHON, emulator.architecture(), progress.detail)
    policies = [POLICY, *map(_policy, OTHERS)]
    build_access(policies, ACCESS, PYTHON, emulator.architecture(), progress.detail)
    progress.step("Installing Lambda's runtime")
    runtime_python()
    emulator.emulator_path()
    work = Path(tempfile.mkdtemp(prefix="tidegate-"))
    try:
        progress.step("Starting the embedded AWS")
        with embedded_aws(port) as aws:
            progress.detail(aws.endpoint)
            progress.step("Applying terraform/ (about a minute, most of it the provider waiting for S3)")
            terraform = _applied(aws, work / "terraform", progress)
            progress.step("Handing the stage to the functions' roles, IAM enforced")
            yield _set(aws, terraform, work)
            progress.step("Taking everything down")
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _policy(name: str) -> Path:
    return POLICY.with_stem(name)


def _package(name: str) -> Path:
    return PACKAGE.with_stem(name)


def _applied(aws: EmbeddedAws, working: Path, progress: Progress) -> Terraform:
    here = {"LocationConstraint": aws.region}
    aws.client("s3").create_bucket(Bucket=STATE_BUCKET, CreateBucketConfiguration=here)
    # Nothing of the caller's own AWS may be in reach: no profile, no token, no endpoint.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    terraform = Terraform(
        "local",
        working=working,
        variables={"runtime": f"python{PYTHON}", "architecture": emulator.architecture()},
        environ=environ | aws.environ(),
        on_line=progress.detail,
    )
    terraform.init()
    terraform.apply()
    return terraform


def _set(aws: EmbeddedAws, terraform: Terraform, work: Path) -> Stage:
    says = terraform.output()
    stream = says["streams"]["payments"]
    packages = {"gate": PACKAGE, "access": ACCESS, **{name: _package(name) for name in OTHERS}}
    for name, package in packages.items():
        with zipfile.ZipFile(package) as zipped:
            zipped.extractall(work / name)

    def hosted(made: dict[str, Any], folder: str) -> Hosted:
        alias = made["alias_arn"].split(":")[-1]
        configuration = aws.client("lambda").get_function_configuration(
            FunctionName=made["function_name"], Qualifier=alias
        )
        return Hosted(work / folder, configuration, aws.credentials_of(made["role_arn"]))

    stage = Stage(
        aws=aws,
        terraform=terraform,
        outputs=says,
        stream=stream,
        gate=hosted(stream, "gate"),
        others={name: hosted(says["streams"][name], name) for name in OTHERS},
        detokenize=hosted(says["detokenize"], "access"),
        erase=hosted(says["erase"], "access"),
        backfill=hosted(says["backfills"]["payments"], "gate"),
        runner=aws.credentials_of(says["backfills"]["payments"]["runner_role_arn"]),
        inbox_url=_inbox(aws, says["alerts_topic_arn"]),
        carriers={one["stream_arn"]: _carrier(aws, one) for one in _by_kinesis(says)},
    )
    aws.enforce_iam(enforced=True)
    return stage


def _by_kinesis(says: dict[str, Any]) -> list[dict[str, Any]]:
    return [stream for stream in says["streams"].values() if stream["source"] == "kinesis"]


def _carrier(aws: EmbeddedAws, stream: dict[str, Any]) -> Carrier:
    """What carries a table's changes into the data stream that Terraform has made its destination."""
    dynamodb, table = aws.client("dynamodb"), stream["source_table"]
    told = dynamodb.describe_kinesis_streaming_destination(TableName=table)
    active = [one["StreamArn"] for one in told["KinesisDataStreamDestinations"]]
    if active != [stream["stream_arn"]]:
        raise TidegateError(f"the table {table} has no destination in Kinesis: terraform/kinesis.tf makes it")
    own = dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    clients = aws.client("dynamodbstreams"), aws.client("kinesis")
    return Carrier(*clients, own, stream["stream_arn"], seed=DISORDER)


def _inbox(aws: EmbeddedAws, topic_arn: str) -> str:
    """A queue that gets every alert as it was published."""
    sqs = aws.client("sqs")
    url: str = sqs.create_queue(QueueName=INBOX)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    raw = {"RawMessageDelivery": "true"}
    aws.client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn, Attributes=raw)
    return url
