"""What IAM grants is used, and what it must not grant is refused: each really tried, under IAM enforced.

Late by its name: it asks what was used by everything before, and does itself what happens on few days. The
embedded AWS does not look at conditions; terraform/tests holds those.
"""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from processor.local.aws import Credentials
from processor.local.runtime import runtime_python
from processor.local.scenario import Report
from processor.local.stage import Stage
from processor.local.terraform import REPOSITORY
from tests.end_to_end import rounds
from tests.end_to_end.forbidden import FORBIDDEN, SIGNATURE, Forbidden, Place
from tests.powers import Power, documents, powers, resources, unused

pytestmark = pytest.mark.slow

FUNCTIONS = {
    **{name: f'module.stream["{name}"].aws_iam_role_policy.this' for name in ("payments", "customers")},
    **{name: f'module.access["{name}"].aws_iam_role_policy.this' for name in ("detokenize", "erase")},
    "payments-backfill": 'module.backfill["payments"].aws_iam_role_policy.this',
}
RUNNER = {"payments-backfill-runner": 'module.backfill["payments"].aws_iam_role_policy.runner'}
"""The state machine, which is no function and has a boundary of its own."""
RUNNER_BOUNDARY = 'module.backfill["payments"].aws_iam_policy.runner_boundary'
PEOPLE = {
    "investigator": 'module.access["detokenize"].aws_iam_policy.caller',
    "officer": 'module.access["erase"].aws_iam_policy.caller',
    "auditor": "aws_iam_policy.auditor",
    "steward": "aws_iam_policy.key_steward",
    "replayer": "aws_iam_policy.replayer",
    "releaser": "aws_iam_policy.releaser",
    "analyst": "aws_iam_policy.analyst",
    "backfiller": 'aws_iam_policy.backfiller["exports"]',
}
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
BOUNDARY = "aws_iam_policy.boundary"
MANAGED_CHARACTERS_MAX = 6144

