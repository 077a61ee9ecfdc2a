"""The compiled policy: what the function refuses to start with."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from processor.errors import PolicyError
from processor.policy import Plan, load_plan
from processor.policy.plan import dump_plan

PlanOf = Callable[..., Any]


def altered(plan: Plan, changes: dict[str, Any]) -> bytes:
    return json.dumps(json.loads(dump_plan(plan)) | changes).encode()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "tidegate.plan/2"}, "not a plan of the format tidegate.plan/1"),
        ({"format": None}, "not a plan of the format tidegate.plan/1"),
        ({"sha256": "abc"}, "lacks the SHA-256 of its policy"),
        ({"policy": None}, "the policy must be a map of keys, not empty"),
        ({"policy": {"fields": {"a": {"action": "hide"}}}}, "unknown action 'hide'"),
    ],
)
def test_a_plan_of_another_version_is_refused(plan_of: PlanOf, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load_plan(altered(plan_of({"a": "keep"}), changes))
    assert words in str(caught.value)
    assert "Build the package again" in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b"null"])
def test_what_is_no_plan_is_refused(data: bytes) -> None:
    with pytest.raises(PolicyError, match=r"not JSON|not a plan"):
        load_plan(data)


def test_defaults_are_written_out(plan_of: PlanOf) -> None:
    compiled = json.loads(dump_plan(plan_of({"customer.id": "tokenize"})))
    assert compiled["policy"]["fields"] == {
        "customer.id": {
            "action": "tokenize",
            "required": False,
            "domain": "id",
            "normalize": "none",
            "scope": "domain",
            "previous": False,
        }
    }
    assert compiled["policy"]["routes"] == {
        "s3": {"events": "all"},
        "sns": {"events": "none", "attributes": []},
    }
