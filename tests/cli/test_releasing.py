"""The course of a release, with a Terraform that does and a CloudWatch that says as it is told."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from processor.cli import main
from processor.cli.alias import Live
from processor.cli.release import _terminated_as_interrupted
from processor.cli.releasing import NO_TRAFFIC, Outcome, Release
from processor.cli.watch import PATIENCE, Watch
from processor.errors import TidegateError
from processor.review.canary import Course
from tests.cli.lambda_world import ALL, CARDS, Lambda

ADDRESS = 'module.stream["{}"].aws_lambda_alias.live'
RULE = 'ALARM("tidegate-test-cards-errors") OR ALARM("tidegate-test-cards-flags")'
DEPLOYED = {"policy": {"name": "cards", "version": 4}}


class Terraform:
    """Publishes a version with each apply, and points the alias as the canary says."""

    def __init__(self, aws: Lambda, *streams: str) -> None:
        self.aws, self.streams = aws, streams
        self.surplus: list[str] = []
        self.applied: list[dict[str, Any]] = []
        self.fails = 0
        self._canary: dict[str, Any] = {}

    def run(self, verb: str, *options: str) -> str:
        if verb == "plan":
            said = [
                option.removeprefix("-var=canary=") for option in options if option.startswith("-var=canary=")
            ]
            self._canary = json.loads(said[0]) if said else {}
        return json.dumps(self._planned()) if "-json" in options else ""

    def _planned(self) -> dict[str, Any]:
        aliases = [
            {
                "address": ADDRESS.format(name),
                "change": {
                    "actions": ["update"],
                    "before": {"function_version": "4"},
                    "after": {},
                    "after_unknown": {"function_version": True},
                },
            }
            for name in self.streams
        ]
        more = [
            {"address": one, "change": {"actions": ["update"], "before": {}, "after": {}}}
            for one in self.surplus
        ]
        return {"resource_changes": [*aliases, *more]}

    def hand_over(self, *_: str) -> int:
        return 0

    def apply_saved(self, *_: str) -> int:
        self.applied.append(self._canary)
        if self._canary:
            (canary,) = self._canary.values()
            assert json.loads(Path(canary["release"]).read_text()) == DEPLOYED
            new = len(self.aws.reach[CARDS])
            self.aws.points(int(canary["stable"]), **{f"v{new}": canary["percent"] / 100})
        return self.fails

    def output(self) -> dict[str, Any]:
        return {"deployed": {"cards": DEPLOYED}, "streams": {"cards": {"policy": "cards"}}}


class CloudWatch:
    """Says of each look what the next word of it is."""

    def __init__(self) -> None:
        self.states = {"tidegate-test-cards-errors": "OK", "tidegate-test-cards-flags": "INSUFFICIENT_DATA"}
        self.records = 0
        self.is_down = False
        self.is_new = False

    def describe_alarms(self, AlarmNames: list[str], AlarmTypes: list[str]) -> dict[str, Any]:  # noqa: N803
        if self.is_down:
            raise ClientError({"Error": {"Code": "ServiceException"}}, "DescribeAlarms")
        if AlarmTypes == ["CompositeAlarm"]:
            is_there = not self.is_new and AlarmNames == ["tidegate-test-cards-canary"]
            return {"CompositeAlarms": [{"AlarmRule": RULE}] if is_there else []}
        found = [
            {"AlarmName": name, "StateValue": self.states[name]} for name in AlarmNames if name in self.states
        ]
        return {"MetricAlarms": found}

    def get_metric_statistics(self, **asked: Any) -> dict[str, Any]:
        assert asked["Dimensions"] == [
            {"Name": "Policy", "Value": "cards"},
            {"Name": "Version", "Value": "5"},
        ]
        return {"Datapoints": [{"Sum": self.records / 2}, {"Sum": self.records / 2}]}


class World:
    """All of it, and a clock on which each wait is a minute, at which something may happen."""

    def __init__(self, folder: Path) -> None:
        self.aws = Lambda(cards=[ALL] * 5)
        self.aws.points(4)
        self.terraform, self.cloudwatch = Terraform(self.aws, "cards"), CloudWatch()
        self.folder, self.now = folder, 1_000_000.0
        self.happens: dict[int, Callable[[], object]] = {}
        """By minute."""

    def sleep(self, _: float) -> None:
        self.now += 60
        self.happens.get(int(self.now - 1_000_000) // 60, lambda: None)()

    def releases(self, stream: str | None = None) -> Outcome:
        terraform: Any = self.terraform
        return Release(
            terraform=terraform,
            options=["-auto-approve"],
            watch=Watch("test", self.cloudwatch),
            live=lambda name: Live("test", name, self.aws),
            folder=self.folder,
            clock=lambda: self.now,
            sleep=self.sleep,
        ).run(10, 600, stream)

    @property
    def pointing(self) -> tuple[int, int | None]:
        now = Live("test", "cards", self.aws).now()
        return now.version, now.canary


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def comes(world: World, records: int) -> Callable[[], object]:
    return lambda: setattr(world.cloudwatch, "records", records)


def test_what_stays_quiet_under_traffic_goes_on_and_terraform_knows(world: World) -> None:
    world.happens[3] = comes(world, 340)
    outcome = world.releases()
    assert (outcome.course, outcome.is_fine, outcome.notes) == (Course.GO_ON, True, ())
    assert world.pointing == (5, None)
    assert [set(one) for one in world.terraform.applied] == [{"cards"}, set()]
    (canary,) = world.terraform.applied[0].values()
    assert (canary["stable"], canary["percent"], canary["reach"]) == ("4", 10, ALL.split())
    told = "\n".join(outcome.told())
    assert "It took 340 records in 600 s" in told
    assert "Too little data for tidegate-test-cards-flags: their silence says nothing" in told
    assert world.aws.aliases[CARDS]["live"]["Description"] == "The version that the stream is sent to"


def test_an_alarm_takes_it_back_at_once(world: World) -> None:
    world.happens[2] = comes(world, 40)
    world.happens[4] = lambda: world.cloudwatch.states.update({"tidegate-test-cards-errors": "ALARM"})
    outcome = world.releases()
    assert (outcome.course, outcome.is_fine, outcome.why) == (
        Course.GO_BACK,
        False,
        "tidegate-test-cards-errors rang",
    )
    assert world.pointing == (4, None)
    assert "withdrawn-5" in world.aws.aliases[CARDS]
    assert outcome.as_json()["seen"] == {
        "records": 40, "seconds": 240, "ringing": ["tidegate-test-cards-errors"],
        "unjudged": ["tidegate-test-cards-flags"],
    }  # fmt: skip
    assert len(world.terraform.applied) == 1, "what is in force is what the state says"


def test_without_traffic_nothing_is_proven(world: World) -> None:
    outcome = world.releases()
    assert (outcome.course, outcome.why) == (Course.UNPROVEN, NO_TRAFFIC)
    assert world.pointing == (4, None)


def test_an_interruption_takes_it_back(world: World) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    world.happens[2] = interrupt
    outcome = world.releases()
    assert (outcome.course, outcome.why, world.pointing) == (Course.GO_BACK, "interrupted", (4, None))


def test_whoever_ends_it_by_a_signal_means_the_same() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), _terminated_as_interrupted():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_cannot_be_watched_is_taken_back(world: World) -> None:
    world.happens[2] = lambda: setattr(world.cloudwatch, "is_down", True)
    outcome = world.releases()
    assert outcome.course is Course.GO_BACK
    assert "it could not be watched" in outcome.why
    assert world.pointing == (4, None)
    assert outcome.look is not None
    assert world.now - 1_000_000 == 60 * (PATIENCE + 1)


def test_a_short_trouble_of_cloudwatch_is_none(world: World) -> None:
    world.happens |= {
        2: lambda: setattr(world.cloudwatch, "is_down", True),
        5: lambda: setattr(world.cloudwatch, "is_down", False),
        6: comes(world, 7),
    }
    assert world.releases().course is Course.GO_ON


def test_when_it_can_neither_be_watched_nor_taken_back_it_says_so(world: World) -> None:
    world.happens[2] = lambda: setattr(world.aws, "is_down", True)
    world.aws.update_alias = lambda **_: world.aws.get_alias(FunctionName=CARDS, Name="live")  # type: ignore[assignment]
    with pytest.raises(TidegateError, match=r"going back failed.*tidegate rollback --stream cards"):
        world.releases()


def test_whoever_rolls_it_back_elsewhere_has_the_last_word(world: World) -> None:
    world.happens[2] = lambda: world.aws.points(3)
    outcome = world.releases()
    assert (outcome.course, outcome.is_fine, world.pointing) == (Course.STOLEN, False, (3, None))


def test_it_does_not_begin_while_an_alarm_rings(world: World) -> None:
    world.cloudwatch.states["tidegate-test-cards-flags"] = "ALARM"
    outcome = world.releases()
    assert "tidegate-test-cards-flags in ALARM before" in outcome.why
    assert (outcome.course, outcome.is_fine, world.terraform.applied) == (None, False, [])


def test_the_first_release_after_an_update_has_no_sum_of_alarms_before(world: World) -> None:
    world.cloudwatch.is_new = True
    world.happens = {1: lambda: setattr(world.cloudwatch, "is_new", False), 2: comes(world, 3)}
    assert world.releases().course is Course.GO_ON


def test_an_apply_that_fails_begins_nothing(world: World) -> None:
    world.terraform.fails = 1
    outcome = world.releases()
    assert (outcome.course, outcome.is_fine) == (Course.GO_BACK, False)
    assert "Terraform's exit code 1" in outcome.why
    assert world.pointing == (4, None), "though it had moved the alias before it failed"


@pytest.mark.parametrize("moved", [True, False])
def test_an_apply_that_is_interrupted_leaves_no_canary(world: World, *, moved: bool) -> None:
    applied = world.terraform.apply_saved

    def interrupted(*options: str) -> int:
        if moved:
            applied(*options)
        raise KeyboardInterrupt

    world.terraform.apply_saved = interrupted  # type: ignore[method-assign]
    outcome = world.releases()
    assert (outcome.is_fine, world.pointing) == (False, (4, None))
    assert "interrupted" in outcome.why


def test_a_canary_that_nobody_watches_is_watched_anew_or_named(world: World) -> None:
    world.aws.points(4, v5=0.1)
    world.terraform.fails = 1
    assert "A canary ran before, and cards is at version 4, 10 % to version 5" in world.releases().why
    world.terraform.fails = 0
    world.happens[2] = comes(world, 9)
    assert world.releases().course is Course.GO_ON


def test_nothing_is_released_that_does_not_change(world: World) -> None:
    world.terraform.streams = ()
    outcome = world.releases()
    assert outcome.is_fine
    assert "nothing to release" in outcome.why
    assert world.terraform.applied == []


def test_a_release_is_of_one_stream(world: World) -> None:
    world.terraform.streams = ("cards", "loans")
    with pytest.raises(TidegateError, match="loans would get a new version at once as well"):
        world.releases("cards")
    with pytest.raises(TidegateError, match="members gets no new version; what does is cards, loans"):
        world.releases("members")
    assert world.terraform.applied == []


def test_the_last_apply_does_nothing_that_nobody_said_yes_to(world: World) -> None:
    world.happens = {1: comes(world, 3), 2: lambda: world.terraform.surplus.append("aws_kms_key.data")}
    outcome = world.releases()
    assert (outcome.course, outcome.is_fine, world.pointing) == (Course.GO_ON, True, (5, None))
    assert len(world.terraform.applied) == 1
    (note,) = outcome.notes
    assert "make apply" in note
    assert "aws_kms_key.data" in note


@pytest.fixture
def helped() -> str:
    return CliRunner().invoke(main, ["release", "--help"]).output


@pytest.mark.parametrize("said", ["If this machine dies", "Ctrl-C", "Exit codes", "tidegate rollback"])
def test_its_help_teaches(helped: str, said: str) -> None:
    assert said in " ".join(helped.split())


@pytest.mark.parametrize("options", [["--canary", "100"], ["--canary", "10", "--for", "15"], ["--for", "1m"]])
def test_what_it_cannot_use_is_said(options: list[str]) -> None:
    assert CliRunner().invoke(main, ["release", "--env", "test", *options]).exit_code == 2
