"""The whole gate on bad days: killed at some of its requests, and AWS refuses, loses and delays others.

First the mapping gives up after few retries: what it gave up is what the failure queue names, and all else is
as on good days. Then another mapping delivers the whole stream again and gives up nothing.
"""

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pytest

from processor.cli.audit.place import Place
from processor.cli.audit.verification import Verification
from processor.cli.replay.quarantined import MARK
from processor.local import emulator, mapping
from processor.local.checks import Bytes, leaks
from processor.local.delivery import FOREVER, Rules
from processor.local.evidence import Evidence, collect
from processor.local.mapping import EventSource, Settings, Tally
from processor.local.records import event_record
from processor.local.rights import Terminal
from processor.local.scenario import Report
from processor.local.seeding import sow
from processor.local.shards import Stream
from processor.local.stage import Stage
from processor.review.trail import YOUNG_S, Window
from processor.sinks import FENCE
from tests.end_to_end.faults import ECHO, Fault, Killer, Moment, Risk, Weather, proxied
from tests.sealed import opened

pytestmark = [pytest.mark.slow, pytest.mark.faults]

SEED = 20
PAYMENTS, PAYMENTS_SEED = 200, 29
POISON = "p-unpayable"
EMAIL = "nobody.at.all@example.net"
RISKS = {
    "s3": Risk(5, among=40),
    "dynamodb": Risk(5, among=60),
    "sns": Risk(2, among=2),
    "kms": Risk(2, among=6),
}
KILLS, APART = 8, (10, 25)
OUTAGE = (2, 9)  # calls: three fail before the function learns of it, then it tries once in each invocation
TIMEOUT_S = 4  # short, so that time runs out for some batches

Record = dict[str, Any]


@dataclass(repr=False)  # it holds raw values
class Run:
    """What was delivered on bad days, and what was found afterwards."""

    stage: Stage
    records: list[Record]
    """Those that were to be delivered."""
    raw: set[str]
    """Values that point to a person, in what was written to the table for this."""
    tally: Tally
    weather: Weather
    killer: Killer
    log: bytes
    evidence: Evidence
    given_up: list[dict[str, Any]]
    """What the failure queue was told, as `DDBStreamBatchInfo`."""

    @cached_property
    def events(self) -> dict[str, int]:
        """How often each event is there, by id, but for those of a table's export."""
        ids = [event["event_id"] for event in self.evidence.events]
        return Counter(one for one in ids if not one.startswith("export-"))

    @cached_property
    def sealed(self) -> list[tuple[str, bool]]:
        """What lies in quarantine: each record's event id, and whether a replay has let it out."""
        bucket = self.stage.outputs["buckets"]["quarantine"]
        s3, kms = self.stage.aws.client("s3"), self.stage.aws.client("kms")
        pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
        lying = [(one["Key"], one["VersionId"]) for page in pages for one in page.get("Versions", ())]
        out = {key.removesuffix(MARK) for key, _ in lying if key.endswith(MARK)}
        bodies = (
            (key in out, s3.get_object(Bucket=bucket, Key=key, VersionId=version)["Body"].read())
            for key, version in lying
            if not key.endswith(MARK)
        )
        return [(opened(body, kms)[1]["eventID"], is_out) for is_out, body in bodies]

    @cached_property
    def quarantined(self) -> dict[str, int]:
        """How often each record is in quarantine, by event id, but for those that a replay has let out."""
        return Counter(name for name, is_out in self.sealed if not is_out)

    @cached_property
    def acknowledged(self) -> list[Record]:
        """The records that were not given up."""
        numbers = [(record, _sequence(record)) for record in self.records]
        return [record for record, number in numbers if not self._is_given_up(number, number)]

    def undescribed(self) -> list[str]:
        """Objects without a manifest; those left out that are fences, or of which a part was given up."""
        described = {manifest["object"]["key"] for manifest in self.evidence.manifests}
        rest = [key for key, _ in self.evidence.objects if key not in described]
        return [key for key in rest if not (self._is_given_up(*_ends(key)) or self.is_fence(key))]

    def _is_given_up(self, first: int, last: int) -> bool:
        """Whether any record of a range is."""
        names = ("startSequenceNumber", "endSequenceNumber")
        ranges = ([int(one[name]) for name in names] for one in self.given_up)
        return any(first <= end and start <= last for start, end in ranges)

    def is_fence(self, key: str) -> bool:
        """Whether an object of events only keeps its key from being written to."""
        bucket = self.stage.outputs["buckets"]["events"]
        head = self.stage.aws.client("s3").head_object(Bucket=bucket, Key=key)
        return bool(FENCE.items() <= head["Metadata"].items())


