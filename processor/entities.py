"""Under which names what is known of an entity is kept: pseudonyms, never a raw value."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from processor.crypto import to_plaintext
from processor.policy.people import People
from processor.scoring.features import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from processor.crypto import KeyRing
    from processor.policy import Plan
    from processor.scoring.features import FeatureSet
    from processor.scoring.profiles import Profile

DOMAIN: Final = "profile"
EDITION_DIGITS: Final = 16  # hex, of what a profile keeps
SHORT_DIGITS: Final = (
    10  # hex, of a counterpart's name: two of an entity's 64 share one with a chance of 2^-29
)


def editions(features: FeatureSet) -> dict[str, str]:
    """Of each profile in short what is kept of its entities: two models share those that are alike in it.

    What a profile is made of is part of it, the feature that it sums up with all that goes into that: totals
    of two kinds under one name would add up to nothing that means anything.
    """
    content = describe(features)
    made: dict[str, str] = {}
    by_name = {feature["name"]: feature for feature in content["features"]}
    for profile in content.get("profiles", ()):
        said: dict[str, Any] = {**profile, "time": content["time"]}
        if "feature" in profile:
            feature = {**by_name[profile["feature"]], "name": "", "median": None}
            said["feature"] = feature | {"profile": made[feature["profile"]]}
        if profile["labels"]:
            said["label"] = content["label"]
        text = json.dumps(said, sort_keys=True, separators=(",", ":"))
        made[profile["name"]] = hashlib.sha256(text.encode()).hexdigest()[:EDITION_DIGITS]
    return made


def entity_names(
    plan: Plan, keys: KeyRing, model: str, features: FeatureSet
) -> Callable[[Profile, Any, Mapping[str, bytes | None]], tuple[str, ...]]:
    """The function from a profile, a raw value and the secrets of people to the names, newest key first.

    Where the entity is whose data the policy protects, and the policy has keys of people, the person's secret
    goes into the name. An erased person has none: nothing is found any more, and nothing is kept anew.
    """
    pseudonyms = [keys.pseudonyms(DOMAIN, version=version) for version in keys.versions]
    people = People(plan, keys) if plan.by_subject else None
    edition = editions(features)

    def names(profile: Profile, value: Any, secrets: Mapping[str, bytes | None]) -> tuple[str, ...]:
        secret = b""
        if people is not None and profile.entity == plan.subject:
            person = people.names(value)
            if person is None or (own := secrets.get(person[0])) is None:
                return ()
            secret = own
        try:
            plaintext = f"{model}/{edition[profile.name]}/".encode() + to_plaintext(value)
        except ValueError:  # a number that DynamoDB does not have
            return ()
        return tuple(pseudonym(plaintext, secret) for pseudonym in pseudonyms)

    return names


def short_names(keys: KeyRing, model: str) -> Callable[[Any], int]:
    """The function from a counterpart's raw value to a number that tells it from others and says no more."""
    key = keys.hashes(DOMAIN)

    return lambda value: int(key(f"{model}/{value!r}".encode("utf-8", "surrogatepass"))[:SHORT_DIGITS], 16)
