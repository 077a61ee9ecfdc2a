"""`tidegate rollback` on aliases in memory; under IAM in the end-to-end tests."""

import json

import pytest
from click.testing import CliRunner, Result

from processor.cli import main
from tests.cli.lambda_world import ALL, CARDS, Lambda


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Lambda:
    made = Lambda(cards=[ALL] * 5)
    monkeypatch.setattr("processor.cli.rollback.lambda_client", lambda: made)
    return made


def rolls(*options: str) -> Result:
    return CliRunner().invoke(main, ["rollback", "--env", "test", *options])


def test_it_goes_to_the_version_before_and_says_from_what_to_what(aws: Lambda) -> None:
    done = rolls()
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(
        "cards: goes from version 5 (policy cards: Version 5, model cards_fraud@0123456789ab)\n"
        "       to version 4 (policy cards: Version 4, model cards_fraud@0123456789ab)\n"
    )
    assert aws.moves == [f"{CARDS} to 4"]
    assert aws.aliases[CARDS]["withdrawn-5"]["FunctionVersion"] == "5"
    assert "from version 5" in aws.aliases[CARDS]["live"]["Description"]
    assert len(aws.aliases[CARDS]["live"]["Description"]) <= 256


def test_it_passes_over_what_was_withdrawn_before(aws: Lambda) -> None:
    aws.create_alias(FunctionName=CARDS, Name="withdrawn-4", FunctionVersion="4")
    told = json.loads(rolls("--json").stdout)
    assert (told["from"]["version"], told["to"]["version"], told["passed_over"]) == (5, 3, [4])
    again = json.loads(rolls("--json").stdout)
    assert (again["from"]["version"], again["to"]["version"]) == (3, 2)


def test_it_takes_a_canary_back_and_nothing_else(aws: Lambda) -> None:
    aws.points(3, v5=0.1)
    told = json.loads(rolls("--json").stdout)
    assert (told["from"]["version"], told["to"]["version"]) == (5, 3)
    assert aws.moves == [f"{CARDS} to 3"]


def test_a_dry_run_moves_nothing(aws: Lambda) -> None:
    done = rolls("--dry-run", "--to", "2")
    assert "would go from version 5" in done.stdout
    assert "to version 2" in done.stdout
    assert (aws.moves, list(aws.aliases[CARDS])) == ([], ["live"])


@pytest.mark.parametrize("to", ["6", "5"])
def test_there_must_be_such_a_version(aws: Lambda, to: str) -> None:
    done = rolls("--to", to)
    assert done.exit_code == 2
    assert f"version {to} is not there to go back to" in done.stderr
    assert "there are 1, 2, 3, 4, 5" in done.stderr
    assert aws.moves == []


def test_the_first_version_has_none_before(aws: Lambda) -> None:
    aws.points(1)
    assert "a version before 1 is not there" in rolls().stderr


def test_a_canary_that_needs_less_can_be_taken_back(aws: Lambda) -> None:
    """The role was kept as both need it."""
    aws.reach[CARDS][-1] = "profiles"
    aws.points(4, v5=0.1)
    assert rolls().exit_code == 0
    assert aws.moves == [f"{CARDS} to 4"]


def test_a_version_that_the_role_does_not_serve_any_more_is_refused(aws: Lambda) -> None:
    aws.reach[CARDS][-1] = "profiles"
    done = rolls()
    assert done.exit_code == 2
    assert "reaches alerts, subjects, which the role does not grant now" in done.stderr
    assert "make apply" in done.stderr
    assert aws.moves == []


def test_a_version_whose_token_key_was_retired_is_refused(aws: Lambda) -> None:
    aws.token_keys = {4: '{"1": "arn", "2": "arn"}', 5: '{"2": "arn"}'}
    done = rolls()
    assert done.exit_code == 2
    assert "reaches token key 1, which the role does not grant now" in done.stderr


def test_of_several_streams_one_is_named_unless_one_has_a_canary(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Lambda(cards=[ALL] * 2, loans=[ALL] * 3)
    monkeypatch.setattr("processor.cli.rollback.lambda_client", lambda: aws)
    done = rolls()
    assert done.exit_code == 2
    assert "say which with --stream: cards (version 2), loans (version 3)" in done.stderr
    assert "there is no stream payments; there are cards, loans" in rolls("--stream", "payments").stderr
    aws.points(2, "tidegate-test-loans", v3=0.2)
    assert json.loads(rolls("--json").stdout)["stream"] == "loans"
    assert aws.moves == ["tidegate-test-loans to 2"]


def test_it_says_so_if_there_is_no_such_environment(aws: Lambda) -> None:
    done = CliRunner().invoke(main, ["rollback", "--env", "prod"])
    assert done.exit_code == 2
    assert "no stream of the environment prod" in done.stderr
    assert aws.moves == []
