"""`tidegate replay` as people type it, under the managed policy of who replays, on the whole gate."""

import gzip
import json
import os
import shutil
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from processor.cli.package import build
from processor.local import emulator
from processor.local.checks import leaks
from processor.local.delivery import Answer
from processor.local.emulator import Function
from processor.local.evidence import collect, events_in
from processor.local.rights import Terminal
from processor.local.scenario import Report
from processor.local.stage import POLICY, PYTHON, Stage
from processor.local.terraform import ROOT

pytestmark = pytest.mark.slow

REPLAY = ("replay", "--env", "local", "--stream", "payments", "--json")
NAME, PHONE = "Quill Featherstonehaugh", "+44 7700 900461"
REQUIRED = "domain: customer, required: true,"
ALIKE = {"batch_size": 200, "batch_window_s": 1, "retries": 5}
AS_EVER = {  # what environments/local.tfvars says of the streams
    "payments": {"table": {"hash_key": "payment_id", "ttl_attribute": "expires_at"}, **ALIKE},
    "customers": {"table": {"hash_key": "customer_id"}, "source": "kinesis", **ALIKE},
}
DAY_S = 86_400
EXPORTS = "somebody-s-exports"
REASON = {"reason": "a required field is missing", "path": "customer_id"}


@dataclass(frozen=True)
class Desk:
    """Who replays, and the stage."""

    stage: Stage
    terminal: Terminal
    logs: list[bytes]
    """What the function has said so far."""

    def replays(self, *options: str) -> tuple[int, dict[str, Any]]:
        """The exit code and the report of `tidegate replay …`."""
        code, printed = self.terminal.types(*REPLAY, *options)
        assert NAME not in printed + "".join(self.terminal.said)
        assert printed, self.terminal.said
        return code, json.loads(printed)

    @contextmanager
    def serving(self, stage: Stage) -> Iterator[Function]:
        """The function on the stream, for whoever may call it."""
        name = stage.gate.configuration["FunctionName"]
        with stage.function() as function, stage.aws.serving(name, function.invoke):
            yield function
            self.logs.append(function.log)

    def quarantine(self) -> list[str]:
        """The keys of all that is in quarantine."""
        bucket = self.stage.outputs["buckets"]["quarantine"]
        listed = self.stage.aws.client("s3").list_objects_v2(Bucket=bucket)
        return sorted(one["Key"] for one in listed.get("Contents", ()))


@pytest.fixture(scope="module")
def desk(stage: Stage, report: Report) -> Desk:
    assert report.events, "there is something beside what is replayed"
    return Desk(stage, Terminal(stage, stage.aws.user("replayer", stage.outputs["replayer_policy_arn"])), [])


@pytest.fixture(scope="module")
def held(stage: Stage, report: Report) -> set[str]:
    """Payments in quarantine, for want of a customer."""
    assert report.events
    ids = {f"p-customerless-{at}" for at in range(3)}
    with stage.function() as function:
        source = stage.event_source(function)
        source.skip_what_is_there()
        _write(stage, ids, phone=PHONE)
        source.drain()
    return ids


