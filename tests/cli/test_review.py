"""`tidegate review`: what a plan changes of policy and model, for people and for scripts."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from processor.cli import main
from processor.review.release import release_of
from tests.packages import MASKED, POLICY, WIDER, manifest, package, planned, released

BETTER = manifest(
    figures={"average_precision": 0.7512, "auc": 0.871, "alert_rate": 0.005, "flag_at": "p99.5"},
    training={"from": "2026-06-27T00:00:00Z", "to": "2026-08-08T00:00:00Z", "records": 500_000, "frauds": 1},
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of Terraform, beside which are policies and models."""
    (tmp_path / "terraform").mkdir()
    (tmp_path / "policies").mkdir()
    return tmp_path / "terraform"


def run(root: Path, plan: dict[str, Any], *options: str) -> Result:
    return CliRunner().invoke(main, ["review", "--root", str(root), *options], input=json.dumps(plan))


def shown(root: Path, old: Path | None, new: Path | None, **options: Any) -> list[str]:
    """The lines that people see, their columns squeezed."""
    found = run(root, planned(root, old, new, **options))
    assert found.exit_code == 0, found.output
    return [re.sub("  +", " | ", line.strip()) for line in found.output.splitlines()]


def model_id(zipped: Path) -> str:
    name: str = release_of(zipped)["model"]["id"]
    return name


def test_a_wider_policy_is_shown_as_wider(root: Path) -> None:
    old, new = package(root / "old/cards.zip"), package(root / "new/cards.zip", WIDER)
    lines = shown(root, old, new)
    assert lines[0] == "cards: changes: policy (1 wider)"
    assert "policy cards, version 3 → 4: + wider, - narrower, ~ neither" in lines
    assert [line for line in lines if line.startswith("+ | card | exposure")]
    assert "Plan: 1 wider, 0 narrower, 0 neutral." in lines


def test_and_the_other_way_round_as_narrower(root: Path) -> None:
    old, new = package(root / "old/cards.zip", WIDER), package(root / "new/cards.zip")
    lines = shown(root, old, new)
    assert lines[0] == "cards: changes: policy"
    assert [line for line in lines if line.startswith("- | card | exposure")]
    assert "Plan: 0 wider, 1 narrower, 0 neutral." in lines


def test_what_somebody_answers_for_is_said_with_the_reason(root: Path) -> None:
    old = package(root / "old/cards.zip")
    bare = run(root, planned(root, old, package(root / "new/cards.zip", WIDER)), "--json")
    change = json.loads(bare.stdout)["streams"]["cards"]["policy"]["change"]
    (wider,) = change["differences"]
    words = f"{wider['subject']}, {wider['aspect']}: {wider['before']} → {wider['after']}"
    allowed = {"reason": "the desk asked", "before": change["old"]["sha256"], "fields": [words]}
    new = package(root / "new/cards.zip", WIDER, allowed=allowed)
    assert "Wider by intent: the desk asked" in shown(root, old, new)
    other = package(root / "new/cards.zip", WIDER, allowed=allowed | {"before": "0" * 64})
    assert "Wider by intent: the desk asked" not in shown(root, old, other), "it is about another change"


def test_a_model_is_shown_by_name_and_figures(root: Path) -> None:
    old = package(root / "old/cards.zip", model=manifest())
    new = package(root / "new/cards.zip", model=BETTER | {"release": released(model_id(old))})
    lines = shown(root, old, new)
    assert lines[0] == "cards: changes: model"
    assert "policy: as before (cards, version 3)" in lines
    assert f"model {model_id(old)} → {model_id(new)}" in lines
    for line in (
        "average precision | 0.7276 | 0.7512",
        "AUC | 0.8656 | 0.8710",
        "alert rate | 0.34% at p99.5 | 0.50% at p99.5",
        "trained on | 402,490 records, 3,614 frauds | 500,000 records, 1 fraud",
        "from, to | 2026-05-27 to 2026-07-08 | 2026-06-27 to 2026-08-08",
        "data | 86310698a07e | -",
        "gates | none | 2 of 2 passed",
        "Both on the same later 30,000 records, 2026-07-20 to 2026-08-03:",
        "average precision 0.750, of the model in use 0.728 (difference +0.004 to +0.041)",
    ):
        assert line in lines


