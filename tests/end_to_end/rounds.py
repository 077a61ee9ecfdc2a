"""A round of all that functions and people do on the stage, so that what they never do shows.

The report has most of it; here is what happens on other days: a record that cannot pass, a batch that is
given up, a person who leaves, a batch that comes twice, a replay of each kind, keys and events looked at.
"""

from __future__ import annotations

import gzip
import json
import time
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from processor.cli.package import build
from processor.cli.watch import Watch
from processor.local import emulator
from processor.local.delivery import Answer
from processor.local.evidence import events_in
from processor.local.rights import OPENING, Terminal
from processor.local.stage import POLICY, PYTHON

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from processor.local.aws import Credentials
    from processor.local.mapping import EventSource
    from processor.local.stage import Hosted, Stage

REQUIRED: Final = "domain: customer, required: true,"
BACKFILL: Final = ("backfill", "--env", "local", "--stream", "payments", "--json")
EXPORTS: Final = "exports-of-somebody"
EXPORT: Final = "AWSDynamoDB/01700000000000-ab12cd34/data/x7kl2m.json.gz"
DAY_S: Final = 86_400
OPENED_MOST: Final = 20


def streams(stage: Stage, replayer: Credentials, folder: Path) -> None:
    """Everything that happens around the two streams."""
    customers, item = stage.of("customers"), {"customer_id": "c-round"}
    with customers.function() as function:
        write(customers, **item)
        stage.aws.client("dynamodb").delete_item(
            TableName=customers.stream["source_table"], Key={"customer_id": {"S": "c-round"}}
        )
        for _ in range(2):
            customers.event_source(function).drain()
        give_up(customers, customers.event_source(function), customer_id="c-given-up")
        for options in (["--dry-run"], []):
            replay(customers, replayer, function, "--stream", "customers", "--failures", *options)
    with stage.function() as function:
        write(stage, payment_id="p-round-poison")  # without a customer
        for _ in range(2):
            stage.event_source(function).drain()
        give_up(stage, stage.event_source(function), payment_id="p-given-up-round", customer_id="c-round")
        for options in (["--dry-run"], []):
            replay(stage, replayer, function, "--stream", "payments", "--failures", *options)
        replay(stage, replayer, function, "--stream", "payments", *export(stage))
    with replace(stage, gate=mended(stage.gate, folder)).function() as function:
        replay(stage, replayer, function, "--stream", "payments", "--quarantine")


def existing_data(stage: Stage, backfiller: Credentials) -> None:
    """A table brought through the gate as a whole, twice, with somebody whom the stream has not met."""
    write(stage, payment_id="p-unmet", customer_id="c-unmet")
    write(stage, payment_id="p-held")  # without a customer
    terminal = Terminal(stage, backfiller)
    with stage.backfilling():
        code, printed = terminal.types(*BACKFILL)
        assert code == 1, terminal.said  # 1: one is held
        code, printed = terminal.types(*BACKFILL, "--export", json.loads(printed)["export"])
        assert json.loads(printed)["events"] == 0, printed


def people(stage: Stage, who: Mapping[str, Credentials], customer: str) -> None:
    """Everything that people do with the functions, the trail and the keys."""
    events = [
        event for event in events_in(stage) if str((event["new"] or {}).get("email")).startswith("tok.")
    ]
    with stage.access():  # some of these people are erased
        lines = "".join(f"{json.dumps(event)}\n" for event in events[:OPENED_MOST])
        _, printed = Terminal(stage, who["investigator"]).types(*OPENING, stdin=lines)
        assert '"value":' in printed
        asked = ("erase", "--env", "local", "--subject", "-", "--reason", "GDPR Art. 17", "--dry-run")
        does(stage, who["officer"], *asked, stdin=customer)
    does(stage, who["steward"], "keys", "status", "--env", "local")
    does(stage, who["auditor"], "audit", "show", "--env", "local", "--event", events[0]["event_id"])


def releases(stage: Stage, releaser: Credentials) -> None:
    """A look at the alarms, and each stream rolled back from a version that is like the one before."""
    aws, seen = stage.aws.client("lambda"), Watch("local", stage.aws.client("cloudwatch", releaser))
    for name, one in {"payments": stage, **{name: stage.of(name) for name in stage.others}}.items():
        function = one.stream["function_name"]
        assert seen.states(function)
        assert seen.records(one.stream["policy"], 1, time.time()) >= 0
        was = aws.get_alias(FunctionName=function, Name="live")["FunctionVersion"]
        aws.update_function_configuration(FunctionName=function, Timeout=one.gate.configuration["Timeout"])
        version = aws.publish_version(FunctionName=function)["Version"]
        aws.update_alias(FunctionName=function, Name="live", FunctionVersion=version)
        does(stage, releaser, "rollback", "--env", "local", "--stream", name)
        aws.update_alias(FunctionName=function, Name="live", FunctionVersion=was)


