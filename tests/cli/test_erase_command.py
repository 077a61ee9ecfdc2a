"""`tidegate erase`: looks before it does, asks, and keeps the receipt."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from processor.cli import main
from processor.erasure import erase
from processor.receipts import is_authentic
from tests.callers import ARN
from tests.cli.accounts import Lambda, Session
from tests.desks import World, plan_of
from tests.fakes import refusal
from tests.offices import office_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NAME = "tidegate-dev-erase"
ANN = {"customer_id": "C-1001", "email": "ann@example.com"}
WHY = ["erase", "--env", "dev", "--reason", "GDPR Art. 17, case 117"]
ASK = [*WHY, "--yes"]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.chdir(tmp_path)
    with mock_aws():
        world = World()
        world.sanitised(plan_of(), ANN)
        yield world


@pytest.fixture
def account(world: World, monkeypatch: pytest.MonkeyPatch) -> Lambda:
    office = office_of(world)
    account = Lambda({NAME: lambda request: erase(office, request, "r-1")[0]}, {})
    monkeypatch.setattr(boto3, "Session", lambda **_: Session(account))
    return account


def run(*arguments: object, given: str = "", ask: Sequence[str] = ASK) -> Result:
    return CliRunner().invoke(main, [*ask, *map(str, arguments)], input=given, prog_name="tidegate")


def erased(world: World) -> bool:
    return any("erased_at" in item for item in world.people().values())


def test_the_receipt_is_kept_where_nobody_else_reads_it(world: World, account: Lambda) -> None:
    done = run("--subject", "C-1001", "--receipt", "case-117.json")
    assert done.exit_code == 0
    assert erased(world)
    file = Path("case-117.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    receipt = json.loads(file.read_text())
    public = world.kms.get_public_key(KeyId=receipt["signature"]["key"])["PublicKey"]
    assert is_authentic(receipt, public)
    lines = done.stdout.splitlines()
    assert lines[0] == f"erased at 2026-11-23T21:04:05Z, asked by {ARN}"
    assert "policy payments, version 7: email, card.number" in lines
    assert "in force everywhere: 2026-11-23T21:05:05Z" in lines
    assert "last backup of the secret gone: 2026-11-30T21:04:05Z" in lines
    assert "receipt: case-117.json" in done.stderr
    assert "C-1001" not in done.output
    assert len(account.requests) == 1


def test_without_a_name_for_it_the_receipt_gets_one_and_json_needs_none(
    account: Lambda, tmp_path: Path
) -> None:
    assert run("--subject", "C-1001").exit_code == 0
    (kept,) = tmp_path.iterdir()
    assert kept.name.startswith("receipt-")
    done = run("--subject", "C-1001", "--json")
    assert json.loads(done.stdout)["again"] is True
    assert "(it had been done before)" in done.stderr
    assert list(tmp_path.iterdir()) == [kept]
    assert len(account.requests) == 2


def test_a_dry_run_says_what_would_be_done(world: World, account: Lambda) -> None:
    done = run("--subject", "C-1001", "--dry-run")
    assert (done.exit_code, erased(world)) == (0, False)
    assert done.stdout.splitlines()[0] == "person: known since 2026-11-23T21:04:05Z"
    assert "in force everywhere: 2026-11-23T21:05:05Z if done now" in done.stdout
    assert json.loads(run("--subject", "C-1001", "--dry-run", "--json").stdout)["dry_run"] is True
    run("--subject", "C-1001", "--json")
    told = run("--subject", "C-1001", "--dry-run").stdout.splitlines()[0]
    assert told == "person: known since 2026-11-23T21:04:05Z, erased at 2026-11-23T21:04:05Z"
    assert len(account.requests) == 4


@pytest.mark.parametrize(("given", "ok"), [("C-1001\n", True), ("C-1001\r\n", True), ("C-1001", True),
                                           ("", False), ("C-1001\nC-2002\n", False)])  # fmt: skip
def test_the_id_may_come_on_stdin(world: World, account: Lambda, given: str, *, ok: bool) -> None:
    done = run("--subject", "-", "--json", given=given)
    assert (done.exit_code == 0, erased(world), len(account.requests)) == (ok, ok, int(ok))


@pytest.mark.parametrize("subject", ["C-1001", "-"])
def test_without_a_terminal_nobody_is_erased_unless_it_is_said(
    world: World, account: Lambda, subject: str
) -> None:
    done = run("--subject", subject, given="C-1001\n", ask=WHY)
    assert (done.exit_code, done.stdout, account.requests) == (2, "", [])
    assert "nobody is here to confirm it: say --yes, or --dry-run" in done.stderr
    assert run("--subject", subject, "--dry-run", given="C-1001\n", ask=WHY).exit_code == 0
    assert not erased(world)
    assert run("--subject", subject, "--yes", given="C-1001\n", ask=WHY).exit_code == 0
    assert erased(world)


@pytest.mark.parametrize(("answer", "does"), [("y\n", True), ("n\n", False), ("", False)])
def test_on_a_terminal_it_asks_first(
    world: World, account: Lambda, monkeypatch: pytest.MonkeyPatch, answer: str, *, does: bool
) -> None:
    monkeypatch.setattr("processor.cli.erase._asks", lambda: True)
    done = run("--subject", "C-1001", given=answer, ask=WHY)
    assert "person: known since" in done.stderr
    assert "Erase this person for good?" in done.stderr
    assert (done.exit_code, erased(world)) == (0 if does else 1, does)
    assert account.requests[0]["dry_run"] is True
    assert run("--subject", "C-1001", "--yes").exit_code == 0


def test_what_the_function_refuses_ends_with_its_words(world: World, account: Lambda) -> None:
    done = run("--subject", "C-4004")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "tidegate-dev-erase refuses: nobody is known by this" in done.stderr
    assert run("--subject", "C-4004", "--unseen").exit_code == 0
    assert run("--subject", "1001", "--unseen", "--as", "number", "--policy", "payments").exit_code == 0
    assert account.requests[-1]["as"] == "number"
    assert len(world.people()) > 1


def test_a_receipt_overwrites_nothing(world: World, account: Lambda, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    done = run("--subject", "C-1001", "--receipt", "there")
    assert (done.exit_code, erased(world), account.requests) == (2, False, [])
    assert (tmp_path / "there").read_text() == "mine"
    # What is found out only afterwards: the receipt is not lost.
    done = run("--subject", "C-1001", "--receipt", tmp_path / "no" / "folder")
    assert (done.exit_code, erased(world)) == (2, True)
    assert json.loads(done.stdout)["erased_at"]
    assert "the person is erased, but the receipt cannot be written" in done.stderr


def test_who_may_not_is_told_what_to_attach(world: World, account: Lambda) -> None:
    account.failure = refusal("AccessDeniedException", "Invoke")
    done = run("--subject", "C-1001")
    assert (done.exit_code, erased(world)) == (2, False)
    assert "attach the managed policy tidegate-dev-erase-caller to your role" in done.stderr


@pytest.mark.parametrize("env", ["Dev", "dev;x", "", "-x"])
def test_an_environment_has_a_plain_name(env: Any) -> None:
    done = CliRunner().invoke(main, ["erase", "--env", env, "--subject", "x", "--reason", "y"])
    assert done.exit_code == 2
    assert "lower-case letters" in done.stderr
