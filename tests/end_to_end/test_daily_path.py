"""The data scientist's path from one model to the next, on what the gate let out."""

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest

from tests.end_to_end.daily import clone

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("clone")
    clone(folder)
    walked = subprocess.run(
        [sys.executable, "-m", "tests.end_to_end.daily"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert walked.returncode == 0, walked.stderr[-5000:]
    return dict(json.loads(walked.stdout.splitlines()[-1]))


def average_precision(release: dict[str, Any]) -> tuple[float, float]:
    """Of the candidate, and of the model in use on the same records."""
    (said,) = [gate["said"] for gate in release["gates"] if gate["gate"] == "average_precision"]
    found = re.match(r"average precision ([0-9.]+), of the model in use ([0-9.]+) ", said)
    assert found, said
    return float(found[1]), float(found[2])


def test_everything_that_went_in_came_out(said: dict[str, Any]) -> None:
    for part in ("before", "used", "shadowed", "afterwards"):
        told = said[part]
        assert told["Records"] == told["EventsWritten"] == told["done"] > 0, part
        assert told["ProfilesMissed"] == told["ShadowBehind"] == 0, part
    assert said["before"]["done"] > 5_000


def test_each_model_scores_from_its_release_on(said: dict[str, Any]) -> None:
    first, second = said["released"], said["released_again"]
    assert first["released"]
    assert second["released"]
    assert first["against"] in said["before"]["models"]
    assert second["against"] == first["model"]
    models = [said[part]["models"] for part in ("used", "shadowed", "afterwards")]
    assert models == [[first["model"]], [first["model"]], [second["model"]]]


def test_a_model_of_events_alone_finds_no_less_on_the_days_after(said: dict[str, Any]) -> None:
    release = said["released_again"]
    assert (release["from"], release["to"]) == ("2026-10-11", "2026-10-20"), "days 41 to 50"
    assert release["records"] > 1_500
    ours, in_use = average_precision(release)
    assert ours >= in_use > 0.5


def test_the_candidate_flew_in_the_shadow_before_it_was_released(said: dict[str, Any]) -> None:
    told = said["shadowed"]
    both, alone, missed = (told[f"ShadowFlagged{how}"] for how in ("Too", "Alone", "Not"))
    assert both > 10 * alone
    assert both + missed == told["EventsFlagged"]
    assert not any(said["used"][f"ShadowFlagged{how}"] for how in ("Too", "Alone", "Not"))


def test_the_plan_shows_the_model_by_name_and_figures(said: dict[str, Any]) -> None:
    plan, release = said["plan"], said["released_again"]
    assert f"model {release['against']} → {release['model']}" in plan
    assert plan.index("average precision") < plan.index("Terraform will perform the following actions")
    assert re.search(r"shadow payments_fraud@\w+ → none", plan)
