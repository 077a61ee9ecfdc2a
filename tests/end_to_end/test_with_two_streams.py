"""A second stream beside the first: its own function, role and policy; and the people of both are the same.

Late by its name: those before count what is there.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from processor.local.evidence import events_in
from processor.local.mapping import EventSource
from processor.local.rights import pay_again
from processor.local.scenario import Report
from processor.local.stage import Hosted, Stage

pytestmark = pytest.mark.slow

FOLDER = "events/customers/"
REFUSED = r"AccessDenied|not authorized"
IN_FORCE_S = 1.1  # erasure_in_force_s of local.tfvars, and a little


@dataclass(frozen=True)
class Both:
    """The two streams, their functions running."""

    stage: Stage
    payments: EventSource
    customers: EventSource
    person: dict[str, Any]
    """A payment of somebody who is not erased, raw."""

    def pays(self, name: str) -> dict[str, Any]:
        """What leaves of another payment of the person."""
        new: dict[str, Any] = pay_again(self.stage, self.payments, self.person, name)["new"]
        return new

    def writes(self, **customer: Any) -> dict[str, Any]:
        """The event of the person's item in the other table."""
        item = {"customer_id": self.person["customer_id"], "email": self.person["email"], **customer}
        serialize = TypeSerializer().serialize
        self.table("put_item", Item={name: serialize(value) for name, value in item.items()})
        return self.latest()

    def leaves(self) -> dict[str, Any]:
        """The event of the removal of that item."""
        self.table("delete_item", Key={"customer_id": {"S": self.person["customer_id"]}})
        return self.latest()

    def table(self, operation: str, **request: Any) -> None:
        table = self.stage.of("customers").stream["source_table"]
        getattr(self.stage.aws.client("dynamodb"), operation)(TableName=table, **request)
        self.customers.drain()

    def latest(self) -> dict[str, Any]:
        of_customers = [one for one in events_in(self.stage) if one["policy"]["name"] == "customers"]
        return max(of_customers, key=lambda event: str(event["sequence"]))


@pytest.fixture(scope="module")
def both(stage: Stage, report: Report) -> Iterator[Both]:
    assert report.rights.problems() == []
    functions = stage.aws.client("lambda")

    def now(hosted: Hosted) -> Hosted:
        """As it is configured by now: the keys may have been rotated."""
        name = hosted.configuration["FunctionName"]
        configuration = functions.get_function_configuration(FunctionName=name, Qualifier="live")
        return replace(hosted, configuration=configuration)

    stage = replace(
        stage, gate=now(stage.gate), others={name: now(one) for name, one in stage.others.items()}
    )
    deserialize = TypeDeserializer().deserialize
    items = stage.aws.client("dynamodb").scan(TableName=stage.stream["source_table"])["Items"]
    raw = [{name: deserialize(value) for name, value in item.items()} for item in items]
    known = {
        event["new"]["payment_id"]
        for event in events_in(stage)
        if event["new"] and str(event["new"].get("email")).startswith("tok.")
    }
    person = next(payment for payment in raw if payment["payment_id"] in known)
    with ExitStack() as stack:
        sources = {}
        for name, of in (("payments", stage), ("customers", stage.of("customers"))):
            sources[name] = of.event_source(stack.enter_context(of.function()))
            sources[name].skip_what_is_there()
        yield Both(stage, **sources, person=person)


def test_a_person_is_one_in_both_until_they_leave(both: Both) -> None:
    paid = both.pays("before")
    wrote = both.writes(name="Ann Example", tier="gold", joined_at="2026-01-31")
    assert wrote["new"]["customer_id"] == paid["customer_id"]
    assert wrote["new"]["email"] == paid["email"], "one address of one person is one token"
    assert (wrote["new"]["name"], wrote["new"]["tier"]) == ("[redacted]", "gold")
    assert wrote["new"]["joined_at"].startswith("202")
    assert wrote["fraud"] is None
    left = both.leaves()
    assert left["old"]["customer_id"] == paid["customer_id"]
    time.sleep(IN_FORCE_S)
    after = both.pays("after")
    assert (after["customer_id"], after["email"]) == (paid["customer_id"], "[redacted]")
    assert after["amount"] == paid["amount"]


def test_a_stream_keeps_out_of_the_other_s_room(both: Both) -> None:
    """Under IAM, each by its own role."""
    outputs = both.stage.outputs
    events, audit = outputs["buckets"]["events"], outputs["buckets"]["audit"]
    customers = both.stage.of("customers")
    s3, sns = (both.stage.aws.client(name, customers.role) for name in ("s3", "sns"))
    s3.put_object(Bucket=events, Key=f"{FOLDER}tried", Body=b"")
    for refused in (
        lambda: s3.put_object(Bucket=events, Key="events/payments/tried", Body=b""),
        lambda: s3.put_object(Bucket=audit, Key="manifests/payments/tried", Body=b""),
        lambda: sns.publish(TopicArn=outputs["alerts_topic_arn"], Message="tried"),
        lambda: both.stage.aws.client("dynamodb", customers.role).batch_get_item(
            RequestItems={outputs["profiles_table"]: {"Keys": [{"entity": {"S": "x"}}]}}
        ),
        lambda: both.stage.aws.client("dynamodbstreams", customers.role).describe_stream(
            StreamArn=both.stage.stream["stream_arn"]
        ),
    ):
        with pytest.raises(ClientError, match=REFUSED):
            refused()
    mine = both.stage.aws.client("s3", both.stage.role)
    with pytest.raises(ClientError, match=REFUSED):
        mine.put_object(Bucket=events, Key=f"{FOLDER}tried", Body=b"")
