"""A tiny model: the released spec in a small world, trained once for all tests."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from threadpoolctl import threadpool_limits

from models.sources import Simulated
from models.spec import Spec, load_spec
from models.training import Trained, train

RELEASED = Path(__file__).parents[2] / "models" / "payments_fraud"


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Gradient boosting starts threads for every tree, which costs more than trees this small."""
    with threadpool_limits(1, user_api="openmp"):
        yield


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the spec of a model that trains in a moment, two of its features learning shares."""
    content = yaml.safe_load((RELEASED / "model.yaml").read_text())
    content["features"] |= {
        "category": {"kind": "share", "of": "merchant_category"},
        "channel": {"kind": "share", "of": "channel"},
    }
    content["reads"] += ["merchant_category", "channel"]
    content["label"]["after_days"] = 2
    content["warm_up_days"] = 3
    content["estimator"] = {
        "kind": "blend",
        "blend": [
            {"kind": "random_forest", "n_estimators": 6, "max_leaf_nodes": 16},
            {"kind": "hist_gradient_boosting", "max_iter": 6},
        ],
    }
    content["simulator"] |= {
        "customers": 150,
        "terminals": 300,
        "days": 30,
        "burn_in_days": 4,
        "compromised_terminals_per_day": 0.4,
        "compromised_customers_per_day": 0.5,
    }
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "model.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return folder


@pytest.fixture(scope="session")
def spec(tiny_folder: Path) -> Spec:
    return load_spec(tiny_folder)


@pytest.fixture(scope="session")
def trained(spec: Spec) -> Trained:
    return train(spec, Simulated(spec), None, lambda _step, _done: None)


@pytest.fixture(scope="session")
def other(spec: Spec) -> Trained:
    """Trained alike, from another seed, on the same records."""
    return train(replace(spec, seed=1), Simulated(spec), None, lambda _step, _done: None)
