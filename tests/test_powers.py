"""Which powers of a document were used is told from the calls."""

import pytest

from processor.local.authorised import Call
from tests.powers import Power, documents, powers, unused

DOCUMENT = {
    "Statement": [
        {"Sid": "A", "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:x/in/*"},
        {"Sid": "B", "Effect": "Deny", "Action": "s3:Delete*", "Resource": ["*"]},
    ]
}
GET, PUT = Power("A", "s3:GetObject", "arn:x/in/*"), Power("A", "s3:PutObject", "arn:x/in/*")


def call(action: str, resource: str, *, allowed: bool = True) -> Call:
    return Call("role/r", action, resource, allowed)


def test_a_document_is_taken_apart() -> None:
    assert powers(DOCUMENT) == [GET, PUT]
    assert powers(DOCUMENT, "Deny") == [Power("B", "s3:Delete*", "*")]


@pytest.mark.parametrize(
    ("calls", "left"),
    [
        ([], [GET, PUT]),
        ([call("s3:GetObject", "arn:x/in/1")], [PUT]),
        ([call("s3:GetObject", "arn:x/out/1")], [GET, PUT]),
        ([call("s3:GetObject", "arn:x/in/1", allowed=False)], [GET, PUT]),
        ([call("s3:GetObject", "arn:x/in/1"), call("s3:putobject", "arn:x/in/2")], []),
    ],
    ids=["none", "one", "elsewhere", "refused", "both"],
)
def test_what_no_call_took_is_unused(calls: list[Call], left: list[Power]) -> None:
    assert unused([GET, PUT], calls) == left


def test_documents_are_found_in_every_module() -> None:
    address = "module.a.aws_iam_role.r"
    role = {"address": address, "type": "aws_iam_role", "values": {"assume_role_policy": "{}"}}
    queue = {"address": "aws_sqs_queue.q", "type": "aws_sqs_queue", "values": {"policy": ""}}
    inner = [{"resources": [role]}, {"child_modules": []}]
    state = {"values": {"root_module": {"resources": [queue], "child_modules": inner}}}
    assert documents(state) == {address: {}}
