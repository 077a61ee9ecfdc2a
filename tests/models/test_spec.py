"""A spec that cannot be used says which key is wrong and what it should be."""

from pathlib import Path

import pytest
import yaml

from models.spec import load_spec
from processor.errors import ModelError

RELEASED = Path(__file__).parents[2] / "models" / "payments_fraud"


def changed(folder: Path, key: str, value: object) -> Path:
    content = yaml.safe_load((RELEASED / "model.yaml").read_text())
    *above, last = key.split(".")
    entry = content
    for part in above:
        entry = entry[part]
    entry[last] = value
    (folder / "model.yaml").write_text(yaml.safe_dump(content))
    return folder


def test_the_released_spec() -> None:
    spec = load_spec(RELEASED)
    assert spec.reads == ("amount", "created_at")
    assert [feature.name for feature in spec.features] == ["amount", "log_amount", "hour_sin", "hour_cos"]


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("model", "payments fraud", "model should be a name"),
        ("reads", ["amount"], r"reads should be the fields used: \['amount', 'created_at'\]"),
        ("reads", ["amount", "created_at", "email"], "reads should be the fields used"),
        ("features", {}, "features should be a map"),
        ("features.amount.kind", "square", r"features\.amount\.kind should be one of .*hour_cos"),
        ("features.amount.kind", ["log"], r"features\.amount\.kind should be one of"),
        ("features.amount.of", 5, r"features\.amount should be \{kind: number, of: <field>\}"),
        ("features.amount", "log", r"features\.amount\.kind should be"),
        ("estimator.kind", "oracle", r"estimator\.kind should be one of isolation_forest"),
        ("estimator.trees", 0, r"estimator\.trees should be 1 to 1000"),
        ("estimator.trees", True, r"estimator\.trees should be 1 to 1000"),
        ("estimator.samples", 1, r"estimator\.samples should be 2 to"),
        ("seed", "one", "seed should be 0 to"),
        ("holdout", 0.9, r"holdout should be a share from 0\.05 to 0\.5"),
        ("label", None, r"label\.field should be a field"),
        ("simulator.customers", -1, r"simulator\.customers should be"),
        ("simulator.start", "soon", r"simulator\.start should be a date in quotes"),
        (
            "simulator.compromised_terminals_per_day",
            "2",
            r"simulator\.compromised_terminals_per_day should be",
        ),
    ],
)
def test_a_wrong_key_is_named(tmp_path: Path, key: str, value: object, wanted: str) -> None:
    with pytest.raises(ModelError, match=rf"model\.yaml: {wanted}"):
        load_spec(changed(tmp_path, key, value))


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
