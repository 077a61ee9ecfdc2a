"""The spec's profiles, features and label, as the kinds of features declare what can be said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from models.spec.keys import is_name, is_number, is_text, near, whole
from models.spec.zones import read_zone
from processor.scoring.features import FIELD_KINDS, PROFILE_KINDS, Feature, FeatureSet, Label
from processor.scoring.profiles import Profile

if TYPE_CHECKING:
    from models.spec.keys import Keys

MOST_PROFILES: Final = 16
MOST_FEATURES: Final = 200
MOST_WINDOWS: Final = 8
MOST_DAYS: Final = 366
NEEDED: Final = {
    "value": "sums something up: give it `value` or `feature`",
    "counterpart": "counts counterparts: give it `counterpart`",
    "labels": "counts confirmed fraud: give it `labels: true`",
}
_PROFILE_KEYS: Final = ("entity", "days", "value", "feature", "counterpart", "labels")


def read_label(keys: Keys) -> Label:
    """The label."""
    keys.only(("field", "equals", "after_days"))
    return Label(
        keys.get("field", is_text, "a field"),
        keys.get("equals", _is_plain, "the value that the field has for fraud: a text, a number or true"),
        keys.get("after_days", whole(0, MOST_DAYS), f"after how many days it is known, 0 to {MOST_DAYS}"),
    )


def read_features(root: Keys, label: Label, time: str) -> FeatureSet:
    """The features over the raw fields and over the profiles, as the function will compute them.

    Raises:
        ModelError: something in `profiles` or `features` cannot be.
    """
    profiles: dict[str, Profile] = {}
    for name, keys in root.part("profiles", optional=True).parts():
        if not is_name(name):
            raise root.error("profiles", f"has {name!r}: a name is of letters, digits and underscores")
        profiles[name] = _profile(name, keys, label)
    if len(profiles) > MOST_PROFILES:
        raise root.error("profiles", f"are more than {MOST_PROFILES}")
    section = root.part("features")
    features = {name: _feature(name, keys, profiles) for name, keys in section.parts()}
    if len(features) > MOST_FEATURES:
        raise root.error("features", f"are more than {MOST_FEATURES}")
    _require_earlier(root.part("profiles", optional=True), profiles, features)
    return FeatureSet(list(features.values()), list(profiles.values()), time, label)


def without_labels(features: FeatureSet) -> FeatureSet:
    """Those of the features that can be had without any label."""
    kept = [
        one
        for one in features.features
        if one.kind in FIELD_KINDS or not PROFILE_KINDS[one.kind].needs.labels
    ]
    used = {one.profile for one in kept}
    profiles = [
        Profile(p.name, p.entity, p.days, p.value, p.feature, p.counterpart)
        for p in features.profiles
        if p.name in used
    ]
    return FeatureSet(kept, profiles, features.time, None)


def _profile(name: str, keys: Keys, label: Label) -> Profile:
    keys.only(_PROFILE_KEYS)
    labels = keys.get("labels", lambda value: type(value) is bool, "true or false", default=False)
    value, feature = (keys.get(key, is_text, words, None) for key, words in (
        ("value", "the field that is summed up"), ("feature", "the feature that is summed up"),
    ))  # fmt: skip
    if value and feature:
        raise keys.error("feature", "is summed up beside `value`; a profile has one of the two")
    return Profile(
        name=name,
        entity=keys.get("entity", is_text, "the field that says whose record it is"),
        days=tuple(keys.get("days", _are_days, f"mean lives in whole days, as [7, 30]; 1 to {MOST_DAYS}")),
        value=value,
        feature=feature,
        counterpart=keys.get("counterpart", is_text, "the field whose different values are counted", None),
        labels=labels,
        label_days=label.after_days if labels else 0,
    )


def _feature(name: str, keys: Keys, profiles: dict[str, Profile]) -> Feature:
    kind = keys.one_of("kind", {*FIELD_KINDS, *PROFILE_KINDS})
    if kind in FIELD_KINDS:
        field = FIELD_KINDS[kind]
        keys.only(("kind", "of", *(["zone"] if field.zoned else [])))
        words = f"the field, {field.reads}" if field.reads else "the field"
        return Feature(name, kind, keys.get("of", is_text, words), zone=read_zone(keys))
    declared = PROFILE_KINDS[kind]
    options = declared.options or {}
    keys.only(("kind", "profile", *(["days"] if declared.windows else []), *options))
    if not profiles:
        raise keys.error("profile", f"is needed by the kind {kind}, and the spec has no profiles")
    profile = profiles[keys.one_of("profile", profiles, "a profile: ")]
    has = {
        "value": profile.value or profile.feature,
        "counterpart": profile.counterpart,
        "labels": profile.labels,
    }
    for need, wanted in declared.needs._asdict().items():
        if wanted and not has[need]:
            raise keys.error("profile", f"is {profile.name}, of which {kind} {NEEDED[need]}")
    return Feature(
        name,
        kind,
        profile=profile.name,
        days=_windows(keys, declared.windows, profile),
        options={key: _option(keys, key, default) for key, default in options.items()},
    )


def _windows(keys: Keys, windows: int, profile: Profile) -> tuple[int, ...]:
    if not windows:
        return ()
    value = keys.content.get("days")
    days = value if isinstance(value, list) else [value]
    among = f"of {', '.join(map(str, profile.days))}, which are the days of the profile {profile.name}"
    if len(days) != windows or any(type(day) is not int or day not in profile.days for day in days):
        raise keys.error(
            "days", f"should be {'one' if windows == 1 else f'{windows}, the shorter first,'} {among}"
        )
    if sorted(set(days)) != days:
        raise keys.error("days", "should have the shorter window first, and a longer one after it")
    return tuple(days)


def _option(keys: Keys, key: str, default: float) -> float:
    if key == "weight":
        return float(keys.get(key, lambda value: is_number(value) and value > 0, "more than 0", default))
    return float(keys.get(key, is_number, "a number", default))


def _require_earlier(keys: Keys, profiles: dict[str, Profile], features: dict[str, Feature]) -> None:
    order = list(profiles)
    for at, (name, profile) in enumerate(profiles.items()):
        if profile.feature is None:
            continue
        summed = features.get(profile.feature)
        if summed is None or summed.profile not in order[:at]:
            earlier = [one.name for one in features.values() if one.profile in order[:at]]
            hint = near(profile.feature, earlier)
            raise keys.error(
                f"{name}.feature",
                f"should be a feature of a profile that stands before {name}{hint}"
                + (f": {', '.join(earlier)}" if earlier else "; there is none"),
            )


def _are_days(value: Any) -> bool:
    return (
        isinstance(value, list)
        and 0 < len(value) <= MOST_WINDOWS
        and all(map(whole(1, MOST_DAYS), value))
        and len(set(value)) == len(value)
    )


def _is_plain(value: Any) -> bool:
    return is_text(value) or type(value) is bool or is_number(value)
