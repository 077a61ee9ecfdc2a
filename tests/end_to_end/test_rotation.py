"""A new version of the token keys, applied by Terraform: what was made before opens, nobody is a stranger."""

import json
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer

from processor.local.evidence import events_in
from processor.local.rights import OPENING, Terminal, pay_again
from processor.local.scenario import Report
from processor.local.stage import Stage

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rotated(stage: Stage, report: Report) -> Stage:
    """The same stage after `token_key_versions = [1, 2]`; the report is from before."""
    assert report.rights.problems() == []
    stage.terraform.run(
        "apply", "-auto-approve", "-input=false", "-compact-warnings", "-var=token_key_versions=[1,2]"
    )
    again = stage.by_now()
    for hosted in (again.gate, again.detokenize, again.erase):
        environment = hosted.configuration["Environment"]["Variables"]
        assert set(json.loads(environment["TOKEN_KEY_ARNS"])) == {"1", "2"}
    return again


def test_what_was_made_before_opens_beside_what_is_made_now(rotated: Stage) -> None:
    payments = _payments(rotated)
    events = [
        event for event in events_in(rotated) if event["new"] and event["new"]["payment_id"] in payments
    ]
    erased = next(
        event
        for event in events
        if event["new"].get("email") == "[redacted]" and "customer_id" in event["new"]
    )
    old = next(event for event in events if str(event["new"].get("email")).startswith("tok.email.1."))
    with rotated.function() as function:
        source = rotated.event_source(function)
        source.skip_what_is_there()
        new = pay_again(rotated, source, payments[old["new"]["payment_id"]], "rotated")
        forgotten = pay_again(rotated, source, payments[erased["new"]["payment_id"]], "rotated")
    assert new["new"]["email"].startswith("tok.email.2.")
    assert new["new"]["customer_id"].startswith("psn.customer.2.")
    assert (old["policy"]["key_version"], new["policy"]["key_version"]) == (1, 2)
    assert forgotten["new"]["email"] == "[redacted]", "who was erased before is not back"

    caller = rotated.aws.user("second-investigator", rotated.outputs["detokenize"]["caller_policy_arn"])
    investigator = Terminal(rotated, caller)
    with rotated.access():
        code, answers = investigator.types(*OPENING, stdin=f"{json.dumps(old)}\n{json.dumps(new)}\n")
    assert code == 0, investigator.said
    values = [json.loads(line)["value"] for line in answers.splitlines()]
    assert len(values) == 2
    assert values[0] == values[1]


def test_the_keys_say_when_the_old_one_can_retire_and_the_trail_is_whole(rotated: Stage) -> None:
    steward = Terminal(rotated, rotated.aws.user("steward", rotated.outputs["key_steward_policy_arn"]))
    code, answer = steward.types("keys", "status", "--env", "local", "--json")
    assert code == 0, steward.said
    new, old = json.loads(answer)["versions"]
    assert (new["version"], new["makes_tokens_in"], new["retirement"]) == (
        2,
        ["tidegate-local-customers", "tidegate-local-payments", "tidegate-local-payments-backfill"],
        None,
    )
    assert new["people"]["live"] == new["people"]["erased"] == 1, "those who came by since"
    assert (old["version"], old["makes_tokens_in"], old["retirement"]["now"]) == (1, [], False)
    assert old["people"]["live_known_under_a_newer_name"] == 1
    assert old["people"]["erased_known_under_a_newer_name"] == old["people"]["erased"] == 1
    assert old["retirement"]["from"] > "2027", "not before the last events with its tokens are gone"
    auditor = Terminal(rotated, rotated.aws.user("second-auditor", rotated.outputs["auditor_policy_arn"]))
    code, _ = auditor.types("audit", "verify", "--env", "local")
    assert code == 0, auditor.said


def _payments(stage: Stage) -> dict[str, dict[str, Any]]:
    """The source table's payments, raw, by id."""
    deserialize = TypeDeserializer().deserialize
    pages = (
        stage.aws.client("dynamodb").get_paginator("scan").paginate(TableName=stage.stream["source_table"])
    )
    items = [
        {name: deserialize(value) for name, value in item.items()} for page in pages for item in page["Items"]
    ]
    return {item["payment_id"]: item for item in items}
