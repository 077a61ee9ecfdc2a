"""Local time in the function: from the table in the manifest alone, as strictly read as the rest of it."""

import json
import math
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from processor.entities import editions
from processor.scoring.features import FIELD_KINDS, Feature, FeatureSet, Memory, Step, Zone, describe, restore
from processor.scoring.profiles import Profile

RELEASED = Path(__file__).parents[2] / "models" / "payments_fraud"
SUMMER = int(datetime.fromisoformat("2026-03-29T01:00:00Z").timestamp())
BERLIN = Zone("Europe/Berlin", ((0, 3_600), (SUMMER, 7_200)))
TOKYO = Zone("Asia/Tokyo", ((0, 32_400),))


def content(**changes: Any) -> dict[str, Any]:
    """A manifest's entries of one feature in Berlin."""
    return {**describe(FeatureSet([Feature("night", "night", "at", zone=BERLIN)])), **changes}


def test_zones_of_one_field_and_utc_stay_apart() -> None:
    features = FeatureSet(
        [
            Feature("utc", "night", "at"),
            Feature("berlin", "night", "at", zone=BERLIN),
            Feature("tokyo", "night", "at", zone=TOKYO),
            Feature("saturday_in_tokyo", "weekend", "at", zone=TOKYO),
            Feature("other", "night", "then", zone=BERLIN),
            Feature("plain", "number", "at"),
        ]
    )
    images = [
        {"at": "2026-03-27T23:30:00Z", "then": "2026-03-28T04:59:59Z"},  # a Friday in UTC, 5:59:59 in Berlin
        {"at": "2026-03-29T04:30:00Z", "then": "2026-03-29T04:00:00Z"},  # summer: 6:30 and 6:00 in Berlin
        {"at": None},
    ]
    found = features.measure([Step(None, image) for image in images], Memory())
    nan = math.nan
    expected = [[0, 1, 0, 1, 1, nan], [1, 0, 0, 1, 0, nan], [nan] * 6]
    assert np.array_equal(found, np.array(expected), equal_nan=True)


def test_what_is_before_the_table_has_its_first_offset_and_what_is_after_it_the_last() -> None:
    zone = Zone("Some/Where", ((100 * 86_400, 7 * 3_600), (200 * 86_400, 0)))
    features = FeatureSet([Feature("night", "night", "at", zone=zone)])
    steps = [Step(None, {"at": second}) for second in (0, 200 * 86_400 - 1, 200 * 86_400, 10**11)]
    seven, last, midnight, year_5138 = (bool(one) for one in features.measure(steps, Memory())[:, 0])
    assert (seven, last, midnight) == (False, False, True)
    assert year_5138 is (10**11 % 86_400 < 6 * 3_600)


def test_a_zone_comes_back_from_json() -> None:
    again = restore(json.loads(json.dumps(content())))
    assert again.features[0].zone == BERLIN
    assert describe(again) == content()


@pytest.mark.parametrize("kind", sorted(FIELD_KINDS))
def test_only_moments_are_told_in_a_zone(kind: str) -> None:
    entry = {"name": "f", "kind": kind, "of": "at", "zone": "Europe/Berlin", "median": None}
    if kind in {"hour_sin", "hour_cos", "night", "weekend"}:
        assert restore(content(features=[entry])).features[0].zone == BERLIN
    else:
        with pytest.raises(ValueError, match=f"of kind '{kind}' in a zone"):
            restore(content(features=[entry]))


@pytest.mark.parametrize(
    "table",
    [
        [],
        [[0, 3_600], [0, 7_200]],
        [[10, 3_600], [0, 7_200]],
        [[0, 90_000]],
        [[0, 3_600.5]],
        [[0.0, 3_600]],
        [[True, 3_600]],
        [[0, "3600"]],
        [[0, None]],
        [[0]],
        [[0, 1, 2]],
        [0, 1],
        None,
        [[second, 0] for second in range(501)],
    ],
)
def test_a_table_that_is_none_is_refused(table: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        restore(content(zones={"Europe/Berlin": table}))


def test_a_zone_without_a_table_is_refused() -> None:
    with pytest.raises(KeyError):
        restore(content(zones={"Asia/Tokyo": [[0, 32_400]]}))


def test_a_model_without_zones_keeps_its_bytes() -> None:
    released = json.loads((RELEASED / "manifest.json").read_text())
    again = describe(restore(released))
    assert "zones" not in again
    assert json.dumps(again) == json.dumps({key: released[key] for key in again})


def test_a_zone_changes_no_profile() -> None:
    profile = Profile("customer", "customer_id", (30,))
    told = [
        FeatureSet(
            [Feature("n", "night", "at", zone=zone), Feature("c", "count", profile="customer", days=(30,))],
            [profile],
            "at",
        )
        for zone in (None, BERLIN)
    ]
    assert editions(told[0]) == editions(told[1])


def test_serving_needs_no_time_zone_data() -> None:
    program = (
        "import sys, processor.scoring.artefact, json\n"
        "from processor.scoring.features import restore\n"
        f"restore(json.loads({json.dumps(content())!r}))\n"
        "sys.exit('zoneinfo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
