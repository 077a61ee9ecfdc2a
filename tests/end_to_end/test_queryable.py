"""What came out of the gate is a table: by the types that Terraform gave it, for the queries it put ready."""

from __future__ import annotations

import gzip
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from processor.local.evidence import events_in
from tests.athena import Table, ask

if TYPE_CHECKING:
    from pathlib import Path

    from processor.local.aws import Credentials
    from processor.local.scenario import Report
    from processor.local.stage import Stage

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def analyst(stage: Stage) -> Credentials:
    return stage.aws.user("analyst", stage.outputs["analyst_policy_arn"])


@pytest.fixture(scope="module")
def objects(stage: Stage, analyst: Credentials, report: Report) -> dict[str, bytes]:
    assert report.events > 0
    s3, bucket = stage.aws.client("s3", analyst), stage.outputs["buckets"]["events"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="events/payments/dt=")
    keys = [one["Key"] for page in pages for one in page["Contents"]]
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


@pytest.fixture(scope="module")
def table(stage: Stage, analyst: Credentials) -> Table:
    queries = stage.outputs["queries"]
    made = stage.aws.client("glue", analyst).get_table(
        DatabaseName=queries["database"], Name=queries["tables"]["payments"]
    )
    storage = made["Table"]["StorageDescriptor"]
    mapped = storage["SerdeInfo"]["Parameters"].items()
    return Table(
        "payments",
        {column["Name"]: column["Type"] for column in storage["Columns"]},
        made["Table"]["Parameters"]["storage.location.template"],
        {name.removeprefix("mapping."): of for name, of in mapped if name.startswith("mapping.")},
    )


@pytest.fixture(scope="module")
def rows(table: Table, objects: dict[str, bytes]) -> list[dict[str, Any]]:
    return list(table.rows(objects))


def test_every_event_has_the_types_of_its_columns(
    stage: Stage, rows: list[dict[str, Any]], objects: dict[str, bytes]
) -> None:
    assert len(rows) == sum(len(gzip.decompress(body).splitlines()) for body in objects.values())
    written = {
        event["event_id"]: event for event in events_in(stage) if event["policy"]["name"] == "payments"
    }
    assert {row["event_id"] for row in rows} == written.keys()
    for row in rows[:200]:
        event = written[row["event_id"]]
        for image in ("new", "old"):
            assert (row[image] is None) == (event[image] is None)
            kept = [name for name, value in (row[image] or {}).items() if value is not None]
            assert set(kept) == {
                name for name, value in (event[image] or {}).items() if value not in (None, {})
            }


def test_the_queries_that_stand_ready_agree_with_what_came_out(
    stage: Stage, analyst: Credentials, table: Table, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    athena, queries = stage.aws.client("athena", analyst), stage.outputs["queries"]
    text = {
        name: athena.get_named_query(NamedQueryId=query)["NamedQuery"]["QueryString"]
        for name, query in queries["named"].items()
    }
    flags = ask(table, rows, text["payments-flag_rate"], tmp_path)
    flagged = Counter(row["dt"] for row in rows if row["fraud"] and row["fraud"]["flagged"])
    assert sum(row["flagged"] for row in flags) == flagged.total() > 0
    exposure = ask(table, rows, text["payments-exposure"], tmp_path)
    names = {row["field"]: row for row in exposure}
    assert names["name"]["otherwise"] == names["card.holder"]["otherwise"] == 0
    assert names["email"]["tokens"] > 0
    notes = ask(table, rows, text["payments-notes"], tmp_path)
    assert sum(row["events"] for row in notes) == len(rows)
    one = rows[0]
    (traced,) = ask(table, rows, text["payments-lineage"], tmp_path, one["event_id"], one["dt"])
    assert traced["object"] == one["$path"]
    assert "customers-flag_rate" not in text, "no model scores them"


def test_an_analyst_asks_in_the_workgroup_alone(stage: Stage, analyst: Credentials, report: Report) -> None:
    athena, queries = stage.aws.client("athena", analyst), stage.outputs["queries"]
    started = athena.start_query_execution(QueryString="SELECT 1", WorkGroup=queries["workgroup"])
    execution = athena.get_query_execution(QueryExecutionId=started["QueryExecutionId"])["QueryExecution"]
    assert execution["WorkGroup"] == "tidegate-local"
    s3, buckets = stage.aws.client("s3", analyst), stage.outputs["buckets"]
    here, event = {"Bucket": buckets["events"]}, report.objects[0][0]
    result = s3.put_object(**here, Key="queries/result.csv", Body=b"1")
    beyond: list[tuple[Any, dict[str, Any]]] = [
        (s3.put_object, {**here, "Key": event, "Body": b""}),
        (s3.delete_object, {**here, "Key": event}),
        (s3.delete_object, {**here, "Key": "queries/result.csv"}),
        (s3.list_objects_v2, {"Bucket": buckets["audit"]}),
        (s3.list_objects_v2, {"Bucket": buckets["quarantine"]}),
        (athena.start_query_execution, {"QueryString": "SELECT 1", "WorkGroup": "primary"}),
        (athena.delete_named_query, {"NamedQueryId": queries["named"]["payments-notes"]}),
        (
            stage.aws.client("glue", analyst).delete_table,
            {"DatabaseName": queries["database"], "Name": "payments"},
        ),
        (stage.aws.client("dynamodb", analyst).scan, {"TableName": stage.outputs["subjects_table"]}),
    ]
    for call, arguments in beyond:
        with pytest.raises(ClientError) as refused:
            call(**arguments)
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in {400, 403}, call
        assert "AccessDenied" in str(refused.value), call
    # Others look at all that is in the bucket.
    stage.aws.client("s3").delete_object(**here, Key="queries/result.csv", VersionId=result["VersionId"])