def test_figures_of_other_records_are_said_to_be(root: Path) -> None:
    old = package(root / "old/cards.zip", model=manifest())
    lines = shown(
        root, old, package(root / "a/cards.zip", model=BETTER | {"release": released("cards_fraud@0000")})
    )
    assert "Its gates compared it with cards_fraud@0000, not with the one in force." in lines
    assert "Each was measured on records later than its own training: not the same ones." in lines
    lines = shown(root, old, package(root / "b/cards.zip", model=BETTER))
    assert "It went through no gates: tidegate model release takes a candidate through them." in lines


def test_a_forced_release_says_past_what_and_why(root: Path) -> None:
    old = package(root / "old/cards.zip", model=manifest())
    forced = {"reason": "labels are late this month", "gates": ["average_precision"]}
    gone = BETTER | {"release": released(model_id(old), passed=False), "forced": forced}
    lines = shown(root, old, package(root / "new/cards.zip", model=gone))
    assert "gates | none | forced past average_precision" in lines
    assert "Forced past average_precision: labels are late this month" in lines


def test_a_shadow_is_shown_in_a_line(root: Path) -> None:
    old = package(root / "old/cards.zip", model=manifest())
    new = package(root / "new/cards.zip", model=manifest(), shadow=BETTER)
    lines = shown(root, old, new)
    assert lines[0] == "cards: changes: shadow"
    (line,) = [line for line in lines if line.startswith("shadow ")]
    assert re.fullmatch(
        r"shadow cards_fraud@[0-9a-f]{12}: average precision 0.7512, AUC 0.8710, .*0.50% at p99.5", line
    )
    assert [line for line in shown(root, new, old) if re.fullmatch(r"shadow cards_fraud@\w+ → none", line)]


def test_the_first_apply_shows_what_is_to_come(root: Path) -> None:
    new = package(root / "new/cards.zip", model=manifest())
    lines = shown(root, None, new)
    assert lines[0] == f"cards: first apply: policy cards, version 3, model {model_id(new)}"
    assert "average precision | 0.7276" in lines


def test_no_change_is_one_line(root: Path) -> None:
    same = package(root / "new/cards.zip", model=manifest())
    name = model_id(same)
    assert shown(root, same, same) == [f"cards: no change: policy cards, version 3, model {name}"]


def test_code_alone_and_a_stream_that_goes_are_named(root: Path) -> None:
    old = package(root / "old/cards.zip")
    assert shown(root, old, package(root / "new/cards.zip", code="x"))[0] == "cards: changes: code alone"
    assert shown(root, old, None)[0] == "cards: is taken down: policy cards, version 3"


def test_what_ran_before_there_was_a_record_is_not_guessed(root: Path) -> None:
    old, new = package(root / "old/cards.zip"), package(root / "new/cards.zip", WIDER)
    lines = shown(root, old, new, recorded=False)
    assert lines[0] == "cards: to come: policy cards, version 4"
    assert "What is in force is not known" in lines[1]


def test_a_record_that_is_not_of_what_runs_is_doubted(root: Path) -> None:
    old, new = package(root / "old/cards.zip"), package(root / "new/cards.zip", WIDER)
    plan = planned(root, old, new)
    plan["resource_changes"][1]["change"]["before"]["source_code_hash"] = "of another package"
    assert "may not be so" in run(root, plan).output
    assert "may not be so" not in run(root, planned(root, old, new)).output


def test_a_zip_that_is_older_than_what_it_is_made_of_is_named(root: Path) -> None:
    new = package(root / "new/cards.zip", model=manifest())
    policy, model = root.parent / "policies/cards.yaml", root.parent / "models/cards_fraud/manifest.json"
    policy.write_text(POLICY)
    model.parent.mkdir(parents=True)
    model.write_text(json.dumps(manifest()))
    assert not [line for line in shown(root, None, new) if "make package" in line]
    policy.write_text(POLICY.replace("card: redact", MASKED))
    model.write_text(json.dumps(BETTER))
    assert [line for line in shown(root, None, new) if "make package" in line] == [
        "The package holds another policy than cards.yaml is now: make package",
        "The package holds another model than models/cards_fraud does now: make package",
    ]


def test_a_zip_built_since_the_plan_and_one_that_is_gone_are_named(root: Path) -> None:
    new = package(root / "new/cards.zip")
    plan = planned(root, None, new)
    package(new, code="something else")
    assert "was built anew since this plan was made" in run(root, plan).output
    new.write_bytes(b"no zip")
    assert "is no package of a stream" in run(root, plan).output
    new.unlink()
    found = run(root, plan)
    assert (found.exit_code, found.output.splitlines()[0]) == (0, "cards: first apply: not known")
    assert "What is to come is not known" in found.output


