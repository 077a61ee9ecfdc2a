"""`tidegate detokenize`: signed, in portions, values where they were asked for and nowhere else."""

from __future__ import annotations

import json
import stat
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from click.testing import CliRunner, Result
from moto import mock_aws

from processor.asking import book_of
from processor.cli import main
from processor.cli.detokenize import batches
from processor.cli.picking import values_at
from processor.errors import Transient
from processor.policy import paths
from processor.rates import Rates
from processor.reidentification import Desk, reidentify
from processor.unwrapping import Unwrapping
from tests.callers import callers
from tests.cli.accounts import Lambda, Session
from tests.desks import EVENT, KEYS, LEDGER, PAYMENTS, World, plan_of
from tests.fakes import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "tidegate-dev-detokenize"
ANN = {"customer_id": "C-1001", "email": "ann@example.com", "iban": "DE02120300000000202051", "limit": 12.5}
ASK = ["detokenize", "--env", "dev", "--purpose", "dispute", "--ticket", "DSP-4711"]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    with mock_aws():
        yield World()


@pytest.fixture
def account(world: World, monkeypatch: pytest.MonkeyPatch) -> Lambda:
    plan = plan_of()
    unwrap = Unwrapping(kms=world.kms, data_key_arn=world.data_key, policy=plan.name, clock=world.clock)
    desk = Desk(
        books={plan.name: book_of(plan, KEYS, unwrap)},
        callers=callers(NAME, time.time),
        rates=Rates(dynamodb=world.dynamodb, table=LEDGER, clock=world.clock),
        subjects=world.subjects(),
        record=world.record("detokenize"),
        clock=world.clock,
    )
    account = Lambda({NAME: lambda request: reidentify(desk, request, "r-1")[0]}, {})
    monkeypatch.setattr(boto3, "Session", lambda: Session(account))
    return account


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "payments.yaml"
    file.write_text(json.dumps(PAYMENTS))  # JSON is YAML
    return file


def run(*arguments: object, given: str = "", policy: object = "payments") -> Result:
    return CliRunner().invoke(
        main, [*ASK, "--policy", str(policy), *map(str, arguments)], input=given, prog_name="tidegate"
    )


def event_of(world: World, **changes: Any) -> dict[str, Any]:
    new = world.sanitised(plan_of(), {**ANN, "limit": 12, **changes})
    return {"schema": "tidegate.event/1", "event_id": EVENT, "type": "INSERT", "new": new, "old": None}


def test_one_token_opens(world: World, account: Lambda) -> None:
    new = event_of(world)["new"]
    done = run("--field", "email", "--token", new["email"], "--subject", new["customer_id"])
    assert (done.exit_code, done.stdout) == (0, '{"field":"email","value":"ann@example.com"}\n')
    assert done.stderr == "1 opened, 0 erased, 0 invalid; 1 records in the audit trail\n"
    assert len(account.requests) == 1


def test_lines_of_tokens_are_answered_in_order_and_the_exit_code_tells(world: World, account: Lambda) -> None:
    new = event_of(world)["new"]
    other = event_of(world, customer_id=2002)["new"]
    world.subjects().erase((other["customer_id"],))
    lines = [
        {"field": "iban", "token": new["iban"], "event_id": "e1"},
        {"field": "email", "token": other["email"], "subject": 2002},
        {"field": "email", "token": "forged", "subject": "C-1001"},
        {"field": "limit", "token": new["limit"]},
    ]
    done = run("--json", given="".join(json.dumps(line) + "\n" for line in lines))
    assert done.exit_code == 1
    assert list(map(json.loads, done.stdout.splitlines())) == [
        {"event_id": "e1", "field": "iban", "value": "DE02120300000000202051"},
        {"field": "email", "status": "erased"},
        {"field": "email", "status": "invalid"},
        {"field": "limit", "value": 12},
    ]
    told = json.loads(done.stderr)
    assert (told["opened"], told["erased"], told["invalid"], len(told["records"])) == (2, 1, 1, 1)
    assert account.requests


def test_fields_of_whole_events_open_with_the_person_from_the_event(
    world: World, account: Lambda, policy: Path, tmp_path: Path
) -> None:
    events = [event_of(world), event_of(world, customer_id="C-2002", email="bob@example.com")]
    removal = {**event_of(world, iban="FR7630006000011234567890189"), "new": None}
    removal["old"] = event_of(world, iban="FR7630006000011234567890189")["new"]
    events[1]["new"]["iban"] = "[redacted]"
    out = tmp_path / "opened.jsonl"
    given = "".join(json.dumps(event) + "\n" for event in [*events, removal])
    done = run("--fields", "email, iban", "--out", out, policy=policy, given=given)
    assert (done.exit_code, done.stdout) == (0, "")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert list(map(json.loads, out.read_text().splitlines())) == [
        {"event_id": EVENT, "field": "email", "value": "ann@example.com"},
        {"event_id": EVENT, "field": "iban", "value": "DE02120300000000202051"},
        {"event_id": EVENT, "field": "email", "value": "bob@example.com"},
        {"event_id": EVENT, "field": "email", "value": "ann@example.com"},
        {"event_id": EVENT, "field": "iban", "value": "FR7630006000011234567890189"},
    ]
    assert account.requests


def test_a_line_that_cannot_be_used_is_named_without_its_value(
    world: World, account: Lambda, policy: Path
) -> None:
    good = event_of(world)
    nameless = {**good, "new": {**good["new"], "customer_id": "[redacted]"}}
    given = "\n".join([json.dumps(nameless), "ann@example.com", '{"ann@example.com": 1}', json.dumps(good)])
    done = run("--fields", "email", policy=policy, given=given)
    assert done.exit_code == 1
    assert done.stdout == f'{{"event_id":"{EVENT}","field":"email","value":"ann@example.com"}}\n'
    assert done.stderr.splitlines()[:3] == [
        "line 1: email: does not say whose data it is, and this field goes by the person",
        "line 2: not JSON from column 1 on",
        "line 3: is no event of the feed",
    ]
    assert account.requests


