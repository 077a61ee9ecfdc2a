"""`tidegate detokenize`: signed, in portions, values where they were asked for and nowhere else."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from click.testing import CliRunner, Result
from moto import mock_aws

from processor.cli import main
from processor.cli.detokenize import batches
from processor.cli.functions import Functions
from processor.cli.picking import values_at
from processor.errors import Transient
from processor.event import dumps
from processor.policy import paths
from processor.reidentification import reidentify
from tests.cli.accounts import Lambda, Session
from tests.desks import DETOKENIZE, EVENT, PAYMENTS, World, desk_of, plan_of
from tests.fakes import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
    desk = desk_of(world)
    account = Lambda({DETOKENIZE: lambda request: reidentify(desk, request, "r-1")[0]}, {})
    monkeypatch.setattr(boto3, "Session", lambda **_: Session(account))
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


SUBJECTS: dict[str, tuple[Any, str]] = {
    "tokenize": ("tokenize", "customer_id is tokenize."),
    "a person's own name": (
        {"action": "pseudonymize", "scope": "subject"}, "is pseudonymize for each person apart.",
    ),
    "drop": ("drop", "customer_id is drop."),
    "one that names, one that does not": (
        [{"when": "amount == 1", "action": "hash"}, {"action": "pseudonymize"}], "customer_id is hash.",
    ),
    "two spellings": (
        [{"when": "amount == 1", "action": "pseudonymize", "normalize": "lower"}, {"action": "pseudonymize"}],
        "customer_id is pseudonymize.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "said"), SUBJECTS.values(), ids=SUBJECTS)
def test_where_events_do_not_say_whose_they_are_it_is_said_before_the_call(
    world: World, account: Lambda, policy: Path, rule: Any, said: str
) -> None:
    changes = {"fields": {**PAYMENTS["fields"], "customer_id": rule}}
    policy.write_text(json.dumps({**PAYMENTS, **changes}))
    desk = desk_of(world, **changes)
    account.functions = {DETOKENIZE: lambda request: reidentify(desk, request, "r-1")[0]}
    new = world.sanitised(plan_of(**changes), {**ANN, "limit": 12})
    given = json.dumps({"schema": "tidegate.event/1", "event_id": EVENT, "new": new}) + "\n"
    done = run("--fields", "iban,email", policy=policy, given=given)
    assert (done.exit_code, account.requests) == (2, [])
    assert "--fields: email goes by the person, and events do not say by which name" in done.stderr
    assert said in done.stderr
    done = run("--fields", "iban,email", "--subject", "C-1001", policy=policy, given=given)
    assert (
        done.stdout.splitlines()[1] == f'{{"event_id":"{EVENT}","field":"email","value":"ann@example.com"}}'
    )
    assert run("--fields", "iban", policy=policy, given=given).exit_code == 0


@pytest.mark.parametrize(
    "rule", ["keep", [{"when": "amount == 1", "action": "redact"}, {"action": "pseudonymize"}]], ids=str
)
def test_a_raw_id_says_whose_an_event_is_too(world: World, account: Lambda, policy: Path, rule: Any) -> None:
    changes = {"fields": {**PAYMENTS["fields"], "customer_id": rule}}
    policy.write_text(json.dumps({**PAYMENTS, **changes}))
    desk = desk_of(world, **changes)
    account.functions = {DETOKENIZE: lambda request: reidentify(desk, request, "r-1")[0]}
    new = world.sanitised(plan_of(**changes), {**ANN, "customer_id": 1001, "limit": 12})
    given = dumps({"schema": "tidegate.event/1", "event_id": EVENT, "new": new}) + "\n"
    assert "ann@example.com" in run("--fields", "email", policy=policy, given=given).stdout


def test_an_event_without_a_person_opens_where_a_case_needs_none(
    world: World, account: Lambda, policy: Path
) -> None:
    cases = [{"when": "amount == 1", "action": "tokenize", "scope": "subject"}, {"action": "tokenize"}]
    changes = {"fields": {**PAYMENTS["fields"], "email": cases}}
    policy.write_text(json.dumps({**PAYMENTS, **changes}))
    desk = desk_of(world, **changes)
    account.functions = {DETOKENIZE: lambda request: reidentify(desk, request, "r-1")[0]}
    new = world.sanitised(plan_of(**changes), {"email": "ann@example.com"})
    given = json.dumps({"schema": "tidegate.event/1", "event_id": EVENT, "new": new}) + "\n"
    assert "ann@example.com" in run("--fields", "email", policy=policy, given=given).stdout


def test_lines_that_do_not_say_whose_they_are_go_by_the_option(world: World, account: Lambda) -> None:
    new = event_of(world)["new"]
    lines = [
        {"field": "email", "token": new["email"]},
        {"field": "email", "token": new["email"], "subject": "x"},
    ]
    done = run("--subject", "C-1001", given="".join(json.dumps(line) + "\n" for line in lines))
    assert [json.loads(line).get("value") for line in done.stdout.splitlines()] == ["ann@example.com", None]
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


def test_portions_fit_the_hour_of_the_purpose_and_the_first_refusal_is_the_end(
    world: World, account: Lambda, policy: Path, tmp_path: Path
) -> None:
    given = (json.dumps(event_of(world)) + "\n") * 45
    purposes = {"dispute": {"fields": ["email"], "values_per_hour": 20}}
    policy.write_text(json.dumps({**PAYMENTS, "purposes": purposes}))
    desk = desk_of(world, purposes=purposes)
    account.functions = {DETOKENIZE: lambda request: reidentify(desk, request, "r-1")[0]}
    out = tmp_path / "opened.jsonl"
    done = run("--fields", "email", "--out", out, policy=policy, given=given)
    assert done.exit_code == 2
    assert out.read_text().count("ann@example.com") == 20
    assert [len(request["tokens"]) for request in account.requests] == [20, 20]
    said = "20 opened, 0 erased, 0 invalid; 1 records in the audit trail; the rest was not asked for\n"
    assert "tidegate-dev-detokenize refuses: at most 20 values an hour" in done.stderr
    assert done.stderr.endswith(said)


@pytest.mark.parametrize("failing", ["refused", "denied"])
def test_no_file_is_made_without_an_answer(account: Lambda, tmp_path: Path, failing: str) -> None:
    out = tmp_path / "opened.jsonl"
    if failing == "denied":
        account.failure = refusal("AccessDeniedException", "Invoke")
    done = run("--field", "amount", "--token", "x", "--out", out)
    assert (done.exit_code, out.exists()) == (2, False)


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
    assert account.requests == []


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


@pytest.mark.parametrize("said", ["legacy", "regional"])
def test_proofs_are_for_the_sts_of_the_region(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", said)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert Functions("dev")._endpoint == "https://sts.eu-west-1.amazonaws.com"


def test_a_function_that_fails_is_named_with_its_log(account: Lambda) -> None:
    def fails(_request: Any) -> Any:
        raise Transient("dynamodb:BatchGetItem on subjects: Throttling")

    account.functions = {DETOKENIZE: fails}
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
