"""The judge, and the candidate beside it: it sees what the model sees, says nothing, and stops nothing."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws

from processor.crypto import KeyRing
from processor.entities import editions, entity_names, short_names
from processor.errors import ModelError
from processor.judge import Judge
from processor.pipeline import pass_through
from processor.profiles import Profiles
from processor.scoring import Memory, Step, load_scorer
from processor.scoring.features import Feature, FeatureSet, Label
from processor.scoring.profiles import Profile
from processor.telemetry import SHADOW, Tally, Telemetry
from tests.builders import TIME, stream_record
from tests.fakes import with_profiles
from tests.worlds import World, records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from processor.pipeline import Gate

ROOT = Path(__file__).parents[1]
RING = KeyRing({1: b"r" * 64})
TYPICAL = {"typical": 50, "weight": 0.5}
CUSTOMER = Profile("customer", "customer_id", (30,), "amount")
TERMINAL = Profile("terminal", "terminal_id", (7,), feature="ratio", labels=True, label_days=7)


def features(*profiles: Profile, ratio_days: int = 30, equals: str = "chargeback") -> FeatureSet:
    made = [
        Feature("count", "count", profile="customer", days=(30,)),
        Feature("ratio", "log_ratio", profile="customer", days=(ratio_days,), options=TYPICAL),
    ]
    return FeatureSet(made, profiles, "created_at", Label("status", equals, 7))


IN_USE = features(CUSTOMER, TERMINAL)


@pytest.fixture
def table() -> Iterator[Any]:
    with mock_aws():
        yield with_profiles()


# --- Which profiles two models share --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        (features(CUSTOMER, TERMINAL), {"customer", "terminal"}),
        (features(CUSTOMER, replace(TERMINAL, days=(7, 30))), {"customer"}),
        (features(replace(CUSTOMER, days=(30, 90)), TERMINAL, ratio_days=90), set()),
        (features(replace(CUSTOMER, value="fee"), TERMINAL), set()),
        (features(CUSTOMER, TERMINAL, equals="refund"), {"customer"}),
    ],
    ids=["the same", "another window", "another feature that is summed up", "another value", "another label"],
)
def test_two_models_share_the_profiles_that_are_made_of_the_same(other: FeatureSet, alike: set[str]) -> None:
    ours, theirs = editions(IN_USE), editions(other)
    assert {name for name in ours if ours[name] == theirs[name]} == alike


def test_what_training_learns_makes_no_other_profile() -> None:
    learnt = features(CUSTOMER, TERMINAL)
    learnt = FeatureSet(
        [replace(one, median=3.5) for one in learnt.features],
        learnt.profiles,
        learnt.time,
        learnt.label,
    )
    assert editions(learnt) == editions(IN_USE)


# --- In the gate ------------------------------------------------------------------------------------------


class Flagging:
    """A scorer over its own features that flags from an amount on."""

    model = "payments_fraud@candidate"

    def __init__(self, of: FeatureSet, amount: float) -> None:
        self.features, self._amount = of, amount
        self._scorer = load_scorer(ROOT / "models" / "payments_fraud")
        self.counts: list[float] = []

    def score(self, steps: Any, _threshold: float, memory: Memory, **_: Any) -> Any:
        said: list[Any] = []
        self.counts += self.features.measure(steps, memory, said)[:, 0].tolist()
        images = [step.after for step in steps if step.after is not None]
        scored = self._scorer.score([Step(None, image) for image in images], 2.0)
        return scored._replace(
            verdicts=[
                verdict._replace(flagged=float(image["amount"]) >= self._amount)
                for image, verdict in zip(images, scored.verdicts, strict=True)
            ],
            said=said,
        )


def judge(table: Any, of: FeatureSet, amount: float, read_only: tuple[str, ...] = ()) -> Judge:
    plan = replace(World().gate().plan, subject=None, rules=())
    scorer: Any = Flagging(of, amount)
    names = entity_names(plan, RING, "payments_fraud", of)
    profiles = Profiles(
        dynamodb=table, adding=table, table="profiles", profiles=of.profiles, names=names, read_only=read_only
    )
    return Judge(scorer=scorer, threshold=0.5, profiles=profiles, short=short_names(RING, "payments_fraud"))


def gate_of(world: World, judge: Judge, shadow: Judge | None) -> Gate:
    return replace(world.gate(), judge=replace(judge, shadow=shadow))


def delivered(amounts: list[int]) -> list[dict[str, Any]]:
    return [
        stream_record(
            {
                "payment_id": f"p-{at}",
                "customer_id": "C1",
                "terminal_id": "T1",
                "amount": amount,
                "created_at": TIME + at * 600,
                "status": "approved",
            },
            at=at,
        )
        for at, amount in enumerate(amounts)
    ]


def told(tally: Tally) -> dict[str, Any]:
    lines: list[str] = []
    telemetry = Telemetry("payments", "payments_fraud@used", lambda: 1.0, lines.append, shadow="candidate")
    telemetry.batch(tally)
    return dict(json.loads(lines[0]))


def kept(table: Any) -> dict[str, Any]:
    return {item["entity"]["S"]: item for item in table.scan(TableName="profiles")["Items"]}


def test_how_far_a_candidate_agrees_is_told_and_nothing_else_of_it(table: Any) -> None:
    silent, beside = World(), World()
    amounts = [10, 20, 30, 40, 50, 60]
    pass_through(gate_of(silent, judge(table, IN_USE, 40), None), delivered(amounts), Tally())
    tally = Tally()
    shadow = judge(table, IN_USE, 30, ("customer", "terminal"))
    pass_through(gate_of(beside, judge(table, IN_USE, 40), shadow), delivered(amounts), tally)
    assert tally.agreement == (3, 1, 0)
    line = told(tally)
    assert {name: line[name] for name in SHADOW} == dict(zip(SHADOW, (3, 1, 0), strict=True))
    assert (line["Shadow"], line["ShadowBehind"]) == ("candidate", 0)
    events = beside.events()
    assert [event["fraud"]["flagged"] for event in events] == [amount >= 40 for amount in amounts]
    assert "candidate" not in json.dumps(events)


def test_without_a_candidate_nothing_is_said_of_one() -> None:
    tally, lines = Tally(), list[str]()
    pass_through(World().gate(), records(3), tally)
    Telemetry("payments", None, lambda: 1.0, lines.append).batch(tally)
    assert "Shadow" not in lines[0]


def test_profiles_that_are_alike_are_added_to_once_and_read_by_both(table: Any) -> None:
    used, world = judge(table, IN_USE, 40), World()
    shadow = judge(table, IN_USE, 30, ("customer", "terminal"))
    pass_through(gate_of(world, used, shadow), delivered([10] * 4), Tally())
    assert len(kept(table)) == 2
    fresh, candidate = judge(table, IN_USE, 40), judge(table, IN_USE, 30, ("customer", "terminal"))
    pass_through(gate_of(World(), fresh, candidate), delivered([10] * 6)[4:], Tally())
    seen: Any = fresh.scorer
    beside: Any = candidate.scorer
    assert seen.counts == beside.counts
    assert seen.counts[0] == pytest.approx(4, rel=0.01), "each event counted once"


def test_a_candidate_fills_profiles_of_its_own_and_finds_them_when_it_is_released(table: Any) -> None:
    other = features(replace(CUSTOMER, days=(30, 90)), TERMINAL, ratio_days=90)
    used, shadow = judge(table, IN_USE, 40), judge(table, other, 30)
    pass_through(gate_of(World(), used, shadow), delivered([10] * 4), Tally())
    assert len(kept(table)) == 4
    released = judge(table, other, 30)
    pass_through(gate_of(World(), released, None), delivered([10] * 5)[4:], Tally())
    found: Any = released.scorer
    assert found.counts == pytest.approx([4], rel=0.01)


def test_a_redelivered_batch_counts_for_neither(table: Any) -> None:
    world, other = World(), features(CUSTOMER, replace(TERMINAL, days=(7, 30)))
    found = []
    for _ in range(3):
        used, shadow = judge(table, IN_USE, 40), judge(table, other, 30, ("customer",))
        pass_through(gate_of(world, used, shadow), delivered([10] * 3), Tally())
        found.append(kept(table))
    assert len(found[0]) == 3, "a customer, and its terminal for each of the two"
    assert found[1:] == found[:1] * 2


class Refusing:
    """A table that fails one call."""

    def __init__(self, client: Any, refused: str) -> None:
        self._client, self._refused = client, refused

    def __getattr__(self, name: str) -> Any:
        if name == self._refused:
            raise RuntimeError("whatever it is")
        return getattr(self._client, name)


@pytest.mark.parametrize("refused", ["batch_get_item", "update_item"])
def test_a_candidate_that_fails_is_behind_and_changes_no_event(table: Any, refused: str) -> None:
    world, tally = World(), Tally()
    used, other = (
        judge(table, IN_USE, 40),
        features(replace(CUSTOMER, days=(30, 90)), TERMINAL, ratio_days=90),
    )
    shadow = judge(Refusing(table, refused), other, 30)
    pass_through(gate_of(world, used, shadow), delivered([10, 50]), tally)
    assert [event["fraud"]["flagged"] for event in world.events()] == [False, True]
    line = told(tally)
    assert line["ShadowBehind"] == 1
    assert ("ShadowFlaggedToo" in line) == (refused == "update_item")
    assert (tally.missed, len(kept(table))) == (0, 2), "the model in use remembers all of it"


# --- At the start ------------------------------------------------------------------------------------------


def test_a_candidate_that_is_broken_stops_the_start(tmp_path: Path) -> None:
    from processor.start import _scorer  # noqa: PLC0415

    plan = World().gate().plan
    assert _scorer(tmp_path / "shadow", plan) is None
    shutil.copytree(ROOT / "models" / "payments_fraud", tmp_path / "shadow")
    (tmp_path / "shadow" / "arrays.npy").write_bytes(b"")
    with pytest.raises(ModelError, match=r"arrays\.npy: is not the file that manifest\.json lists"):
        _scorer(tmp_path / "shadow", plan)