@pytest.fixture(scope="module")
def impatient(stage: Stage, report: Report) -> Run:
    """More payments, and some records that cannot pass, delivered by a mapping that gives up soon."""
    assert report.payments, "they went through before"
    table, dynamodb = stage.stream["source_table"], stage.aws.client("dynamodb")
    poison = [{"payment_id": {"S": f"{POISON}-{at}"}, "email": {"S": EMAIL}} for at in range(4)]

    def more() -> set[str]:
        for item in poison[:2]:
            dynamodb.put_item(TableName=table, Item=item)
        seed = sow(stage.aws, table, count=PAYMENTS, seed=PAYMENTS_SEED)
        for item in poison[2:]:
            dynamodb.put_item(TableName=table, Item=item)
        return seed.identifying()

    rules = Rules(batch_size=10, retries=1, bisect=True, partial=True)
    return _run(stage, rules, seed=SEED, sows=more)


@pytest.fixture(scope="module")
def patient(stage: Stage, impatient: Run) -> Run:
    """The whole stream again, cut differently, by a mapping that gives up nothing."""
    assert impatient.tally.lost, "some of it was given up before"
    rules = Rules(batch_size=40, retries=FOREVER, bisect=True, partial=True)
    return _run(stage, rules, seed=SEED + 1)


def test_there_were_bad_days(impatient: Run, patient: Run) -> None:
    for run in (impatient, patient):
        assert run.killer.is_done
        assert run.killer.kills.total() == KILLS
        assert {moment for _, moment in run.killer.kills} == set(Moment)
        assert run.tally.failures >= KILLS, "while it worked on a batch"
    met = impatient.weather.faults + patient.weather.faults
    assert {fault for _, fault in met} == set(Fault)
    assert {service for service, _ in met} == set(RISKS)
    assert met.total() >= 60
    stopped = set(re.findall(rb"stopped: ([a-z0-9]+:\w+)", impatient.log + patient.log))
    assert len(stopped) >= 5, "the function itself met failures, in different places"


def test_the_failure_queue_tells_exactly_what_was_given_up(impatient: Run) -> None:
    told = sum(one["batchSize"] for one in impatient.given_up)
    assert told == impatient.tally.lost > 0
    assert told == len(impatient.records) - len(impatient.acknowledged)
    assert impatient.tally.done == len(impatient.acknowledged) > 0
    assert {one["streamArn"] for one in impatient.given_up} == {impatient.stage.stream["stream_arn"]}


def test_what_was_not_given_up_is_there_once_all_the_same(impatient: Run) -> None:
    twice = [name for name, times in (impatient.events + impatient.quarantined).items() if times > 1]
    assert twice == []
    missing = [
        record["eventID"]
        for record in impatient.acknowledged
        if not (impatient.events + impatient.quarantined)[record["eventID"]]
    ]
    assert missing == []
    _holds(impatient)


def test_a_later_delivery_brings_in_all_of_it(patient: Run) -> None:
    assert (patient.tally.lost, patient.tally.trimmed, patient.given_up) == (0, 0, [])
    assert patient.tally.done == len(patient.records)
    everything = Counter(record["eventID"] for record in patient.records)
    assert patient.events + patient.quarantined == everything
    assert _flagged(patient.evidence.events), "there was something to tell"
    _holds(patient)


def test_only_what_cannot_pass_is_in_quarantine(patient: Run) -> None:
    unpayable = [record for record in patient.records if "customer_id" not in _image(record)]
    assert {name for name, _ in patient.sealed} == {record["eventID"] for record in unpayable}
    ours = {_image(record)["payment_id"]["S"] for record in unpayable}
    assert len([name for name in ours if name.startswith(POISON)]) == 4


def test_the_audit_trail_is_whole(patient: Run) -> None:
    administrator = Terminal(patient.stage, None)
    code, answer = administrator.types("audit", "verify", "--env", "local", "--json")
    assert code == 0, administrator.said
    verified = json.loads(answer)
    assert verified["findings"] == []
    assert verified["fences"] == sum(map(patient.is_fence, dict(patient.evidence.objects)))


def test_the_audit_trail_is_whole_when_nothing_can_be_on_its_way_any_more(patient: Run) -> None:
    """A process that was killed between the first link of its chain and the head leaves the one flaw."""
    aws, outputs = patient.stage.aws, patient.stage.outputs
    place = Place(
        s3=aws.client("s3"),
        dynamodb=aws.client("dynamodb"),
        audit_bucket=outputs["buckets"]["audit"],
        events_bucket=outputs["buckets"]["events"],
        ledger_table=outputs["ledger_table"],
    )
    verification = Verification(place, None, Window(), time.time() + YOUNG_S + 1)
    flaws = list(verification.flaws(lambda *_: None, lambda _: None))
    assert {flaw.kind for flaw in flaws} <= {"unwitnessed"}
    assert len(flaws) <= 2 * KILLS


