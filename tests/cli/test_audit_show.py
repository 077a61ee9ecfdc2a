"""`tidegate audit show`: answers from a trail that the gate's own parts wrote, and never a value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from processor.audit import policy_key, record_key
from processor.cli import main
from processor.cli.audit import place as place_of
from processor.event import dumps
from processor.policy import Sanitiser
from processor.policy.plan import dump_plan
from processor.stream import Change
from tests.cli.audit_world import AUDIT, EVENTS, World, object_key
from tests.conftest import KEYS, NOON

if TYPE_CHECKING:
    from collections.abc import Callable

    from processor.policy import Plan

RAW = {"email": "jane@example.com", "name": "Jane Doe", "amount": 12}
FIELDS = {
    "email": {"action": "tokenize", "class": "identifier"},
    "name": "redact",
    "amount": "keep",
}
SUBJECT, OLDER, OTHER = (
    f"psn.customer.{version}.{sign * 22}" for version, sign in ((2, "a"), (1, "b"), (2, "c"))
)


class Lived(World):
    """A world whose events a plan made."""

    def __init__(self, plan: Plan) -> None:
        change = Change("e1", "INSERT", NOON, "small", "1", {}, RAW, None, expired=False)
        sanitised = Sanitiser(plan, KEYS).sanitise(change)
        self.plan = plan
        policy = {"name": "payments", "version": plan.version, "sha256": plan.sha256}
        actions = [
            {"field": field, "action": action, "count": count}
            for (field, action), count in sanitised.notes.actions.items()
        ]

        def line(at: int) -> str:
            return dumps(
                {
                    "event_id": f"{at:032x}",
                    "type": "INSERT",
                    "time": "2026-11-23T21:04:05Z",
                    "table": "payments",
                    "keys": {},
                    "new": sanitised.new,
                    "old": None,
                    "fraud": None,
                    "policy": policy | {"key_version": 1},
                }
            )

        super().__init__(
            policy=dump_plan(plan), summary={"records": 1, "policy": policy, "actions": actions}, line=line
        )


@pytest.fixture
def world(plan_of: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch) -> Lived:
    world = Lived(plan_of(FIELDS, policy="payments", version=7))
    gate = world.gate()
    for at, day in enumerate(("2026-11-21", "2026-11-22", "2026-11-23")):
        world.deliver(gate, at, day)
    monkeypatch.setattr(place_of, "connect", lambda *_names: world.place())
    return world


def show(*arguments: str) -> Any:
    return CliRunner().invoke(main, ["audit", "show", "--env", "test", *arguments])


@pytest.mark.usefixtures("world")
def test_an_event_has_its_lineage() -> None:
    result = show("--event", f"{1:032x}", "--json")
    assert result.exit_code == 0, result.stderr
    answer = json.loads(result.stdout)
    assert answer["policy"] == {"name": "payments", "version": 7, "sha256": "0" * 64, "key_version": 1}
    assert answer["object"] == object_key(1, "2026-11-22")
    assert answer["manifest"]["link"] == 2
    assert answer["findings"] == []
    assert answer["lineage"][0] == {
        "field": "email",
        "rules": [
            {
                "action": "tokenize",
                "when": None,
                "options": {"class": "identifier", "domain": "email"},
            }
        ],
        "values": {"new": 1},
        "made": {"tok.email.1": 1},
    }
    assert [(one["field"], one["rules"][0]["action"]) for one in answer["lineage"][1:]] == [
        ("name", "redact"),
        ("amount", "keep"),
    ]
    for day in ((), ("--day", "2026-11-22")):
        lines = show("--event", f"{1:032x}", *day).stdout
        assert "email   tokenize  class=identifier domain=email  1 new   1 tok.email.1" in lines
        assert lines.endswith("`tidegate audit verify` vouches for the manifest.\n")
        assert not any(secret in lines for secret in ("jane", "Jane", "tok.email.1."))


@pytest.mark.usefixtures("world")
def test_an_event_of_another_day_or_none_is_not_found() -> None:
    assert show("--event", f"{1:032x}", "--day", "2026-11-23").exit_code == 1
    result = show("--event", "none")
    assert (result.exit_code, result.stdout) == (
        1,
        "no event of this id is there: is it expired, or of another day?\n",
    )
    assert json.loads(show("--event", "none", "--json").stdout) == {"event": None}


def test_an_event_that_nothing_vouches_for_is_shown_as_such(world: Lived) -> None:
    s3 = world.s3
    s3.objects[EVENTS, object_key(0, "2026-11-21")] = s3.objects[EVENTS, object_key(1, "2026-11-22")]
    del s3.objects[AUDIT, "manifests/payments/dt=2026-11-23/0a1b2c3d-2-2-0000000000000002.json"]
    del s3.objects[AUDIT, policy_key("payments", "0" * 64)]
    result = show("--event", f"{1:032x}", "--day", "2026-11-21")
    assert result.exit_code == 1
    assert "its checksum differs" in result.stdout
    result = show("--event", f"{2:032x}")
    assert result.exit_code == 1
    assert "no manifest vouches for this event" in result.stdout
    assert "compile that version of the policy again" in result.stdout


def kept(world: Lived) -> None:
    erase, open_ = world.chain("erase"), world.chain("detokenize")
    policies = [{"name": "payments", "version": 7, "sha256": "0" * 64}]
    access = {
        "kind": "detokenize",
        "time": "2026-11-22T10:00:00Z",
        "who": "arn:aws:sts::1:assumed-role/fraud/ann",
        "purpose": "investigation",
        "ticket": "F-1",
        "policy": policies[0],
        "fields": {"email": 2},
        "subjects": [OLDER, OTHER],
        "outcomes": {"opened": 2, "erased": 0, "invalid": 0},
        "granted": True,
        "refused": "",
    }
    erasure = {
        "kind": "erase",
        "time": "2026-11-23T10:00:00Z",
        "who": "arn:aws:sts::1:assumed-role/dpo/bob",
        "reason": "GDPR 17, request 5",
        "subjects": [SUBJECT, OLDER],
        "again": False,
        "policies": [policies[0] | {"fields": ["email"]}],
    }
    for chain, record in (
        (erase, erasure),
        (open_, access),
        (open_, access | {"subjects": [OTHER], "ticket": "F-2"}),
        (open_, access | {"policy": {"name": "loans"}, "granted": False, "subjects": [], "ticket": "F-3"}),
    ):
        chain.append(record_key(record["kind"], world.now, chain), record)


def test_a_person_has_a_history_under_every_name(world: Lived) -> None:
    kept(world)
    for name in (SUBJECT, OLDER):
        result = show("--subject", name, "--json")
        assert result.exit_code == 0, result.stderr
        answer = json.loads(result.stdout)
        assert answer["names"] == sorted([SUBJECT, OLDER])
        assert [(one["kind"], one["time"]) for one in answer["records"]] == [
            ("detokenize", "2026-11-22T10:00:00Z"),
            ("erase", "2026-11-23T10:00:00Z"),
        ]
        assert OTHER not in result.stdout, "who else was asked about is nobody's business here"
    lines = show("--subject", SUBJECT).stdout
    assert "GDPR 17, request 5" in lines
    assert "email (2)" in lines
    stranger = show("--subject", f"psn.customer.2.{'d' * 22}")
    assert stranger.exit_code == 0
    assert "No erasure and no detokenization names this person." in stranger.stdout


@pytest.mark.usefixtures("world")
def test_a_raw_id_is_no_name() -> None:
    result = show("--subject", "jane@example.com")
    assert result.exit_code == 2
    assert "tidegate erase --subject ID --dry-run" in result.stderr
    assert "jane" not in result.stderr


def test_a_field_has_its_versions_and_its_readers(world: Lived, plan_of: Callable[..., Plan]) -> None:
    kept(world)
    later = Lived(plan_of({**FIELDS, "email": "drop"}, policy="payments", version=8))
    later.s3, later.dynamodb = world.s3, world.dynamodb
    later.summary["policy"]["sha256"] = "1" * 64
    later.policy = later.policy.replace(b"0" * 64, b"1" * 64)
    later.deliver(later.gate(), 9, "2026-11-24")
    result = show("--field", "email", "--policy", "payments", "--json")
    assert result.exit_code == 0, result.stderr
    answer = json.loads(result.stdout)
    told = [
        (one["version"], [case["action"] for case in one["rule"]], one["values"], one["since"], one["until"])
        for one in answer["versions"]
    ]
    assert told == [
        (7, ["tokenize"], {"tokenize": 3}, "2026-11-21", "2026-11-23"),
        (8, ["drop"], {"drop": 1}, "2026-11-24", "2026-11-24"),
    ]
    assert [one["ticket"] for one in answer["detokenized"]] == ["F-1", "F-2"]
    lines = show("--field", "email").stdout
    assert "detokenize (refused)" in lines, "without --policy, that of the other one too"
    assert "tokenize class=identifier" in lines
    assert show("--field", "nothing").exit_code == 1
    assert show("--field", "a..b").exit_code == 2


@pytest.mark.usefixtures("world")
def test_one_question_at_a_time() -> None:
    assert show().exit_code == 2
    assert show("--event", "e", "--field", "email").exit_code == 2
