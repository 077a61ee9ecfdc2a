"""What IAM is asked on the embedded AWS is kept, and a role does nothing that its boundary leaves out."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from processor.local import authorised
from processor.local.authorised import Call, Calls
from processor.local.aws import Credentials, EmbeddedAws, embedded_aws

BUCKET = "a-bucket-of-mine"
OBJECTS = f"arn:aws:s3:::{BUCKET}"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.fixture
def aws() -> Iterator[EmbeddedAws]:
    with embedded_aws() as aws:
        here = {"LocationConstraint": aws.region}
        aws.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=here)
        yield aws


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def almighty(aws: EmbeddedAws, *boundary: dict[str, Any]) -> Credentials:
    """Keys of a role that its policy lets do everything, within a boundary if there is one."""
    iam = aws.client("iam")
    made = {"RoleName": "almighty", "AssumeRolePolicyDocument": document()}
    if boundary:
        policy = iam.create_policy(PolicyName="boundary", PolicyDocument=document(*boundary))
        made["PermissionsBoundary"] = policy["Policy"]["Arn"]
    arn = iam.create_role(**made)["Role"]["Arn"]
    iam.put_role_policy(RoleName="almighty", PolicyName="all", PolicyDocument=document(EVERYTHING))
    return aws.credentials_of(arn)


def status(call: Any, **arguments: Any) -> int:
    try:
        answer = call(**arguments)
    except ClientError as error:
        answer = error.response
    return int(answer["ResponseMetadata"]["HTTPStatusCode"])


def test_a_role_without_a_boundary_does_what_its_policy_says(aws: EmbeddedAws) -> None:
    s3 = aws.client("s3", almighty(aws))
    aws.enforce_iam(enforced=True)
    assert status(s3.put_object, Bucket=BUCKET, Key="in/x", Body=b"") == 200


def test_a_boundary_limits_whatever_the_policy_says(aws: EmbeddedAws) -> None:
    boundary = {"Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject"], "Resource": f"{OBJECTS}/in/*"}
    denied = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": f"{OBJECTS}/in/secret"}
    role = almighty(aws, boundary, denied)
    s3 = aws.client("s3", role)
    aws.enforce_iam(enforced=True)
    assert status(s3.put_object, Bucket=BUCKET, Key="in/secret", Body=b"") == 200
    assert status(s3.put_object, Bucket=BUCKET, Key="out/x", Body=b"") == 403
    assert status(s3.get_object, Bucket=BUCKET, Key="in/secret") == 403
    assert status(s3.delete_object, Bucket=BUCKET, Key="in/secret") == 403
    assert status(aws.client("sts", role).get_caller_identity) == 200, "which nothing can forbid"


def test_a_boundary_keeps_a_role_from_becoming_another(aws: EmbeddedAws) -> None:
    """moto breaks on a trust in a service once the policy allows to take the role."""
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    made = aws.client("iam").create_role(RoleName="other", AssumeRolePolicyDocument=document(trust))
    boundary = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}
    sts = aws.client("sts", almighty(aws, boundary))
    aws.enforce_iam(enforced=True)
    assert status(sts.assume_role, RoleArn=made["Role"]["Arn"], RoleSessionName="tried") == 403


def test_each_call_is_kept_with_who_asked_and_the_answer(aws: EmbeddedAws) -> None:
    s3 = aws.client("s3", almighty(aws, {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}))
    s3.put_object(Bucket=BUCKET, Key="before", Body=b"")
    assert aws.calls == {}, "nobody is asked as long as IAM is not enforced"
    aws.enforce_iam(enforced=True)
    for _ in range(2):
        s3.put_object(Bucket=BUCKET, Key="x", Body=b"")
    assert status(s3.get_object, Bucket=BUCKET, Key="x") == 403
    aws.client("s3").get_object(Bucket=BUCKET, Key="x")
    assert aws.calls == {
        Call("role/almighty", "s3:PutObject", f"{OBJECTS}/x", allowed=True): 2,
        Call("role/almighty", "s3:GetObject", f"{OBJECTS}/x", allowed=False): 1,
        Call("user/administrator", "s3:GetObject", f"{OBJECTS}/x", allowed=True): 1,
    }
    aws.reset()
    assert aws.calls == {}


def test_a_record_that_would_have_a_hole_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authorised, "KINDS_MAX", 1)
    calls, first = Calls(), Call("role/a", "s3:PutObject", "*", allowed=True)
    calls.note(first)
    calls.note(first)
    with pytest.raises(RuntimeError, match="more than 1 kinds"):
        calls.note(Call("role/b", "s3:PutObject", "*", allowed=True))
    assert calls.kept() == {first: 2}
