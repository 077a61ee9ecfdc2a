"""`tidegate keys status`: which versions are in use, and which can retire from when."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import NoCredentialsError
from click.testing import CliRunner, Result
from moto import mock_aws

from processor.audit import Chain, policy_key
from processor.cli import main
from processor.cli.rotation import Function, People, Seen, Use, status
from processor.crypto import KeyRing
from processor.policy.people import People as Names
from processor.policy.plan import dump_plan
from tests.cli.accounts import Lambda, Session
from tests.desks import AUDIT, KEYS, LEDGER, NOW, PEOPLE, ROOTS, World, plan_of
from tests.fakes import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

ARNS = {1: "arn:one", 2: "arn:two"}
DAY = 86_400
STREAM = Function("tidegate-dev-payments", "payments", ARNS)
DETOKENIZE = Function("tidegate-dev-detokenize", None, ARNS)
PLACES = {"AUDIT_BUCKET": AUDIT, "LEDGER_TABLE": LEDGER, "SUBJECTS_TABLE": PEOPLE}
ON = {"arn:one": "Enabled", "arn:two": "Enabled"}


def seen(**changes: Any) -> Seen:
    usual = {
        "functions": (STREAM, DETOKENIZE),
        "states": ON,
        "uses": (Use("payments", 1, int(NOW)), Use("payments", 2, int(NOW) + DAY)),
        "kept_days": {"payments": 400},
        "people": {},
    }
    return Seen(**{**usual, **changes})


def of_version(version: int, seen: Seen, now: float = NOW + DAY) -> dict[str, Any]:
    (found,) = (one for one in status(seen, now)["versions"] if one["version"] == version)
    return dict(found)


def test_the_newest_makes_tokens_and_does_not_retire() -> None:
    newest = of_version(2, seen())
    assert newest["makes_tokens_in"] == ["tidegate-dev-payments"]
    assert newest["on_the_ring_of"] == ["tidegate-dev-detokenize", "tidegate-dev-payments"]
    assert newest["retirement"] is None
    assert status(seen(), NOW)["findings"] == []


def test_an_older_one_retires_when_its_last_events_are_gone() -> None:
    retirement = of_version(1, seen())["retirement"]
    assert (retirement["from"], retirement["now"]) == ("2027-12-28T21:04:05Z", False)
    assert of_version(1, seen(), NOW + 400 * DAY)["retirement"]["now"] is True
    assert of_version(1, seen(), NOW + 400 * DAY - 1)["retirement"]["now"] is False


def test_the_longest_of_all_policies_counts() -> None:
    uses = (
        Use("payments", 1, int(NOW)),
        Use("refunds", 1, int(NOW) - DAY),
        Use("payments", 1, int(NOW) - DAY),
    )
    both = seen(uses=uses, kept_days={"payments": 400, "refunds": 500})
    assert of_version(1, both)["retirement"]["from"] == "2028-04-05T21:04:05Z"
    unknown = of_version(1, seen(uses=uses))["retirement"]
    assert (unknown["from"], unknown["now"]) == (None, False)
    assert unknown["why"] == "nothing says for how long events of refunds are kept"


def test_one_that_makes_tokens_somewhere_stays() -> None:
    behind = Function("tidegate-dev-refunds", "refunds", {1: "arn:one"})
    found = status(seen(functions=(STREAM, behind)), NOW)
    old = found["versions"][1]
    assert old["retirement"]["why"] == "it makes tokens in tidegate-dev-refunds"
    assert (old["retirement"]["from"], old["retirement"]["now"]) == (None, False)
    assert found["findings"] == ["version 2 is not on the ring of tidegate-dev-refunds: apply again"]


def test_one_that_nothing_was_made_under_may_go() -> None:
    retirement = of_version(1, seen(uses=()))["retirement"]
    assert retirement["now"] is True
    assert "as far as the ledger knows" in retirement["why"]


def test_erased_people_known_under_it_alone_keep_it() -> None:
    people = {1: People(live=5, erased=3, live_elsewhere=4, erased_elsewhere=1)}
    retirement = of_version(1, seen(people=people), NOW + 400 * DAY)["retirement"]
    assert retirement["now"] is False
    assert retirement["warnings"][0].startswith("erased people known under it alone: 2.")
    assert retirement["warnings"][1].startswith("people known under it alone: 1.")
    fine = {1: People(live=5, erased=3, live_elsewhere=4, erased_elsewhere=3)}
    assert of_version(1, seen(people=fine), NOW + 400 * DAY)["retirement"]["now"] is True
    uncounted = of_version(1, seen(people=None), NOW + 400 * DAY)
    assert "people" not in uncounted
    assert uncounted["retirement"]["now"] is False


def test_keys_that_differ_or_are_off_are_findings() -> None:
    other = Function("tidegate-dev-erase", None, {1: "arn:one", 2: "arn:other"})
    states = {**ON, "arn:two": "PendingDeletion"}
    assert status(seen(functions=(STREAM, other), states=states), NOW)["findings"] == [
        "version 2 is another key in some functions: their tokens do not join",
        "the key of version 2, arn:other, is unknown: no function can start with it",
        "the key of version 2, arn:two, is PendingDeletion: no function can start with it",
    ]


# --- From AWS ------------------------------------------------------------------------------------------


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    with mock_aws():
        yield World()


@pytest.fixture
def account(world: World, monkeypatch: pytest.MonkeyPatch) -> Lambda:
    def made() -> str:
        key = world.kms.create_key(KeySpec="HMAC_512", KeyUsage="GENERATE_VERIFY_MAC")
        return str(key["KeyMetadata"]["Arn"])

    common = {"TOKEN_KEY_ARNS": json.dumps({"1": made(), "2": made()}), **PLACES}
    account = Lambda(
        {},
        {
            "tidegate-dev-payments": {**common, "EVENTS_BUCKET": "tidegate-dev-events"},
            "tidegate-dev-detokenize": common,
            "tidegate-dev-other": {},
            "tidegate-prod-payments": {"TOKEN_KEY_ARNS": "{}"},
            # Of an environment dev-us, whose functions have the prefix of dev, too.
            "tidegate-dev-us-payments": {
                "TOKEN_KEY_ARNS": json.dumps({"1": made()}),
                "EVENTS_BUCKET": "tidegate-dev-us-events",
                **{name: value.replace("dev-", "dev-us-") for name, value in PLACES.items()},
            },
        },
    )
    monkeypatch.setattr(boto3, "Session", lambda **_: Session(account))
    return account


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["keys", "status", "--env", "dev", *arguments], prog_name="tidegate")


def leave_traces(world: World) -> None:
    """Two chains under version 1 and one under 2, two editions of the policy, and people of both versions."""
    for version, at in ((1, NOW), (1, NOW + 60), (2, NOW + DAY)):
        chain = Chain(
            s3=world.s3, bucket=AUDIT, dynamodb=world.dynamodb, ledger_table=LEDGER, group="stream/payments",
            clock=lambda at=at: at, retention_days=2557, key_version=version,  # type: ignore[misc]
        )  # fmt: skip
        chain.append(f"manifests/payments/{version}-{at}.json", {})
    for edition, days in (("a", 30), ("b", 400)):
        kept = {"events": days, "audit": 2557, "quarantine": 14, "logs": 90, "ledger": 21}
        body = dump_plan(plan_of(retention_days=kept))
        world.s3.put_object(Bucket=AUDIT, Key=policy_key("payments", edition), Body=body)
    old = KeyRing({1: ROOTS[1]})
    for person in ("C-1", "C-2", "C-3"):
        world.sanitised(plan_of(), {"customer_id": person}, old)
    names = Names(plan_of(), old).names("C-3")
    assert names is not None
    world.subjects().erase(names)
    world.sanitised(plan_of(), {"customer_id": "C-1"}, KEYS)
    world.sanitised(plan_of(), {"customer_id": "C-4"}, KEYS)


def test_all_of_it_is_read_from_the_environment(world: World, account: Lambda) -> None:
    leave_traces(world)
    done = run("--json")
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    newest, old = answer["versions"]
    assert (answer["env"], newest["version"], old["version"]) == ("dev", 2, 1)
    assert newest["makes_tokens_in"] == ["tidegate-dev-payments"]
    assert newest["policies"]["payments"]["last_used"] == "2026-11-24T21:04:05Z"
    assert old["policies"]["payments"] == {
        "first_seen": "2026-11-23T21:04:05Z",
        "last_used": "2026-11-23T21:05:05Z",
        "events_kept_days": 400,
    }
    assert newest["people"] == {
        "live": 2, "erased": 0, "live_known_under_a_newer_name": 0, "erased_known_under_a_newer_name": 0,
    }  # fmt: skip
    assert old["people"] == {
        "live": 3, "erased": 1, "live_known_under_a_newer_name": 2, "erased_known_under_a_newer_name": 0,
    }  # fmt: skip
    assert old["retirement"]["from"] == "2027-12-28T21:05:05Z"
    assert len(old["retirement"]["warnings"]) == 2
    assert account.requests == []


def test_it_is_said_in_words_too(world: World, account: Lambda) -> None:
    leave_traces(world)
    done = run()
    lines = done.stdout.splitlines()
    assert lines[0] == "version 2: makes tokens in tidegate-dev-payments"
    assert "version 1: opens tokens only" in lines
    assert "  people   3 (2 under a newer name too), erased 1 (0 too)" in lines
    assert any(line.startswith("  can retire from 2027-12-28T21:05:05Z") for line in lines)
    assert any("come back as new ones" in line for line in lines)
    assert "people" not in run("--no-people").stdout.replace("people were not counted", "").replace(
        "--no-people", ""
    )
    assert account.configured


def test_a_key_that_is_off_is_a_finding(world: World, account: Lambda) -> None:
    arn = json.loads(account.configured["tidegate-dev-payments"]["TOKEN_KEY_ARNS"])["1"]
    world.kms.disable_key(KeyId=arn.rpartition("/")[2])
    done = run("--no-people")
    assert done.exit_code == 1
    assert f"finding: the key of version 1, {arn}, is Disabled: no function can start with it" in done.stdout


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (
            refusal("AccessDeniedException", "ListFunctions"),
            "not allowed: lambda:ListFunctions. To be allowed, add",
        ),
        (NoCredentialsError(), "there are no AWS credentials"),
    ],
)
def test_what_is_not_allowed_is_named(account: Lambda, failure: Any, said: str) -> None:
    account.failure = failure
    done = run()
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr


def test_an_environment_without_functions_is_named(account: Lambda) -> None:
    account.configured = {"tidegate-prod-payments": {}}
    done = run()
    assert done.exit_code == 2
    assert "there is no function tidegate-dev-… with token keys here." in done.stderr
