"""Canaries on the whole gate: what is bad takes itself back, what is good goes on, and nothing is lost."""

import json
import os
import re
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from processor.cli.alias import Live
from processor.cli.releasing import Outcome, Release
from processor.cli.watch import Watch
from processor.errors import TidegateError
from processor.local import planning
from processor.local.aws import Credentials
from processor.local.evidence import events_in
from processor.local.rights import Terminal
from processor.local.scenario import Report
from processor.local.stage import PACKAGE, POLICY, Stage
from processor.local.terraform import ROOT
from processor.local.weighted import Weighted, behind_alias
from processor.policy.plan import dump_plan
from processor.policy.source import read_source
from processor.review.canary import Course
from processor.review.release import write_release
from processor.scoring.artefact import pack, unpack
from processor.scoring.calibration import Calibration
from tests.end_to_end.cloudwatch import tell

pytestmark = pytest.mark.slow

STREAM, FUNCTION = "payments", "tidegate-local-payments"
PERCENT, FOR_S = 70, 900.0
BATCH = 20
FEW, JUDGED = 120, 360
"""Payments, so that both versions are drawn; and so that the new one has the 200 that its flags need."""
ALIKE = {"batch_size": 200, "batch_window_s": 1, "retries": 5}
TABLES = {  # what environments/local.tfvars says of the streams
    "payments": {"table": {"hash_key": "payment_id", "ttl_attribute": "expires_at"}, **ALIKE},
    "customers": {"table": {"hash_key": "customer_id"}, "source": "kinesis", **ALIKE},
}
WITHOUT_DRIFT = "-refresh=false"  # or what moto forgets would be a new version each time
PATIENCE_S = 120


def bad_policy(folder: Path) -> Path:
    """A package that holds back every payment: its policy requires a field that none has."""
    text = POLICY.read_text()
    policy = folder / POLICY.name
    policy.write_text(
        re.sub(r"(?m)^fields:$", "fields:\n  nowhere: {action: drop, required: true, class: public}", text)
    )
    return repacked(folder, {"policy.json": dump_plan(read_source(policy).plan)})


def bad_model(folder: Path) -> Path:
    """A package whose model finds everything more suspicious than all that it was trained on."""
    with zipfile.ZipFile(PACKAGE) as zipped:
        manifest = json.loads(zipped.read("model/manifest.json"))
        arrays = zipped.read("model/arrays.npy")
    forest, calibration = unpack(arrays, manifest["forest"], len(manifest["features"]))
    arrays = pack(forest, Calibration(calibration.raw - 1e3, calibration.share))
    manifest["files"]["arrays.npy"] = {"sha256": sha256(arrays).hexdigest(), "bytes": len(arrays)}
    return repacked(
        folder, {"model/manifest.json": json.dumps(manifest).encode(), "model/arrays.npy": arrays}
    )


