"""The records of processing, from what Terraform says of what it made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from processor.local.stage import POLICY
from processor.policy.source import read_source
from processor.review.holdings import read_outputs
from processor.review.processing import records_of

if TYPE_CHECKING:
    from processor.local.stage import Stage

pytestmark = pytest.mark.slow


def test_every_place_that_the_records_name_is_there(stage: Stage) -> None:
    outputs = read_outputs(stage.terraform.run("output", "-json"), "outputs")
    records = records_of(read_source(POLICY).plan, outputs, "payments.yaml")
    where = {one.name: one.where for one in records.holdings}
    buckets = {bucket["Name"] for bucket in stage.aws.client("s3").list_buckets()["Buckets"]}
    tables = set(stage.aws.client("dynamodb").list_tables()["TableNames"])
    groups = {one["logGroupName"] for one in stage.aws.client("logs").describe_log_groups()["logGroups"]}
    assert {where[name].split("/")[2] for name in ("events", "audit trail", "quarantine")} <= buckets
    assert {where[name] for name in ("source table", "ledger", "people's secrets", "profiles")} <= tables
    assert where["logs"] in groups
    attached = {one["PolicyName"] for one in stage.aws.client("iam").list_policies(Scope="Local")["Policies"]}
    readers = {one.name: set(one.readers.split(", ")) for one in records.holdings}
    for name in ("events", "audit trail", "quarantine"):
        assert readers[name] <= attached, name
    assert records.openers.split()[1] in attached
