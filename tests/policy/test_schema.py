"""The editors' schema says what the reader says."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from processor.policy.plan import read_plan
from processor.policy.schema import schema_text


@pytest.fixture(scope="module")
def payments(policies: Path) -> Any:
    return yaml.safe_load((policies / "payments.yaml").read_text())


def test_the_file_is_up_to_date(policies: Path) -> None:
    written = (policies / "schema.json").read_text()
    assert written == schema_text(), "run: tidegate policy schema > policies/schema.json"


def test_the_released_policy_points_to_it_and_is_valid(policies: Path, payments: dict[str, Any]) -> None:
    first = (policies / "payments.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=schema.json"
    schema = json.loads(schema_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(payments)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ((), "version", "7"),
        ((), "unknown", "keep"),
        ((), "polcy", "payments"),
        (("fields",), "amount", "kepe"),
        (("fields",), "amount", "generalize"),
        (("fields",), "amount", {"action": "mask", "keep_last": 44}),
        (("fields",), "amount", {"action": "mask", "top": 89}),
        (("fields",), "amount", {"action": "scrub", "entities": ["e-mail"]}),
        (("fields",), "amount", ["keep"]),
        (("fields",), "amount", [{"action": "keep"}, {"action": "kepe"}]),
        (("score",), "flag_at", "99.5"),
        (("score",), "reads", "amount"),
        (("routes", "sns"), "events", "some"),
        (("retention_days",), "logs", 91),
    ],
)
def test_it_refuses_what_the_reader_refuses(
    payments: dict[str, Any], section: tuple[str, ...], key: str, value: Any
) -> None:
    document = copy.deepcopy(payments)
    place = document
    for name in section:
        place = place[name]
    place[key] = value
    assert not Draft202012Validator(json.loads(schema_text())).is_valid(document)
    assert read_plan(document, "0" * 64)[0] is None


def undescribed(schema: dict[str, Any], place: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, below in schema.get("properties", {}).items():
        if name != "action" and not below.get("description"):
            yield (*place, name)
        yield from undescribed(below, (*place, name))


def test_every_key_says_what_it_means() -> None:
    schema = json.loads(schema_text())
    assert list(undescribed(schema, ())) == []
    forms = schema["properties"]["fields"]["$defs"]["rule"]["oneOf"]
    assert [place for form in forms for place in undescribed(form, ())] == []
    assert all(form["description"] for form in forms)
