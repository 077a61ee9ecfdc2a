"""What the functions expect of Terraform, in the words that Terraform has: each says it once, for itself."""

import dataclasses
import re

import pytest

from processor import access, calls, keys, quarantine, receipts, settings, telemetry
from processor.local.terraform import ROOT
from processor.policy.actions import ACTIONS, Options

SET_BY_LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME"}
READ_BY_BOTOCORE = {"AWS_STS_REGIONAL_ENDPOINTS"}
DEFAULTED = {"SUBJECT_CACHE_S": "SUBJECT_CACHE_SECONDS", "FUNCTION_NAME": "AWS_LAMBDA_FUNCTION_NAME"}


def environment(file: str) -> set[str]:
    """The variables that a file of terraform/ sets for its function."""
    text = (ROOT / file).read_text(encoding="utf-8")
    block = text[re.search(r"\n( *)environment (?:= )?\{", text).end() :]  # type: ignore[union-attr]
    return set(re.findall(r"^ +([A-Z_]+) +=", block.partition("\n  }\n")[0], re.MULTILINE))


@pytest.mark.parametrize(
    ("file", "needed"),
    [("detokenize.tf", access.DETOKENIZE), ("erase.tf", access.ERASE)],
    ids=["detokenize", "erase"],
)
def test_a_function_on_people_is_told_what_it_needs_and_no_more(file: str, needed: tuple[str, ...]) -> None:
    both = environment("modules/access/function.tf")
    assert both >= READ_BY_BOTOCORE
    assert environment(file) == set(needed) - SET_BY_LAMBDA - both
    assert both - READ_BY_BOTOCORE <= set(needed)


def test_a_stream_is_told_what_it_needs_and_no_more() -> None:
    fields = {name.upper() for name in settings.Settings.__dataclass_fields__}
    assert (
        environment("modules/stream/function.tf")
        == {DEFAULTED.get(name, name) for name in fields} - SET_BY_LAMBDA
    )


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("modules/access/alarms.tf", {telemetry.NAMESPACE, calls.COUNTED[0], "Function"}),
        ("erase.tf", {receipts.ALGORITHM}),
        ("detokenize.tf", {keys.PURPOSE}),
        ("modules/stream/role.tf", {keys.PURPOSE, quarantine.PURPOSE}),
        ("keys.tf", {keys.PURPOSE, quarantine.PURPOSE}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_condition_has_the_word_that_the_function_says(file: str, words: set[str]) -> None:
    written = re.findall(r'"([^"]*)"|dimensions += \{ (\w+) =', (ROOT / file).read_text(encoding="utf-8"))
    assert words <= {word for pair in written for word in pair}


def test_terraform_knows_the_actions_that_go_by_the_person_without_saying_so() -> None:
    """Else the stream would not be let at the subjects table, and stand still."""
    policy = (ROOT / "policy.tf").read_text(encoding="utf-8")
    known = set(re.findall(r'try\(rule\.action, rule\) == "([a-z_]+)"', policy))
    assert known == {
        name for name, action in ACTIONS.items() if as_short_as_can_be(action.options).by_subject
    }


def as_short_as_can_be(options: type[Options]) -> Options:
    """The options of a rule that gives none."""
    rule = object.__new__(options)
    for field in dataclasses.fields(options):
        if field.default is not dataclasses.MISSING:
            object.__setattr__(rule, field.name, field.default)
    return rule