@pytest.fixture(scope="module")
def mended(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The same stage after Terraform has applied a policy that does not require the customer."""
    folder = tmp_path_factory.mktemp("mended")
    policies, package = folder / "policies", folder / "payments.zip"
    shutil.copytree(POLICY.parent, policies)
    text = POLICY.read_text()
    assert text.count(REQUIRED) == 1
    mended = text.replace(REQUIRED, "domain: customer,").replace("\nversion: 2\n", "\nversion: 3\n")
    (policies / POLICY.name).write_text(mended)
    build(policies / POLICY.name, package, PYTHON, emulator.architecture())
    payments = AS_EVER["payments"] | {"package": os.path.relpath(package, ROOT)}
    streams = AS_EVER | {"payments": payments}
    stage.terraform.run(
        "apply", "-auto-approve", "-input=false", "-compact-warnings", "-refresh=false",
        f"-var=policies_folder={os.path.relpath(policies, ROOT)}", f"-var=streams={json.dumps(streams)}",
    )  # fmt: skip
    with zipfile.ZipFile(package) as zipped:
        zipped.extractall(folder / "gate")
    name = stage.gate.configuration["FunctionName"]
    configuration = stage.aws.client("lambda").get_function_configuration(FunctionName=name, Qualifier="live")
    assert configuration["CodeSha256"] != stage.gate.configuration["CodeSha256"]
    return replace(stage, gate=replace(stage.gate, folder=folder / "gate", configuration=configuration))


def test_what_is_held_stays_held_as_long_as_nothing_is_mended(desk: Desk, held: set[str]) -> None:
    before, known = desk.quarantine(), _events(desk.stage)
    code, report = desk.replays("--quarantine", "--dry-run")
    assert (code, report["let_out"], report["calls"]) == (0, 0, 0)
    assert report["found"] == len(before) >= len(held)
    assert report["would_send"] == [REASON | {"count": len(before)}]
    with desk.serving(desk.stage) as function:
        code, report = desk.replays("--quarantine")
        assert (code, report["let_out"], report["was_there_already"]) == (1, 0, 0), report
        assert report["held_again"] == [REASON | {"count": len(before)}]
        assert report["calls"] == function.log.count(b"START RequestId") == 1
    assert desk.quarantine() == before
    assert _events(desk.stage) == known


def test_a_mended_policy_lets_it_out_once(desk: Desk, held: set[str], mended: Stage) -> None:
    before, known = desk.quarantine(), _events(desk.stage)
    with desk.serving(mended):
        code, report = desk.replays("--quarantine")
        assert (code, report["let_out"], report["was_there_already"]) == (0, len(before), 0), report
        assert (report["found"], report["held_again"]) == (len(before), [])
        once = _events(desk.stage)
        assert (once - known).total() == len(before)

        code, report = desk.replays("--quarantine")
        assert (code, report["found"], report["skipped_as_replayed"], report["calls"]) == (
            0,
            0,
            len(before),
            0,
        )
        code, report = desk.replays("--quarantine", "--again")
        assert (code, report["let_out"], report["was_there_already"]) == (0, 0, len(before)), report
    assert _events(desk.stage) == once
    assert desk.quarantine() == sorted([*before, *(f"{key}.replayed" for key in before)])
    bucket = desk.stage.outputs["buckets"]["quarantine"]
    mark = desk.stage.aws.client("s3").get_object(Bucket=bucket, Key=f"{before[0]}.replayed")["Body"].read()
    version = mended.gate.configuration["Version"]
    said = {"policy": "payments", "function": f"tidegate-local-payments:{version}"}
    assert said.items() <= json.loads(mark).items()
    assert json.loads(mark)["by"].endswith(":user/replayer")

    out = [event for event in events_in(desk.stage) if _payment(event) in held]
    assert {_payment(event) for event in out} == held
    assert all((event["policy"]["version"], event["new"]["name"]) == (3, "[redacted]") for event in out)


def test_what_lambda_gave_up_on_is_read_again(desk: Desk) -> None:
    """Half of it was never done; half was, before the function was killed."""
    stage, known = desk.stage, _events(desk.stage)
    customer = {"customer_id": f"c-{NAME}", "phone": PHONE}
    with desk.serving(stage) as function:
        source = stage.event_source(function)
        source.skip_what_is_there()
        calls: list[int] = []

        def killed(event: Any) -> Answer:
            calls.append(len(event["Records"]))
            if len(calls) % 2:
                function.invoke(event)
            return Answer(error="Runtime.ExitError")

        source._invoke, source._rules = killed, replace(source._rules, retries=0, bisect=False)
        for part in range(2):
            _write(stage, {f"p-given-up-{part}-{at}" for at in range(4)}, **customer)
            source.drain()
        assert (source.tally.lost, calls) == (8, [4, 4])
        done = _events(stage)
        assert (done - known).total() == 4

        code, report = desk.replays("--failures", "--dry-run")
        assert (code, report["found"], report["calls"]) == (0, 8, 0), report
        code, report = desk.replays("--failures")
        assert (code, report["let_out"], report["was_there_already"]) == (0, 4, 4), report
        assert report["held_again"] == []
        code, report = desk.replays("--failures")
        assert (code, report["found"]) == (0, 0), "the messages are gone"
    now = _events(stage)
    assert ((now - known).total(), max(now.values())) == (8, 1)


def test_what_the_stream_has_forgotten_comes_from_an_export(desk: Desk) -> None:
    """The embedded AWS makes no exports: the files are laid out as DynamoDB lays them out."""
    stage, known, lost = desk.stage, _events(desk.stage), int(time.time()) - 3 * DAY_S
    file = "AWSDynamoDB/01700000000000-ab12cd34/data/x7kl2m.json.gz"
    s3 = stage.aws.client("s3")
    s3.create_bucket(Bucket=EXPORTS, CreateBucketConfiguration={"LocationConstraint": stage.aws.region})
    lines = [_exported(f"p-lost-{at}", lost + 60 * at) for at in range(-1, 4)]
    s3.put_object(Bucket=EXPORTS, Key=file, Body=gzip.compress("\n".join(lines).encode()))
    options = (
        "--export", f"s3://{EXPORTS}/{file}",
        "--since", _iso(lost), "--until", _iso(lost + 180),
    )  # fmt: skip
    with desk.serving(stage):
        code, _ = desk.terminal.types(*REPLAY, *options)
        assert code == 2
        assert f"s3:GetObject on s3://{EXPORTS}/{file}" in desk.terminal.said[-1]
        may_read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{EXPORTS}/*"}
        stage.aws.client("iam").put_user_policy(
            UserName="replayer",
            PolicyName="exports",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [may_read]}),
        )
        code, report = desk.replays(*options, "--dry-run")
        assert (code, report["found"], report["calls"]) == (0, 3, 0), report
        assert _events(stage) == known
        code, report = desk.replays(*options)
        assert (code, report["let_out"], report["was_there_already"]) == (0, 3, 0), report
        code, report = desk.replays(*options)
        assert (code, report["let_out"], report["was_there_already"]) == (0, 0, 3), report
    out = [event for event in events_in(stage) if str(_payment(event)).startswith("p-lost-")]
    assert sorted(map(_payment, out)) == ["p-lost-0", "p-lost-1", "p-lost-2"]
    assert (_events(stage) - known).total() == 3
    assert all(event["event_id"].startswith("export-") for event in out)


def test_none_of_it_is_found_behind_the_gate(desk: Desk) -> None:
    """But for the export, which is raw and somebody else's."""
    evidence = collect(desk.stage, b"".join(desk.logs))
    found = [one for one in evidence.searched if not one.place.startswith(f"s3://{EXPORTS}/")]
    assert len(desk.logs) == 4
    assert leaks([NAME, PHONE], found) == []


def test_the_audit_trail_knows_of_all_of_it(desk: Desk) -> None:
    auditor = Terminal(
        desk.stage, desk.stage.aws.user("third-auditor", desk.stage.outputs["auditor_policy_arn"])
    )
    code, answer = auditor.types("audit", "verify", "--env", "local", "--json")
    assert code == 0, (auditor.said, answer)


def _write(stage: Stage, ids: set[str], **attributes: str) -> None:
    for payment in sorted(ids):
        item = {"payment_id": payment, "name": NAME, **attributes}
        stage.aws.client("dynamodb").put_item(
            TableName=stage.stream["source_table"], Item={name: {"S": text} for name, text in item.items()}
        )


def _exported(payment: str, written: float) -> str:
    """A line of an incremental export."""
    keys = {"payment_id": {"S": payment}}
    image = {**keys, "customer_id": {"S": f"c-{NAME}"}, "name": {"S": NAME}}
    metadata = {"WriteTimestampMicros": {"N": str(int(written * 1_000_000))}}
    return json.dumps({"Metadata": metadata, "Keys": keys, "NewImage": image})


def _events(stage: Stage) -> Counter[str]:
    """How often each event is there, by id."""
    return Counter(event["event_id"] for event in events_in(stage))


def _payment(event: dict[str, Any]) -> str | None:
    return event["new"] and event["new"]["payment_id"]


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