def test_a_policy_that_this_version_cannot_read_stops_nothing(root: Path) -> None:
    old, new = package(root / "old/cards.zip"), package(root / "new/cards.zip", WIDER)
    plan = planned(root, old, new)
    plan["output_changes"]["deployed"]["before"]["cards"]["policy"]["compiled"] = '{"format": "of old"}'
    found = run(root, plan)
    assert found.exit_code == 0
    assert "policy cards, version 3 → 4: cannot be compared" in found.output
    assert json.loads(run(root, plan, "--json").stdout)["streams"]["cards"]["policy"]["change"] is None


def test_scripts_get_the_same_and_no_policy_s_text(root: Path) -> None:
    old = package(root / "old/cards.zip", model=manifest())
    new = package(root / "new/cards.zip", WIDER, BETTER)
    cards = json.loads(run(root, planned(root, old, new), "--json").stdout)["streams"]["cards"]
    assert (cards["standing"], cards["changed"]) == ("changed", ["policy", "model"])
    assert cards["policy"]["change"]["wider"] == 1
    assert cards["policy"]["new"].keys() == {"name", "version", "sha256"}
    assert cards["model"]["old"]["figures"]["average_precision"] == 0.7276
    assert cards["model"]["new"]["id"] == model_id(new)
    assert cards["shadow"] == {"old": None, "new": None}


@pytest.mark.parametrize(
    "given",
    ["", b"PK\x03\x04\xff", "[" * 200_000, "[]", "{}", '{"output_changes": {}, "resource_changes": [1]}'],
)
def test_what_is_no_plan_is_refused(root: Path, given: str | bytes) -> None:
    found = CliRunner().invoke(main, ["review", "--root", str(root)], input=given)
    assert found.exit_code == 2
    assert "tidegate: th" in found.output
    assert "Traceback" not in found.output


def aliased(root: Path, before: dict[str, Any], after: dict[str, Any], *, newer: bool = True) -> str:
    """What is shown of a plan whose alias does not simply point to version 5, the newest."""
    old = package(root / "old/cards.zip")
    plan = planned(root, old, package(root / "new/cards.zip", WIDER) if newer else old)
    plan["resource_changes"][1]["change"]["before"]["version"] = "5"
    change = {"before": {"description": "", "routing_config": [], **before}, "after": after}
    address = 'module.stream["cards"].aws_lambda_alias.live'
    plan["resource_changes"].append({"address": address, "change": change})
    return run(root, plan).output


NO_CANARY: list[dict[str, Any]] = [{"additional_version_weights": {}}]
CANARY = [{"additional_version_weights": {"5": 0.1}}]


def test_a_stream_that_was_rolled_back_is_said_to_be(root: Path) -> None:
    back = {
        "function_version": "4",
        "description": "Rolled back 2026-11-23T10:12Z from version 5 to version 4: rang",
    }
    said = aliased(root, back, {"function_version": "5"}, newer=False)
    assert said.startswith("cards: was rolled back, and would be in force again: policy cards, version 3")
    assert "The stream is sent to version 4, not to the newest one, 5. Rolled back 2026-11-23T10:12Z" in said
    assert "An apply sends all of it to the newest version." in said
    mended = aliased(root, back, {"function_version": "6"})
    assert mended.startswith("cards: changes: policy (1 wider)")
    assert "What is compared below is with version 5, which the last apply put in force." in mended


def test_weights_of_nothing_are_no_canary(root: Path) -> None:
    back = {"function_version": "4", "routing_config": NO_CANARY}
    said = aliased(root, back, {"function_version": "5"}, newer=False)
    assert said.startswith("cards: was rolled back")
    assert "A canary runs" not in said


def test_a_canary_that_runs_is_said_to_be(root: Path) -> None:
    said = aliased(root, {"function_version": "4", "routing_config": CANARY}, {"function_version": "5"})
    assert "A canary runs: 10% of the batches go to version 5, the rest to 4." in said
    assert "An apply sends all of it to the newest version." in said


def test_a_canary_that_begins_is_said_to(root: Path) -> None:
    said = aliased(root, {"function_version": "5"}, {"function_version": "5", "routing_config": CANARY})
    assert "This apply begins a canary: most batches stay with version 5." in said
    assert "An apply sends" not in said


def test_of_a_stream_that_goes_to_the_newest_version_nothing_is_said(root: Path) -> None:
    said = aliased(root, {"function_version": "5"}, {"function_version": "5"})
    assert "version 5" not in said
