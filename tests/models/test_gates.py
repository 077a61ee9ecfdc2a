"""A candidate is released if it loses by luck alone, flags as many as allowed, and is fair and intact."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from models.evaluation import Bootstrap, Options, compared, measured
from models.gates import Verdict, judged, refused
from models.spec import load_spec
from models.spec.gates import Gates, read_gates
from models.spec.keys import Keys
from processor.errors import ModelError

RECORDS = 6_000
RANDOM = np.random.default_rng(0)
FRAUD = np.arange(RECORDS) % 50 == 0
TIME = 1_790_000_000.0 + 100 * np.arange(RECORDS)
NOISES = RANDOM.random((2, RECORDS))
REGION = np.where(RANDOM.random(RECORDS) < 0.5, "north", "south")
FEW = Options(bootstrap=Bootstrap(resamples=60))


def scores(signal: float, noise: int = 0) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Percentiles that find fraud the better the stronger the signal."""
    raw = NOISES[noise] + signal * FRAUD
    return np.argsort(np.argsort(raw)) / RECORDS


def verdicts(
    gates: Gates,
    candidate: float = 0.5,
    in_use: float | None = 0.5,
    *,
    fraud: Any = FRAUD,
    groups: Any = None,
    flaws: Any = (),
    noise: int = 0,
    closer: float = 1.0,
    options: Options = FEW,
) -> dict[str, Verdict]:
    of = 1 - (1 - scores(candidate, noise)) / closer
    found = measured(of, fraud, TIME, groups=groups, options=options)
    against = None
    if in_use is not None and fraud is not None:
        against = compared(of, scores(in_use), fraud, options=FEW)
    return {one.gate: one for one in judged(gates, found, against, flaws)}


def names(found: dict[str, Verdict]) -> set[str]:
    return {one.gate for one in refused(list(found.values()))}


def test_the_same_model_and_a_better_one_pass() -> None:
    assert not names(verdicts(Gates()))
    assert not names(verdicts(Gates(), candidate=0.8))
    found = verdicts(Gates(), in_use=None)
    assert not names(found)
    assert "no model in use" in found["auc"].said


def test_one_that_loses_is_refused_and_told_by_how_much() -> None:
    found = verdicts(Gates(), candidate=0.1)
    assert names(found) == {"average_precision", "auc"}
    assert "of the model in use" in found["auc"].said
    assert "difference -0." in found["auc"].said


def test_one_that_is_worse_by_luck_alone_passes() -> None:
    assert not names(verdicts(Gates(), noise=1))


def test_a_figure_may_have_to_reach_a_number() -> None:
    assert names(verdicts(Gates(at_least={"auc": 0.999}))) == {"auc"}
    assert not names(verdicts(Gates(at_least={"auc": 0.5})))


def test_too_many_alerts_and_too_few_are_refused() -> None:
    many = verdicts(Gates(), closer=10)
    assert names(many) == {"alert_rate"}
    assert "flags 5.0" in many["alert_rate"].said
    assert names(verdicts(Gates(alert_rate_at_least=0.01))) == {"alert_rate"}


def test_what_cannot_be_told_is_no_pass() -> None:
    assert names(verdicts(Gates(), fraud=None)) == {"average_precision", "auc"}
    unknown = Gates(groups=("age",), bounds={"alert_rate_ratio_at_least": 0.5})
    assert names(verdicts(unknown)) == {"alert_rate_ratio_at_least of age"}
    tolerant = verdicts(Gates(groups=unknown.groups, bounds=unknown.bounds, unknown="pass"))
    assert not names(tolerant)
    assert "cannot be told" in tolerant["alert_rate_ratio_at_least of age"].said


def test_a_disparity_that_may_be_chance_passes_and_is_said() -> None:
    """Thirty alerts in three groups of equals: below four fifths, and nobody is treated unequally."""
    options = Options(bootstrap=Bootstrap(resamples=60), smallest_alerts=5)
    column = np.random.default_rng(3).integers(0, 3, RECORDS)
    gates = Gates(groups=("region",), bounds={"alert_rate_ratio_at_least": 0.8})
    found = verdicts(gates, groups={"region": column}, options=options)
    assert not names(found)
    assert found["alert_rate_ratio_at_least of region"].said.endswith("beyond it, perhaps by chance")


