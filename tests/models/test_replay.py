"""Replay: nothing is seen before it was known, and how it is cut changes nothing."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import halves, replay
from models.replay import Replay
from models.sources import Changed
from processor.errors import ModelError
from processor.scoring.features import Feature, FeatureSet, Label, Memory, Step
from processor.scoring.profiles import DAY_S, Profile

DAY0 = 1_790_000_000 // DAY_S * DAY_S
LABEL = Label("status", "chargeback", 7)
FEATURES = FeatureSet(
    [
        Feature("amount", "number", of="amount"),
        Feature("ratio", "log_ratio", profile="customer", days=(7,), options={"typical": 50, "weight": 0.5}),
        Feature("met", "distinct", profile="customer", days=(30,)),
        Feature("seen", "count", profile="terminal", days=(7,)),
        Feature("risk", "risk", profile="terminal", days=(30,), options={"typical": 0.01, "weight": 0.5}),
        Feature("run", "run_count", profile="terminal"),
        Feature("honest", "since_honest", profile="terminal", options={"most": 100.0}),
        Feature("confirmed", "since_confirmed", profile="terminal", options={"most": 100.0}),
        Feature(
            "odd", "confirmed_mean", profile="terminal", days=(30,), options={"typical": 0, "weight": 0.1}
        ),
    ],
    [
        Profile("customer", "customer_id", (7, 30), "amount", counterpart="terminal_id"),
        Profile("terminal", "terminal_id", (7, 30), feature="ratio", labels=True, label_days=7),
    ],
    "created_at",
    LABEL,
)


@dataclass
class Made:
    """A history that was made up."""

    made: list[Changed]

    @property
    def expected(self) -> int:
        return len(self.made)

    def changes(self, _progress: Any) -> Iterator[Changed]:
        return iter(self.made)

    def description(self) -> dict[str, Any]:
        return {}


def quiet(_step: str, _done: int) -> None:
    pass


def payment(
    day: float, *, fraud: bool = False, terminal: str = "T1", customer: str = "C1", **more: Any
) -> Changed:
    image = {
        "created_at": DAY0 + day * DAY_S,
        "amount": 20.0,
        "customer_id": customer,
        "terminal_id": terminal,
        "status": "chargeback" if fraud else "approved",
    }
    return Changed(DAY0 + day * DAY_S, None, image | more, f"{day}", None, int(fraud))


def told(*made: Changed, **how: Any) -> replay.Told:
    return Replay(FEATURES, LABEL, **how).run(Made(list(made)), quiet)


def of(name: str, seen: replay.Told) -> list[float]:
    return [float(value) for value in seen.matrix[:, FEATURES.names.index(name)]]


def test_fraud_is_known_when_its_label_is_due_and_not_before() -> None:
    seen = told(payment(0, fraud=True), payment(1), payment(6.99), payment(7), payment(8))
    assert of("confirmed", seen) == pytest.approx([100, 100, 100, 7, 8])
    assert of("run", seen)[:3] == [0, 0, 0]
    assert seen.labelled_at == [DAY0 + 7 * DAY_S, *[inf] * 4]


def test_a_record_does_not_say_of_itself_that_it_is_fraud() -> None:
    honest, fraud = (told(*(payment(at) for at in range(20)), payment(20, fraud=is_bad)) for is_bad in (0, 1))
    assert np.array_equal(honest.matrix, fraud.matrix)


def test_a_history_with_its_own_changes_tells_labels_when_they_came() -> None:
    first = payment(0)
    assert first.after is not None
    changed = Changed(DAY0 + 2 * DAY_S, first.after, first.after | {"status": "chargeback"}, "0", None, 1)
    seen = told(first, payment(1), changed, payment(3))
    assert len(seen.time) == 3
    assert of("confirmed", seen) == pytest.approx([100, 100, 3])
    assert seen.labelled_at == [DAY0 + 2 * DAY_S, inf, inf]
    back = Changed(DAY0 + 4 * DAY_S, changed.after, first.after, "0", None, 0)
    assert told(first, changed, back).labelled_at == [inf]


def test_only_the_period_is_kept_and_what_is_earlier_warms_the_profiles() -> None:
    made = [payment(at, customer=f"C{at % 3}", fraud=at % 5 == 0, region="x") for at in range(30)]
    whole = told(*made, columns=["region", "amount", "nothing"])
    part = told(
        *made, start=DAY0 + 10 * DAY_S, end=DAY0 + 20 * DAY_S, columns=["region", "amount", "nothing"]
    )
    assert np.array_equal(part.matrix, whole.matrix[10:20])
    assert part.time == whole.time[10:20]
    assert part.ids == [str(at) for at in range(10, 20)]
    assert part.columns == {"region": ["x"] * 10, "amount": [20.0] * 10, "nothing": [None] * 10}


def test_without_the_label_s_field_nothing_is_heard() -> None:
    bare = payment(0)
    assert bare.after is not None
    del bare.after["status"]
    assert not told(bare).heard
    assert told(payment(0)).heard


STEPS = st.lists(
    st.tuples(
        st.floats(0, 40, width=16),
        st.sampled_from(["C1", "C2", "C3"]),
        st.sampled_from(["T1", "T2"]),
        st.one_of(st.none(), st.integers(0, 500)),
        st.booleans(),
        st.booleans(),
    ),
    max_size=40,
)


def steps(drawn: list[tuple[Any, ...]]) -> Iterator[Step]:
    """Insertions, some late, and corrections, in the order of a stream."""
    for day, customer, terminal, amount, fraud, corrected in drawn:
        image = {"created_at": DAY0 + day * DAY_S, "customer_id": customer, "terminal_id": terminal}
        image |= {} if amount is None else {"amount": amount}
        yield Step(None, image)
        if corrected:
            yield Step(image, image | {"status": "chargeback" if fraud else "approved"}, not fraud)


@given(STEPS, st.lists(st.integers(1, 9), min_size=1, max_size=9))
@settings(deadline=None)
def test_any_cut_into_batches_gives_the_same_features(drawn: list[Any], sizes: list[int]) -> None:
    made = list(steps(drawn))
    whole = FEATURES.measure(made, Memory())
    memory, parts, first, number = Memory(), [], 0, 0
    while first < len(made):
        size = sizes[number % len(sizes)]
        parts.append(FEATURES.measure(made[first : first + size], memory))
        first, number = first + size, number + 1
    cut = np.concatenate([np.empty_like(whole[:0]), *parts])
    assert np.array_equal(cut, whole, equal_nan=True)


def test_the_replay_s_own_batches_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [payment(at / 3, terminal=f"T{at % 4}", fraud=at % 6 == 0) for at in range(120)]
    whole = told(*made)
    monkeypatch.setattr(replay, "BATCH", 1)
    assert np.array_equal(told(*made).matrix, whole.matrix)


HISTORIES = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from([*range(4), None, ["no name"]]),
        st.one_of(st.none(), st.integers(0, 500)),
        st.booleans(),
        st.sampled_from(["stays", "goes", *((who, where) for who in range(4) for where in range(4))]),
    ),
    min_size=9,
    max_size=30,
)


def history(drawn: list[tuple[Any, ...]]) -> Iterator[Changed]:
    """Payments, one of two a day later the one of somebody else, or gone."""
    for at, (customer, terminal, amount, fraud, then) in enumerate(drawn):
        made = payment(at, customer=customer, terminal=terminal, fraud=fraud, amount=amount)
        yield made
        if then != "stays" and made.after is not None:
            moved = {"customer_id": then[0], "terminal_id": then[1], "status": "chargeback"}
            after = None if then == "goes" else made.after | moved
            yield Changed(made.time + DAY_S, made.after, after, made.id, None, made.scenario)


@pytest.mark.skipif(sys.platform != "linux", reason="there is one process elsewhere")
@given(HISTORIES, st.integers(1, 9))
@settings(deadline=None, max_examples=25)
def test_two_processes_see_what_one_sees(drawn: list[tuple[Any, ...]], batch: int) -> None:
    made = sorted(history(drawn), key=lambda changed: changed.time)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay, "BATCH", batch)
        patch.setattr(replay, "two", lambda _records: False)
        one = told(*made, columns=["amount"])
        patch.setattr(replay, "two", lambda _records: True)
        both = told(*made, columns=["amount"])
    assert np.array_equal(both.matrix, one.matrix, equal_nan=True)
    assert both[1:] == one[1:]


@pytest.mark.skipif(sys.platform != "linux", reason="there is one process elsewhere")
def test_a_second_process_that_dies_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    this = os.getpid()

    class Dies(Replay):
        def _take(self, changed: Changed) -> None:
            if os.getpid() != this:
                os._exit(9)
            super()._take(changed)

    monkeypatch.setattr(replay, "two", lambda _records: True)
    with pytest.raises(ModelError, match="second process"):
        Dies(FEATURES, LABEL).run(Made([payment(at) for at in range(9)]), quiet)


def test_few_records_are_not_worth_a_second_process() -> None:
    assert not halves.two(halves.LEAST - 1)
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1
    assert halves.two(halves.LEAST) == (cores > 1)