def _holds(run: Run) -> None:
    """What holds of the acknowledged records at all times, and of everything that is found."""
    acknowledged = {record["eventID"] for record in run.acknowledged}
    alerted = {alert["event_id"] for alert in run.evidence.alerts}
    flagged = _flagged(run.evidence.events) & acknowledged
    assert flagged - alerted == set()
    assert run.undescribed() == []
    assert len(run.evidence.manifests) == len({one["object"]["key"] for one in run.evidence.manifests})
    assert leaks(run.raw, run.evidence.searched) == []
    assert not [one.place for one in run.evidence.searched if ECHO.encode() in one.content]


def _run(stage: Stage, rules: Rules, *, seed: int, sows: Callable[[], set[str]] | None = None) -> Run:
    """Deliver the stream on bad days: all of it, or only what is sown."""
    stage = replace(stage, inbox_url=_inbox(stage, f"bad-days-{seed}"))
    weather = Weather(seed, risks=RISKS, outage=OUTAGE, slow_s=1)
    raw, before = {EMAIL}, 0
    killer = Killer(seed, kills=KILLS, apart=APART)
    with proxied(stage.aws.endpoint, weather, killer) as endpoint, pytest.MonkeyPatch.context() as patch:
        patch.setattr(mapping, "BACKOFF_S", (0.01, 0.1))  # bad days are short here
        launch = stage.launch() | {"timeout_s": TIMEOUT_S}
        launch["environ"] |= {"AWS_ENDPOINT_URL": endpoint}
        with emulator.running(**launch) as function:
            source = _source(stage, function, rules)
            if sows is not None:
                before = len(_stream(stage))
                source.skip_what_is_there()
                raw |= sows()
            tally = source.drain()
            log = function.log
    reports = list(_taken(stage, stage.stream["failure_queue_url"]))
    evidence = collect(stage, log)
    evidence.searched.append(Bytes("the failure queue", "".join(reports).encode()))
    given_up = [json.loads(report)["DDBStreamBatchInfo"] for report in reports]
    return Run(stage, _stream(stage)[before:], raw, tally, weather, killer, log, evidence, given_up)


def _taken(stage: Stage, url: str) -> Iterator[str]:
    """The messages of a queue, which is empty then."""
    sqs = stage.aws.client("sqs")
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            yield message["Body"]
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def _source(stage: Stage, function: emulator.Function, rules: Rules) -> EventSource:
    """Terraform's mapping under other rules; it reports to the failure queue under the function's role."""
    lambdas, sqs = stage.aws.client("lambda"), stage.aws.client("sqs", stage.role)
    settings = Settings.read(lambdas.get_event_source_mapping(UUID=stage.stream["mapping_id"]))
    url = stage.stream["failure_queue_url"]
    return EventSource(
        replace(settings, rules=rules),
        streams=stage.aws.client("dynamodbstreams", stage.role),
        invoke=function.invoke,
        report=lambda report: sqs.send_message(QueueUrl=url, MessageBody=report),
    )


def _inbox(stage: Stage, name: str) -> str:
    """A queue of the alerts that are published from now on."""
    sqs = stage.aws.client("sqs")
    url: str = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    stage.aws.client("sns").subscribe(
        TopicArn=stage.outputs["alerts_topic_arn"],
        Protocol="sqs",
        Endpoint=arn,
        Attributes={"RawMessageDelivery": "true"},
    )
    return url


def _stream(stage: Stage) -> list[Record]:
    """All records of the stream, from its beginning."""
    arn = stage.stream["stream_arn"]
    stream = Stream(stage.aws.client("dynamodbstreams"), arn, "TRIM_HORIZON")
    found = []
    for shard in list(stream.shards.values()):
        while records := stream.read(shard):
            found += [event_record(record, arn) for record in records]
    return found


def _sequence(record: Record) -> int:
    return int(record["dynamodb"]["SequenceNumber"])


def _ends(key: str) -> list[int]:
    """The sequence numbers of the first and the last record that an object is about."""
    return [int(number) for number in key.split("-")[-3:-1]]


def _flagged(events: Iterable[dict[str, Any]]) -> set[str]:
    return {event["event_id"] for event in events if event["fraud"] and event["fraud"]["flagged"]}


def _image(record: Record) -> dict[str, Any]:
    """What it says that there is now, or was before it was removed."""
    body = record["dynamodb"]
    image: dict[str, Any] = body.get("NewImage") or body["OldImage"]
    return image