def test_many_tokens_go_in_portions_of_a_hundred(world: World, account: Lambda) -> None:
    new = event_of(world)["new"]
    line = json.dumps({"field": "email", "token": new["email"], "subject": new["customer_id"]}) + "\n"
    done = run(given=line * 110)
    assert (done.exit_code, done.stdout.count("ann@example.com")) == (0, 110)
    assert [len(request["tokens"]) for request in account.requests] == [100, 10]
    refused = run(given=line * 110)
    assert refused.exit_code == 2
    assert "tidegate-dev-detokenize refuses: at most 120 values an hour" in refused.stderr


def test_portions_are_bounded_by_length_too() -> None:
    long = [{"token": "x" * 1_500_000}] * 5
    assert [len(batch) for batch in batches(long)] == [2, 2, 1]
    assert list(batches([])) == []
    assert [len(batch) for batch in batches([{"token": "x"}] * 250)] == [100, 100, 50]


def test_values_go_into_a_new_file_only(world: World, account: Lambda, tmp_path: Path) -> None:
    out = tmp_path / "there"
    out.write_text("mine")
    done = run("--field", "iban", "--token", event_of(world)["new"]["iban"], "--out", out)
    assert (done.exit_code, out.read_text(), account.requests) == (2, "mine", [])
    assert f"{out} is there already" in done.stderr
    done = run("--field", "iban", "--token", "x", "--out", tmp_path / "no" / "folder")
    assert "cannot be written" in done.stderr


def test_values_are_not_printed_on_a_terminal_unasked(
    world: World, account: Lambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = ["--field", "iban", "--token", event_of(world)["new"]["iban"]]
    monkeypatch.setattr("processor.cli.detokenize._on_terminal", lambda stream: stream.name == "<stdout>")
    done = run(*one)
    assert (done.exit_code, done.stdout, account.requests) == (2, "", [])
    assert "give --out FILE, or --show" in done.stderr
    assert "DE02" in run(*one, "--show").stdout


@pytest.mark.parametrize(
    ("arguments", "given", "why"),
    [
        (["--token", "x"], "", "--token needs --field"),
        (["--fields", "email"], "{}\n", "give --policy as its YAML file"),
        ([], '{"field": "iban"}\n', "line 1: lacks a field or a token"),
        ([], '{"new": {}, "old": null}\n', "is it a whole event? Then say which --fields"),
    ],
)
def test_what_is_missing_is_named(account: Lambda, arguments: list[str], given: str, why: str) -> None:
    done = run(*arguments, given=given)
    assert done.exit_code in {1, 2}
    assert why in done.stderr
    assert account.requests == []


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ("mail", "no rule of payments names mail; it has amount, card.number"),
        ("x.email", "did you mean email?"),
        ("a..b", "is not a path"),
    ],
)
def test_a_field_that_no_rule_names_is_named(account: Lambda, policy: Path, fields: str, why: str) -> None:
    done = run("--fields", fields, policy=policy, given="{}")
    assert (done.exit_code, account.requests) == (2, [])
    assert why in done.stderr


NOT_ALLOWED = (
    "not allowed: lambda:InvokeFunction on tidegate-dev-detokenize:live. "
    "To be allowed, attach the managed policy tidegate-dev-detokenize-caller to your role."
)
NOT_FOUND = (
    "not found: lambda:InvokeFunction on tidegate-dev-detokenize:live. Is this the right account and region? "
    "Else check --env and AWS_PROFILE, or deploy it: make apply ENV=dev."
)


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (refusal("AccessDeniedException", "Invoke"), NOT_ALLOWED),
        (refusal("ResourceNotFoundException", "Invoke"), NOT_FOUND),
        (refusal("ExpiredTokenException", "Invoke"), "AWS does not take these credentials (ExpiredToken"),
        (refusal("TooManyRequestsException", "Invoke"), "answered TooManyRequestsException (request 7PDX)"),
        (NoCredentialsError(), "there are no AWS credentials (NoCredentialsError). Log in (aws sso login)"),
        (EndpointConnectionError(endpoint_url="https://x"), "cannot be reached (EndpointConnectionError)"),
    ],
)
def test_what_goes_wrong_with_aws_is_one_error_with_its_fix(account: Lambda, failure: Any, said: str) -> None:
    account.failure = failure
    done = run("--field", "iban", "--token", "x")
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "jane.doe" not in done.stderr


def test_a_function_that_fails_is_named_with_its_log(account: Lambda) -> None:
    def fails(_request: Any) -> Any:
        raise Transient("dynamodb:BatchGetItem on subjects: Throttling")

    account.functions = {NAME: fails}
    done = run("--field", "iban", "--token", "x")
    assert done.exit_code == 2
    assert "failed: dynamodb:BatchGetItem on subjects: Throttling. Nothing was answered." in done.stderr
    assert "/aws/lambda/tidegate-dev-detokenize" in done.stderr


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.b", [1]),
        ("items[*].sku", ["x", "y"]),
        ("m.*", [2, 3]),
        ("m.*~", ["k", "l"]),
        ("items.sku", []),
        ("a[*]", []),
        ("nothing", []),
    ],
)
def test_what_a_path_reaches(path: str, found: list[Any]) -> None:
    tree = {"a": {"b": 1}, "items": [{"sku": "x"}, {"sku": "y"}, {}, 7], "m": {"k": 2, "l": 3}}
    assert list(values_at(tree, paths.parse(path))) == found