def repacked(folder: Path, entries: dict[str, bytes]) -> Path:
    """The package of today with other files in it."""
    package = folder / PACKAGE.name
    with (
        zipfile.ZipFile(PACKAGE) as old,
        zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for one in old.infolist():
            new.writestr(one, entries.get(one.filename, old.read(one)))
    write_release(package)
    return package


@dataclass
class World:
    """Who releases, what was written meanwhile, and a clock that can be put forward."""

    stage: Stage
    releaser: Credentials
    folder: Path
    written: set[str] = field(default_factory=set)
    ahead_s: float = 0.0

    @property
    def live(self) -> Live:
        return Live("local", STREAM, self.stage.aws.client("lambda", self.releaser))

    def release(self, package: Path | None) -> Release:
        options = [WITHOUT_DRIFT, "-auto-approve"]
        if package is not None:
            payments = TABLES["payments"] | {"package": os.path.relpath(package, ROOT)}
            options.append(f"-var=streams={json.dumps(TABLES | {'payments': payments})}")
        folder = self.folder / f"release-{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        return Release(
            terraform=self.stage.terraform,
            options=options,
            watch=Watch("local", self.stage.aws.client("cloudwatch", self.releaser)),
            live=lambda _: self.live,
            folder=folder,
            clock=lambda: time.time() + self.ahead_s,
            sleep=lambda _: time.sleep(0.1),
        )

    def write(self, name: str, count: int) -> None:
        """Payments that nobody has made before."""
        made = {f"p-{name}-{at:03d}" for at in range(count)}
        table = self.stage.aws.client("dynamodb")
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        puts = [
            {"PutRequest": {"Item": {
                "payment_id": {"S": payment}, "customer_id": {"S": f"c-{name}-{at % 9}"},
                "created_at": {"S": now}, "terminal_id": {"S": f"t-{at % 7}"},
                "amount": {"N": str(10 + at % 50)}, "status": {"S": "approved"},
            }}}
            for at, payment in enumerate(sorted(made))
        ]  # fmt: skip
        for at in range(0, len(puts), 25):
            table.batch_write_item(RequestItems={self.stage.stream["source_table"]: puts[at : at + 25]})
        self.written |= made

    def streamed(self, function: Weighted, name: str, count: int) -> None:
        """New payments through the gate, in small batches."""
        mapping = self.stage.stream["mapping_id"]
        self.stage.aws.client("lambda").update_event_source_mapping(UUID=mapping, BatchSize=BATCH)
        source = self.stage.event_source(function)  # type: ignore[arg-type]  all it needs is `invoke`
        source.skip_what_is_there()
        self.write(name, count)
        source.drain()
        assert (source.tally.done, source.tally.lost) == (count, 0)

    def tried(self, package: Path | None, name: str, count: int = FEW) -> tuple[Outcome, Counter[str]]:
        """What became of a release while payments came, and how many records each version took."""
        self.ahead_s = 0.0  # CloudWatch is asked from when a canary began: that must not be to come
        outcomes: list[Outcome | TidegateError] = []

        def runs() -> None:
            try:
                outcomes.append(self.release(package).run(PERCENT, FOR_S, STREAM))
            except TidegateError as error:
                outcomes.append(error)

        thread = threading.Thread(target=runs)
        thread.start()
        until(lambda: bool(outcomes) or self.live.now().canary is not None)
        assert not outcomes, outcomes
        with behind_alias(self.stage, self.folder / "versions") as function:
            self.streamed(function, name, count)
            tell(self.stage, function.log)
            took = Counter(function.calls)
        self.ahead_s += FOR_S
        thread.join(PATIENCE_S)
        (outcome,) = outcomes
        assert isinstance(outcome, Outcome), outcome
        return outcome, took

    def out(self) -> Counter[str]:
        """How often each payment that was written here is out."""
        ids = Counter(str((event["new"] or {}).get("payment_id")) for event in events_in(self.stage))
        return Counter({payment: count for payment, count in ids.items() if payment in self.written})

    def quiet(self) -> None:
        """Let time go by until no alarm rings."""
        cloudwatch = self.stage.aws.client("cloudwatch")
        for alarm in cloudwatch.describe_alarms()["MetricAlarms"]:
            cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue="OK", StateReason="quiet")


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.fixture(scope="module")
def world(stage: Stage, report: Report, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    assert report.events
    folder = tmp_path_factory.mktemp("rolling-out")
    (folder / "versions").mkdir()
    keys = stage.aws.user("releaser", stage.outputs["releaser_policy_arn"])
    world = World(stage, keys, folder)
    world.quiet()
    before = stage.aws.client("lambda").get_event_source_mapping(UUID=stage.stream["mapping_id"])["BatchSize"]
    yield world
    stage.aws.client("lambda").update_event_source_mapping(UUID=stage.stream["mapping_id"], BatchSize=before)
    world.live.go_on(max(world.live.versions()))  # as the state says


@pytest.fixture(scope="module")
def stable(world: World) -> int:
    return world.live.now().version


def folder_of(world: World, name: str) -> Path:
    folder = world.folder / name
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def held(world: World, stable: int) -> set[str]:
    """Payments that a bad policy held back before it was taken back."""
    outcome, took = world.tried(bad_policy(folder_of(world, "policy")), "policy")
    assert outcome.course is Course.GO_BACK, list(outcome.told())
    assert f"{FUNCTION}-quarantined" in outcome.why
    assert (world.live.now().version, world.live.now().canary) == (stable, None)
    bad = max(world.live.versions())
    assert world.live.withdrawn() == {bad}
    assert set(took) == {str(stable), str(bad)}, "both were drawn"
    assert outcome.look is not None
    assert outcome.look.records == took[str(bad)] * BATCH
    out = world.out()
    held = world.written - set(out)
    assert (set(out.values()), len(held)) == ({1}, took[str(bad)] * BATCH)
    return held


def test_a_bad_policy_takes_itself_back_and_what_it_held_is_all_there_is(held: set[str]) -> None:
    assert held


def test_no_release_begins_while_an_alarm_rings(world: World, held: set[str], stable: int) -> None:
    assert held
    outcome = world.release(None).run(PERCENT, FOR_S, STREAM)
    assert not outcome.is_fine
    assert outcome.why == f"Not begun: {FUNCTION}-quarantined in ALARM before. Mend that first, or wait."
    assert world.live.now().version == stable


def test_a_bad_model_takes_itself_back(world: World, held: set[str], stable: int) -> None:
    world.quiet()
    before = world.out()
    outcome, took = world.tried(bad_model(folder_of(world, "model")), "model", JUDGED)
    assert outcome.course is Course.GO_BACK, list(outcome.told())
    assert outcome.why == f"{FUNCTION}-flags rang"
    bad = max(world.live.versions())
    assert (world.live.now().version, len(world.live.withdrawn())) == (stable, 2)
    assert f"{FUNCTION}-flags" in world.live.now().said
    assert took[str(bad)] * BATCH >= 200
    now = world.out()
    assert ((now - before).total(), set(now.values())) == (JUDGED, {1})
    assert held.isdisjoint(now)


def test_a_good_release_goes_on_and_what_was_held_comes_back_once(
    world: World, held: set[str], stable: int, capfd: pytest.CaptureFixture[str]
) -> None:
    stage = world.stage
    world.quiet()
    assert held.isdisjoint(world.out())
    outcome, took = world.tried(None, "good")
    good = max(world.live.versions())
    assert (outcome.course, outcome.is_fine, outcome.notes) == (Course.GO_ON, True, ()), list(outcome.told())
    assert took[str(good)]
    assert (world.live.now().version, world.live.now().canary) == (good, None)
    recorded = stage.terraform.output()["deployed"][STREAM]["package"]["sha256"]
    assert recorded == sha256(PACKAGE.read_bytes()).hexdigest()
    printed = capfd.readouterr().out
    assert "This apply begins a canary" in printed

    desk = Terminal(stage, stage.aws.user("replayer-after-canary", stage.outputs["replayer_policy_arn"]))
    with (
        behind_alias(stage, world.folder / "versions") as function,
        stage.aws.serving(FUNCTION, function.invoke),
    ):
        code, answer = desk.types("replay", "--env", "local", "--stream", STREAM, "--quarantine", "--json")
    held_again = {one["path"] for one in json.loads(answer)["held_again"]}
    assert code == bool(held_again), (desk.said, answer)
    assert held_again <= {"customer_id"}, "which other tests leave out"
    assert set(function.calls) == {str(good)}
    out = world.out()
    assert set(out) == world.written
    assert set(out.values()) == {1}, "nothing is lost, and nothing there twice"

    phone = Terminal(stage, world.releaser)
    code, answer = phone.types("rollback", "--env", "local", "--json", "--stream", STREAM)
    assert code == 0, phone.said
    told = json.loads(answer)
    assert (told["from"]["version"], told["to"]["version"], len(told["passed_over"])) == (good, stable, 2)
    assert "model payments_fraud@" in told["to"]["description"]
    assert world.live.now().version == stable
    capfd.readouterr()
    assert planning.reviewed(stage.terraform, ROOT, "plan", []) == 0
    above = capfd.readouterr().out
    assert "payments: was rolled back, and would be in force again: policy payments" in above
    assert f"The stream is sent to version {stable}, not to the newest one, {good}. Rolled back" in above