# Granted and never used here: who, statement, action, and the end of the resource where it is not all of the
# statement's; and why it is granted.
THROUGH = "a service asks KMS for it in this name; those of the embedded AWS do not"
BY_LAMBDA = "Lambda itself writes the log in this name; the emulator prints it"
MAPPING = "Lambda's mapping asks for it; ours has the stream's ARN"
OTHER_SOURCE = "what was given up before the stream came by Kinesis"
BY_EXPORT = "DynamoDB writes the export in this name; the embedded AWS in none"
BY_ATHENA = "Athena writes large results in parts in this name; the embedded AWS writes none"
PATH = "Glue asks for all of the path, down from the catalogue; the embedded AWS for its end"
BY_CONSOLE = "Athena's console asks for it; the embedded AWS does not know it"
BY_MACHINE = "Step Functions itself asks for it in this name; ours walks the definition"
PASSES = "no item that its table takes is held back under this policy"
UNUSED: dict[tuple[str, ...], str] = {
    **{
        (who, statement, action): why
        for who in ("payments", "customers")
        for statement, action, why in (
            ("DecryptStream", "kms:Decrypt", THROUGH),
            ("EncryptWhatItWrites", "kms:Decrypt", THROUGH),
            ("SealAudit", "kms:GenerateDataKey", THROUGH),
            ("WriteLog", "logs:CreateLogStream", BY_LAMBDA),
            ("WriteLog", "logs:PutLogEvents", BY_LAMBDA),
        )
    },
    ("payments", "FindStream", "dynamodb:ListStreams"): MAPPING,
    ("customers", "FindStream", "kinesis:ListStreams"): MAPPING,
    ("customers", "ReadStream", "kinesis:DescribeStream"): MAPPING,
    ("customers", "ReadStream", "kinesis:DescribeStreamSummary"): MAPPING,
    **{
        ("replayer", "ReadStreams", action, "table/tidegate-local-customers/stream/*"): OTHER_SOURCE
        for action in ("dynamodb:GetRecords", "dynamodb:GetShardIterator")
    },
    **{
        (who, statement, action): why
        for who in ("detokenize", "erase")
        for statement, action, why in (
            ("UseTables", "kms:Decrypt", THROUGH),
            ("UseTables", "kms:GenerateDataKey", THROUGH),
            ("SealAudit", "kms:GenerateDataKey", THROUGH),
            ("WriteLog", "logs:CreateLogStream", BY_LAMBDA),
            ("WriteLog", "logs:PutLogEvents", BY_LAMBDA),
        )
    },
    ("customers", "EncryptWhatItWrites", "kms:GenerateDataKey"): THROUGH,
    ("customers", "Seal", "kms:GenerateDataKey"): PASSES,
    ("customers", "WriteAuditAndQuarantine", "s3:PutObject", "quarantine/customers/*"): PASSES,
    (
        "detokenize",
        "OpenEncryptedValues",
        "kms:Decrypt",
    ): "no sample policy encrypts",
    (
        "auditor",
        "ListTrailAndEvents",
        "s3:ListBucket",
    ): "without it S3 says 403 of an object that is gone",
    ("auditor", "ReadChains", "dynamodb:GetItem"): "for a chain that grows while it is read",
    ("auditor", "UseTableAndBuckets", "kms:Decrypt"): THROUGH,
    ("steward", "UseTablesAndBucket", "kms:Decrypt"): THROUGH,
    ("replayer", "OpenAudit", "kms:Decrypt"): THROUGH,
    **{
        ("analyst", "Query", f"athena:{action}"): BY_CONSOLE
        for action in ("BatchGetNamedQuery", "BatchGetQueryExecution", "GetQueryRuntimeStatistics")
    },
    **{
        ("analyst", "SeeTables", f"glue:{action}", end): PATH
        for actions, ends in {
            ("GetDatabase", "GetPartitions", "GetTable", "GetTables"): [":catalog"],
            ("GetDatabase", "GetTables"): ["/payments", "/customers"],
            ("GetPartitions", "GetTable"): [":database/tidegate_local"],
        }.items()
        for action in actions
        for end in ends
    },
    **{
        ("analyst", "WriteResults", f"s3:{action}"): BY_ATHENA
        for action in ("AbortMultipartUpload", "ListMultipartUploadParts")
    },
    ("analyst", "UseBucket", "kms:Decrypt"): THROUGH,
    ("analyst", "UseBucket", "kms:GenerateDataKey"): THROUGH,
    ("payments-backfill", "EncryptWhatItWrites", "kms:Decrypt"): THROUGH,
    ("payments-backfill", "SealAudit", "kms:GenerateDataKey"): THROUGH,
    ("payments-backfill", "WriteLog", "logs:CreateLogStream"): BY_LAMBDA,
    ("payments-backfill", "WriteLog", "logs:PutLogEvents"): BY_LAMBDA,
    ("backfiller", "UseBucket", "kms:Decrypt"): THROUGH,
    ("backfiller", "UseBucket", "kms:GenerateDataKey"): THROUGH,
    **{
        ("backfiller", "WriteExports", f"s3:{action}"): BY_EXPORT
        for action in ("AbortMultipartUpload", "PutObject", "PutObjectAcl")
    },
    **{
        ("payments-backfill-runner", statement, action): BY_MACHINE
        for statement, actions in {
            "StartMap": ["states:StartExecution"],
            "FollowMap": ["states:DescribeExecution", "states:StopExecution"],
            "WriteResults": ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts"],
            "UseBucket": ["kms:Decrypt", "kms:GenerateDataKey"],
            "DeliverLogs": [
                *(f"logs:{verb}LogDelivery" for verb in ("Create", "Delete", "Get", "Update")),
                *("logs:DescribeLogGroups", "logs:DescribeResourcePolicies", "logs:ListLogDeliveries"),
                "logs:PutResourcePolicy",
            ],
            "Trace": [
                *("xray:GetSamplingRules", "xray:GetSamplingTargets"),
                *("xray:PutTelemetryRecords", "xray:PutTraceSegments"),
            ],
        }.items()
        for action in actions
    },
}

