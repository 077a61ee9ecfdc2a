"""The card says how each group of people is treated, in fairlearn's words, and names nobody."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from models import release
from models.card import card
from models.card_fairness import METRICS, fairness
from models.evaluation import Bootstrap
from models.evaluation import fairness as measured
from models.evaluation.intervals import Units
from models.spec import load_spec
from models.training import Trained
from processor.cli import main
from processor.scoring.artefact import read_manifest

ROOT = Path(__file__).parents[2]
RECORDS = 20_000
AT = np.arange(RECORDS)
FRAUD = AT % 50 == 0
FLAGGED = FRAUD & (AT % 100 == 0) | (AT % 211 == 0)


def content(column: Any, **more: Any) -> dict[str, Any]:
    told = measured(column, FLAGGED, FRAUD, units=Units.over(RECORDS, AT), bootstrap=Bootstrap(40))
    group = {"of": "`address.country`", "field": "address.country"} | told
    return {"reads": ["amount"], "figures": {"flag_at": "p99.5", "groups": {"region": group}}} | more


def test_each_group_has_its_rates_with_intervals_and_fairlearns_metrics() -> None:
    made = content(np.array(["GR", "SE"])[AT // 7 % 2])
    text = fairness(made)
    told = made["figures"]["groups"]["region"]
    row = next(line for line in text.splitlines() if line.startswith("| GR |"))
    rate = told["groups"]["GR"]["alert_rate"]
    assert f"{rate['value']:.2%} ({rate['low']:.2%} to {rate['high']:.2%})" in row
    assert row.count(" to ") == 3
    for metric in METRICS:
        assert metric.replace("_", " ") in text
    ratio = told["disparity"]["demographic_parity_ratio"]
    assert f"{ratio['value']:.3f} ({ratio['low']:.3f} to {ratio['high']:.3f})" in text
    assert "It reads none of these fields" in text


def test_a_value_of_few_people_is_not_on_the_card() -> None:
    column = np.where(AT < 19, "Pitcairn", np.where(AT < 45, "Nauru", np.array(["GR", "SE"])[AT % 2]))
    text = fairness(content(column))
    assert "Pitcairn" not in text
    assert "Nauru" not in text, "of 45 people in all, it would tell of the 19"
    assert "(other)" in text


def test_a_rate_that_is_not_compared_has_an_asterisk() -> None:
    text = fairness(content(np.where(AT < 200, "SE", "GR")))
    assert next(line for line in text.splitlines() if line.startswith("| SE |")).count(r"\*") == 3
    assert next(line for line in text.splitlines() if line.startswith("| GR |")).count(r"\*") == 0
    assert "| not known |" in text


def test_a_value_cannot_draw_on_the_card() -> None:
    text = fairness(content(np.where(AT % 2 == 0, "a|b\n<img>", "GR")))
    assert r"| a\|b \<img\> |" in text


def test_a_field_that_the_model_reads_is_said_to_be() -> None:
    assert "It reads `address.country` itself" in fairness(
        content(np.array(["GR", "SE"])[AT % 2], reads=["address.country"])
    )


def test_without_groups_the_card_says_so() -> None:
    assert fairness({"reads": [], "figures": {"records": 0}}).startswith("Not known")


def test_a_trained_model_has_its_groups_in_manifest_card_and_evaluation(
    trained: Trained, tiny_folder: Path, tmp_path: Path
) -> None:
    text = (tiny_folder / "model.yaml").read_bytes()
    manifest = release.write(trained, text, tmp_path / "model")
    told = manifest.content["figures"]["groups"]
    assert set(told) == {"region", "age_band"}
    assert (
        sum(group["records"] for group in told["age_band"]["groups"].values()) == trained.figures["records"]
    )
    assert "## Whom it troubles" in card(manifest.content)
    assert "**Age band**: age by `birth_date`" in (tmp_path / "model/MODEL_CARD.md").read_text()
    answer = json.loads(
        CliRunner().invoke(main, ["model", "evaluate", str(tmp_path / "model"), "--json"]).stdout
    )
    evaluated = answer["figures"]["groups"]
    for name, group in told.items():
        assert {value: row["records"] for value, row in group["groups"].items()} == {
            value: row["records"] for value, row in evaluated[name]["groups"].items()
        }
        assert set(METRICS) <= set(evaluated[name]["disparity"])
    assert read_manifest(tmp_path / "model").content["figures"]["groups"] == told


LET_OUT = {"keep": None, "generalize": "to"}


def test_groups_of_the_released_spec_are_fields_that_its_policy_lets_out_in_that_form() -> None:
    spec = load_spec(ROOT / "models/payments_fraud")
    fields = yaml.safe_load((ROOT / "policies/payments.yaml").read_text())["fields"]
    assert set(spec.groups) == {"region", "age_band"}
    for name, group in spec.groups.items():
        rule = fields[group.of]
        assert rule["action"] in LET_OUT, f"{name}: {group.of} is not let out"
        form = rule.get("to")
        assert (group.to, bool(group.bands)) == ((None, True) if form == "year" else (form, False)), (
            f"{name} is not what the policy makes of {group.of}"
        )
        assert max(group.bands, default=0) <= rule.get("top", 150)


@pytest.mark.parametrize("name", ["region", "age_band"])
def test_the_released_model_reads_no_field_of_its_groups(name: str) -> None:
    spec = load_spec(ROOT / "models/payments_fraud")
    assert spec.groups[name].of not in spec.reads
    assert name in spec.gates.groups
