"""What IAM grants to whom, as Terraform's state has it, and what of it was used."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from processor.local.authorised import Call

DOCUMENTS: Final = {
    "aws_iam_policy": "policy",
    "aws_iam_role": "assume_role_policy",
    "aws_iam_role_policy": "policy",
    "aws_kms_key": "policy",
    "aws_s3_bucket_policy": "policy",
    "aws_sns_topic_policy": "policy",
    "aws_sqs_queue": "policy",
}
"""Which attribute of each type of resource is a document of IAM."""


@dataclass(frozen=True, slots=True, order=True)
class Power:
    """One action on one resource, as one statement of a document allows it."""

    sid: str
    action: str
    resource: str

    def covers(self, action: str, resource: str) -> bool:
        """Whether a request is one that it allows, conditions aside. IAM knows `*` and `?`, as here."""
        return fnmatchcase(action.lower(), self.action.lower()) and fnmatchcase(resource, self.resource)


def resources(state: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Everything in what `terraform show -json` prints of a state."""
    modules = [state["values"]["root_module"]]
    for module in modules:
        modules += module.get("child_modules", ())
        yield from module.get("resources", ())


def documents(state: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each document of IAM by the address of the resource that has it."""
    return {
        one["address"]: json.loads(one["values"][DOCUMENTS[one["type"]]])
        for one in resources(state)
        if one["type"] in DOCUMENTS and one["values"][DOCUMENTS[one["type"]]]
    }


def powers(document: dict[str, Any], effect: str = "Allow") -> list[Power]:
    """All that a document allows, or denies."""
    return sorted(
        Power(statement["Sid"], action, resource)
        for statement in document["Statement"]
        if statement["Effect"] == effect
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    )


def unused(granted: Iterable[Power], calls: Iterable[Call]) -> list[Power]:
    """The powers that no call took. A call that two powers cover counts for both: moto sees no conditions."""
    asked = [(call.action, call.resource) for call in calls if call.allowed]
    return [power for power in granted if not any(power.covers(*one) for one in asked)]


def listed(value: str | list[str]) -> list[str]:
    """IAM writes a list of one without the list."""
    return [value] if isinstance(value, str) else value
