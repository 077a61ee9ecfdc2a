"""A spec that cannot be used says which key is wrong and what it should be."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from models.spec import load_spec
from processor.errors import ModelError

RELEASED = Path(__file__).parents[2] / "models" / "payments_fraud"
MISSING = object()


def changed(folder: Path, key: str, value: object) -> Path:
    content = yaml.safe_load((RELEASED / "model.yaml").read_text())
    content["profiles"]["customer"]["days"] = [7, 90]
    content["features"]["customer_shift"] = {"kind": "shift", "profile": "customer", "days": [7, 90]}
    *above, last = key.split(".")
    entry: Any = content
    for part in above:
        entry = entry[int(part) if part.isdigit() else part]
    if value is MISSING:
        del entry[last]
    else:
        entry[last] = value
    (folder / "model.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return folder


def test_the_released_spec() -> None:
    spec = load_spec(RELEASED)
    assert set(spec.reads) == {"amount", "created_at", "customer_id", "terminal_id", "status"}
    assert set(spec.features.reads) == set(spec.reads)
    assert len(spec.features.names) == 10
    assert [member.kind for member in spec.estimator.members] == [
        "random_forest",
        "extra_trees",
        "hist_gradient_boosting",
    ]
    terminal = spec.features.profiles[-1]
    assert (terminal.feature, terminal.labels, terminal.label_days) == ("customer_excess_90d", True, 7)
    assert spec.numbers == {"amount"}


def test_another_delay_reaches_the_profiles() -> None:
    spec = load_spec(RELEASED).with_delay(3)
    assert spec.label.after_days == 3
    assert [one.label_days for one in spec.features.profiles] == [0, 0, 3]


def test_a_search_has_its_combinations(tmp_path: Path) -> None:
    searched = {"kind": "extra_trees", "search": {"max_depth": [4, 8], "min_samples_leaf": [5, 10, 20]}}
    choices = list(load_spec(changed(tmp_path, "estimator", searched)).estimator.choices())
    assert len(choices) == 6
    assert choices[0] == {"max_depth": 4, "min_samples_leaf": 5}


FOREST = {"kind": "random_forest"}


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("model", "payments fraud", "model should be a name"),
        ("modle", "x", r"modle is no key here \(the nearest is model\)"),
        ("time", MISSING, "time should be the field that says when"),
        ("reads", ["amount"], "reads lacks created_at, customer_id, terminal_id, status"),
        (
            "reads",
            ["amount", "created_at", "customer_id", "terminal_id", "status", "email"],
            "reads has email, which nothing uses",
        ),
        ("features", {}, "features should be a map"),
        ("features.amount", "log", r"features\.amount should be a map"),
        ("features.amount.kind", "square", r"features\.amount\.kind should be one of .*hour_cos"),
        ("features.amount.kind", "numbr", r"\(the nearest is number\)"),
        ("features.amount.kind", ["log"], r"features\.amount\.kind should be one of"),
        ("features.amount.of", 5, r"features\.amount\.of should be the field, a number"),
        ("features.amount.days", 5, r"features\.amount\.days is no key here"),
        ("features.terminal_risk_30d.days", 29, r"terminal_risk_30d\.days should be one of 30"),
        ("features.terminal_risk_30d.days", MISSING, r"terminal_risk_30d\.days should be one of 30"),
        ("features.terminal_risk_30d.weight", 0, r"terminal_risk_30d\.weight should be more than 0"),
        ("features.terminal_risk_30d.typical", "low", r"terminal_risk_30d\.typical should be a number"),
        ("features.terminal_risk_30d.wieght", 1, r"wieght is no key here \(the nearest is weight\)"),
        ("features.terminal_risk_30d.profile", "customer", r"is customer, of which risk counts confirmed"),
        ("features.terminal_risk_30d.profile", "termnal", r"a profile: .*\(the nearest is terminal\)"),
        ("features.customer_shift.days", [90, 7], r"should have the shorter window first"),
        ("features.customer_shift.days", [7], r"should be 2, the shorter first, of 7, 90"),
        ("features.terminal_run_age.days", 7, r"terminal_run_age\.days is no key here"),
        ("features.n", {"kind": "distinct", "profile": "customer", "days": 7}, "give it `counterpart`"),
        ("profiles.customer.days", [], r"profiles\.customer\.days should be mean lives"),
        ("profiles.customer.days", [7, 7], r"profiles\.customer\.days should be mean lives"),
        ("profiles.customer.entity", 1, r"profiles\.customer\.entity should be the field"),
        ("profiles.customer.value", MISSING, r"is customer, of which log_ratio sums something up"),
        ("profiles.customer.labels", "yes", r"profiles\.customer\.labels should be true or false"),
        ("profiles.terminal.value", "amount", r"profiles\.terminal\.feature is summed up beside `value`"),
        ("profiles.terminal.feature", "customer_log_ratio", r"the nearest is customer_log_ratio_90d"),
        ("profiles.terminal.feature", "terminal_run_age", r"a profile that stands before terminal"),
        ("profiles.terminal.feature", "amount", r"a profile that stands before terminal"),
        ("label", MISSING, "label should be a map"),
        ("label.equals", None, r"label\.equals should be the value"),
        ("label.after_days", -1, r"label\.after_days should be after how many days"),
        ("label.afterdays", 7, r"label\.afterdays is no key here \(the nearest is after_days\)"),
        ("estimator.kind", "oracle", r"estimator\.kind should be one of .*isolation_forest"),
        ("estimator.blend", [FOREST], r"estimator\.blend should be a list of 2 to 5"),
        ("estimator.blend.0.n_estimators", 0, r"estimator\.blend\[0\]\.n_estimators should be 1 to 1000"),
        ("estimator.blend.0.n_estimators", True, r"estimator\.blend\[0\]\.n_estimators should be 1 to 1000"),
        ("estimator.blend.0.n_estimator", 5, r"the nearest is n_estimators"),
        ("estimator.blend.0.kind", "isolation_forest", r"estimator\.blend\[0\]\.kind should be one of"),
        ("estimator.blend.0.weight", 0, r"estimator\.blend\[0\]\.weight should be 0\.01 to 100"),
        ("estimator.blend.2.learning_rate", 2, r"learning_rate should be 0\.001 to 1"),
        ("estimator", {**FOREST, "search": {"max_depth": 3}}, r"search\.max_depth should be a list, each"),
        ("estimator", {**FOREST, "search": {"depth": [3]}}, r"search\.depth is no key here"),
        ("estimator", {**FOREST, "max_depth": 3, "search": {"max_depth": [3]}}, "is searched and set"),
        (
            "estimator",
            {**FOREST, "search": {"max_depth": [*range(1, 12)], "min_samples_leaf": [1, 2, 3]}},
            r"estimator\.search has more than 32 combinations",
        ),
        ("groups", "region", "groups should be a map"),
        ("seed", "one", "seed should be 0 to"),
        ("holdout", 0.9, r"holdout should be a share from 0\.05 to 0\.5"),
        ("simulator.customers", -1, r"simulator\.customers should be"),
        ("simulator.start", "soon", r"simulator\.start should be a date in quotes"),
        ("simulator.compromised_terminals_per_day", "2", "compromised_terminals_per_day should be"),
    ],
)
def test_a_wrong_key_is_named(tmp_path: Path, key: str, value: object, wanted: str) -> None:
    with pytest.raises(ModelError, match=wanted) as raised:
        load_spec(changed(tmp_path, key, value))
    assert str(raised.value).startswith(f"{tmp_path}/model.yaml: ")


def test_a_date_without_quotes_is_a_date_with_the_right_form_named(tmp_path: Path) -> None:
    text = (RELEASED / "model.yaml").read_text().replace('"2026-04-01"', "2026-04-01")
    (tmp_path / "model.yaml").write_text(text)
    with pytest.raises(
        ModelError, match=r'simulator\.start should be a date in quotes, such as "2026-04-01"'
    ):
        load_spec(tmp_path)


@pytest.mark.parametrize(
    ("data", "wanted"),
    [(b"a: [", "is no YAML"), (b"\xff\xfe", "is no YAML"), (b"- a", "holds no keys"), (b"", "holds no")],
)
def test_a_file_that_is_no_spec(tmp_path: Path, data: bytes, wanted: str) -> None:
    (tmp_path / "model.yaml").write_bytes(data)
    with pytest.raises(ModelError, match=wanted):
        load_spec(tmp_path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.yaml: cannot be read"):
        load_spec(tmp_path)