# What parliament finds and why it stays: resource's type, finding.
KEY_POLICY = "a key policy's only resource is its key"
LOGS_KEY = "as CloudWatch Logs asks for it: a log group's ARN in the context, as text"
FOUND = {
    ("aws_kms_key", "RESOURCE_STAR"): KEY_POLICY,
    ("aws_kms_key", "UNKNOWN_CONDITION_FOR_ACTION"): LOGS_KEY,
    ("aws_kms_key", "MISMATCHED_TYPE"): LOGS_KEY,
    ("aws_iam_policy", "RESOURCE_STAR"): "alarms on alarms are shown to whoever may see all of them",
    ("aws_iam_role", "MALFORMED"): "who may take a role: such a document names no resource",
    (
        "aws_iam_role_policy",
        "UNKNOWN_CONDITION_FOR_ACTION",
    ): "what calls from within a function bring",
    ("aws_iam_policy", "RESOURCE_MISMATCH"): "it knows one kind of resource for an action of Step Functions",
    ("aws_iam_role_policy", "RESOURCE_MISMATCH"): "it knows no stream whose time has colons",
}
PARLIAMENT = """
import json, sys
from parliament import analyze_policy_string
for address, document in json.load(sys.stdin).items():
    for finding in analyze_policy_string(json.dumps(document)).findings:
        print(json.dumps([address, finding.issue, str(finding.detail)]))
"""


@pytest.fixture(scope="module")
def people(stage: Stage, report: Report) -> dict[str, Credentials]:
    assert report.problems() == []
    arns = {
        one["address"]: one["values"]["arn"]
        for one in resources(state(stage))
        if one["type"] == "aws_iam_policy"
    }
    return {who: stage.aws.user(f"{who}-of-the-round", arns[address]) for who, address in PEOPLE.items()}


