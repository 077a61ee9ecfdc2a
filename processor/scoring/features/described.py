"""A feature set as JSON, as it stands in an artefact's manifest, and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from processor.scoring.features.feature import Feature
from processor.scoring.features.feature_set import FeatureSet, Label
from processor.scoring.features.kinds import FIELD_KINDS, PROFILE_KINDS
from processor.scoring.profiles import Profile

if TYPE_CHECKING:
    from collections.abc import Mapping


def describe(features: FeatureSet) -> dict[str, Any]:
    """The manifest's entries: `features`, and where there are profiles `profiles`, `time` and `label`."""
    entries: dict[str, Any] = {"features": [_entry(feature) for feature in features.features]}
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
    features = [_feature(entry, {profile.name for profile in profiles}) for entry in content["features"]]
    return FeatureSet(features, profiles, content.get("time", ""), label)


def _said(profile: Profile) -> dict[str, Any]:
    return {name: getattr(profile, name) for name in Profile.__slots__ if getattr(profile, name) is not None}


def _entry(feature: Feature) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": feature.name, "kind": feature.kind}
    entry |= {"of": feature.of} if feature.of else {"profile": feature.profile, "days": list(feature.days)}
    entry |= {"options": dict(feature.options)} if feature.options else {}
    entry |= {"shares": dict(feature.shares)} if feature.shares else {}
    return entry | {"median": None if math.isnan(feature.median) else feature.median}


def _feature(entry: Mapping[str, Any], profiles: set[str]) -> Feature:
    kind = entry["kind"]
    if kind not in FIELD_KINDS and kind not in PROFILE_KINDS:
        raise ValueError(f"a feature of kind {kind!r}")
    if kind in PROFILE_KINDS and entry["profile"] not in profiles:
        raise ValueError(f"a feature of profile {entry['profile']!r}")
    median = entry["median"]
    return Feature(
        name=str(entry["name"]),
        kind=kind,
        of=str(entry.get("of", "")),
        profile=str(entry.get("profile", "")),
        days=tuple(int(days) for days in entry.get("days", ())),
        options={str(name): float(value) for name, value in entry.get("options", {}).items()},
        median=math.nan if median is None else float(median),
        shares={str(value): float(share) for value, share in entry.get("shares", {}).items()},
    )