def queries(stage: Stage, analyst: Credentials) -> None:
    """A query that stands ready is looked up, asked and its result fetched, as a console does."""
    aws, outputs = stage.aws, stage.outputs
    there, group = outputs["queries"], {"WorkGroup": outputs["queries"]["workgroup"]}
    glue, athena, s3 = (aws.client(name, analyst) for name in ("glue", "athena", "s3"))
    database = {"DatabaseName": there["database"]}
    glue.get_database(Name=there["database"])
    glue.get_tables(**database)
    for name in there["tables"].values():
        glue.get_table(**database, Name=name)
        glue.get_partitions(**database, TableName=name)
    athena.get_work_group(**group)
    (query, *_) = athena.list_named_queries(**group)["NamedQueryIds"]
    text = athena.get_named_query(NamedQueryId=query)["NamedQuery"]["QueryString"]
    asked = {"QueryExecutionId": athena.start_query_execution(QueryString=text, **group)["QueryExecutionId"]}
    athena.list_query_executions(**group)
    athena.get_query_execution(**asked)
    athena.get_query_results(**asked)
    athena.stop_query_execution(**asked)
    events = {"Bucket": outputs["buckets"]["events"]}
    s3.get_bucket_location(**events)
    found = s3.list_objects_v2(**events, Prefix="events/payments/", MaxKeys=1)
    s3.get_object(**events, Key=found["Contents"][0]["Key"])
    result = s3.put_object(**events, Key="queries/round.csv", Body=b"1")
    s3.get_object(**events, Key="queries/round.csv")
    # Others look at all that is in the bucket.
    aws.client("s3").delete_object(**events, Key="queries/round.csv", VersionId=result["VersionId"])


def does(stage: Stage, who: Credentials, *command: str, stdin: str = "") -> None:
    """Type a command, which has to work."""
    terminal = Terminal(stage, who)
    code, printed = terminal.types(*command, stdin=stdin)
    assert code == 0, (command, printed, terminal.said)


def replay(stage: Stage, replayer: Credentials, function: emulator.Function, *options: str) -> None:
    """Replay, to the function that runs."""
    name = stage.gate.configuration["FunctionName"]
    with stage.aws.serving(name, function.invoke):
        does(stage, replayer, "replay", "--env", "local", "--json", *options)


def write(stage: Stage, **attributes: str) -> None:
    """An item of the stream's table."""
    item = {name: {"S": text} for name, text in attributes.items()}
    stage.aws.client("dynamodb").put_item(TableName=stage.stream["source_table"], Item=item)


def give_up(stage: Stage, source: EventSource, **attributes: str) -> None:
    """Let Lambda give up on a batch of one, and report it."""
    source.skip_what_is_there()
    source._invoke = lambda _: Answer(error="Runtime.ExitError")
    source._rules = replace(source._rules, retries=0, bisect=False)
    write(stage, **attributes)
    source.drain()
    assert source.tally.lost >= 1  # by Kinesis a change may come twice


def export(stage: Stage) -> tuple[str, ...]:
    """An export of one payment, and how to replay it; the embedded AWS makes none."""
    written = int(time.time()) - 3 * DAY_S
    keys = {"payment_id": {"S": "p-exported-round"}}
    line: dict[str, Any] = {
        "Metadata": {"WriteTimestampMicros": {"N": str(written * 1_000_000)}},
        "Keys": keys,
        "NewImage": {**keys, "customer_id": {"S": "c-round"}},
    }
    s3, here = stage.aws.client("s3"), {"LocationConstraint": stage.aws.region}
    s3.create_bucket(Bucket=EXPORTS, CreateBucketConfiguration=here)
    s3.put_object(Bucket=EXPORTS, Key=EXPORT, Body=gzip.compress(json.dumps(line).encode()))
    since, until = (datetime.fromtimestamp(at, UTC).isoformat() for at in (written - 60, written + 60))
    return ("--export", f"s3://{EXPORTS}/{EXPORT}", "--since", since, "--until", until)


def mended(gate: Hosted, folder: Path) -> Hosted:
    """The function on payments under a policy that lets a payment without a customer out."""
    text = POLICY.read_text(encoding="utf-8")
    assert text.count(REQUIRED) == 1
    policy, package = folder / POLICY.name, folder / "payments.zip"
    policy.write_text(text.replace(REQUIRED, "domain: customer,"), encoding="utf-8")
    build(policy, package, PYTHON, emulator.architecture())
    with zipfile.ZipFile(package) as zipped:
        zipped.extractall(folder / "gate")
    return replace(gate, folder=folder / "gate")