@pytest.fixture(scope="module")
def around(
    stage: Stage, report: Report, people: dict[str, Credentials], tmp_path_factory: pytest.TempPathFactory
) -> Stage:
    """The stage of today, after a round of everything."""
    today = stage.by_now()
    may_read = EVERYTHING | {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{rounds.EXPORTS}/*"}
    put_policy(stage, "user", "replayer-of-the-round", may_read)
    rounds.streams(today, people["replayer"], tmp_path_factory.mktemp("mended"))
    rounds.existing_data(today, people["backfiller"])
    rounds.people(today, people, str(report.before["customer_id"]))
    rounds.releases(today, people["releaser"])
    rounds.queries(today, people["analyst"])
    return today


@pytest.fixture(scope="module")
def granted(stage: Stage) -> dict[str, dict[str, Any]]:
    """All documents of IAM by address, as Terraform has made them."""
    return documents(state(stage))


@pytest.fixture
def almighty(stage: Stage) -> Iterator[None]:
    """The functions' roles, each with a policy that allows everything."""
    iam, names = stage.aws.client("iam"), [f"tidegate-local-{name}" for name in FUNCTIONS]
    for name in names:
        put_policy(stage, "role", name, EVERYTHING)
    yield
    for name in names:
        iam.delete_role_policy(RoleName=name, PolicyName="more")


def state(stage: Stage) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(stage.terraform.run("show", "-json"))
    return shown


def put_policy(stage: Stage, kind: str, name: str, statement: dict[str, Any]) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    put = getattr(stage.aws.client("iam"), f"put_{kind}_policy")
    put(**{f"{kind.title()}Name": name}, PolicyName="more", PolicyDocument=document)


def excuse(who: str, power: Power) -> tuple[str, ...] | None:
    """The entry of UNUSED that explains a power."""
    for key in UNUSED:
        if key[:3] == (who, power.sid, power.action) and all(map(power.resource.endswith, key[3:])):
            return key
    return None


def keys_of(who: str, stage: Stage, people: dict[str, Credentials]) -> Credentials:
    hosted = {"payments": stage.gate, "detokenize": stage.detokenize, "erase": stage.erase, **stage.others}
    hosted["payments-backfill"] = stage.backfill
    return hosted[who].role if who in hosted else people[who]


def refused_by_iam(call: Forbidden, stage: Stage, people: dict[str, Credentials]) -> bool:
    """Whether it was IAM that said no, not a missing object or a bad signature."""
    before = sum(count for one, count in stage.aws.calls.items() if not one.allowed)
    with pytest.raises(ClientError) as refused:
        call(stage, keys_of(call.who, stage, people))
    after = sum(count for one, count in stage.aws.calls.items() if not one.allowed)
    return after == before + 1 and refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


@pytest.mark.parametrize("who", [*FUNCTIONS, *RUNNER, *PEOPLE])
def test_all_that_is_granted_is_used(around: Stage, granted: dict[str, Any], who: str) -> None:
    names = {f"role/tidegate-local-{who}"}
    if who in PEOPLE:  # whoever has had the policy attached
        (arn,) = (one["values"]["arn"] for one in resources(state(around)) if one["address"] == PEOPLE[who])
        attached = around.aws.client("iam").list_entities_for_policy(PolicyArn=arn)["PolicyUsers"]
        names = {f"user/{user['UserName']}" for user in attached}
    document = granted[{**FUNCTIONS, **RUNNER, **PEOPLE}[who]]
    left = unused(powers(document), [call for call in around.aws.calls if call.who in names])
    known = {power: excuse(who, power) for power in left}
    surplus = [power for power, key in known.items() if key is None]
    assert surplus == [], f"{who} is granted what it never uses: take it away, or say in UNUSED why not"
    assert {key for key in UNUSED if key[0] == who} == set(known.values()), "UNUSED names more than is unused"


@pytest.mark.parametrize("call", FORBIDDEN, ids=str)
def test_what_is_forbidden_is_refused(stage: Stage, people: dict[str, Credentials], call: Forbidden) -> None:
    assert refused_by_iam(call, stage, people)


@pytest.mark.usefixtures("almighty")
def test_the_boundary_holds_whatever_a_role_says(stage: Stage, people: dict[str, Credentials]) -> None:
    stage.aws.client("kms", stage.role).sign(**Place(stage).receipts_key, **SIGNATURE)  # it may do more now
    bounded = [call for call in FORBIDDEN if call.bounded]
    assert {call.who for call in bounded} >= {"payments", "detokenize", "erase"}
    assert [str(call) for call in bounded if not refused_by_iam(call, stage, people)] == []


def test_each_function_has_a_role_of_its_own_within_the_boundary(stage: Stage) -> None:
    made = list(resources(state(stage)))
    (boundary,) = (one["values"]["arn"] for one in made if one["address"] == BOUNDARY)
    roles = {
        one["values"]["name"]: one["values"]["permissions_boundary"]
        for one in made
        if one["type"] == "aws_iam_role"
    }
    (of_runner,) = (one["values"]["arn"] for one in made if one["address"] == RUNNER_BOUNDARY)
    assert {roles.pop(f"tidegate-local-{name}") for name in RUNNER} == {of_runner}
    assert roles == {f"tidegate-local-{name}": boundary for name in FUNCTIONS}
    functions = [one["values"]["role"] for one in made if one["type"] == "aws_lambda_function"]
    assert sorted(arn.rpartition("/")[2] for arn in functions) == sorted(roles)


def test_the_boundary_has_room_for_all_that_the_roles_grant(granted: dict[str, Any]) -> None:
    """Logs and traces are out of the reach of the other tests."""
    boundary = granted[BOUNDARY]
    assert len(json.dumps(boundary, separators=(",", ":"))) <= MANAGED_CHARACTERS_MAX
    most, never = powers(boundary), powers(boundary, "Deny")
    roles = [power for address in FUNCTIONS.values() for power in powers(granted[address])]
    traces = [Power("Trace", f"xray:Put{what}", "*") for what in ("TelemetryRecords", "TraceSegments")]

    def within(power: Power) -> bool:
        asked = power.action, power.resource
        return any(one.covers(*asked) for one in most) and not any(one.covers(*asked) for one in never)

    assert len(roles) > 50
    assert [power for power in [*roles, *traces] if not within(power)] == []


def test_no_power_is_a_wildcard(granted: dict[str, Any]) -> None:
    """But for the actions that IAM knows no resource for."""
    without = {
        "dynamodb:ListStreams",
        "kinesis:ListStreams",
        "lambda:ListFunctions",
        "lambda:ListEventSourceMappings",
    }
    without |= {
        "cloudwatch:DescribeAlarms",
        "cloudwatch:GetMetricStatistics",
    }  # alarms on alarms: all or none
    for who, address in {**FUNCTIONS, **PEOPLE}.items():
        for power in powers(granted[address]):
            assert "*" not in power.action, (who, power)
            assert power.resource != "*" or power.action in without, (who, power)


def test_parliament_finds_nothing_but_what_is_explained(granted: dict[str, Any]) -> None:
    lock = REPOSITORY / "requirements.parliament.lock"  # with setuptools<81, of which it needs pkg_resources
    python = runtime_python(lock, REPOSITORY / ".build" / "parliament")
    done = subprocess.run(
        [python, "-c", PARLIAMENT], input=json.dumps(granted), capture_output=True, text=True, check=True
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = {(address.split(".")[-2], issue) for address, issue, _ in found}
    assert kinds == set(FOUND), found