def test_disparity_beyond_a_bound_is_refused() -> None:
    bounds = {"alert_rate_ratio_at_least": 0.5, "alert_rate_difference_at_most": 0.004}
    gates = Gates(groups=("region",), bounds=bounds)
    options = Options(bootstrap=Bootstrap(resamples=60), smallest_alerts=10)
    assert not names(verdicts(gates, groups={"region": REGION}, options=options))
    uneven = {"region": np.where(scores(0.5) > 0.99, "north", REGION)}
    found = verdicts(gates, groups=uneven, options=options)
    assert names(found) == {f"{bound} of region" for bound in bounds}
    assert "at least 0.5" in found["alert_rate_ratio_at_least of region"].said


def test_a_flaw_of_the_files_is_refused_in_its_own_words() -> None:
    found = verdicts(Gates(), flaws=["arrays.npy: is not the file"])
    assert names(found) == {"arrays"}
    assert found["arrays"].said == "arrays.npy: is not the file"


def read(content: Any) -> Gates:
    return read_gates(Keys(Path("model.yaml"), "gates", content))


def test_without_gates_there_are_the_usual_ones() -> None:
    assert read({}) == Gates()
    assert read({"average_precision": "no_worse", "auc": "no_worse"}) == Gates()


def test_gates_are_read() -> None:
    assert read(
        {
            "average_precision": {"at_least": 0.6},
            "alert_rate": {"flag_at": "p99", "at_most": 0.03, "at_least": 0.001},
            "disparity": {"groups": ["region"], "alert_rate_ratio_at_least": 0.5, "unknown": "pass"},
        }
    ) == Gates(
        at_least={"average_precision": 0.6},
        flag_at="p99",
        alert_rate_at_most=0.03,
        alert_rate_at_least=0.001,
        groups=("region",),
        bounds={"alert_rate_ratio_at_least": 0.5},
        unknown="pass",
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"alert_rates": {}}, r"gates\.alert_rates is no key here \(the nearest is alert_rate\)"),
        ({"auc": "better"}, r"gates\.auc should be no_worse"),
        ({"auc": {"at_least": 2}}, r"gates\.auc\.at_least should be a number from 0 to 1"),
        ({"alert_rate": {"at_most": "2 %"}}, r"gates\.alert_rate\.at_most should be a share"),
        ({"alert_rate": {"at_most": 0.1, "at_least": 0.2}}, r"at_least is 0.2, more than at_most, 0.1"),
        ({"alert_rate": {"flag_at": "99"}}, r"flag_at should be a percentile"),
        ({"alert_rate": {"flag_at": None}}, r"flag_at should be a percentile"),
        ({"disparity": {"groups": ["region"]}}, r"gates\.disparity should have groups and one of"),
        ({"disparity": {"alert_rate_ratio_at_least": 0.5}}, r"gates\.disparity should have groups"),
        ({"disparity": {"groups": ["region"], "auc_ratio": 1}}, r"auc_ratio is no key here"),
        ({"disparity": {"unknown": "passes"}}, r"unknown should be one of pass, refuse"),
    ],
)
def test_what_cannot_be_a_gate_is_refused_by_its_key(content: Any, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        read(content)


def test_a_spec_whose_gates_cannot_be_is_refused_when_it_is_read(tiny_folder: Path, tmp_path: Path) -> None:
    content = yaml.safe_load((tiny_folder / "model.yaml").read_text())
    assert load_spec(tiny_folder).gates.groups == ("region", "age_band")
    (tmp_path / "model.yaml").write_text(yaml.safe_dump(content | {"gates": {"alert_rat": {}}}))
    with pytest.raises(ModelError, match=r"gates\.alert_rat is no key here"):
        load_spec(tmp_path)
    (tmp_path / "model.yaml").write_text(yaml.safe_dump({**content, "groups": {"region": "country"}}))
    with pytest.raises(
        ModelError, match=r"disparity\.groups has age_band, no group of the spec; there are region"
    ):
        load_spec(tmp_path)
