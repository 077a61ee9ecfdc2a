"""A feature set as JSON, as it stands in an artefact's manifest, and back."""

from __future__ import annotations

import math
from operator import lt
from typing import TYPE_CHECKING, Any, Final

from processor.scoring.features.feature import Feature, Zone
from processor.scoring.features.feature_set import FeatureSet, Label
from processor.scoring.features.kinds import FIELD_KINDS, PROFILE_KINDS
from processor.scoring.profiles import Profile

if TYPE_CHECKING:
    from collections.abc import Mapping


MOST_CHANGES: Final = 500  # of a zone; none has more than 110 in the fifty years that training looks at
MOST_OFFSET_S: Final = 86_400


def describe(features: FeatureSet) -> dict[str, Any]:
    """The manifest's entries: `features`, and if there are any `zones`, `profiles` with `time`, `label`."""
    entries: dict[str, Any] = {"features": [_entry(feature) for feature in features.features]}
    if zones := {one.zone.name: one.zone.changes for one in features.features if one.zone}:
        entries["zones"] = {name: [list(change) for change in changes] for name, changes in zones.items()}
    if features.profiles:
        entries["time"] = features.time
        entries["profiles"] = [
            {name: list(value) if name == "days" else value for name, value in _said(profile).items()}
            for profile in features.profiles
        ]
    if features.label is not None:
        entries["label"] = features.label._asdict()
    return entries


def restore(content: Mapping[str, Any]) -> FeatureSet:
    """The feature set that a manifest describes.

    Raises:
        KeyError, TypeError, ValueError: it describes none.
    """
    label = Label(**content["label"]) if "label" in content else None
    profiles = [
        Profile(**{**entry, "days": tuple(int(days) for days in entry["days"])})
        for entry in content.get("profiles", [])
    ]
    names = {profile.name for profile in profiles}
    zones = {name: _zone(name, changes) for name, changes in content.get("zones", {}).items()}
    features = [_feature(entry, names, zones) for entry in content["features"]]
    return FeatureSet(features, profiles, content.get("time", ""), label)


def _said(profile: Profile) -> dict[str, Any]:
    return {name: getattr(profile, name) for name in Profile.__slots__ if getattr(profile, name) is not None}


def _entry(feature: Feature) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": feature.name, "kind": feature.kind}
    entry |= {"of": feature.of} if feature.of else {"profile": feature.profile, "days": list(feature.days)}
    entry |= {"zone": feature.zone.name} if feature.zone else {}
    entry |= {"options": dict(feature.options)} if feature.options else {}
    entry |= {"shares": dict(feature.shares)} if feature.shares else {}
    return entry | {"median": None if math.isnan(feature.median) else feature.median}


def _zone(name: str, changes: Any) -> Zone:
    table = tuple((second, offset) for second, offset in changes)
    seconds = [second for second, _ in table]
    if not (
        0 < len(table) <= MOST_CHANGES
        and all(type(number) is int for change in table for number in change)
        and all(abs(offset) <= MOST_OFFSET_S for _, offset in table)
        and all(map(lt, seconds, seconds[1:]))
    ):
        raise ValueError(f"a zone {name!r} whose changes are no list of seconds, in order, with offsets")
    return Zone(name, table)


def _feature(entry: Mapping[str, Any], profiles: set[str], zones: Mapping[str, Zone]) -> Feature:
    kind = entry["kind"]
    if kind not in FIELD_KINDS and kind not in PROFILE_KINDS:
        raise ValueError(f"a feature of kind {kind!r}")
    if kind in PROFILE_KINDS and entry["profile"] not in profiles:
        raise ValueError(f"a feature of profile {entry['profile']!r}")
    if (zone := entry.get("zone")) is not None and not (kind in FIELD_KINDS and FIELD_KINDS[kind].zoned):
        raise ValueError(f"a feature of kind {kind!r} in a zone")
    median = entry["median"]
    return Feature(
        name=str(entry["name"]),
        kind=kind,
        of=str(entry.get("of", "")),
        profile=str(entry.get("profile", "")),
        days=tuple(int(days) for days in entry.get("days", ())),
        zone=None if zone is None else zones[zone],
        options={str(name): float(value) for name, value in entry.get("options", {}).items()},
        median=math.nan if median is None else float(median),
        shares={str(value): float(share) for value, share in entry.get("shares", {}).items()},
    )
