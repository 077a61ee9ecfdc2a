"""The spec as a whole."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

import yaml

from models.simulator.world import Recipe
from models.spec.estimator import read_estimator
from models.spec.features import read_features, read_label
from models.spec.gates import read_gates
from models.spec.groups import read_groups
from models.spec.keys import Keys, are_texts, is_name, is_text, whole, within
from processor.errors import ModelError
from processor.scoring.features import FeatureSet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from models.spec.estimator import EstimatorSpec
    from models.spec.gates import Gates
    from models.spec.groups import Group
    from processor.scoring.features import Label

SPEC: Final = "model.yaml"
_KEYS: Final = (
    "model", "time", "id", "card", "reads", "label", "profiles", "features", "estimator", "groups", "aliases",
    "gates", "seed", "holdout", "warm_up_days", "simulator",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spec:
    """A checked spec."""

    model: str
    time: str
    """The field that says when a record is from."""
    id: str | None
    """The field that names a record."""
    card: str | None
    """The field that says whose card it is. Figures leave out records of cards known to be compromised."""
    reads: tuple[str, ...]
    """The raw fields that the function reads."""
    label: Label
    features: FeatureSet
    """With what training has yet to learn: medians and shares."""
    estimator: EstimatorSpec
    groups: Mapping[str, Group]
    """By what people are told apart where it is measured whether the model treats them alike."""
    aliases: Mapping[str, Mapping[str, Any]]
    gates: Gates
    """What a candidate has to pass."""
    seed: int
    holdout: float
    """Share of the records, the last ones, that it is not trained on if no period is given."""
    warm_up_days: int
    """Days at the beginning of the data that only warm the profiles, if no period is given."""
    recipe: Recipe
    start: datetime
    burn_in_days: int
    """Of the recipe's days, at their beginning, that are left out."""

    def with_delay(self, days: int) -> Spec:
        """The spec, a label taking so many days."""
        label = self.label._replace(after_days=days)
        profiles = [replace(one, label_days=days) if one.labels else one for one in self.features.profiles]
        features = FeatureSet(self.features.features, profiles, self.time, label)
        return replace(self, label=label, features=features)

    @property
    def numbers(self) -> frozenset[str]:
        """The fields that are read as numbers."""
        found = {feature.of for feature in self.features.features if feature.kind in ("number", "log")}
        found |= {profile.value for profile in self.features.profiles if profile.value}
        return frozenset(found if isinstance(self.label.equals, str) else found | {self.label.field})


def load_spec(folder: Path) -> Spec:
    """The spec in the folder.

    Raises:
        ModelError: there is none, or it cannot be used. It names the file, the key and what that should be.
    """
    path = folder / SPEC
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(
            f"{path}: cannot be read ({error.strerror}); a model starts with this file"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path}: holds no keys; a model's spec begins with `model: <name>`")
    return _spec(Keys(path, "", content))


def _spec(keys: Keys) -> Spec:
    keys.only(_KEYS)
    time = keys.get("time", is_text, "the field that says when a record is from")
    label = read_label(keys.part("label"))
    features = read_features(keys, label, time)
    card = keys.get("card", is_text, "the field that says whose card it is", None)
    groups = read_groups(keys, {*features.reads, time, label.field, card})
    gates = read_gates(keys.part("gates", optional=True))
    if unknown := [name for name in gates.groups if name not in groups]:
        there = f"there are {', '.join(groups)}" if groups else "it has none"
        raise keys.error("gates.disparity.groups", f"has {unknown[0]}, no group of the spec; {there}")
    simulator = keys.part("simulator")
    simulator.only((*(field.name for field in fields(Recipe)), "start", "burn_in_days"))
    return Spec(
        model=keys.get("model", is_name, "a name of letters, digits and underscores"),
        time=time,
        id=keys.get("id", is_text, "the field that names a record", None),
        card=card,
        reads=_reads(keys, features),
        label=label,
        features=features,
        estimator=read_estimator(keys.part("estimator")),
        groups=groups,
        aliases=keys.part("aliases", optional=True).content,
        gates=gates,
        seed=keys.get("seed", whole(0, 2**32 - 1), "0 to 4294967295"),
        holdout=float(keys.get("holdout", within(0.05, 0.5), "a share from 0.05 to 0.5")),
        warm_up_days=keys.get("warm_up_days", whole(0, 366), "0 to 366", 0),
        recipe=_recipe(simulator),
        start=_start(simulator),
        burn_in_days=simulator.get("burn_in_days", whole(0, 365), "0 to 365"),
    )


def _reads(keys: Keys, features: FeatureSet) -> tuple[str, ...]:
    used = features.reads
    reads = keys.get("reads", are_texts, f"the fields that are used: {', '.join(used)}")
    for unused in reads:
        if unused not in used:
            raise keys.error("reads", f"has {unused}, which nothing uses; it should be {', '.join(used)}")
    if lacking := [one for one in used if one not in reads]:
        raise keys.error("reads", f"lacks {', '.join(lacking)}; it should be {', '.join(used)}")
    return tuple(reads)


def _recipe(keys: Keys) -> Recipe:
    found: dict[str, Any] = {}
    for field in fields(Recipe):
        fits = within(0, 100_000) if "per_day" in field.name else whole(0, 100_000)
        value = keys.get(field.name, fits, "0 to 100000")
        found[field.name] = float(value) if "per_day" in field.name else value
    return Recipe(**found)


def _start(keys: Keys) -> datetime:
    text = keys.get("start", _is_date, 'a date in quotes, such as "2026-04-01"')
    return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)


def _is_date(text: Any) -> bool:
    try:
        date.fromisoformat(text)
    except (TypeError, ValueError):
        return False
    return True
