"""Local time in a spec: the table that goes with the model tells the hour that the zone's own data tells."""

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from models.spec import load_spec, zones
from models.spec.zones import table_of
from processor.errors import ModelError
from processor.scoring.features import Feature, FeatureSet, Memory, Step, describe, restore

RELEASED = Path(__file__).parents[2] / "models" / "payments_fraud"
NAMES = (  # north, south, half hours, Ramadan, a day left out, none, zones that moved
    *("Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Kolkata", "Australia/Lord_Howe"),
    *("Africa/Casablanca", "Pacific/Apia", "UTC", "Europe/Istanbul", "America/Caracas", "Asia/Kathmandu"),
)
FIRST = int(datetime(1990, 1, 1, tzinfo=UTC).timestamp())
END = int(datetime(2041, 1, 1, tzinfo=UTC).timestamp())
KINDS = ("hour_sin", "hour_cos", "night", "weekend")


@st.composite
def moments_of_zones(draw: st.DrawFn) -> tuple[str, list[int]]:
    """A zone, and seconds of which half are within a minute or a day of a change of its clocks."""
    name = draw(st.sampled_from(NAMES))
    near = st.one_of(
        *(
            st.builds(
                lambda change, gap: min(max(change[0] + gap, FIRST), END - 1),
                st.sampled_from(table_of(name).changes),
                st.integers(-reach, reach),
            )
            for reach in (60, 86_400)
        )
    )
    return name, draw(st.lists(st.one_of(st.integers(FIRST, END - 1), near), min_size=1, max_size=20))


@given(moments_of_zones())
def test_the_local_hour_is_the_one_of_the_zones_own_data(drawn: tuple[str, list[int]]) -> None:
    name, seconds = drawn
    features = FeatureSet([Feature(kind, kind, "at", zone=table_of(name)) for kind in KINDS])
    found = features.measure([Step(None, {"at": second}) for second in seconds], Memory())
    for second, row in zip(seconds, found, strict=True):
        local = datetime.fromtimestamp(second, ZoneInfo(name))
        angle = (local.hour * 3_600 + local.minute * 60 + local.second) * 2 * math.pi / 86_400
        assert row[0] == pytest.approx(math.sin(angle), abs=1e-6), (name, second)
        assert row[1] == pytest.approx(math.cos(angle), abs=1e-6), (name, second)
        assert (row[2], row[3]) == (local.hour < 6, local.weekday() >= 5), (name, second)


@pytest.mark.parametrize("name", NAMES)
def test_a_table_changes_at_the_second_at_which_the_zone_does(name: str) -> None:
    changes = table_of(name).changes
    assert changes[0][0] == FIRST
    for (_, before), (second, after) in pairwise(changes):
        assert before != after
        gaps = [datetime.fromtimestamp(at, ZoneInfo(name)).utcoffset() for at in (second - 1, second)]
        assert gaps == [timedelta(seconds=before), timedelta(seconds=after)], second


def test_a_summer_and_a_winter_in_berlin() -> None:
    changes = dict(table_of("Europe/Berlin").changes)
    assert changes[int(datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp())] == 7_200
    assert changes[int(datetime(2026, 10, 25, 1, tzinfo=UTC).timestamp())] == 3_600
    assert len(changes) == 103  # the first second's, and two a year


def with_features(folder: Path, features: dict[str, dict[str, object]]) -> Path:
    content = yaml.safe_load((RELEASED / "model.yaml").read_text())
    content["features"] |= features
    (folder / "model.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return folder


def test_zones_of_a_spec_reach_the_manifest_once_and_come_back(tmp_path: Path) -> None:
    wanted = {
        "sin": {"kind": "hour_sin", "of": "created_at", "zone": "Europe/Berlin"},
        "cos": {"kind": "hour_cos", "of": "created_at", "zone": "Europe/Berlin"},
        "night": {"kind": "night", "of": "created_at", "zone": "Asia/Tokyo"},
        "weekend": {"kind": "weekend", "of": "created_at"},
    }
    features = load_spec(with_features(tmp_path, wanted)).features
    content = describe(features)
    assert list(content["zones"]) == ["Europe/Berlin", "Asia/Tokyo"]
    assert [one.get("zone") for one in content["features"]][-4:] == [
        *("Europe/Berlin", "Europe/Berlin", "Asia/Tokyo"),
        None,
    ]
    again = restore(content)
    assert [one.zone for one in again.features] == [one.zone for one in features.features]
    assert describe(again) == content


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        (
            {"kind": "night", "of": "created_at", "zone": "Europe/Berln"},
            r"features\.f\.zone is 'Europe/Berln', no time zone .*\(the nearest is Europe/Berlin\)",
        ),
        ({"kind": "night", "of": "created_at", "zone": "../etc/passwd"}, r"features\.f\.zone is '\.\./etc"),
        ({"kind": "night", "of": "created_at", "zone": 1}, r"features\.f\.zone should be a time zone of"),
        ({"kind": "night", "of": "created_at", "zone": None}, r"features\.f\.zone should be a time zone of"),
        ({"kind": "log", "of": "amount", "zone": "UTC"}, r"features\.f\.zone is no key here"),
        ({"kind": "run_age", "profile": "terminal", "zone": "UTC"}, r"features\.f\.zone is no key here"),
    ],
)
def test_a_zone_that_cannot_be(tmp_path: Path, entry: dict[str, object], wanted: str) -> None:
    with pytest.raises(ModelError, match=wanted):
        load_spec(with_features(tmp_path, {"f": entry}))


def test_a_machine_without_time_zone_data_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zones, "available_timezones", set)
    folder = with_features(tmp_path, {"f": {"kind": "night", "of": "created_at", "zone": "Europe/Berlin"}})
    with pytest.raises(ModelError, match=r"features\.f\.zone needs .*`pip install tzdata`"):
        load_spec(folder)
    assert load_spec(RELEASED).features.names  # nobody else needs any
